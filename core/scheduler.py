"""The background jobs, started by the server and stopped with it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from core.clock import utc_now
from core.errors import CouplingHealthError
from core.health_monitor import HealthMonitor
from core.model import Report, Request, Trigger
from core.state.sync_runs import Run
from core.sync.change import ChangeOutcome
from core.sync.service import NothingDone, SyncService

CHECK_JOB = "coupling_health_check"
SYNC_JOB = "progress_license_sync"

log = logging.getLogger(__name__)

_WATCH_SECONDS = 15.0


class JobScheduler:
    """Runs the check every interval, from the moment of the start on; a long check does not shift the next one."""

    def __init__(self, monitor: HealthMonitor) -> None:
        self._monitor = monitor
        self._schedule = monitor.settings.schedule
        self._scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(4)}, timezone=UTC)
        self._stopped = threading.Event()
        self._add("Coupling health check", CHECK_JOB, self._check, self._schedule.interval)
        monitor.next_check = self.next_check

    def add(self, name: str, job_id: str, job: Callable[[], None], every: timedelta) -> None:
        """Run something else as well; an error in it is logged and does not end it."""
        self._add(name, job_id, lambda: _guarded(name, job), every)

    def add_sync(self, sync: SyncService) -> None:
        """Repair as well, every `sync.interval_hours`."""
        self._add("Progress-license sync", SYNC_JOB, lambda: self._sync(sync), timedelta(hours=sync.settings.sync.interval_hours))

    def start(self) -> None:
        """Start; the first check begins at once. Returns without waiting for it."""
        self._scheduler.start()
        log.info("Scheduler started")
        for job in self._scheduler.get_jobs():
            log.info("Job %s (%s), every %d s", job.name, job.id, job.trigger.interval.total_seconds())
        threading.Thread(target=self._watch_clock, name="clock-watch", daemon=True).start()

    def stop(self) -> None:
        """Stop; waits for a running check to end."""
        self._stopped.set()
        self._scheduler.shutdown(wait=True)
        log.info("Scheduler stopped")

    def next_check(self) -> datetime | None:
        """When the next scheduled check starts."""
        job = self._scheduler.get_job(CHECK_JOB)
        return job.next_run_time if job else None

    def next_runs(self) -> Mapping[str, datetime]:
        """When each job starts next, by its id."""
        return {job.id: job.next_run_time for job in self._scheduler.get_jobs() if job.next_run_time}

    def follow_clock(self, now: datetime) -> None:
        """Run at once what a clock that was set back would otherwise hold up until it has caught up."""
        for job in self._scheduler.get_jobs():
            if job.next_run_time - now > job.trigger.interval + self._schedule.misfire_grace:
                log.warning("The clock was set back; %s runs now", job.id)
                job.modify(next_run_time=now)

    def _add(self, name: str, job_id: str, job: Callable[[], None], every: timedelta) -> None:
        self._scheduler.add_job(
            job,
            IntervalTrigger(seconds=int(every.total_seconds()), timezone=UTC),
            id=job_id,
            name=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=int(self._schedule.misfire_grace.total_seconds()),
            next_run_time=utc_now(),
        )

    def _check(self) -> None:
        try:
            report = self._monitor.check_all_users(request=Request(Trigger.SCHEDULED))
        except CouplingHealthError as failed:
            log.warning("Health check failed: %s", failed.advice)
        except Exception:  # the border of a job: the next run must come
            log.exception("Health check crashed")
        else:
            log.info("Health check complete: %s", in_one_line(report))

    def _sync(self, sync: SyncService) -> None:
        try:
            done = sync.run_scheduled()
            said = done.why if isinstance(done, NothingDone) else sync_in_one_line(done, sync.counts(done.id))
        except CouplingHealthError as failed:
            log.warning("Sync failed: %s", failed.advice)
        except Exception:  # the border of a job: the next run must come
            log.exception("Sync crashed")
        else:
            log.info("Sync complete: %s", said)

    def _watch_clock(self) -> None:
        while not self._stopped.wait(_WATCH_SECONDS):
            self.follow_clock(utc_now())


def in_one_line(report: Report) -> str:
    """A report as "148/150 consistent (98.67%)"."""
    rate = "nothing to check" if report.consistency_rate is None else f"{report.consistency_rate}%"
    return f"{report.totals.consistent}/{report.totals.total_checked} consistent ({rate})"


def sync_in_one_line(run: Run, counts: Mapping[ChangeOutcome, int]) -> str:
    """A sync run as "run 12 done: 3 applied, 1 left alone"."""
    parts = [f"{counts[outcome]} {outcome.value.replace('_', ' ')}" for outcome in ChangeOutcome if counts.get(outcome)]
    return f"run {run.id} {run.status}: {', '.join(parts)}" + (f". {run.reason}" if run.reason else "")


class DatedFileHandler(logging.Handler):
    """Appends to `scheduler_YYYYMMDD.log`, one file a day (UTC). A file that cannot be written is named once, on the console."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.unwritten = 0  # lines that could not be written since the start
        self._folder = folder
        self._complained = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            day = datetime.fromtimestamp(record.created, UTC)
            with (self._folder / f"scheduler_{day:%Y%m%d}.log").open("a", encoding="utf-8") as file:
                file.write(self.format(record) + "\n")
        except OSError as refused:
            self.unwritten += 1
            if not self._complained:
                self._complained = True
                logging.getLogger("coupling_health.console").warning(
                    "The scheduler's log cannot be written in %s: %s", self._folder, refused.strerror
                )


def log_to_folder(folder: Path) -> DatedFileHandler:
    """Keep what the scheduler says in a file a day."""
    handler = DatedFileHandler(folder)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return handler


def _guarded(name: str, job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:  # the border of a job: the next run must come
        log.exception("%s failed", name)
