"""The promise for a calendar month, and when it breaks at the present pace. Pure: counts and times in, a moment out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


class PromiseState(StrEnum):
    """What becomes of a promise."""

    HOLDS = "holds"  # it was kept, or is kept at this pace
    BREAKS = "breaks"  # at this pace, before the month ends
    BROKEN = "broken"  # more bad checks than are allowed already
    OPEN = "open"  # no check in the last days: there is no pace


@dataclass(frozen=True, slots=True)
class Promise:
    """That at least `objective` percent of the checks of a calendar month are healthy. `expected_checks` in the whole month."""

    year: int
    month: int
    zone: ZoneInfo  # in which the month begins and ends
    objective: Decimal
    expected_checks: int

    @property
    def start(self) -> datetime:
        """The first moment of the month, in UTC."""
        return datetime(self.year, self.month, 1, tzinfo=self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first moment of the next month, in UTC."""
        year, month = (self.year + 1, 1) if self.month == 12 else (self.year, self.month + 1)
        return datetime(year, month, 1, tzinfo=self.zone).astimezone(UTC)

    @property
    def allowed(self) -> int:
        """How many checks of the month may be bad: 89 of 8,928 at 99 %."""
        return int(self.expected_checks * (100 - self.objective) / 100)


@dataclass(frozen=True, slots=True)
class CheckCount:
    """Checks of a stretch of time, and how many of them were bad: not healthy, or failed."""

    checks: int
    bad: int


@dataclass(frozen=True, slots=True)
class PromiseOutlook:
    """A promise, what is used of it, and what the pace makes of the rest of the month."""

    promise: Promise
    state: PromiseState
    used: int  # bad checks so far
    bad_per_day: float | None  # None: no pace is known, or the month is over
    breaks_at: datetime | None  # when the first bad check too many is due at this pace, within the month
    broken_since: datetime | None  # the first bad check too many, where the caller knows it


def promise_outlook(
    promise: Promise, so_far: CheckCount, recent: CheckCount, now: datetime, broken_since: datetime | None = None
) -> PromiseOutlook:
    """What becomes of a promise when bad checks go on coming as they did in `recent`: 7 days, or less when less is known.

    `so_far` counts the month's checks up to `now`; `broken_since` is the moment of its (allowed + 1)-th bad one, if there is one.
    """
    if so_far.bad > promise.allowed:
        return PromiseOutlook(promise, PromiseState.BROKEN, so_far.bad, _pace(promise, recent, now), None, broken_since)
    if now >= promise.end:
        return PromiseOutlook(promise, PromiseState.HOLDS, so_far.bad, None, None, None)
    pace = _pace(promise, recent, now)
    if pace is None:
        return PromiseOutlook(promise, PromiseState.OPEN, so_far.bad, None, None, None)
    breaks_at = _breaks_at(promise, so_far.bad, pace, now)
    state = PromiseState.HOLDS if breaks_at is None else PromiseState.BREAKS
    return PromiseOutlook(promise, state, so_far.bad, pace, breaks_at, None)


def _pace(promise: Promise, recent: CheckCount, now: datetime) -> float | None:
    """Bad checks a day: the share of recent ones, times the checks that a day should have."""
    if not recent.checks or now >= promise.end:
        return None
    return recent.bad / recent.checks * promise.expected_checks * (_DAY / (promise.end - promise.start))


def _breaks_at(promise: Promise, used: int, pace: float, now: datetime) -> datetime | None:
    begin = max(now, promise.start)
    left = promise.allowed + 1 - used
    if pace * ((promise.end - begin) / _DAY) <= left:  # also keeps a slow pace from a date that no calendar has
        return None
    return begin + left / pace * _DAY
