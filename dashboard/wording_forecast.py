"""Forecasts and promises in sentences: plain text, never HTML."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.durations import in_words
from core.forecast.model import (
    INTERVAL_PERCENT,
    LEAST_IMPROVEMENT,
    NEEDED_DAYS,
    Backtest,
    Guess,
    Horizon,
    Known,
    Model,
    Outlook,
    Refusal,
)
from core.forecast.promise import PromiseOutlook, PromiseState
from dashboard.wording import NONE, counted, number

HORIZON_LABELS: Mapping[Horizon, str] = {Horizon.DAY: "24 hours", Horizon.WEEK: "7 days"}

GUESS_LABELS: Mapping[Guess, str] = {
    Guess.SAME_AS_NOW: "same as now",
    Guess.SAME_AS_YESTERDAY: "same as yesterday",
    Guess.AS_USUAL: "as usual",
}

MODEL_LABELS: Mapping[Model, str] = {
    Model.LEVEL: "a level that moves",
    Model.TREND: "a level and a trend that fades",
    Model.DAY: "a level and the pattern of the day",
    Model.DAY_AND_TREND: "a level, a trend that fades and the pattern of the day",
    Model.WEEK: "a level and the pattern of the week",
}


def amount(value: float) -> str:
    """A mean number of violations: one decimal below 100, unless it is whole."""
    return number(round(value)) if value >= 100 or value == int(value) else f"{value:.1f}"


def probability(value: float) -> str:
    """A probability in whole percent; never 0 or 100, which no history proves."""
    percent = round(100 * value)
    return "< 1 %" if percent < 1 else "> 99 %" if percent > 99 else f"{percent} %"


def expected_sentence(outlook: Outlook, zone: ZoneInfo) -> str:
    """What a useful outlook says: the average, the worst hour and its interval."""
    mean = sum(hour.violations for hour in outlook.hours) / len(outlook.hours)
    worst = max(outlook.hours, key=lambda hour: hour.violations)
    return (
        f"{amount(mean)} violations are expected on average over the next {HORIZON_LABELS[outlook.horizon]}, "
        f"most around {worst.start.astimezone(zone):%a %H:%M}: {amount(worst.violations)}, "
        f"or {amount(worst.lower)} to {amount(worst.upper)} in {INTERVAL_PERCENT} % of the cases."
    )


def proof_sentence(backtest: Backtest) -> str:
    """By how much the model beat the simple guesses, and how many values lay in the interval."""
    guesses = ", ".join(f"“{GUESS_LABELS[guess]}” by {amount(error)}" for guess, error in backtest.guesses.items())
    tries = counted(backtest.tries, "try", "tries")
    return (
        f"In {tries} on this installation's own history it missed by {amount(backtest.error)} violations on average; {guesses}. "
        f"That is {backtest.improvement_percent:.0f} % less than the best of them; "
        f"{backtest.coverage_percent:.0f} % of the values lay in the interval, which is made for {INTERVAL_PERCENT} %."
    )


def refusal_sentence(outlook: Outlook, known: Known, zone: ZoneInfo) -> str:
    """Why there is no forecast for a horizon. Raises ValueError when there is one."""
    if outlook.refusal is None:
        raise ValueError("this outlook was not refused")
    why = _WHY[outlook.refusal](outlook, known, zone)
    return f"No useful forecast of the next {HORIZON_LABELS[outlook.horizon]} can be made: {why}"


def outlook_sentence(outlook: PromiseOutlook, now: datetime | None = None) -> str:
    """A promise in one sentence. Days are those of the promise's zone; with `now`, near ones are called today and tomorrow."""
    promise = outlook.promise
    first = promise.start.astimezone(promise.zone)
    name = f"the {promise.objective.normalize():f} % promise for {first:%B}"
    used = f"{number(outlook.used)} of {number(promise.allowed)} allowed bad checks"
    are_used = "is used" if promise.allowed == 1 else "are used"
    if outlook.state is PromiseState.BROKEN:
        since = "" if outlook.broken_since is None else f" since {outlook.broken_since.astimezone(promise.zone):%A %d %b %H:%M}"
        bad = counted(outlook.used, "bad check", "bad checks")
        return f"T{name[1:]} is broken{since}: {bad}, {_were_allowed(promise.allowed)}."
    if outlook.state is PromiseState.OPEN:
        return f"Nothing can be said yet about {name}: too few checks ran in the last days; {used} {are_used}."
    if outlook.breaks_at is not None:
        return f"At this pace {name} breaks {_on_day(outlook.breaks_at, promise.zone, now)}: {used} {are_used}."
    if outlook.bad_per_day is None:
        return f"T{name[1:]} was kept: {used} {'was used' if promise.allowed == 1 else 'were used'}."
    return f"At this pace {name} holds: {used} {are_used}."


