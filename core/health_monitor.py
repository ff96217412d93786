"""HealthMonitor: the one door for dashboard, API, jobs and command line."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from core.checker import Checker, report_of
from core.clock import Clock, utc_now
from core.coupling import PairNow, ProgressLicenseCoupler
from core.errors import CouplingHealthError, NoWatchedDatabase, StateDatabaseUnavailable
from core.log_import import ImportResult, Progress, no_progress
from core.model import Report, Request, Status, Totals, Trigger, UserId, Violation
from core.settings import Settings
from core.state import current_violations, history, known_logs, lease, trend
from core.state.current_violations import EVERYTHING, SortKey, ViolationFilter
from core.state.database import StateDatabase
from core.state.history import Attempt
from core.state.known_logs import KnownLog
from core.state.lease import Lease
from core.state.trend import Trend
from core.status import Assessment, Evidence, assess

log = logging.getLogger(__name__)

_FACTS_SECONDS = 1.0  # how old the answer to "did anything change?" may be
_BY_HAND = Request(Trigger.MANUAL)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the state database says, as of one version. Everything that depends on the present moment is derived from it."""

    version: int
    evidence: Evidence
    newest: Attempt | None
    new_violations: int | None  # None when there was no check before the newest
    oldest_violation: datetime | None
    specializations: Sequence[str]
    running: Lease | None


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """Health at one moment. `last` is the newest completed check: with an unknown status its figures are only the last known."""

    at: datetime
    assessment: Assessment
    last: Attempt | None
    new_violations: int | None
    oldest_violation: datetime | None
    specializations: Sequence[str]
    running: bool
    running_since: datetime | None
    next_check: datetime | None
    version: str  # changes with every new result, and when the status changes by age alone

    @property
    def status(self) -> Status:
        return self.assessment.status

    @property
    def consistency_rate(self) -> Decimal | None:
        return self.last.consistency_rate if self.last else None

    @property
    def totals(self) -> Totals | None:
        return self.last.totals if self.last else None

    @property
    def new_since(self) -> datetime | None:
        """The moment at which new violations were first seen; None when nothing can be called new."""
        return self.last.timestamp if self.last and self.new_violations is not None else None

    @property
    def requires_attention(self) -> bool:
        """Whether a person should look: anything but healthy, once a check was tried."""
        never_tried = self.status is Status.UNKNOWN and self.last is None and self.assessment.since is None
        return self.status is not Status.HEALTHY and not never_tried


