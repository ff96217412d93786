"""Checking, one at a time: the turn, the comparison, the log, the state database; in this order."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from core.check import CheckStart, Spool, report_on
from core.clock import Clock
from core.coupling import ProgressLicenseCoupler
from core.errors import (
    CheckCrashed,
    CheckInterrupted,
    CouplingHealthError,
    JoinedCheckFailed,
    NoWatchedDatabase,
    StateDatabaseUnavailable,
)
from core.logs.compaction import Compacted, compact, last_month_to_compact
from core.logs.importing import ImportResult, Progress, import_logs, no_progress
from core.logs.writing import ViolationLogWriter, WrittenLog, added_keys
from core.model import Outcome, Report, Request, Totals, Violation
from core.settings import Settings
from core.settling import Found, Wait, look_twice
from core.state import audit, current_violations, episodes, history, known_logs, lease, maintenance, readings, staging
from core.state.database import StateDatabase
from core.state.history import Attempt, FailedAttempt
from core.state.known_logs import KnownLog, LogOutcome
from core.state.landing import adopt, land
from core.state.lease import Lease
from core.turn import Turn

log = logging.getLogger(__name__)

Told = Callable[[str], None]  # is given the id of a check
Result = TypeVar("Result")

_POLL_SECONDS = 0.2
_IMPORT, _DRY_RUN = "import-", "dry-run-"  # what else holds the lease: no check whose result could be asked for


def _to_nobody(_check_id: str) -> None:
    """Nobody asked."""


class Checker:
    """Runs checks and imports, never two at once over all threads, processes and replicas that share the state database."""

    def __init__(
        self,
        settings: Settings,
        state: StateDatabase,
        coupler: ProgressLicenseCoupler | None,
        clock: Clock,
        on_recorded: Callable[[], None],
        wait: Wait = time.sleep,
    ) -> None:
        """`on_recorded` is called as soon as an attempt stands in history, or could not be written there.

        `wait` is called between the two looks of a check.
        """
        self._wait = wait
        self.unrecorded: Sequence[FailedAttempt] = ()  # failures that the state database could not take yet, oldest first
        self._unrecorded_lock = threading.Lock()
        self._on_recorded = on_recorded
        self._settings = settings
        self._state = state
        self._coupler = coupler
        self._clock = clock
        self._turn = Turn(state, lease.Name.CHECK, clock)

    def check(self, request: Request, *, dry_run: bool = False, told: Told = _to_nobody) -> Report:
        """Check all pairs and give the report; joins a check that runs already, anywhere, and gives that one's.

        `told` hears the id of the check as soon as it has begun, also when it is another's. A dry run writes neither log nor
        history and changes nothing that anybody else sees. A failed check is recorded, then raised as a CouplingHealthError.
        """
        while True:
            start = self._start((_DRY_RUN if dry_run else "") + uuid.uuid4().hex, request)
            try:
                mine = self._turn.take(start.check_id)
            except StateDatabaseUnavailable as away:
                if not dry_run:
                    self._record_failure(start, away)
                raise
            if mine is not None:
                told(start.check_id)
                with self._turn.holding(mine):
                    return self._dry_run(start.check_id, request) if dry_run else self._check(mine, request)
            joined = self._join(told)
            if joined is not None:
                return joined

    def import_logs(self, place: Path, progress: Progress = no_progress, by: str | None = None) -> ImportResult:
        """Read new violation logs of a folder or an archive into history, each once. `by`: who asked, for the audit trail.

        Waits for a running check. Raises StateDatabaseUnavailable, and OSError when the folder cannot be listed.
        """
        return self._alone(lambda: self._import(place, progress, by))

    def compact_logs(self, months_kept: int, *, dry_run: bool = False) -> Compacted:
        """Put old logs of the log directory into archives: see `core.logs.compaction`.

        Waits for a running check. Raises StateDatabaseUnavailable, LogsNotCompacted.
        """
        return self._alone(lambda: self._compact(months_kept, dry_run=dry_run))

    def _alone(self, work: Callable[[], Result]) -> Result:
        """Do something during which no check runs."""
        while True:
            mine = self._turn.take(_IMPORT + uuid.uuid4().hex)
            if mine is not None:
                with self._turn.holding(mine):
                    return work()
            self._wait_for_other()

    # --- one check, step by step --------------------------------------------------------------------------------------

    def _check(self, mine: Lease, request: Request) -> Report:
        start = self._start(mine.check_id, request)
        try:
            self._import_quietly()
            start = self._start(mine.check_id, request)
            report = self._compare_and_keep(mine, start)
        except CouplingHealthError as failed:
            self._record_failure(start, failed)
            raise
        except Exception as unforeseen:  # the border of a check: whatever happens becomes a row of history
            log.exception("The check crashed")
            crashed = CheckCrashed(f"The check crashed: {type(unforeseen).__name__}: {unforeseen}.")
            self._record_failure(start, crashed)
            raise crashed from unforeseen
        self._drop_superseded()
        return report

    def _compare_and_keep(self, mine: Lease, start: CheckStart) -> Report:
        thresholds = self._settings.status_thresholds
        with ViolationLogWriter(self._settings.violation_log_dir, start.check_id, start.timestamp) as writer:
            found = self._look(start)
            planned = self._in_maintenance(start)
            report = report_on(start, found, thresholds, in_maintenance=planned)
            written = None
            if report.totals.inconsistent:
                writer.begin(report.totals, report.consistency_rate)
                for violations in staging.staged(self._state, start.check_id):
                    writer.add(violations)
                report = report_on(start, found, thresholds, in_maintenance=planned)  # with the time that writing took
                written = writer.finish(added_keys(report))
                report = replace(report, log_file=written.path.name)
            self._publish(mine, report, written)
        return replace(report, violations=CurrentViolations(self._state, report.check_id))

    def _in_maintenance(self, start: CheckStart) -> bool:
        with self._state.read() as connection:
            return maintenance.any_between(connection, start.timestamp, self._clock())

    def _look(self, start: CheckStart) -> Found:
        coupler = self._require_coupler()
        scope, seconds = episodes.scope_of(coupler.label), self._settings.check.settle_seconds
        return look_twice(self._state, coupler, start.check_id, scope, start.timestamp, seconds, self._wait)

    def _publish(self, mine: Lease, report: Report, written: WrittenLog | None) -> None:
        """The moment at which the check becomes true for everybody: its row, its violations and their episodes at once."""
        watched = self._require_coupler().label
        with self._state.write() as connection:
            if not lease.renew(connection, mine, self._clock()):
                raise CheckInterrupted
            recorded = self._write_unrecorded(connection)
            before, scope = readings.newest_reading(connection, watched), episodes.scope_of(watched)
            if not history.newest_check_ids(connection, watched, 1):
                adopt(connection, scope)
            number = history.record_completed(connection, report, watched)
            audit.note_check(connection, report.timestamp, Request(report.trigger, report.requested_by), _found(report.totals))
            if report.totals.total_checked:  # an emptied table has healed nothing
                land(connection, scope, report.check_id, number, report.timestamp, before)
            if written is not None:
                file = str(written.path.absolute()), written.size, written.mtime_ns, written.digest
                known_logs.remember(connection, [KnownLog(*file, LogOutcome.OWN, dated=report.timestamp)])
        self._forget_recorded(recorded)
        self._on_recorded()

    def _dry_run(self, check_id: str, request: Request) -> Report:
        start, spool, result = self._start(check_id, request), Spool(), "it failed"
        try:
            found = self._look(start)
            report = report_on(start, found, self._settings.status_thresholds, in_maintenance=self._in_maintenance(start))
            for violations in staging.staged(self._state, check_id):
                spool.add(violations)
            result = _found(report.totals)
        finally:
            self._leave_no_trace(start, result)
        return replace(report, violations=spool, dry_run=True)

    def _leave_no_trace(self, start: CheckStart, result: str) -> None:
        """But the line of the audit trail that somebody asked."""
        try:
            current_violations.drop(self._state, start.check_id)
            with self._state.write() as connection:
                staging.forget_settled(connection, start.check_id)
                audit.note_check(connection, start.timestamp, start.request, result, audit.Deed.CHECK_TRIED)
        except StateDatabaseUnavailable as away:  # the next check drops them
            log.warning("What a dry run staged stays until the next check: %s", away)

    def _record_failure(self, start: CheckStart, failed: CouplingHealthError) -> None:
        kind = type(failed).__name__
        attempt = FailedAttempt(start.check_id, start.timestamp, start.request, str(failed), start.elapsed_ms, kind)
        with self._unrecorded_lock:
            self.unrecorded = (*self.unrecorded, attempt)
        try:
            with self._state.write() as connection:
                recorded = self._write_unrecorded(connection)
        except StateDatabaseUnavailable as away:
            log.warning("A failed check could not be recorded yet: %s", away)
        else:
            self._forget_recorded(recorded)
        self._on_recorded()

    def _write_unrecorded(self, connection: sa.Connection) -> Sequence[FailedAttempt]:
        recorded = self.unrecorded
        for attempt in recorded:
            # the row may be there: when a commit went through and its answer was lost
            if history.find(connection, attempt.check_id) is None:
                lasting = timedelta(milliseconds=attempt.duration_ms)
                planned = maintenance.any_between(connection, attempt.timestamp, attempt.timestamp + lasting)
                history.record_failed(connection, attempt, self._require_coupler().label, in_maintenance=planned)
                audit.note_check(connection, attempt.timestamp, attempt.request, f"it failed: {attempt.error}")
        return recorded

    def _forget_recorded(self, recorded: Sequence[FailedAttempt]) -> None:
        with self._unrecorded_lock:
            self.unrecorded = tuple(attempt for attempt in self.unrecorded if attempt not in recorded)

    def _drop_superseded(self) -> None:
        try:
            current_violations.drop_superseded(self._state)
        except StateDatabaseUnavailable as away:
            log.warning("Superseded violations stay until the next check: %s", away)

    def _import_quietly(self) -> None:
        """Before something else: a folder that cannot be listed is no reason not to go on."""
        try:
            result = self._import(self._settings.violation_log_dir, no_progress)
        except OSError as unreadable:
            log.warning("The log directory cannot be listed: %s", unreadable)
            return
        if result.imported:
            log.info("Read %d violation logs into history", result.imported)

    def _import(self, place: Path, progress: Progress, by: str | None = None) -> ImportResult:
        settings = self._settings
        return import_logs(self._state, place, settings.log_limits, settings.status_thresholds, self._clock(), progress, by)

    def _compact(self, months_kept: int, *, dry_run: bool) -> Compacted:
        folder = self._settings.violation_log_dir.absolute()
        self._import_quietly()  # what nobody has read must not go
        with self._state.read() as connection:
            readable = known_logs.settled(connection, str(folder))
        return compact(folder, last_month_to_compact(self._clock(), months_kept), readable, dry_run=dry_run)

    def _start(self, check_id: str, request: Request) -> CheckStart:
        return CheckStart(check_id, self._clock(), time.perf_counter(), request)

    def _require_coupler(self) -> ProgressLicenseCoupler:
        if self._coupler is None:
            raise NoWatchedDatabase
        return self._coupler

    # --- waiting for others ---------------------------------------------------------------------------------------------

    def _join(self, told: Told) -> Report | None:
        """Wait for the check that runs elsewhere and give its report; None when it left none (a dry run, a crash)."""
        check_id = self._wait_for_other(told)
        with self._state.read() as connection:
            attempt = history.find(connection, check_id)
        if attempt is None:
            return None
        if attempt.outcome is Outcome.FAILED:
            raise JoinedCheckFailed(attempt.error)
        return report_of(self._state, attempt)

    def _wait_for_other(self, told: Told = _to_nobody) -> str:
        """Wait until the present holder is done or its lease has expired; its check_id."""
        other = current = self._turn.present()
        if not other.check_id.startswith((_IMPORT, _DRY_RUN)):
            told(other.check_id)
        while current.held(self._clock()) and current.check_id == other.check_id:
            time.sleep(_POLL_SECONDS)
            current = self._turn.present()
        return other.check_id


def _found(totals: Totals) -> str:
    return f"{totals.consistent:,} of {totals.total_checked:,} pairs agree"


def report_of(state: StateDatabase, attempt: Attempt) -> Report:
    """The report of a completed check from its row of history."""
    if attempt.totals is None or attempt.check_id is None or attempt.trigger is None:
        raise ValueError(f"attempt {attempt.id} is no completed check")
    return Report(
        check_id=attempt.check_id,
        timestamp=attempt.timestamp,
        totals=attempt.totals,
        consistency_rate=attempt.consistency_rate,
        duration_ms=attempt.duration_ms or 0,
        trigger=attempt.trigger,
        requested_by=attempt.requested_by,
        by_kind=attempt.by_kind,
        violations=CurrentViolations(state, attempt.check_id),
        log_file=attempt.log_file,
        settled=attempt.settled,
        in_maintenance=attempt.in_maintenance,
    )


@dataclass(frozen=True, slots=True)
class CurrentViolations:
    """The violations of a recent check, read from the state database each time they are asked for."""

    state: StateDatabase
    check_id: str

    def __iter__(self) -> Iterator[Violation]:
        return current_violations.stream(self.state, self.check_id)
