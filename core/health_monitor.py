"""HealthMonitor: the one door for dashboard, API, jobs and command line."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from core.analysis.trend import MOST_POINTS, Trend
from core.checker import Checker, report_of
from core.clock import Clock, utc_now
from core.coupling import PairNow, ProgressLicenseCoupler
from core.errors import CouplingHealthError, NoWatchedDatabase, StateDatabaseUnavailable
from core.facts import Facts, NewestFacts
from core.foresight import Foresight
from core.heartbeat import Heartbeat
from core.logs.compaction import Compacted
from core.logs.importing import ImportResult, Progress, no_progress
from core.model import Report, Request, Status, Totals, Trigger, UserId, Violation
from core.record import HealthRecord
from core.settings import Settings
from core.settling import Wait
from core.state import current_violations, history, known_logs, lease
from core.state.current_violations import EVERYTHING, SortKey, ViolationFilter
from core.state.database import StateDatabase
from core.state.episodes import Changes
from core.state.history import Attempt, FailedAttempt
from core.state.known_logs import KnownLog
from core.status import Assessment, Evidence, assess, holds_until
from core.tally import AttemptTally, Tally

log = logging.getLogger(__name__)

_BY_HAND = Request(Trigger.MANUAL)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known, and what that says about now. The same object is given as long as both hold."""

    facts: Facts
    unrecorded: Sequence[FailedAttempt]
    assessment: Assessment
    holds_from: datetime
    holds_until: datetime
    readable: bool = True  # False while the state database does not answer: then there is nothing to be had beside this

    @property
    def status(self) -> Status:
        return self.assessment.status

    @property
    def last(self) -> Attempt | None:
        """The newest completed check: with an unknown status its figures are only the last known."""
        return self.facts.newest

    @property
    def requires_attention(self) -> bool:
        """Whether a person should look: anything but healthy, once a check was tried."""
        never_tried = self.status is Status.UNKNOWN and self.last is None and self.assessment.since is None
        return self.status is not Status.HEALTHY and not never_tried


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """Health at one moment."""

    at: datetime
    known: Known
    running: bool
    running_since: datetime | None
    next_check: datetime | None
    version: str  # changes with every new result, and when the status changes by age alone

    @property
    def assessment(self) -> Assessment:
        return self.known.assessment

    @property
    def status(self) -> Status:
        return self.known.status

    @property
    def last(self) -> Attempt | None:
        return self.known.last

    @property
    def requires_attention(self) -> bool:
        return self.known.requires_attention

    @property
    def changes(self) -> Changes | None:
        """What the newest check found against the one before it; None when there was none."""
        return self.known.facts.changes

    @property
    def oldest_violation(self) -> datetime | None:
        return self.known.facts.oldest_violation

    @property
    def specializations(self) -> Sequence[str]:
        return self.known.facts.specializations

    @property
    def consistency_rate(self) -> Decimal | None:
        return self.last.consistency_rate if self.last else None

    @property
    def totals(self) -> Totals | None:
        return self.last.totals if self.last else None

    @property
    def new_since(self) -> datetime | None:
        """The moment at which new violations were first seen; None when nothing can be called new."""
        return self.last.timestamp if self.last and self.changes is not None else None


