"""Taking turns: work that only one thread, process or replica may do at a time, among all that share the state database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.clock import Clock
from core.errors import StateDatabaseUnavailable
from core.state import lease
from core.state.database import StateDatabase
from core.state.lease import Lease, Name

log = logging.getLogger(__name__)


class Turn:
    """The turns of one kind of work, as this process takes them. Safe to share between threads."""

    def __init__(self, state: StateDatabase, name: Name, clock: Clock) -> None:
        self._state = state
        self._name = name
        self._clock = clock
        self._holder = lease.holder_name()
        self._lock = threading.Lock()  # over taking and giving back the lease, and the flag that says which
        self._at_work = False

    def take(self, work_id: str) -> Lease | None:
        """The turn, for a piece of work of this id; None when somebody alive has it. Raises StateDatabaseUnavailable."""
        with self._lock:
            with self._state.write() as connection:
                reclaim = not self._at_work  # it is under our own name, and could not be given back
                mine = lease.acquire(connection, self._name, self._holder, work_id, self._clock(), reclaim=reclaim)
            self._at_work = self._at_work or mine is not None
            return mine

    @contextmanager
    def holding(self, mine: Lease) -> Iterator[None]:
        """Renew the turn as long as the work takes, then give it back."""
        ended = threading.Event()
        renewal = threading.Thread(target=self._renew_until, args=(mine, ended), name="lease", daemon=True)
        renewal.start()
        try:
            yield
        finally:
            ended.set()
            self.give_back(mine)

    def give_back(self, mine: Lease) -> None:
        """Let others have their turn. Never raises for a state database that is away: the lease expires."""
        with self._lock:
            self._at_work = False
            try:
                with self._state.write() as connection:
                    lease.release(connection, mine)
            except StateDatabaseUnavailable as away:
                log.warning("The lease could not be given back yet: %s", away)

    def present(self) -> Lease:
        """Whose turn it is, or was last. Raises StateDatabaseUnavailable."""
        with self._state.read() as connection:
            return lease.find(connection, self._name)

    def _renew_until(self, mine: Lease, ended: threading.Event) -> None:
        while not ended.wait(lease.RENEWAL.total_seconds()):
            try:
                with self._state.write() as connection:
                    lease.renew(connection, mine, self._clock())
            except StateDatabaseUnavailable as away:  # the next renewal may come through; if none does, the result is refused
                log.warning("The lease could not be renewed: %s", away)
