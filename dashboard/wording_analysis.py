"""The sentences of the analysis: what the figures over time say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

from core.analysis.budget import Budget
from core.analysis.heat import Standout
from core.analysis.period import PeriodFigures
from core.analysis.stretches import Stretch
from core.analysis.sums import TimeClass
from core.breakdown import REST
from core.durations import in_words
from core.model import Direction, Kind, MarkerKind
from core.over_time import WhatChanged
from core.state.episodes import Share
from core.status import Thresholds, consistency_rate
from dashboard.wording import KINDS_COUNTED, NONE, UNBROKEN, counted, moment, number, rate

TIME_LABELS: Mapping[TimeClass, str] = {
    TimeClass.HEALTHY: "Healthy",
    TimeClass.DEGRADED: "Degraded",
    TimeClass.CRITICAL: "Critical",
    TimeClass.MAINTENANCE: "Maintenance",
    TimeClass.LOGS_ONLY: "Only logs",
    TimeClass.NO_DATA: "No data",
}

TIME_EXPLANATIONS: Mapping[TimeClass, str] = {
    TimeClass.HEALTHY: "the newest check was healthy",
    TimeClass.DEGRADED: "the newest check was degraded",
    TimeClass.CRITICAL: "the newest check was critical",
    TimeClass.MAINTENANCE: "the newest check ran in planned maintenance; counted neither as healthy nor as bad",
    TimeClass.LOGS_ONLY: "between two logs of the earlier system, which wrote none while all pairs agreed",
    TimeClass.NO_DATA: "no check in time, or none that gave a result; never counted as healthy",
}

DIRECTION_LABELS: Mapping[Direction, str] = {
    Direction.PROGRESS_AHEAD: "progress ahead",
    Direction.LICENSE_AHEAD: "licence ahead",
    Direction.NEITHER: "neither side ahead",
}

MARKER_LABELS: Mapping[MarkerKind, str] = {
    MarkerKind.DEPLOY: "Deploy",
    MarkerKind.MIGRATION: "Migration",
    MarkerKind.OTHER: "Other",
}

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def verdict(figures: PeriodFigures, stretch: str) -> str:
    """The answer of the page, HTML: "<b>99.98 %</b> over the last 30 d: the promise of 99 % healthy checks is kept, …"."""
    if not figures.sums.attempts:
        if figures.sums.in_maintenance:
            return f"Nothing is claimed about {stretch}: every check in it ran in planned maintenance."
        return f"Nothing is known about {stretch}: no check was tried."
    if not figures.known:
        return f"No check gave a result over {stretch}: {_of_failures(figures)}."
    mean = rate(figures.sums.mean_rate(figures.thresholds))
    return f"<b>{mean}</b> of all comparisons agreed over {stretch}. {promise(figures.budget)}"


def _of_failures(figures: PeriodFigures) -> str:
    parts = [counted(figures.sums.failed, "check failed", "checks failed")] if figures.sums.failed else []
    if figures.sums.empty:
        parts.append(f"{number(figures.sums.empty)} found nothing to compare")
    return ", ".join(parts)


def promise(budget: Budget) -> str:
    """What became of the promise in the window that ends with the period."""
    percent = percentage(budget.objective.percent).replace(" ", UNBROKEN)
    of = f"The promise of {percent} healthy checks over {in_words(budget.objective.window)}"
    left = budget.left_percent
    if left is None:
        return f"{of} cannot be judged: no check was tried in that time."
    if budget.kept is None:
        unknown = in_words(budget.no_data)
        return (
            f"{of} <b>cannot be judged yet</b>: nothing that counts is known about {unknown} of that time. "
            "The checks that ran would keep it."
        )
    if budget.kept:
        return f"{of} is <b>kept</b>, <b>{left}{UNBROKEN}%</b> of the error budget is left."
    return f"{of} is <b>broken</b>: the error budget is {overdrawn(left)}."


def budget_in_words(budget: Budget) -> str:
    """What the error budget and its burn rate are, and what they come to here: plain sentences in HTML; none without a check."""
    if not budget.attempts:
        return ""
    window, allowed = in_words(budget.objective.window), int(budget.allowed)
    may = f"{number(allowed)} may" if allowed else "none may"
    were = "1 was" if budget.bad == 1 else f"{number(budget.bad)} were" if budget.bad else "none was"
    tried = counted(budget.attempts, "check", "checks")
    said = f"<b>Error budget</b>: of the {tried} in {window}, {may} be anything but healthy; {were}{_rest(allowed - budget.bad)}."
    day = next((pace for pace in budget.paces if pace.length == timedelta(days=1)), None)
    if day is None or day.burn_rate is None:
        return said
    bad = f"{number(day.bad)} of {number(day.attempts)} {'was' if day.bad == 1 else 'were'} not healthy"
    times = burn(day.burn_rate).replace(" ", UNBROKEN)
    said += f" <b>Burn rate</b>: in the last day {bad}, {times} the pace that uses the whole budget up in just {window}"
    if not day.bad or budget.bad >= allowed:
        return f"{said}."
    whole = Decimal(budget.objective.window.total_seconds())
    lasts = (budget.allowed - budget.bad) / budget.allowed * whole / day.burn_rate
    return f"{said}: what is left lasts {'longer' if lasts > whole else in_words(timedelta(seconds=int(lasts)))} at this pace."


def _rest(left: int) -> str:
    if left > 0:
        return f", so {number(left)} may still be"
    return ", more than it allows" if left < 0 else ""


def overdrawn(left: Decimal) -> str:
    """How far below zero what is left is, in percent. One bad check of two is far: then it is told in whole budgets."""
    if left > -1_000:
        return f"overdrawn by {number(int(-left))}{UNBROKEN}%"
    return f"used up {number(int((100 - left) // 100))} times over"


def share(part: timedelta, whole: timedelta) -> str:
    """A share of time with one decimal, cut, so that nothing but all of it is 100 %."""
    if not part:
        return "0 %"
    thousandths = int(part * 1000 / whole) if whole else 0
    return "< 0.1 %" if not thousandths else f"{thousandths // 10}.{thousandths % 10} %" if thousandths < 1000 else "100 %"


def percentage(value: Decimal) -> str:
    """99 %, 99.9 %: a setting as it was written."""
    return f"{value.normalize():f} %"


def burn(value: Decimal | None) -> str:
    """A burn rate: "0.4 ×"."""
    return NONE if value is None else f"{value:.1f} ×" if value < 100 else f"{number(int(value))} ×"


def heat_sentence(found: Standout | None) -> str:
    """Where trouble gathers, or that it does not."""
    if found is None:
        return "No hour of the week stands out."
    hour = f"{found.hour:02}:00"
    if found.weekday is None:
        when = f"between {hour} and {(found.hour + 1) % 24:02}:00, on most days"
    else:
        when = f"on {WEEKDAYS[found.weekday]}s at {hour}"
    usual = f"at other times {found.usual_percent:.1f} %"
    return f"Most trouble <b>{when}</b>: {found.percent:.0f} % of checks were not healthy, {usual}."


def part_in_words(part: Share) -> str:
    """What violations have in common: "level mismatches of PLAYER with progress ahead"."""
    one, many = KINDS_COUNTED[part.kind]
    name = "other specializations" if part.specialization == REST else part.specialization
    ahead = f" with {DIRECTION_LABELS[part.direction]}" if _tells_more(part.kind, part.direction) else ""
    return f"{one if part.count == 1 else many} of {name}{ahead}"


def _tells_more(kind: Kind, direction: Direction) -> bool:
    """Whether the direction says what the kind does not."""
    return kind in (Kind.LEVEL_MISMATCH, Kind.DUPLICATE_ROWS) and direction is not Direction.NEITHER


def changed_sentence(changed: WhatChanged) -> str:
    """The largest part of a stretch's trouble, HTML."""
    if not changed.shares:
        return "Nothing tells what its violations were: the rows of these checks do not hold it."
    first, total = changed.shares[0], changed.total
    of = "that began in it" if changed.begun else "of its worst check"
    if len(changed.shares) == 1:
        every = "The only violation" if total == 1 else f"All {number(total)} violations"
        return f"{every} {of} {'is a' if total == 1 else 'are'} <b>{escape(part_in_words(first))}</b>."
    are = "is a" if first.count == 1 else "are"
    return f"<b>{number(first.count)} of {number(total)}</b> violations {of} {are} <b>{escape(part_in_words(first))}</b>."


def stretch_in_words(stretch: Stretch, thresholds: Thresholds, viewer: ZoneInfo, now: datetime) -> str:
    """A stretch as it is offered in a list: when, how long, how bad."""
    lowest = rate(consistency_rate(stretch.worst.consistent, stretch.worst.total, thresholds))
    length = in_words(stretch.length) if stretch.length else "seen once"
    ended = "" if stretch.healed else ", not seen to end"
    return f"{moment(stretch.start, viewer, now)}: {length}, lowest {lowest}{ended}"


def shares_largest(shares: Sequence[Share], most: int) -> tuple[Sequence[Share], int]:
    """The largest parts, and how many violations the others have together."""
    return shares[:most], sum(part.count for part in shares[most:])
