"""The figures of one period: what the analysis page, the presentation and the reports all show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.analysis.budget import Budget, budget_at
from core.analysis.objective import Objective
from core.analysis.stretches import Stretch, unhealthy_stretches
from core.analysis.sums import Sums, sums_of
from core.status import Schedule, Thresholds
from core.timeline import Timeline

LISTED_STRETCHES = 10


@dataclass(frozen=True, slots=True)
class EpisodeFigures:
    """The violations' lives in a period. Times are taken to the whole second before they are subtracted."""

    opened: int = 0  # began in it
    returned: int = 0  # of those, pairs that had been apart and healed before
    healed: int = 0  # ended in it
    open_at_end: int = 0  # had begun by its end and had not ended by then
    heal_seconds: int = 0  # summed over those that healed in it, each from first seen to healed
    longest_heal_seconds: int = 0
    healed_within_hour: int = 0
    oldest_open: datetime | None = None  # the first seen of those open at its end

    @property
    def mean_time_to_repair(self) -> timedelta | None:
        """Mean time from first seen to healed (MTTR), cut to whole seconds; None when nothing healed."""
        return timedelta(seconds=self.heal_seconds // self.healed) if self.healed else None

    @property
    def longest_time_to_repair(self) -> timedelta | None:
        return timedelta(seconds=self.longest_heal_seconds) if self.healed else None


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """Everything about [start, end). For a period that is not over, `end` is the moment up to which it was looked at."""

    start: datetime
    end: datetime
    expected: int  # checks that should have run, by the interval
    sums: Sums
    stretches: Sequence[Stretch]  # below healthy, longest first, at most LISTED_STRETCHES
    stretch_count: int
    time_below_healthy: timedelta
    episodes: EpisodeFigures
    budget: Budget
    thresholds: Thresholds
    first_number: int | None  # of the rows of history that all of this comes from
    last_number: int | None

    @property
    def known(self) -> bool:
        """Whether at least one check compared something."""
        return self.sums.compared > 0

    @property
    def ran_of_expected(self) -> int:
        """How many of the checks that should have run did run, completed or failed; checks by hand can make it more."""
        return self.sums.attempts


def period_figures(
    timeline: Timeline,
    start: datetime,
    end: datetime,
    *,
    schedule: Schedule,
    thresholds: Thresholds,
    objective: Objective,
    episodes: EpisodeFigures,
    dropped: Sums = Sums(),
) -> PeriodFigures:
    """The figures of [start, end); `dropped` are the sums of those days of it whose single checks are gone."""
    part = timeline.between(start, end)
    stretches = unhealthy_stretches(timeline, start, end, schedule.freshness, thresholds)
    return PeriodFigures(
        start=start,
        end=end,
        expected=int((end - start) / schedule.interval),
        sums=dropped + sums_of(timeline, start, end, schedule.freshness, thresholds),
        stretches=stretches[:LISTED_STRETCHES],
        stretch_count=len(stretches),
        time_below_healthy=sum((stretch.length for stretch in stretches), timedelta(0)),
        episodes=episodes,
        budget=budget_at(timeline, end, objective, thresholds),
        thresholds=thresholds,
        first_number=int(part.number.min()) if len(part) else None,
        last_number=int(part.number.max()) if len(part) else None,
    )
