"""The newest facts of the state database, kept in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.state import current_violations, episodes, history, lease
from core.state.database import StateDatabase
from core.state.episodes import Changes
from core.state.history import Attempt
from core.state.lease import Lease
from core.status import Evidence, Schedule, Thresholds

ASKED_EVERY = 0.5  # seconds: how old the answer to "did anything change?" may be before it is asked again


@dataclass(frozen=True, slots=True)
class Facts:
    """What the state database says, as of one version. Everything that depends on the present moment is derived from it."""

    version: int
    evidence: Evidence
    newest: Attempt | None
    changes: Changes | None  # what the newest check found against the one before it; None when there was none
    oldest_violation: datetime | None
    specializations: Sequence[str]


NO_FACTS = Facts(0, Evidence(), None, None, None, ())


class NewestFacts:
    """Reads the facts when they are asked for and may have changed. The same object is given as long as nothing did.

    Who runs a check is read with them and kept apart: it changes often, and what is known does not change by it.
    """

    def __init__(
        self,
        state: StateDatabase,
        watched: Callable[[sa.Connection], str | None],
        schedule: Schedule,
        thresholds: Thresholds,
    ) -> None:
        """`watched` tells whose history to read."""
        self._state = state
        self._watched = watched
        self._schedule = schedule
        self._thresholds = thresholds
        self._kept: tuple[Facts, float] = (NO_FACTS, float("-inf"))  # with the moment at which they were true
        self._of: str | None = None  # whose history was read
        self._reading = threading.Lock()
        self.running: Lease | None = None  # as of the last reading; whether it still is held is for the reader to derive

    @property
    def last_known(self) -> Facts:
        """What was read last, however long ago."""
        return self._kept[0]

    @property
    def age(self) -> float:
        """Seconds since the facts were true for certain; infinite after `forget`."""
        return time.monotonic() - self._kept[1]

    def read(self) -> Facts:
        """The facts, no older than `ASKED_EVERY`. Raises StateDatabaseUnavailable."""
        with self._reading:
            if self.age < ASKED_EVERY:
                return self.last_known
            begun = time.monotonic()
            with self._state.read() as connection:
                facts = self._facts_now(connection)
            self._kept = (facts, begun)
            return facts

    def forget(self) -> None:
        """Something changed in this process: read again before the next answer. Waits for a reading that has begun before."""
        with self._reading:
            self._kept = (self.last_known, float("-inf"))

    def _facts_now(self, connection: sa.Connection) -> Facts:
        version, self.running = history.latest_id(connection), lease.find(connection)
        known = self.last_known
        if known is not NO_FACTS and known.version == version:
            return known
        watched = self._watched(connection)
        newest = history.newest_completed(connection, watched)
        since = known.evidence.status_since
        earlier = (known.newest, since) if known.newest is not None and since is not None and watched == self._of else None
        evidence = history.evidence(connection, watched, newest, self._schedule.freshness, self._thresholds, earlier)
        self._of = watched
        figures, changes = current_violations.NONE, None
        if newest is not None and newest.check_id is not None:
            figures = current_violations.overview(connection, newest.check_id)
            if len(history.newest_check_ids(connection, watched, 2)) == 2:
                changes = episodes.changes_in(connection, episodes.scope_of(watched), newest.id, newest.timestamp)
        return Facts(version, evidence, newest, changes, figures.oldest, figures.specializations)
