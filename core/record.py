"""HealthRecord: the door to everything over time, beside the HealthMonitor's door to now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from core.analysis.objective import Objective
from core.analysis.period import PeriodFigures, period_figures
from core.clock import Clock
from core.settings import Settings
from core.state import daily, episodes, settled
from core.state.database import StateDatabase
from core.state.episodes import Episode, Life
from core.state.settled import Settled
from core.state.timeline import TimelineKeeper
from core.timeline import Timeline


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
        self._watched = watched
        self._clock = clock
        self._keeper = TimelineKeeper()

    @property
    def objective(self) -> Objective:
        return self.settings.promised

    def timeline(self) -> Timeline:
        """All readings; the same object as long as nothing was added."""
        with self.state.read() as connection:
            return self._keeper.up_to_now(connection, self._watched(connection))

    def period(self, start: datetime, end: datetime) -> PeriodFigures:
        """The figures of [start, end), or up to now when it is not over."""
        end = min(end, max(self._clock(), start))
        with self.state.read() as connection:
            watched = self._watched(connection)
            scope = episodes.scope_of(watched)
            return period_figures(
                self._keeper.up_to_now(connection, watched),
                start,
                end,
                schedule=self.settings.schedule,
                thresholds=self.settings.status_thresholds,
                objective=self.objective,
                episodes=episodes.figures(connection, scope, start, end),
                dropped=daily.dropped_sums(connection, scope, start, end),
            )

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
