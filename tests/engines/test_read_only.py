"""The watched database cannot be written to, whatever we do: the engine itself refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import CheckImpossible
from core.health_monitor import HealthMonitor
from core.settings import Settings
from tests.application import Application, PostgresqlApplication
from tests.frozen_clock import FrozenClock

WRITES = [
    "INSERT INTO user_licenses (user_id, specialization_type, current_level) VALUES (2, 'COACH', 1)",
    "UPDATE specialization_progress SET current_level = 7",
    "DELETE FROM user_licenses",
    "DROP TABLE user_licenses",
    "CREATE TABLE footprint (id integer)",
]


@pytest.mark.parametrize("statement", WRITES)
def test_the_engine_refuses_every_write(application: Application, statement: str) -> None:
    application.pair(1)
    with (
        pytest.raises(CheckImpossible, match=r"(?i)read-?only"),
        application.watched().snapshot() as connection,
    ):
        connection.exec_driver_sql(statement)
    assert application.execute("SELECT user_id, current_level FROM user_licenses") == [(1, 1)]
    assert application.execute("SELECT current_level FROM specialization_progress") == [(1,)]


@pytest.mark.postgresql
def test_postgresql_is_told_that_the_transaction_only_reads(postgresql_app: PostgresqlApplication) -> None:
    with postgresql_app.watched().snapshot() as connection:
        assert connection.execute(sa.text("SHOW transaction_read_only")).scalar() == "on"
        assert connection.execute(sa.text("SHOW transaction_isolation")).scalar() == "repeatable read"


def test_a_check_changes_nothing_in_the_application(
    application: Application, new_monitor: Callable[..., object], clock: FrozenClock
) -> None:
    application.agreeing(range(5)).disagreeing(range(5, 8)).progress(None).license(9)
    rows = "SELECT * FROM {} ORDER BY id"
    before = [application.execute(rows.format(table)) for table in ("specialization_progress", "user_licenses")]
    monitor = new_monitor(application)
    monitor.check_all_users()  # type: ignore[attr-defined]
    monitor.pair_now(5, "PLAYER")  # type: ignore[attr-defined]
    assert [application.execute(rows.format(table)) for table in ("specialization_progress", "user_licenses")] == before


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path: Path, new_monitor: Callable[..., HealthMonitor]) -> None:
    missing = tmp_path / "nowhere.db"
    monitor = new_monitor(Settings(database_url=f"sqlite:///{missing}").watched_url)
    with pytest.raises(CheckImpossible, match=r"no file .*nowhere\.db"):
        monitor.check_all_users()
    assert not missing.exists()
