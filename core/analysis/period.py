"""The figures of one period: what the analysis page, the presentation and the reports all show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce

from core.analysis.budget import Budget, budget_at
from core.analysis.objective import Objective
from core.analysis.stretches import Stretch, time_unhealthy, unhealthy_stretches
from core.analysis.sums import Sums, sums_of
from core.status import Schedule, Thresholds
from core.timeline import Timeline

LISTED_STRETCHES = 10

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EpisodeFigures:
    """The violations' lives in a period. Times are taken to the whole second before they are subtracted.

    `earlier + later` are the figures of both.
    """

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

    def __add__(self, later: EpisodeFigures) -> EpisodeFigures:
        return EpisodeFigures(
            opened=self.opened + later.opened,
            returned=self.returned + later.returned,
            healed=self.healed + later.healed,
            open_at_end=later.open_at_end,
            heal_seconds=self.heal_seconds + later.heal_seconds,
            longest_heal_seconds=max(self.longest_heal_seconds, later.longest_heal_seconds),
            healed_within_hour=self.healed_within_hour + later.healed_within_hour,
            oldest_open=later.oldest_open,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """What is left of a day (UTC) whose single checks are gone."""

    sums: Sums
    episodes: EpisodeFigures
    last: Timeline  # its last entry, which tells about the first minutes of the next day; none when it had none


Days = Mapping[date, Day]


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
    dropped_days: int = 0  # days of which only sums are left: they have no stretches, and no part in the budget

    @property
    def known(self) -> bool:
        """Whether at least one check compared something."""
        return self.sums.compared > 0

    @property
    def ran_of_expected(self) -> int:
        """How many of the checks that should have run did run, completed or failed; checks by hand can make it more."""
        return self.sums.ran


def period_figures(
    timeline: Timeline,
    start: datetime,
    end: datetime,
    *,
    schedule: Schedule,
    thresholds: Thresholds,
    objective: Objective,
    episodes: EpisodeFigures,
    dropped: Days | None = None,
    until: datetime | None = None,
) -> PeriodFigures:
    """The figures of [start, end).

    `dropped` are the days whose single checks are gone, that before the period included; `episodes` count theirs already.
    Nothing came after the newest entry until `until`; `end` when it is not told.
    """
    part = timeline.between(start, end)
    stretches = unhealthy_stretches(timeline, start, end, schedule.freshness, thresholds)
    days = within(dropped or {}, start, end)
    carried = reduce(Timeline.joined, (day.last for day in (dropped or {}).values()), timeline)
    rest = (
        sums_of(carried, first, last, schedule.freshness, thresholds, max(until or end, end))
        for first, last in between_days(days, start, end)
    )
    window = sums_of(carried, end - objective.window, end, schedule.freshness, thresholds, max(until or end, end))
    return PeriodFigures(
        start=start,
        end=end,
        expected=int((end - start) / schedule.interval),
        sums=sum((*(day.sums for day in days.values()), *rest), Sums()),
        stretches=stretches[:LISTED_STRETCHES],
        stretch_count=len(stretches),
        time_below_healthy=time_unhealthy(stretches),
        episodes=episodes,
        budget=budget_at(timeline, end, objective, thresholds, window.uncounted_time),
        thresholds=thresholds,
        first_number=int(part.number.min()) if len(part) else None,
        last_number=int(part.number.max()) if len(part) else None,
        dropped_days=len(days),
    )


def within(days: Days, start: datetime, end: datetime) -> Days:
    """The days that lie wholly in [start, end), in order."""
    return {day: days[day] for day in sorted(days) if start <= midnight(day) and midnight(day) + DAY <= end}


def between_days(days: Days, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """What is left of [start, end) beside these days, in order; the last may be empty, so that there is always one."""
    since = start
    for day in sorted(days):
        if since < midnight(day):
            yield since, midnight(day)
        since = midnight(day) + DAY
    yield since, end


def midnight(day: date) -> datetime:
    """The beginning of a day, in UTC."""
    return datetime.combine(day, time(), UTC)