class HealthMonitor:
    """Checks, remembers and answers. Safe to share between threads.

    Everything it is asked for is answered from the state database; only a check and `pair_now` touch the watched one.
    """

    def __init__(
        self,
        settings: Settings,
        state: StateDatabase,
        coupler: ProgressLicenseCoupler | None,
        clock: Clock = utc_now,
        wait: Wait = time.sleep,
    ) -> None:
        """`coupler` is None for commands that need only the state database; `wait` lies between the two looks of a check."""
        self.settings = settings
        self.state = state
        self.next_check: Callable[[], datetime | None] = lambda: None
        self.after_check: Callable[[], None] = lambda: None  # called after every attempt, whatever came of it
        self._coupler = coupler
        self._clock = clock
        self.record = HealthRecord(settings, state, self._watched, clock)
        self.foresight = Foresight(self.record, clock)
        self._facts = NewestFacts(state, self._watched, settings.schedule, settings.status_thresholds)
        self._checker = Checker(settings, state, coupler, clock, self._facts.forget, wait)
        self._heartbeat = Heartbeat(settings.heartbeat_url)
        self._starting = 0  # checks that were asked for and have not ended yet
        self._starting_lock = threading.Lock()
        self._known: Known | None = None
        self._tally = AttemptTally()

    # --- checking -----------------------------------------------------------------------------------------------------

    def check_all_users(
        self, dry_run: bool = False, request: Request = _BY_HAND, told: Callable[[str], None] = lambda _check_id: None
    ) -> Report:
        """Check all pairs and give the report; joins a check that runs already, anywhere, and gives that one's.

        `told` hears the check's id as soon as it has begun. A dry run writes neither log nor history and changes nothing that
        anybody else sees. A failed check is recorded, then raised as a CouplingHealthError.
        """
        try:
            report = self._checker.check(request, dry_run=dry_run, told=told)
        finally:
            self._facts.forget()
            if not dry_run:
                self.after_check()
        if not report.dry_run:
            self._heartbeat.beat()
        return report

    def import_logs(self, place: Path | None = None, progress: Progress = no_progress, by: str | None = None) -> ImportResult:
        """Read new violation logs of a folder or an archive into history, each once; by default those of the log directory.

        Waits for a running check. `by`: who asked, for the audit trail.
        """
        try:
            return self._checker.import_logs(place or self.settings.violation_log_dir, progress, by)
        finally:
            self._facts.forget()

    def compact_logs(self, months_kept: int, *, dry_run: bool = False) -> Compacted:
        """Put the logs that are older than the current month and so many whole months before it into one archive a month.

        Waits for a running check. Raises StateDatabaseUnavailable, LogsNotCompacted.
        """
        return self._checker.compact_logs(months_kept, dry_run=dry_run)

    def start_check(self, request: Request) -> None:
        """Begin a check in the background and return at once; what comes of it shows in the summary."""
        with self._starting_lock:
            self._starting += 1
        threading.Thread(target=self._check_in_background, args=(request,), name="check-now", daemon=True).start()

    def _check_in_background(self, request: Request) -> None:
        try:
            self.check_all_users(request=request)
        except CouplingHealthError as failed:
            log.warning("%s", failed.advice)
        finally:
            with self._starting_lock:
                self._starting -= 1

    # --- answering ----------------------------------------------------------------------------------------------------

    def known(self) -> Known:
        """What is known and what it says about this moment. Never raises for a state database that is away: the status is
        then unknown, with the reason, and the last known figures stay."""
        try:
            facts = self._facts.read()
        except StateDatabaseUnavailable as away:
            return self.known_without(str(away))
        return self._known_of(facts)

    def known_afresh(self) -> Known:
        """The same, read anew: nothing that was recorded up to now is missing."""
        self._facts.forget()
        return self.known()

    def known_in_memory(self, longest_age: float) -> Known | None:
        """The same without asking anybody; None when what is in memory was true more than `longest_age` seconds ago."""
        return self._known_of(self._facts.last_known) if self._facts.age < longest_age else None

    def known_without(self, reason: str) -> Known:
        """What is known while the state database does not answer, for a reason: an unknown status."""
        now = self._clock()
        return Known(self._facts.last_known, (), Assessment(Status.UNKNOWN, reason, None), now, now, readable=False)

    def get_health_summary(self) -> HealthSummary:
        """Health at this moment, from memory unless something changed lately. Never raises for a state database that is away."""
        known, now = self.known(), self._clock()
        lease_ = self._facts.running
        running = lease_ if lease_ is not None and lease_.held(now) else None
        pending = running is not None or self._starting > 0
        of_checks = f"{known.facts.version}.{len(self._checker.unrecorded)}.{known.status}"
        return HealthSummary(
            at=now,
            known=known,
            running=pending,
            running_since=running.acquired_at if running else None,
            next_check=self.next_check(),
            version=f"{of_checks}.{'running' if pending else ''}",
        )

    def get_latest_report(self) -> Report | None:
        """The newest completed check, healthy or not; None before the first. Its violations stream from the state database."""
        newest = self._facts.read().newest
        return None if newest is None else report_of(self.state, newest)

    def checks_since(self, start: datetime) -> tuple[int, int]:
        """How many checks completed since `start`, and how many were tried."""
        return self.record.checks_since(start)

    def find_check(self, check_id: str) -> Attempt | None:
        """The attempt with this id, also one that could not be recorded yet; None when there is none, or it still runs."""
        for attempt in self._checker.unrecorded:
            if attempt.check_id == check_id:
                return history.unrecorded(attempt)
        with self.state.read() as connection:
            return history.find(connection, check_id)

    def running_since(self, check_id: str) -> datetime | None:
        """When the check with this id began, if it runs at this moment, in whatever process."""
        with self.state.read() as connection:
            current = lease.find(connection)
        return current.acquired_at if current.check_id == check_id and current.held(self._clock()) else None

    def report_of(self, attempt: Attempt) -> Report:
        """The report of a completed check. Its violations raise ViolationsSuperseded once newer checks took their place."""
        return report_of(self.state, attempt)

    def tally(self) -> Tally:
        """How long checks took and how many failed, since the first."""
        with self.state.read() as connection:
            return self._tally.up_to_now(connection, self._watched(connection))

    def trend(self, start: datetime | None, end: datetime | None = None, most_points: int = MOST_POINTS) -> Trend:
        """History from `start` (None: from the first reading) to `end` (None: now), reduced for drawing."""
        return self.record.trend(start, end, most_points)

    def violations_page(
        self,
        wanted: ViolationFilter = EVERYTHING,
        *,
        sort: SortKey = SortKey.USER,
        descending: bool = False,
        offset: int = 0,
        limit: int = 100,
    ) -> tuple[Sequence[Violation], int]:
        """A page of the current violations and how many there are in all; none before the first check."""
        newest = self._facts.read().newest
        if newest is None or newest.check_id is None:
            return [], 0
        with self.state.read() as connection:
            page = current_violations.page(
                connection, newest.check_id, wanted, sort=sort, descending=descending, offset=offset, limit=limit
            )
            return page, current_violations.count(connection, newest.check_id, wanted)

    def stream_violations(self, wanted: ViolationFilter = EVERYTHING) -> Iterator[Violation]:
        """Every wanted current violation, in the report's order. Raises ViolationsSuperseded when that takes too long."""
        newest = self._facts.read().newest
        if newest is not None and newest.check_id is not None:
            yield from current_violations.stream(self.state, newest.check_id, wanted)

    def violations_following(
        self, check_id: str, wanted: ViolationFilter, after: int, limit: int
    ) -> Sequence[tuple[int, Violation]]:
        """The next violations of a recent check behind a position, each with its own. Raises ViolationsSuperseded."""
        with self.state.read() as connection:
            return current_violations.following(connection, check_id, wanted, after=after, limit=limit)

    def find_violation(self, user_id: str, specialization: str) -> Violation | None:
        """The current violation of one pair, if there is one."""
        newest = self._facts.read().newest
        if newest is None or newest.check_id is None:
            return None
        with self.state.read() as connection:
            return current_violations.find(connection, newest.check_id, user_id, specialization)

    def pair_now(self, user_id: UserId, specialization: str) -> PairNow:
        """Both sides of one pair, fresh from the watched database. Raises CheckImpossible, NoWatchedDatabase."""
        if self._coupler is None:
            raise NoWatchedDatabase
        return self._coupler.pair_now(user_id, specialization)

    def recent_failures(self, limit: int = 20) -> Sequence[Attempt]:
        """The newest failed attempts, newest first."""
        return self.record.newest_failures(limit)

    def broken_logs(self) -> Sequence[KnownLog]:
        """The violation logs that were found and cannot be read."""
        with self.state.read() as connection:
            return known_logs.broken(connection)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _known_of(self, facts: Facts) -> Known:
        now, unrecorded, known = self._clock(), self._checker.unrecorded, self._known
        same = known is not None and known.facts is facts and known.unrecorded is unrecorded
        if known is not None and same and known.holds_from <= now <= known.holds_until:
            return known
        evidence, schedule = _with_unrecorded(facts.evidence, unrecorded), self.settings.schedule
        assessment = assess(evidence, now, schedule, self.settings.status_thresholds)
        self._known = Known(facts, unrecorded, assessment, now, holds_until(evidence, assessment, now, schedule))
        return self._known

    def _watched(self, connection: sa.Connection) -> str | None:
        """Whose history to read: the configured database's, or the newest check's for commands that know only the state."""
        return self._coupler.label if self._coupler else history.newest_watched(connection)


def _with_unrecorded(evidence: Evidence, unrecorded: Sequence[FailedAttempt]) -> Evidence:
    """Failures that the state database has not heard of yet count as well."""
    if not unrecorded:
        return evidence
    return replace(
        evidence,
        failed_attempts=evidence.failed_attempts + len(unrecorded),
        failing_since=evidence.failing_since or unrecorded[0].timestamp,
        last_error=unrecorded[-1].error,
    )
