"""Counts and times in, status and reason out. Pure: no clock, no database, no files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from core.durations import in_words
from core.model import Status, Totals

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The lowest percentage of agreeing pairs that is still healthy, and still degraded. 0 < degraded < healthy <= 100."""

    healthy: Decimal = Decimal(99)
    degraded: Decimal = Decimal(95)


DEFAULT_THRESHOLDS = Thresholds()


def consistency_rate(consistent: int, total: int, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Decimal | None:
    """Percentage of consistent pairs, two decimals; None when nothing was checked.

    Rounds half-even, but never up over a threshold or to 100: a rate that reads 99.00 is healthy.
    """
    if total == 0:
        return None
    percent = Decimal(consistent * 100) / Decimal(total)
    return _rounded(percent, thresholds, lambda bound: reaches(bound, consistent, total))


def shown_rate(percent: float, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Decimal:
    """A percentage that was computed elsewhere (in a trend), by the same rule."""
    return _rounded(Decimal(str(percent)), thresholds, lambda bound: percent >= bound)


def rate_of(totals: Totals, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Decimal | None:
    """`consistency_rate` of a comparison."""
    return consistency_rate(totals.consistent, totals.total_checked, thresholds)


def reaches(threshold: Decimal, consistent: int, total: int) -> bool:
    """Whether consistent / total is at least `threshold` percent, decided from the integers alone."""
    numerator, denominator = threshold.as_integer_ratio()
    return consistent * 100 * denominator >= numerator * total


def status_of(consistent: int, total: int, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Status:
    """The status that the two integers give, whatever their age; unknown when nothing was checked."""
    if total == 0:
        return Status.UNKNOWN
    if reaches(thresholds.healthy, consistent, total):
        return Status.HEALTHY
    return Status.DEGRADED if reaches(thresholds.degraded, consistent, total) else Status.CRITICAL


def _rounded(percent: Decimal, thresholds: Thresholds, is_reached: Callable[[Decimal], bool]) -> Decimal:
    rounded = percent.quantize(_CENT, ROUND_HALF_EVEN)
    for bound in (Decimal(100), thresholds.healthy, thresholds.degraded):
        if rounded >= bound and not is_reached(bound):
            rounded = min(rounded, _largest_cent_below(bound))
    return rounded


def _largest_cent_below(bound: Decimal) -> Decimal:
    floor = bound.quantize(_CENT, ROUND_FLOOR)
    return floor - _CENT if floor == bound else floor


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a check starts, and how late a start may be."""

    interval: timedelta = timedelta(minutes=5)
    misfire_grace: timedelta = timedelta(seconds=60)

    @property
    def freshness(self) -> timedelta:
        """The age up to which a completed check still speaks for now: two intervals and the grace."""
        return 2 * self.interval + self.misfire_grace


@dataclass(frozen=True, slots=True)
class Evidence:
    """What history says: the newest completed check, and the attempts that failed after it."""

    completed_at: datetime | None = None
    totals: Totals | None = None
    status_since: datetime | None = None  # the first check of the unbroken run with the newest check's status
    failed_attempts: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """A status, why it holds, and since when (None: it never was otherwise)."""

    status: Status
    reason: str
    since: datetime | None


def assess(
    evidence: Evidence,
    now: datetime,
    schedule: Schedule = Schedule(),
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Assessment:
    """The status at the moment `now`.

    A status is as good as its age: unknown when the newest attempt failed, or the newest completed check is older
    than `schedule.freshness` or lies in the future (the clock was set back).
    """
    doubts = _doubts(evidence, now, schedule)
    if doubts or evidence.totals is None:
        return Assessment(Status.UNKNOWN, "; ".join(doubts), _unknown_since(evidence, now, schedule))
    totals = evidence.totals
    if totals.total_checked == 0:
        return Assessment(Status.UNKNOWN, "nothing to check: neither table holds a pair", evidence.status_since)
    status = status_of(totals.consistent, totals.total_checked, thresholds)
    return Assessment(status, _verdict(status, totals, thresholds), evidence.status_since)


def speaks_for(completed_at: datetime | None, now: datetime, schedule: Schedule) -> bool:
    """Whether a check that completed then is young enough to speak for now, and does not lie in the future."""
    return completed_at is not None and -schedule.misfire_grace <= now - completed_at <= schedule.freshness


def holds_until(evidence: Evidence, assessment: Assessment, now: datetime, schedule: Schedule) -> datetime:
    """The last moment at which `assess` certainly still says the same, from `now` on, if nothing new is recorded.

    A known status holds until its check is too old. An unknown one's reason tells an age, which changes with the seconds.
    """
    if evidence.completed_at is None or assessment.status is Status.UNKNOWN:
        return now if evidence.completed_at else datetime.max.replace(tzinfo=now.tzinfo)
    return evidence.completed_at + schedule.freshness


def _doubts(evidence: Evidence, now: datetime, schedule: Schedule) -> list[str]:
    doubts = []
    if evidence.completed_at is None:
        doubts.append("no check has completed yet" if evidence.failed_attempts else "no check has run yet")
    elif evidence.failed_attempts or now - evidence.completed_at > schedule.freshness:
        doubts.append(f"last completed check {in_words(max(now - evidence.completed_at, timedelta(0)))} ago")
    elif evidence.completed_at - now > schedule.misfire_grace:
        ahead = in_words(evidence.completed_at - now)
        doubts.append(f"the last completed check lies {ahead} in the future: the clock was set back")
    if evidence.failed_attempts:
        count = evidence.failed_attempts
        failed = "the last attempt failed" if count == 1 else f"the last {count} attempts failed"
        doubts.append(f"{failed}: {(evidence.last_error or 'no reason was kept').rstrip('. ')}")
    return doubts


def _unknown_since(evidence: Evidence, now: datetime, schedule: Schedule) -> datetime | None:
    beginnings = []
    if evidence.failing_since is not None:
        beginnings.append(evidence.failing_since)
    if evidence.completed_at is not None and now - evidence.completed_at > schedule.freshness:
        beginnings.append(evidence.completed_at + schedule.freshness)
    return min(beginnings, default=None)


def _verdict(status: Status, totals: Totals, thresholds: Thresholds) -> str:
    rate = rate_of(totals, thresholds)
    if not totals.inconsistent:
        return f"all {totals.total_checked} pairs agree"
    bound = thresholds.healthy if status is Status.DEGRADED else thresholds.degraded
    below = "" if status is Status.HEALTHY else f", below {bound:f} %"
    return f"{rate} % of {totals.total_checked} pairs agree{below}"