def _were_allowed(allowed: int) -> str:
    return f"{number(allowed)} {'was' if allowed == 1 else 'were'} allowed" if allowed else "none was allowed"


def _on_day(at: datetime, zone: ZoneInfo, now: datetime | None) -> str:
    day = at.astimezone(zone)
    if now is not None and (ahead := (day.date() - now.astimezone(zone).date()).days) < 2:
        return "tomorrow" if ahead == 1 else "today"
    return f"on {day:%A %d %b}"


def _too_little(outlook: Outlook, known: Known, zone: ZoneInfo) -> str:
    need = f"{NEEDED_DAYS[outlook.horizon]} days of history are needed, so that it can be tried on them"
    if known.first is None:
        return f"{need}, and no hour was read yet."
    there = in_words(timedelta(hours=known.hours))
    gap = f" since a gap of more than a day that ended on {known.first.astimezone(zone):%d %b %H:%M}" if known.after_gap else ""
    return f"{need}, and there are {there}{gap}."


def _outdated(outlook: Outlook, known: Known, zone: ZoneInfo) -> str:
    newest = NONE if known.last is None else f"{known.last.astimezone(zone):%a %d %b %H:%M}"
    return f"nothing was read after the hour of {newest}, so there is no “now” to start from."


def _too_many_gaps(outlook: Outlook, known: Known, zone: ZoneInfo) -> str:
    return f"{number(known.unread)} of the last {number(known.hours)} hours were not read."


def _constant(outlook: Outlook, known: Known, zone: ZoneInfo) -> str:
    there = in_words(timedelta(hours=known.hours))
    return (
        f"every hour of the last {there} read {_violations(known.last_violations)}. "
        "The last value will probably stay, but there is nothing to forecast from."
    )


def _no_model(outlook: Outlook, known: Known, zone: ZoneInfo) -> str:
    return "no model could be fitted to this history."


def _not_better(outlook: Outlook, known: Known, zone: ZoneInfo) -> str:
    backtest = outlook.backtest
    if backtest is None:
        return "a simple guess is as good."
    best = backtest.best_guess
    compared = (
        f"in {counted(backtest.tries, 'try', 'tries')} on this installation's own history “{GUESS_LABELS[best]}” missed by "
        f"{amount(backtest.guesses[best])} violations on average, the best model by {amount(backtest.error)}"
    )
    if backtest.improvement_percent >= LEAST_IMPROVEMENT:
        return f"{compared}. That may be luck: the tries differ too much."
    return f"{compared}. It has to miss by {LEAST_IMPROVEMENT} % less to be worth a look."


def _violations(value: float) -> str:
    return "1 violation" if value == 1 else "no violation" if value == 0 else f"{amount(value)} violations"


_WHY = {
    Refusal.TOO_LITTLE_HISTORY: _too_little,
    Refusal.OUTDATED: _outdated,
    Refusal.TOO_MANY_GAPS: _too_many_gaps,
    Refusal.CONSTANT: _constant,
    Refusal.NO_MODEL: _no_model,
    Refusal.NOT_BETTER: _not_better,
}
