"""HealthRecord: the door to everything over time, beside the HealthMonitor's door to now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from core.analysis.heat import HeatMap, heat_map
from core.analysis.objective import Objective
from core.analysis.period import Days, EpisodeFigures, PeriodFigures, between_days, midnight, period_figures, within
from core.analysis.trend import MOST_POINTS, Trend, trend
from core.clock import Clock
from core.settings import Settings
from core.state import daily, episodes, history, settled
from core.state.database import StateDatabase
from core.state.episodes import Episode, Life
from core.state.history import Attempt
from core.state.settled import Settled
from core.state.timeline import TimelineKeeper
from core.timeline import Timeline, moment


class HealthRecord:
    """What was, over days and months. Everything comes from the state database. Safe to share between threads.

    Every method raises StateDatabaseUnavailable when that is away.
    """

    def __init__(
        self, settings: Settings, state: StateDatabase, watched: Callable[[sa.Connection], str | None], clock: Clock
    ) -> None:
        """`watched` tells whose history to read."""
        self.settings = settings
        self.state = state
        self.watched_now = watched
        self._clock = clock
        self._keeper = TimelineKeeper()

    @property
    def objective(self) -> Objective:
        return self.settings.promised

    def scope(self, connection: sa.Connection) -> str:
        """The short name of the watched database."""
        return episodes.scope_of(self._watched(connection))

    def timeline(self) -> Timeline:
        """All readings; the same object as long as nothing was added."""
        with self.state.read() as connection:
            return self._keeper.up_to_now(connection, self.watched_now(connection))

    def period(self, start: datetime, end: datetime) -> PeriodFigures:
        """The figures of [start, end), or up to now when it is not over."""
        now = self._clock()
        end = min(end, max(now, start))
        with self.state.read() as connection:
            watched = self.watched_now(connection)
            dropped = daily.days(connection, episodes.scope_of(watched), start, end)
            return period_figures(
                self._keeper.up_to_now(connection, watched),
                start,
                end,
                schedule=self.settings.schedule,
                thresholds=self.settings.status_thresholds,
                objective=self.objective,
                episodes=_lives(connection, watched, dropped, start, end),
                dropped=dropped,
                until=now,
            )

    # --- over time ----------------------------------------------------------------------------------------------------

    def trend(self, start: datetime | None, end: datetime | None = None, most_points: int = MOST_POINTS) -> Trend:
        """History from `start` (None: from the first reading) to `end` (None: now), reduced for drawing."""
        end = end or self._clock()
        with self.state.read() as connection:
            watched = self.watched_now(connection)
            timeline = self._keeper.up_to_now(connection, watched)
            scope = episodes.scope_of(watched)
            if start is None:
                _, first = daily.extent(connection, scope)
                begun = [*([midnight(first)] if first else []), *([moment(timeline.at[0])] if len(timeline) else [])]
                start = min(begun, default=end - timedelta(days=1))
            days = daily.days(connection, scope, start, end)
        return trend(
            timeline,
            start,
            end,
            self.settings.schedule.freshness,
            self.settings.status_thresholds,
            most_points,
            {day: figures.sums for day, figures in days.items()},
        )

    def checks_since(self, start: datetime) -> tuple[int, int]:
        """How many checks completed since `start`, and how many were tried."""
        timeline = self.timeline()
        checks = timeline[timeline.position(start) :]
        checks = checks[~checks.imported]
        return len(checks) - int(checks.failed.sum()), len(checks)

    def newest_failures(self, limit: int) -> Sequence[Attempt]:
        """The newest failed attempts, newest first."""
        with self.state.read() as connection:
            timeline = self._keeper.up_to_now(connection, self.watched_now(connection))
            numbers = sorted(timeline.number[timeline.failed & ~timeline.imported].tolist())[-limit:]
            return history.numbered(connection, numbers)

    def heat_map(self, start: datetime, end: datetime, zone: ZoneInfo) -> HeatMap:
        """The attempts of [start, end) by hour and weekday in a zone; of dropped days nothing is known by the hour."""
        return heat_map(self.timeline(), start, end, zone, self.settings.status_thresholds)

    # --- the violations' lives ----------------------------------------------------------------------------------------

    def lives(self, user_id: str, specialization: str) -> Sequence[Life]:
        """All lives of one pair, newest first, each with how it changed."""
        with self.state.read() as connection:
            scope = episodes.scope_of(self._watched(connection))
            found = episodes.of_pair(connection, scope, user_id, specialization)
            return [Life(episode, episodes.changes_of(connection, episode)) for episode in found]

    def healed(self, *, offset: int = 0, limit: int = 100) -> tuple[Sequence[Episode], int]:
        """A page of the violations that are over, the newest end first, and how many there are in all."""
        with self.state.read() as connection:
            return episodes.healed(connection, episodes.scope_of(self._watched(connection)), offset=offset, limit=limit)

    def settled(self, *, offset: int = 0, limit: int = 100) -> tuple[Sequence[Settled], int]:
        """A page of the pairs that were caught in flight, newest first, and how many are kept in all."""
        with self.state.read() as connection:
            return settled.newest(connection, self._watched(connection), offset=offset, limit=limit)


def _lives(connection: sa.Connection, watched: str | None, dropped: Days, start: datetime, end: datetime) -> EpisodeFigures:
    """The violations' lives in [start, end), in order: from the days that were dropped, and from what is left beside them."""
    scope = episodes.scope_of(watched)
    days = within(dropped, start, end)
    parts = [(midnight(day), figures.episodes) for day, figures in days.items()]
    parts += [
        (first, episodes.figures(connection, scope, first, last))
        for first, last in between_days(days, start, end)
        if first < last or not parts
    ]
    return reduce(add, (figures for _, figures in sorted(parts, key=lambda part: part[0])))
