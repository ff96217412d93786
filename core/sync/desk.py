"""Runs at work: whose turn it is, what follows a run, and what became of those whose process died."""

from __future__ import annotations

import logging
import threading
import uuid

from core.errors import (
    CheckImpossible,
    CouplingHealthError,
    NoWriteAccess,
    StateDatabaseUnavailable,
    SyncProblem,
    SyncRecordUnwritable,
)
from core.health_monitor import HealthMonitor
from core.model import Pair, Report, Request
from core.state import sync_runs
from core.state.database import StateDatabase
from core.state.lease import Lease
from core.state.sync_runs import Run, RunStatus
from core.sync.change import ChangeOutcome
from core.sync.plan import count_agreeing
from core.sync.running import OutcomeUnknown, RunWorker, TurnLost
from core.sync.same_database import require_same_database
from core.sync.writable import PairBusy, WritableDatabase
from core.turn import Turn
from core.watched import WatchedDatabase

log = logging.getLogger(__name__)

_CHECKS_JOINED = 3  # at most, that began before the run ended
_LONGEST_PAIR = 20.0  # seconds that the end of a process waits for the pair that is being written


class RunDesk:
    """One run at a time, over all that share the state database. `worker` is None where nothing may be written."""

    def __init__(
        self,
        monitor: HealthMonitor,
        reader: WatchedDatabase,
        writable: WritableDatabase | None,
        turn: Turn,
        worker: RunWorker | None,
        watched: str,
        stopping: threading.Event,
    ) -> None:
        self._monitor = monitor
        self._state: StateDatabase = monitor.state
        self._reader = reader
        self._writable = writable
        self._turn = turn
        self._worker = worker
        self._watched = watched
        self._stopping = stopping
        self._at_work: threading.Thread | None = None

    def take_turn(self) -> Lease:
        """The turn to write, once it is known what became of every earlier run. Raises NoWriteAccess, SyncProblem."""
        worker = self._require_worker()
        mine = self._turn.take(_work_id())
        if mine is None:
            raise SyncProblem("A sync is at work already.", hint="Wait for its end; the page Sync shows how far it is.")
        try:
            self._recover_all(worker)
            self._require_same()
        except BaseException:
            self._turn.give_back(mine)
            raise
        return mine

    def give_back(self, mine: Lease) -> None:
        """Nothing is written after all."""
        self._turn.give_back(mine)

    def work(self, mine: Lease, run: Run, request: Request, *, in_background: bool) -> None:
        """Do a run whose turn is held, and the check after it."""
        if in_background:
            self._at_work = threading.Thread(target=self._work_in_background, args=(mine, run, request), name="sync", daemon=True)
            self._at_work.start()
        else:
            self._work(mine, run, request)

    def wait(self) -> None:
        """Wait for a run in the background to end, after it was told to."""
        if self._at_work is not None:
            self._at_work.join(_LONGEST_PAIR)

    def recover(self) -> None:
        """Find out what became of runs whose process died, and write what could not be written; nothing while one is at work.

        Raises SyncProblem when that is not possible yet.
        """
        if self._worker is None:
            return
        with self._state.read() as connection:
            dead = sync_runs.newest(connection, self._watched, 1, [RunStatus.RUNNING])
            unwritten = sync_runs.without_record(connection, self._watched, 1)
        mine = self._turn.take(_work_id()) if dead or unwritten else None
        if mine is not None:
            with self._turn.holding(mine):
                self._recover_all(self._worker)

    def write_records(self) -> None:
        """Write the records of ended runs that have none. What hinders it is logged."""
        try:
            if self._worker is not None:
                self._worker.write_missing_records(self._watched)
        except SyncRecordUnwritable as refused:
            log.error("%s", refused.advice)

    def _require_worker(self) -> RunWorker:
        if self._worker is None:
            raise NoWriteAccess
        return self._worker

    def _require_same(self) -> None:
        if self._writable is not None:
            require_same_database(self._reader, self._writable)

    def _recover_all(self, worker: RunWorker) -> None:
        with self._state.read() as connection:
            dead = sync_runs.newest(connection, self._watched, 20, [RunStatus.RUNNING])
        try:
            if dead:
                self._require_same()
            for run in dead:
                worker.recover(run)
        except (PairBusy, SyncProblem, CheckImpossible) as hindered:
            raise SyncProblem(
                f"What became of an earlier sync cannot be looked up yet: {hindered}",
                hint="Nothing is written until it is known.",
            ) from hindered
        self.write_records()

    def _work_in_background(self, mine: Lease, run: Run, request: Request) -> None:
        try:
            self._work(mine, run, request)
        except Exception:  # the border of a job: what became of the run is looked up by the next look at repairs
            log.exception("Sync run %d crashed", run.id)

    def _work(self, mine: Lease, run: Run, request: Request) -> None:
        try:
            with self._turn.holding(mine):
                self._require_worker().work(mine, run)
        except TurnLost:
            log.error("Sync run %d lost its turn; whoever has it says what became of it", run.id)
        except (StateDatabaseUnavailable, OutcomeUnknown) as away:
            log.error("Sync run %d ended early; what became of it is looked up later: %s", run.id, away)
        else:
            if not self._stopping.is_set():
                self._check_after(run.id, request)

    def _check_after(self, number: int, request: Request) -> None:
        """The check that tells what a run mended."""
        try:
            report = self._fresh_check(number, request)
            mended = self._agreeing(number)
            with self._state.write() as connection:
                sync_runs.update(connection, number, check_id=report.check_id, mended=mended)
        except StateDatabaseUnavailable as away:
            log.warning("What sync run %d mended could not be written down: %s", number, away)
        except CouplingHealthError as failed:
            with self._state.write() as connection:
                sync_runs.update(connection, number, check_problem=failed.advice)

    def _agreeing(self, number: int) -> int | None:
        """How many of the pairs that a run wrote agree now: asked of the pairs, for one that is gone is no violation either."""
        with self._state.read() as connection:
            run = sync_runs.find(connection, number)
            written = sync_runs.changes(connection, number, [ChangeOutcome.APPLIED])
        if run is None or run.undoes is not None:
            return None
        with self._reader.snapshot() as connection:
            return count_agreeing(connection, self._monitor.settings, (Pair(one.user_id, one.specialization) for one in written))

    def _fresh_check(self, number: int, request: Request) -> Report:
        """A check that began after a run's end: one that is joined may have looked before."""
        with self._state.read() as connection:
            run = sync_runs.find(connection, number)
        for _ in range(_CHECKS_JOINED):
            report = self._monitor.check_all_users(request=request)
            if run is None or run.finished_at is None or report.timestamp >= run.finished_at:
                break
        return report


def _work_id() -> str:
    return f"sync-{uuid.uuid4().hex}"
