"""Five weeks in the life of a watched application: logs of the earlier system, then our own checks, through the real parts.

On Sundays from one to nine in the morning, in Budapest, it is in planned maintenance.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.assembly import build_monitor
from core.errors import CouplingHealthError
from core.health_monitor import HealthMonitor
from core.maintenance import Repeats
from core.maintenance_plan import MaintenancePlan
from core.record import HealthRecord
from core.settings import Settings
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock

EVERY = timedelta(hours=4)
LOGS_FROM = datetime(2025, 9, 22, 0, 30, tzinfo=UTC)
CHECKS_FROM = datetime(2025, 9, 29, 1, 0, tzinfo=UTC)
OVER = datetime(2025, 10, 20, 3, 0, tzinfo=UTC)  # a Monday
PAIRS = 260
SUNDAY_NIGHTS = datetime(2025, 10, 5, 1)  # noqa: DTZ001 - by the clock on the wall; eight hours of maintenance
NAMES = ("PLAYER", "COACH", "INTERNSHIP")

REPORT = {"company": "Acme Football Academy", "time_zone": "Europe/Budapest"}


@dataclass(frozen=True, slots=True)
class Past:
    """What is left of it: the state database behind a record, and the files."""

    monitor: HealthMonitor
    clock: FrozenClock
    folder: Path

    @property
    def record(self) -> HealthRecord:
        return self.monitor.record

    @property
    def settings(self) -> Settings:
        return self.monitor.settings

    @property
    def state(self) -> Path:
        return self.folder / "state.db"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def with_settings(self, **report: Any) -> HealthRecord:
        """The same past, reported by other settings."""
        settings = self.settings.model_copy(update={"report": self.settings.report.model_copy(update=report)})
        return HealthMonitor(settings, self.monitor.state, None, self.clock).record


def settings_in(folder: Path) -> dict[str, Any]:
    """The settings that the past was lived with."""
    return {
        "database_url": f"sqlite:///{folder / 'app.db'}",
        "state_url": f"sqlite:///{folder / 'state.db'}",
        "log_dir": folder / "logs",
        "check": {"interval_seconds": int(EVERY.total_seconds()), "settle_seconds": 0},
        "report": REPORT,
    }


def live(folder: Path) -> Past:
    """Let the five weeks pass."""
    chance = random.Random(20251020)  # noqa: S311 - invented data
    application = SqliteApplication(folder / "app.db")
    clock = FrozenClock(CHECKS_FROM)
    monitor = build_monitor(Settings(**settings_in(folder)), clock=clock)
    _write_old_logs(folder / "logs", chance)
    rows = [(user, NAMES[user % 3], 1 + user % 4) for user in range(1, PAIRS + 1)]
    application.add(rows, rows)
    plan = MaintenancePlan(monitor.state, clock)
    plan.plan("weekly upgrade", "kim", SUNDAY_NIGHTS, 480, time_zone="Europe/Budapest", repeats=Repeats.WEEKLY)
    number = 0
    while clock.now < OVER:
        if not _outage(clock.now):
            _drift(application, chance, clock.now)
            _check(monitor, application, number)
            number += 1
        if number % 9 == 5:  # somebody asks for one beside the schedule
            clock.advance(minutes=20)
            _drift(application, chance, clock.now)
            _check(monitor, application, number)
        clock.advance(EVERY + timedelta(seconds=chance.randint(-90, 90), microseconds=chance.randint(0, 999_999)))
    application.close()
    return Past(monitor, clock, folder)


def _outage(now: datetime) -> bool:
    return datetime(2025, 10, 8, 10, tzinfo=UTC) < now < datetime(2025, 10, 9, 15, tzinfo=UTC)


def _check(monitor: HealthMonitor, application: SqliteApplication, number: int) -> None:
    """A check; now and then one that fails, and once one that finds nothing."""
    if number % 29 == 25:
        application.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
        try:
            monitor.check_all_users()
        except CouplingHealthError:
            pass
        else:
            raise AssertionError("a check without a table cannot succeed")
        application.execute("ALTER TABLE elsewhere RENAME TO user_licenses")
    elif number == 72:
        for table in ("user_licenses", "specialization_progress"):
            application.execute(f"ALTER TABLE {table} RENAME TO {table}_kept")
            application.execute(f"CREATE TABLE {table} AS SELECT * FROM {table}_kept WHERE 0")
        monitor.check_all_users()
        for table in ("user_licenses", "specialization_progress"):
            application.execute(f"DROP TABLE {table}")
            application.execute(f"ALTER TABLE {table}_kept RENAME TO {table}")
    else:
        monitor.check_all_users()


def _drift(application: SqliteApplication, chance: random.Random, now: datetime) -> None:
    """Some pairs come apart, some heal; mostly the same few, so that some return. Two bad nights."""
    bad = (now.day, now.hour // 12) in {(8, 0), (15, 1)} and now.month == 10
    for user, name, level in application.execute(
        "SELECT p.student_id, p.specialization_id, p.current_level FROM specialization_progress p LEFT JOIN user_licenses l "
        "ON l.user_id = p.student_id WHERE l.current_level IS NOT p.current_level"
    ):
        if not bad and chance.random() < 0.6:
            application.delete_license(user, name).license(user, name, level)
    for _ in range(chance.randint(6, 11) if bad else chance.choice((0, 0, 1, 1, 2))):
        user = chance.choice((chance.randint(1, 12), chance.randint(1, PAIRS)))
        name = NAMES[user % 3]
        if chance.random() < 0.25:
            application.delete_license(user, name)
        else:
            application.set_license_level(user, 5 + chance.randint(0, 2), name)


def _write_old_logs(folder: Path, chance: random.Random) -> None:
    """As the earlier system wrote them: no zone, no added keys, a rate as it rounded it, none when all was well."""
    folder.mkdir()
    moment = LOGS_FROM
    while moment < CHECKS_FROM - EVERY:
        apart = chance.choice((1, 1, 2, 4, 15))
        violations = [
            {
                "user_id": 9_000 + user,
                "specialization": "COACH",
                "progress_level": 3,
                "license_level": 2,
                "recommended_action": "sync_to_higher_level",
            }
            for user in sorted(chance.sample(range(30), apart))
        ]
        document = {
            "timestamp": moment.replace(tzinfo=None).isoformat(timespec="microseconds"),
            "total_checked": 250,
            "consistent": 250 - apart,
            "inconsistent": apart,
            "consistency_rate": round(100 * (250 - apart) / 250, 2),
            "violations": violations,
        }
        (folder / f"{moment:%Y%m%d_%H%M%S}_violations.json").write_text(json.dumps(document), "utf-8")
        moment += chance.choice((timedelta(hours=4), timedelta(hours=6), timedelta(hours=13)))
