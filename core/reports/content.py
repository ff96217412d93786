"""What a report says, as figures: everything in it can be stated, compared and computed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self

from core.analysis.objective import Objective
from core.analysis.period import PeriodFigures
from core.analysis.sums import Sums
from core.model import Kind, UserId
from core.reports.period import Period
from core.settings import Settings
from core.status import Schedule, Thresholds


class Verdict(StrEnum):
    """Whether the promise was kept in a period, or why that cannot be said."""

    KEPT = "kept"
    BROKEN = "broken"
    TOO_LITTLE = "too_little"  # nothing that counts is known of more than half of the time
    NO_RESULT = "no_result"  # checks were tried, none compared anything
    NOTHING = "nothing"  # no check was tried


class Step(StrEnum):
    """What one point of the series stands for."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Terms:
    """By what a report judges. They stand in it, so that it can be computed again when the settings have changed."""

    interval: timedelta
    misfire_grace: timedelta
    healthy: Decimal
    degraded: Decimal
    promised: Decimal
    window: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Self:
        schedule, thresholds, objective = settings.schedule, settings.status_thresholds, settings.promised
        return cls(
            schedule.interval,
            schedule.misfire_grace,
            thresholds.healthy,
            thresholds.degraded,
            objective.percent,
            objective.window,
        )

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.interval, self.misfire_grace)

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(self.healthy, self.degraded)

    @property
    def objective(self) -> Objective:
        return Objective(self.promised, self.window)


@dataclass(frozen=True, slots=True)
class Point:
    """One step of the series: [start, end), cut at the end of what the report looks at."""

    start: datetime
    end: datetime
    expected: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class Counted:
    """How many pairs came apart that have a name in common."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class OpenPair:
    """A pair that was apart at the end. `user_id` is None unless users are named."""

    specialization: str
    kind: Kind  # with which it began
    since: datetime
    user_id: UserId | None


@dataclass(frozen=True, slots=True)
class ReturningPair:
    """A pair that came apart more than once in the period. `user_id` is None unless users are named."""

    specialization: str
    times: int
    user_id: UserId | None


@dataclass(frozen=True, slots=True)
class Readings:
    """The rows of history that a report is made from, and what tells whether they are still the same."""

    count: int
    first: int | None  # the lowest number
    last: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class ReportContent:
    """All figures of one report."""

    period: Period
    end: datetime  # up to when it looks: the period's end, or the moment when it was made
    terms: Terms
    watched: str  # a short name of database and tables
    user_ids: bool
    verdict: Verdict
    figures: PeriodFigures
    before: PeriodFigures  # the period before, or as much of it as there is of this one
    step: Step
    points: Sequence[Point]
    by_kind: Sequence[Counted]
    by_specialization: Sequence[Counted]
    other_specializations: int  # pairs in specializations that are not listed
    oldest: Sequence[OpenPair]
    returning: Sequence[ReturningPair]
    readings: Readings

    @property
    def running(self) -> bool:
        """Whether the period was not over."""
        return self.end < self.period.end


def verdict_of(figures: PeriodFigures, promised: Decimal) -> Verdict:
    """Whether at least `promised` percent of the attempts were healthy.

    With nothing that counts known of more than half of the time, that is not said, unless no further check could have saved the
    promise.
    """
    sums = figures.sums
    if not sums.attempts:
        return Verdict.NOTHING
    if not figures.known:
        return Verdict.NO_RESULT
    allowed_share = (100 - promised) / 100
    broken = sums.unhealthy > sums.attempts * allowed_share
    if 2 * sums.uncounted_time > figures.end - figures.start:
        certain = sums.unhealthy > max(sums.attempts, figures.expected - sums.in_maintenance) * allowed_share
        return Verdict.BROKEN if certain else Verdict.TOO_LITTLE
    return Verdict.BROKEN if broken else Verdict.KEPT
