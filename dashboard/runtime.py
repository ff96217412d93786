"""What the one server process shares between its pages, its API and its jobs."""

from __future__ import annotations

import logging
import random
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core import retention
from core.alerts.book import AlertBook
from core.alerts.delivery import EVERY as DELIVERY_EVERY
from core.alerts.delivery import Delivery
from core.alerts.desk import EVERY as WATCHDOG_EVERY
from core.alerts.desk import AlertDesk
from core.alerts.drill import EVERY as DRILL_EVERY
from core.alerts.drill import Drilled, drill
from core.assembly import build_coupler, build_sync
from core.audit_trail import AuditTrail
from core.clock import Clock, utc_now
from core.demo import DRIFT_EVERY, build, drift
from core.errors import CouplingHealthError, LogsNotCompacted, ReportProblem, StateDatabaseUnavailable
from core.foresight import EVERY as FORECAST_EVERY
from core.health_monitor import HealthMonitor
from core.keys import KeyRing
from core.logs.compaction import EVERY as COMPACTION_EVERY
from core.maintenance_plan import MaintenancePlan
from core.reports.schedule import EVERY as REPORTS_EVERY
from core.reports.shelf import ReportShelf
from core.scheduler import DatedFileHandler, JobScheduler, log_to_folder
from core.settings import Settings
from core.shares import ShareLinks
from core.state import accounts
from core.state.database import StateDatabase
from core.sync.service import RECOVERY_EVERY as SYNC_RECOVERY_EVERY

log = logging.getLogger("coupling_health.console")

_RETRY_SECONDS = 5.0


class FirstLogin(StrEnum):
    """How the first admin comes to know the password."""

    MADE_UP = "made up"  # it must be told, now and never again
    CHOSEN = "chosen"  # the operator set it
    KNOWN = "known"  # there were accounts before


Announce = Callable[[FirstLogin, str], None]  # is given the password when it was made up


