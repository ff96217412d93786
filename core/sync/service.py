"""SyncService: the one door to repairs, for pages, programs, jobs and commands."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.clock import Clock
from core.durations import in_words
from core.errors import CouplingHealthError, NoSuchRun, NoWriteAccess, SyncProblem
from core.health_monitor import HealthMonitor
from core.model import Pair, Request, Trigger, Violation
from core.settling import Wait
from core.state import audit, lease, sync_runs, tokens
from core.state.audit import Deed
from core.state.database import StateDatabase
from core.state.episodes import scope_of
from core.state.lease import Lease
from core.state.sync_runs import BEFORE_ITS_FIRST_WRITE, ENDED, Run, RunStatus
from core.sync.change import Change, ChangeOutcome
from core.sync.decisions import Values, approved, backwards, confirmed, go_on, require
from core.sync.desk import RunDesk
from core.sync.plan import Plan, make_plan
from core.sync.policy import Policies
from core.sync.running import RunWorker
from core.sync.statements import planned_statements
from core.sync.tables import Tables
from core.sync.writable import WritableDatabase
from core.sync.writer import PairWriter, reason_in_words
from core.turn import Turn
from core.watched import WatchedDatabase

log = logging.getLogger(__name__)

_UNUSED_FOR = timedelta(days=1)  # after which a plan that nobody confirmed is forgotten
BY_SCHEDULE = "schedule"
_BY_HAND = Request(Trigger.MANUAL)
RECOVERY_EVERY = timedelta(minutes=1)


class SyncService:
    """Plans, applies, takes back. Safe to share between threads; one run at a time over all that share the state database.

    Everything raises StateDatabaseUnavailable when that is away. Without a writable database it plans, and refuses to write.
    """

    def __init__(
        self,
        monitor: HealthMonitor,
        reader: WatchedDatabase,
        watched: str,
        writable: WritableDatabase | None,
        clock: Clock,
        wait: Wait,
    ) -> None:
        """`reader` is the watched database as checks see it, `watched` the label of what they compare.

        `wait` lies between two tries of a pair.
        """
        self.settings = monitor.settings
        self.may_write = writable is not None
        self._monitor = monitor
        self._state: StateDatabase = monitor.state
        self._reader = reader
        self._watched = scope_of(watched)
        self._clock = clock
        self._stopping = threading.Event()
        worker = None
        if writable is not None:
            writer, folder, tries = PairWriter(writable, self.settings), self.settings.scheduler_log_dir, self.settings.sync.tries
            worker = RunWorker(self._state, writer, folder, tries, clock, wait, self._stopping.is_set)
        turn = Turn(self._state, lease.Name.SYNC, clock)
        self._desk = RunDesk(monitor, reader, writable, turn, worker, self._watched, self._stopping)

    def require_write_access(self) -> None:
        """Raises NoWriteAccess where nothing may be written."""
        if not self.may_write:
            raise NoWriteAccess

    # --- planning -----------------------------------------------------------------------------------------------------

    def find_desync_issues(
        self,
        request: Request = _BY_HAND,
        *,
        policies: Policies | None = None,
        pairs: Sequence[Pair] | None = None,
        dry_run: bool = False,
    ) -> Plan:
        """What a run would do about the violations that there are now, or about some pairs of them. Writes nothing but the check.

        A check comes first, so that pairs in flight are left to settle; with `dry_run` one that leaves no trace. For given pairs
        the newest check is enough. Raises CheckImpossible, NoWatchedDatabase.
        """
        policies = policies or self.settings.sync.policies
        if pairs is not None:
            violations: Sequence[Violation] = self._listed(pairs)
            last = self._monitor.known().last
            total = last.totals.total_checked if last and last.totals else None
            return self._planned(policies, violations, total, len(violations))
        report = self._monitor.check_all_users(dry_run=dry_run, request=request)
        return self._planned(policies, report.violations, report.totals.total_checked, report.totals.inconsistent)

    def statements(self, changes: Sequence[Change], policies: Policies, run: int | None = None) -> Sequence[Sequence[str]]:
        """The statements that each change would run, as text. Raises CheckImpossible."""
        with self._reader.snapshot() as connection:
            tables, now = Tables.of(connection, self.settings), self._clock()
            return [
                planned_statements(tables, change, reason_in_words(run or 0, change, policies.of(change.kind)), now)
                for change in changes
            ]

    def keep(self, plan: Plan, request: Request) -> Run:
        """Keep a plan, to be looked at and confirmed."""
        now, by = self._clock(), _name(request)
        with self._state.write() as connection:
            sync_runs.forget_unused(connection, self._watched, now - _UNUSED_FOR)
            number = sync_runs.add(
                connection,
                self._watched,
                RunStatus.PLANNED,
                request.trigger,
                by,
                plan.made_at,
                plan.policies,
                plan.changes,
                total_checked=plan.total_checked,
                left_alone=plan.left_alone,
                not_looked_at=plan.not_looked_at,
            )
            _note(connection, now, request, Deed.SYNC_PLANNED, f"sync run {number}: {plan.planned} changes")
        return self.run(number)

    # --- applying -----------------------------------------------------------------------------------------------------

    def apply(self, number: int, request: Request, *, seen: int | None = None, in_background: bool = False) -> Run:
        """Let a plan be written, as far as that may be done now; the run as it stands then.

        `seen` is the number of changes that a person looked at: without it, a plan above the limits is HELD. Above the number
        that needs a second admin it is WAITING. Raises NoWriteAccess, NoSuchRun, SyncProblem when it was begun before, when
        `seen` is another number than is planned, or when another run is at work.
        """
        limits, a_person = self.settings.sync.limits, request.trigger is not Trigger.SCHEDULED

        def decide(_connection: sa.Connection, run: Run, now: datetime) -> Values:
            return confirmed(run, _name(request), seen, limits, now, a_person=a_person)

        return self._begin(number, request, in_background, decide)

    def approve(self, number: int, request: Request, *, seen: int, in_background: bool = False) -> Run:
        """Agree, as a second admin, to what one confirmed. Raises SyncProblem when it may be the same one, and as `apply`."""

        def decide(connection: sa.Connection, run: Run, now: datetime) -> Values:
            return approved(run, _name(request), _persons_behind(connection, run), seen, now)

        return self._begin(number, request, in_background, decide)

    def refuse(self, number: int, request: Request) -> Run:
        """Give a plan up before its first write. Raises NoSuchRun, SyncProblem when it has begun."""
        now = self._clock()
        with self._state.write() as connection:
            run = self._found(sync_runs.find(connection, number, lock=True), number)
            require(run, BEFORE_ITS_FIRST_WRITE)
            reason = f"{_name(request)} gave it up."
            sync_runs.refuse(connection, number, reason, now)
            _note(connection, now, request, Deed.SYNC_REFUSED, f"sync run {number}")
        self._desk.write_records()
        return self.run(number)

    def undo(self, number: int, request: Request, *, in_background: bool = False) -> Run:
        """Put back what a run wrote, where nobody has changed it since; the run that does so, WAITING where two are needed.

        Raises NoWriteAccess, NoSuchRun, SyncProblem when nothing of it stands, when it has not ended or is itself an undoing.
        """
        mine = self._desk.take_turn()
        try:
            new = self._undoing(number, request)
        except BaseException:
            self._desk.give_back(mine)
            raise
        return self._go_on(mine, new, request, in_background)

    def run_scheduled(self) -> Run | NothingDone:
        """What the job does: plan, and apply within the limits; a plan above them is HELD until somebody or a newer one comes.

        Does nothing when another replica, or this one before a restart, did so less than an interval ago.
        """
        now, interval = self._clock(), timedelta(hours=self.settings.sync.interval_hours)
        with self._state.read() as connection:
            last = sync_runs.newest_scheduled(connection, self._watched)
        if last is not None and timedelta(0) <= now - last.planned_at < interval * 0.9:
            return NothingDone(f"skipped, for run {last.id} was less than {in_words(interval)} ago; it is {last.status}")
        request = Request(Trigger.SCHEDULED)
        plan = self.find_desync_issues(request)
        if not plan.planned:
            with self._state.write() as connection:
                sync_runs.give_up_held(connection, self._watched, "Nothing is left to write.", self._clock())
            self._desk.write_records()
            return NothingDone(f"nothing to write, {plan.left_alone} pairs left alone")
        return self.apply(self.keep(plan, request).id, request)

    def recover(self) -> None:
        """Find out what became of runs whose process died, and write records that could not be written.

        Does nothing while a run is at work. Raises SyncProblem when that is not possible yet.
        """
        self._desk.recover()

    def recover_quietly(self) -> None:
        """The same for a job: what hinders it is logged."""
        try:
            self.recover()
        except CouplingHealthError as hindered:
            log.warning("What became of a sync cannot be looked up yet: %s", hindered)

    def stop(self) -> None:
        """End a run between two pairs, and wait for that; the process is to end."""
        self._stopping.set()
        self._desk.wait()

    # --- looking ------------------------------------------------------------------------------------------------------

    def run(self, number: int) -> Run:
        """A run. Raises NoSuchRun."""
        with self._state.read() as connection:
            return self._found(sync_runs.find(connection, number), number)

    def runs(self, limit: int = 50) -> Sequence[tuple[Run, Mapping[ChangeOutcome, int]]]:
        """The newest runs, newest first, without plans that nobody confirmed; each with how many of its pairs stand where."""
        status = [status for status in RunStatus if status is not RunStatus.PLANNED]
        with self._state.read() as connection:
            found = sync_runs.newest(connection, self._watched, limit, status)
            counts = sync_runs.counts_of_each(connection, [run.id for run in found])
        return [(run, _with_all_left_alone(run, counts[run.id])) for run in found]

    def open_runs(self, limit: int) -> Sequence[Run]:
        """The newest runs that wait for somebody, or are at work."""
        with self._state.read() as connection:
            return sync_runs.newest(connection, self._watched, limit, [RunStatus.HELD, RunStatus.WAITING, RunStatus.RUNNING])

    def counts(self, number: int) -> Mapping[ChangeOutcome, int]:
        """How many pairs of a run stand where. Raises NoSuchRun."""
        with self._state.read() as connection:
            run = self._found(sync_runs.find(connection, number), number)
            return _with_all_left_alone(run, sync_runs.counts(connection, number))

    def reasons(self, number: int, outcome: ChangeOutcome) -> Mapping[str, int]:
        """Why pairs of a run stand where they stand, and how many for each reason, most often first."""
        with self._state.read() as connection:
            return sync_runs.reasons(connection, number, outcome)

    def changes(
        self, number: int, outcomes: Sequence[ChangeOutcome] = tuple(ChangeOutcome), *, after: int = 0, limit: int | None = 100
    ) -> Sequence[Change]:
        """What a run does to each pair, behind a position."""
        with self._state.read() as connection:
            return sync_runs.changes(connection, number, outcomes, after=after, limit=limit)

    def may_be_confirmed_by(self, run: Run, name: str) -> bool:
        """Whether somebody may be the one who confirmed a run, and so cannot be the second."""
        with self._state.read() as connection:
            return name in _persons_behind(connection, run)

    def exceeded(self, run: Run) -> str | None:
        """In what way a plan is above the limits, as the end of a sentence."""
        return self.settings.sync.limits.exceeded(run.planned, run.total_checked)

    # --- the steps ----------------------------------------------------------------------------------------------------

    def _planned(self, policies: Policies, violations: Iterable[Violation], total: int | None, count: int) -> Plan:
        with self._reader.snapshot() as connection:
            return make_plan(connection, self.settings, policies, violations, total, count, self._clock())

    def _listed(self, pairs: Sequence[Pair]) -> Sequence[Violation]:
        found = (self._monitor.find_violation(str(pair.user_id), pair.specialization) for pair in dict.fromkeys(pairs))
        return [violation for violation in found if violation is not None]

    def _begin(
        self, number: int, request: Request, in_background: bool, decide: Callable[[sa.Connection, Run, datetime], Values]
    ) -> Run:
        mine = self._desk.take_turn()
        try:
            now = self._clock()
            with self._state.write() as connection:
                run = self._found(sync_runs.find(connection, number, lock=True), number)
                values = decide(connection, run, now)
                sync_runs.update(connection, number, **values)
                if request.trigger is not Trigger.MANUAL:
                    sync_runs.give_up_held(connection, self._watched, "A newer plan took its place.", now, but=number)
                if "approved_by" in values:
                    _note(connection, now, request, Deed.SYNC_APPROVED, f"sync run {number}: {run.planned} changes")
                elif "confirmed_by" in values:
                    _note(connection, now, request, Deed.SYNC_CONFIRMED, f"sync run {number}: {run.planned} changes")
            run = self.run(number)
        except BaseException:
            self._desk.give_back(mine)
            raise
        return self._go_on(mine, run, request, in_background)

    def _go_on(self, mine: Lease, run: Run, request: Request, in_background: bool) -> Run:
        if run.status is RunStatus.RUNNING:
            self._desk.work(mine, run, request, in_background=in_background)
        else:
            self._desk.give_back(mine)
            self._desk.write_records()
        return self.run(run.id)

    def _undoing(self, number: int, request: Request) -> Run:
        now, by = self._clock(), _name(request)
        with self._state.write() as connection:
            run = self._found(sync_runs.find(connection, number, lock=True), number)
            require(run, ENDED)
            if run.undoes is not None:
                raise SyncProblem(f"Sync run {number} is itself an undoing.", hint="Make a new plan to mend the pairs again.")
            applied = sync_runs.changes(connection, number, [ChangeOutcome.APPLIED])
            if not applied:
                raise SyncProblem(f"Nothing of sync run {number} stands that could be taken back.", hint="See its changes.")
            changes = [backwards(change, position) for position, change in enumerate(applied, 1)]
            new = sync_runs.add(
                connection,
                self._watched,
                RunStatus.PLANNED,
                request.trigger,
                by,
                now,
                run.policies,
                changes,
                total_checked=run.total_checked,
                undoes=number,
            )
            values = go_on(len(changes), self.settings.sync.limits, now)
            sync_runs.update(connection, new, confirmed_at=now, confirmed_by=by, **values)
            _note(connection, now, request, Deed.SYNC_UNDONE, f"sync run {number}, by run {new}")
            return self._found(sync_runs.find(connection, new), new)

    def _found(self, run: Run | None, number: int) -> Run:
        if run is None or run.watched != self._watched:
            raise NoSuchRun(f"There is no sync run {number}.")
        return run


@dataclass(frozen=True, slots=True)
class NothingDone:
    """What the job says when it began no run, and why."""

    why: str


def _with_all_left_alone(run: Run, counts: Mapping[ChangeOutcome, int]) -> Mapping[ChangeOutcome, int]:
    """Of very many that are left alone a plan lists only the first."""
    return {**counts, ChangeOutcome.LEFT_ALONE: run.left_alone} if run.left_alone else counts


def _persons_behind(connection: sa.Connection, run: Run) -> set[str]:
    """Who may be the one that confirmed a run: by the same name at a terminal, or by a token that they made."""
    name = run.confirmed_by or ""
    names = {name, *(tokens.makers(connection, name.removeprefix("token ")) if name.startswith("token ") else ())}
    return names | {one.removesuffix(audit.AT_A_TERMINAL) for one in names}


def _note(connection: sa.Connection, now: datetime, request: Request, deed: Deed, subject: str) -> None:
    """Write down what a person did; what the job does is nobody's deed."""
    if request.trigger is not Trigger.SCHEDULED:
        audit.note(connection, now, _name(request), deed, subject)


def _name(request: Request) -> str:
    if request.trigger is Trigger.CLI:
        return audit.at_a_terminal(request.requested_by)
    return request.requested_by or BY_SCHEDULE
