"""One run: pair by pair, each noted before it is committed, so that what was done is known whatever happens."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from core.clock import Clock
from core.errors import StateDatabaseLocked, SyncDatabaseLost, SyncProblem, SyncRecordUnwritable, WatchedSchemaUnsuitable
from core.settling import Wait
from core.state import lease, sync_runs
from core.state.database import StateDatabase
from core.state.lease import Lease
from core.state.sync_runs import Run, RunStatus
from core.sync.change import Change, ChangeOutcome
from core.sync.record import require_writable, write_record
from core.sync.writable import PairBusy, PairRefused
from core.sync.writer import PairWriter, RowChanged, Written, reason_in_words

log = logging.getLogger(__name__)

_FIRST_WAIT = 0.05  # seconds before a pair that the application holds is tried again; each time twice as long, and by chance
_LONGEST_WAIT = 2.0
_LONGEST_NOTE = 1.0  # seconds that the application waits for a pair while the state database cannot take what is noted
_MOST_BUSY = 10  # pairs in a row that the application holds: then it is at something that is not to be disturbed

Stopped = Callable[[], bool]


class TurnLost(Exception):
    """Another process believed us dead and took the turn over: it says what became of this run."""


class OutcomeUnknown(Exception):
    """A pair may have been committed, and the watched database does not answer: what became of the run is looked up later."""


class RunWorker:
    """Does runs whose turn is held. Never raises for what happens to a single pair."""

    def __init__(
        self, state: StateDatabase, writer: PairWriter, folder: Path, tries: int, clock: Clock, wait: Wait, stopped: Stopped
    ) -> None:
        """`folder` gets the records. `stopped` tells between two pairs that the process is to end."""
        self._state = state
        self._writer = writer
        self._folder = folder
        self._tries = tries
        self._clock = clock
        self._wait = wait
        self._stopped = stopped

    def work(self, mine: Lease, run: Run) -> None:
        """Try every pair that is planned, then write down how it ended.

        Raises StateDatabaseUnavailable, TurnLost and OutcomeUnknown; what became of it is looked up later then: see `recover`.
        """
        try:
            require_writable(self._folder)
            with self._writer.at_work():
                status, reason = self._all(mine, run)
        except (SyncProblem, WatchedSchemaUnsuitable) as problem:
            status, reason = RunStatus.STOPPED, problem.advice
        self._end(run.id, status, reason)

    def recover(self, run: Run) -> None:
        """Look up what became of a run whose process died, and end it. Hold the turn. Raises SyncDatabaseLost, PairBusy."""
        with self._state.read() as connection:
            unknown = sync_runs.changes(connection, run.id, [ChangeOutcome.APPLYING])
        with self._writer.at_work():
            for change in unknown:
                outcome, reason = self._looked_up(change)
                with self._state.write() as connection:
                    self._note_end(connection, run, change, outcome, reason)
        self._end(run.id, RunStatus.INTERRUPTED, "Its process ended in the middle. What became of every pair was looked up.")

    def write_missing_records(self, watched: str) -> None:
        """Write the records of ended runs that could not be written when they ended. Raises SyncRecordUnwritable."""
        with self._state.read() as connection:
            missing = sync_runs.without_record(connection, watched)
        for run in missing:
            self._write_record(run.id)

    # --- a pair -------------------------------------------------------------------------------------------------------

    def _all(self, mine: Lease, run: Run) -> tuple[RunStatus, str | None]:
        busy = 0
        for change in self._planned(run.id):
            if self._stopped():
                return RunStatus.STOPPED, "The server was stopped."
            busy = busy + 1 if self._one(mine, run, change) else 0
            if busy == _MOST_BUSY:
                return RunStatus.STOPPED, f"{busy} pairs in a row were held by the application. Try again when it is less busy."
        return RunStatus.DONE, None

    def _planned(self, number: int) -> Iterator[Change]:
        last = 0
        while True:
            with self._state.read() as connection:
                chunk = sync_runs.changes(connection, number, [ChangeOutcome.PLANNED], after=last, limit=200)
            if not chunk:
                return
            yield from chunk
            last = chunk[-1].position

    def _one(self, mine: Lease, run: Run, change: Change) -> bool:
        """Try a pair until it is clear what became of it; whether it was given up because something held it.

        Raises SyncProblem when the rest need not be tried either, and OutcomeUnknown.
        """
        sent: list[Written] = []  # what may have been committed
        held = False
        for attempt in range(1, self._tries + 1):
            try:
                outcome, reason = self._try(mine, run, change, sent)
                break
            except (PairBusy, SyncDatabaseLost) as trouble:
                if attempt == self._tries:
                    outcome, reason = self._given_up(change, sent, trouble)
                    held = outcome is ChangeOutcome.FAILED
                    break
                self._wait(random.uniform(0.5, 1) * min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))  # noqa: S311 - no secret
        with self._state.write() as connection:
            self._note_end(connection, run, change, outcome, reason)
        return held

    def _try(self, mine: Lease, run: Run, change: Change, sent: list[Written]) -> tuple[ChangeOutcome, str | None]:
        """Write a pair, once. Raises PairBusy and SyncDatabaseLost; it may be written all the same where something was `sent`."""

        def before_commit(written: Written) -> None:
            try:
                with self._state.write(longest_wait=_LONGEST_NOTE) as connection:
                    rows = written.before, written.after
                    if not lease.renew(connection, mine, self._clock()) or not sync_runs.note_applying(
                        connection, run.id, change.position, *rows, written.transaction
                    ):
                        raise TurnLost
            except StateDatabaseLocked as locked:  # nothing is noted, and nobody shall wait for the pair meanwhile
                raise PairBusy("The state database was locked.") from locked
            sent.append(written)

        if (known := self._outcome_of(change, sent)) is not None:
            return known
        try:
            if run.undoes is None:
                reason = reason_in_words(run.id, change, run.policies.of(change.kind))
                self._writer.mend(change, reason, self._clock(), before_commit)
            else:
                self._writer.undo(replace(change, before=change.after, after=change.before), before_commit)
        except RowChanged as changed:
            return ChangeOutcome.CHANGED, str(changed)
        except PairRefused as refused:
            return self._outcome_of(change, sent) or (ChangeOutcome.FAILED, str(refused))
        return ChangeOutcome.APPLIED, None

    def _given_up(
        self, change: Change, sent: list[Written], trouble: PairBusy | SyncDatabaseLost
    ) -> tuple[ChangeOutcome, str | None]:
        may_be_written = bool(sent)
        try:
            known = self._outcome_of(change, sent)
        except (PairBusy, SyncDatabaseLost) as hindered:
            raise OutcomeUnknown(str(hindered)) from trouble
        if known is not None:
            return known
        if isinstance(trouble, SyncDatabaseLost) and not may_be_written:
            raise trouble
        return ChangeOutcome.FAILED, f"{trouble} It was tried {self._tries} times."

    def _outcome_of(self, change: Change, sent: list[Written]) -> tuple[ChangeOutcome, str | None] | None:
        """What became of what was sent last; None when nothing was, or none of it was written: then nothing is sent any more."""
        if not sent:
            return None
        last = sent[-1]
        outcome, reason = self._looked_up(replace(change, before=last.before, after=last.after, transaction=last.transaction))
        if outcome is not ChangeOutcome.NOT_TRIED:
            return outcome, reason
        sent.clear()
        return None

    def _looked_up(self, change: Change) -> tuple[ChangeOutcome, str | None]:
        try:
            outcome = self._writer.what_became(change)
        except PairRefused as refused:
            outcome = ChangeOutcome.UNCLEAR
            log.warning("What became of a pair cannot be looked up: %s", refused)
        match outcome:
            case ChangeOutcome.PLANNED:
                return ChangeOutcome.NOT_TRIED, None
            case ChangeOutcome.UNCLEAR:
                return outcome, "The rows were changed before anybody could look whether this was written."
        return outcome, None

    def _note_end(self, connection: sa.Connection, run: Run, change: Change, outcome: ChangeOutcome, reason: str | None) -> None:
        sync_runs.set_outcome(connection, run.id, change.position, outcome, reason)
        if run.undoes is not None and change.undoes is not None and outcome is ChangeOutcome.APPLIED:
            undone = f"Taken back by run {run.id}."
            sync_runs.set_outcome(connection, run.undoes, change.undoes, ChangeOutcome.UNDONE, undone)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _end(self, number: int, status: RunStatus, reason: str | None) -> None:
        with self._state.write() as connection:
            run = sync_runs.find(connection, number, lock=True)
            if run is None or run.status is not RunStatus.RUNNING:  # somebody believed us dead, and has said how it ended
                return
            sync_runs.leave_untried(connection, number)
            sync_runs.update(connection, number, status=status, finished_at=self._clock(), reason=reason)
        try:
            self._write_record(number)
        except SyncRecordUnwritable as refused:  # it stands in the state database, and is written as soon as that is possible
            log.error("%s", refused.advice)

    def _write_record(self, number: int) -> None:
        with self._state.read() as connection:
            run = sync_runs.find(connection, number)
            if run is None:
                return
            path = write_record(
                self._folder, run, sync_runs.counts(connection, number), sync_runs.all_changes(connection, number)
            )
        with self._state.write() as connection:
            sync_runs.update(connection, number, record_file=path.name)