class Runtime:
    """Settings, state database, monitor and jobs. Starts without a state database as well, says so, and tries again."""

    def __init__(self, settings: Settings, announce: Announce, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.state = StateDatabase(settings.state_database_url)
        self.monitor = HealthMonitor(settings, self.state, build_coupler(settings), clock)
        self.reports = ReportShelf(self.monitor.record, clock)
        self.keys = KeyRing(self.state, clock)
        self.shares = ShareLinks(self.state, clock)
        self.alerts = AlertDesk(self.monitor, clock)
        self.delivery = Delivery(self.state, self.alerts.channels, clock)
        self.alert_book = AlertBook(self.monitor.record, self.alerts, clock)
        self.maintenance = MaintenancePlan(self.state, clock)
        self.trail = AuditTrail(self.state, clock)
        self.sync = build_sync(self.monitor, clock)
        self.monitor.after_check = self.alerts.evaluate_quietly
        self.problem: CouplingHealthError | None = None  # why nothing works yet
        self._announce = announce
        self._jobs: JobScheduler | None = None
        self._scheduler_log: DatedFileHandler | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Prepare everything and start the jobs; when the state database is away, go on trying in the background."""
        if not self._try_to_start():
            threading.Thread(target=self._keep_trying, name="start", daemon=True).start()

    def stop(self) -> None:
        """Stop the jobs; a check that runs is waited for."""
        self._stopping.set()
        self.sync.stop()
        if self._jobs is not None:
            self._jobs.stop()
        self.keys.write_uses()
        self.state.dispose()

    def next_runs(self) -> Mapping[str, datetime]:
        """When each job starts next, by its id."""
        return self._jobs.next_runs() if self._jobs else {}

    def unwritten_scheduler_lines(self) -> int:
        """How many lines of the scheduler's log could not be written since the start."""
        return self._scheduler_log.unwritten if self._scheduler_log else 0

    def _keep_trying(self) -> None:
        while not self._stopping.wait(_RETRY_SECONDS):
            if self._try_to_start():
                return

    def _try_to_start(self) -> bool:
        try:
            self.state.upgrade()
            login, password = self._prepare_first_admin()
            if self.settings.demo:
                self._prepare_demo()
            self.monitor.record.timeline()  # read now, so that no page waits for it: a quarter of a second for a year of checks
        except CouplingHealthError as problem:
            if self.problem is None:
                log.error("%s", problem.advice)
            self.problem = problem
            return False
        except OSError as refused:
            self.problem = StateDatabaseUnavailable(
                f"The demo cannot be prepared: {refused}.", hint="Make room or grant the right to write."
            )
            log.error("%s", self.problem.advice)
            return False
        self.problem = None
        self._announce(login, password)
        self._name_report_mistakes()
        self._scheduler_log = log_to_folder(self.settings.scheduler_log_dir)
        self._jobs = JobScheduler(self.monitor)
        self._jobs.add("Retention", "retention", self._drop_old, retention.EVERY)
        self._jobs.add("Scheduled reports", "scheduled_reports", self.reports.make_due, REPORTS_EVERY)
        self._jobs.add("Forecast", "forecast", self.monitor.foresight.make_forecast, FORECAST_EVERY)
        self._jobs.add("Alert watchdog", "alert_watchdog", self.alerts.evaluate_quietly, WATCHDOG_EVERY)
        if self.alerts.channels:
            self._jobs.add("Delivery of messages", "alert_delivery", self.delivery.begin_quietly, DELIVERY_EVERY)
        if self.settings.alerts.drill_channel in self.alerts.channels:
            self._jobs.add("Alert drill", "alert_drill", self._drill, DRILL_EVERY)
        if self.sync.may_write:
            self._jobs.add("Look after syncs", "sync_recovery", self.sync.recover_quietly, SYNC_RECOVERY_EVERY)
            if self.settings.sync.scheduled:
                self._jobs.add_sync(self.sync)
        months_kept = self.settings.logs.compact_after_months
        if months_kept is not None:
            self._jobs.add("Compaction of logs", "log_compaction", lambda: self._compact(months_kept), COMPACTION_EVERY)
        if self.settings.demo:
            chance = random.Random()  # noqa: S311 - invented data
            self._jobs.add("Demo drift", "demo_drift", lambda: drift(_demo_database(self.settings), chance), DRIFT_EVERY)
        self._jobs.start()
        return True

    def _drop_old(self) -> None:
        retention.drop_old(self.state, self.settings, self.clock)

    def _drill(self) -> None:
        channel = self.alerts.channels[self.settings.alerts.drill_channel or ""]
        try:
            done = drill(self.settings, channel)
        except Exception as unforeseen:  # the border of a job: a drill that cannot be made has not arrived
            log.exception("The alert drill crashed")
            done = Drilled(channel.name, None, None, None, f"it could not be made: {unforeseen}")
        if done.passed:
            log.info("The alert drill arrived through %s after %.1f s", done.channel, done.delivered)
        else:
            log.error("The alert drill did not arrive through %s: %s", done.channel, done.answer)
        self.alert_book.keep_drill(done.channel, done.delivered, done.answer)
        self.alerts.evaluate_quietly()

    def _compact(self, months_kept: int) -> None:
        try:
            done = self.monitor.compact_logs(months_kept)
        except LogsNotCompacted as refused:
            log.error("%s", refused.advice)
        else:
            if done.archived:
                log.info("Archived %d logs of %s", done.archived, ", ".join(done.months))

    def _name_report_mistakes(self) -> None:
        """What hinders reports hinders nothing else; it is said once, at the start, and whenever one is to be made."""
        try:
            self.reports.check()
        except ReportProblem as problem:
            log.error("%s", problem.advice)

    def _prepare_first_admin(self) -> tuple[FirstLogin, str]:
        """Make the first admin when there is no account."""
        with self.state.write() as connection:
            if accounts.everyone(connection):
                return FirstLogin.KNOWN, ""
            chosen = self.settings.admin_password
            password = chosen.get_secret_value() if chosen else secrets.token_urlsafe(12)
            accounts.add(connection, accounts.FIRST_ADMIN, password, self.clock())
            return (FirstLogin.CHOSEN, "") if chosen else (FirstLogin.MADE_UP, password)

    def _prepare_demo(self) -> None:
        log.info("Preparing the demo ...")
        build(_demo_database(self.settings), self.settings.violation_log_dir, self.clock())


def _demo_database(settings: Settings) -> Path:
    return Path(str(settings.watched_url.database))


_current: Runtime | None = None


def set_current(runtime: Runtime) -> None:
    """Make this the process's runtime; the server does so once."""
    global _current
    _current = runtime


def current() -> Runtime:
    """The process's runtime."""
    if _current is None:
        sys.exit("The dashboard is served by `coupling-health serve`, not by `streamlit run`.")
    return _current