class HealthMonitor:
    """Checks, remembers and answers. Safe to share between threads.

    Everything it is asked for is answered from the state database; only a check and `pair_now` touch the watched one.
    """

    def __init__(
        self, settings: Settings, state: StateDatabase, coupler: ProgressLicenseCoupler | None, clock: Clock = utc_now
    ) -> None:
        """`coupler` is None for commands that need only the state database."""
        self.settings = settings
        self.state = state
        self.next_check: Callable[[], datetime | None] = lambda: None
        self._coupler = coupler
        self._clock = clock
        self._checker = Checker(settings, state, coupler, clock)
        self._starting = 0  # checks that were asked for and have not ended yet
        self._facts: Facts | None = None
        self._facts_read_at = float("-inf")
        self._facts_lock = threading.Lock()

    # --- checking -----------------------------------------------------------------------------------------------------

    def check_all_users(self, dry_run: bool = False, request: Request = _BY_HAND) -> Report:
        """Check all pairs and give the report; joins a check that runs already, anywhere, and gives that one's.

        A dry run writes neither log nor history and changes nothing that anybody else sees. A failed check is recorded, then
        raised as a CouplingHealthError.
        """
        try:
            return self._checker.check(request, dry_run=dry_run)
        finally:
            self._forget()

    def import_logs(self, folder: Path | None = None, progress: Progress = no_progress) -> ImportResult:
        """Read new violation logs into history, each once; by default those of the log directory. Waits for a running check."""
        try:
            return self._checker.import_logs(folder or self.settings.violation_log_dir, progress)
        finally:
            self._forget()

    def start_check(self, request: Request) -> None:
        """Begin a check in the background and return at once; what comes of it shows in the summary."""
        with self._facts_lock:
            self._starting += 1
        threading.Thread(target=self._check_in_background, args=(request,), name="check-now", daemon=True).start()

    def _check_in_background(self, request: Request) -> None:
        try:
            self.check_all_users(request=request)
        except CouplingHealthError as failed:
            log.warning("%s", failed.advice)
        finally:
            with self._facts_lock:
                self._starting -= 1
            self._forget()

    # --- answering ----------------------------------------------------------------------------------------------------

    def get_health_summary(self) -> HealthSummary:
        """Health at this moment, from memory unless something changed in the last second. Never raises for a state database
        that is away: the status is then unknown, with the reason, and the last known figures stay."""
        now = self._clock()
        try:
            facts = self._read_facts()
        except StateDatabaseUnavailable as away:
            facts = self._facts or _NO_FACTS
            assessment = Assessment(Status.UNKNOWN, str(away), None)
        else:
            assessment = assess(
                self._with_unrecorded(facts.evidence), now, self.settings.schedule, self.settings.status_thresholds
            )
        running = facts.running if facts.running is not None and facts.running.held(now) else None
        pending = running is not None or self._starting > 0
        return HealthSummary(
            at=now,
            assessment=assessment,
            last=facts.newest,
            new_violations=facts.new_violations,
            oldest_violation=facts.oldest_violation,
            specializations=facts.specializations,
            running=pending,
            running_since=running.acquired_at if running else None,
            next_check=self.next_check(),
            version=f"{facts.version}.{len(self._checker.unrecorded)}.{assessment.status}.{'running' if pending else ''}",
        )

    def get_latest_report(self) -> Report | None:
        """The newest completed check, healthy or not; None before the first. Its violations stream from the state database."""
        newest = self._read_facts().newest
        return None if newest is None else report_of(self.state, newest)

    def checks_since(self, start: datetime) -> tuple[int, int]:
        """How many checks completed since `start`, and how many were tried."""
        with self.state.read() as connection:
            return history.attempts_since(connection, self._watched(connection), start)

    def trend(self, start: datetime | None, end: datetime | None = None) -> Trend:
        """History from `start` (None: from the first row) to `end` (None: now), reduced for drawing."""
        with self.state.read() as connection:
            end = end or self._clock()
            start = start or trend.beginning(connection) or end - timedelta(days=1)
            return trend.trend(
                connection,
                self._watched(connection),
                start,
                end,
                self.settings.schedule.freshness,
                self.settings.status_thresholds,
            )

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
        newest = self._read_facts().newest
        if newest is None or newest.check_id is None:
            return [], 0
        with self.state.read() as connection:
            page = current_violations.page(
                connection, newest.check_id, wanted, sort=sort, descending=descending, offset=offset, limit=limit
            )
            return page, current_violations.count(connection, newest.check_id, wanted)

    def stream_violations(self, wanted: ViolationFilter = EVERYTHING) -> Iterator[Violation]:
        """Every wanted current violation, in the report's order."""
        newest = self._read_facts().newest
        if newest is not None and newest.check_id is not None:
            yield from current_violations.stream(self.state, newest.check_id, wanted)

    def find_violation(self, user_id: str, specialization: str) -> Violation | None:
        """The current violation of one pair, if there is one."""
        newest = self._read_facts().newest
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
        with self.state.read() as connection:
            return history.failures(connection, self._watched(connection), limit)

    def broken_logs(self) -> Sequence[KnownLog]:
        """The violation logs that were found and cannot be read."""
        with self.state.read() as connection:
            return known_logs.broken(connection)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read_facts(self) -> Facts:
        """The newest facts; asked afresh at most once a second, and read afresh only when there is something new."""
        with self._facts_lock:
            if self._facts is not None and time.monotonic() - self._facts_read_at < _FACTS_SECONDS:
                return self._facts
            with self.state.read() as connection:
                version, running = history.latest_id(connection), lease.find(connection)
                if self._facts is not None and self._facts.version == version:
                    facts = replace(self._facts, running=running)
                else:
                    facts = self._facts_of(connection, version, running)
            self._facts, self._facts_read_at = facts, time.monotonic()
            return facts

    def _facts_of(self, connection: sa.Connection, version: int, running: Lease) -> Facts:
        watched = self._watched(connection)
        newest = history.newest_completed(connection, watched)
        evidence = history.evidence(
            connection, watched, newest, self.settings.schedule.freshness, self.settings.status_thresholds
        )
        figures = current_violations.NONE
        if newest is not None and newest.check_id is not None:
            figures = current_violations.overview(connection, newest.check_id, newest.timestamp)
        first = len(history.newest_check_ids(connection, watched, 2)) < 2
        new = None if first else figures.new
        return Facts(version, evidence, newest, new, figures.oldest, figures.specializations, running)

    def _forget(self) -> None:
        with self._facts_lock:
            self._facts_read_at = float("-inf")

    def _with_unrecorded(self, evidence: Evidence) -> Evidence:
        """Failures that the state database has not heard of yet count as well."""
        unrecorded = self._checker.unrecorded
        if not unrecorded:
            return evidence
        return replace(
            evidence,
            failed_attempts=evidence.failed_attempts + len(unrecorded),
            failing_since=evidence.failing_since or unrecorded[0].timestamp,
            last_error=unrecorded[-1].error,
        )

    def _watched(self, connection: sa.Connection) -> str | None:
        """Whose history to read: the configured database's, or the newest check's for commands that know only the state."""
        return self._coupler.label if self._coupler else history.newest_watched(connection)


_NO_FACTS = Facts(0, Evidence(), None, None, None, (), None)
