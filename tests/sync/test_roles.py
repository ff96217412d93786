"""Users of the watched database with few rights and settings of their own, and files that cannot be written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from core.assembly import build_monitor, build_sync
from core.errors import SyncWriteDenied
from core.state.database import StateDatabase
from core.state.sync_runs import RunStatus
from tests.conftest import NewDatabase
from tests.frozen_clock import FrozenClock
from tests.sync.application import LICENSES, PROGRESS, USERS, Schema, Whole, WholePostgresql, WholeSqlite
from tests.sync.conftest import NewRepairs, Repairs, nothing, plain_url, settings_for

_NOBODY = 65_534


def _behind(application: Whole) -> None:
    """One licence is behind, one is missing."""
    application.fill(
        {
            USERS: [{"id": 1}, {"id": 2}],
            PROGRESS: [
                {"student_id": 1, "specialization_id": "PLAYER", "current_level": 5, "last_activity": "2025-03-04 05:06:07.5"},
                {"student_id": 2, "specialization_id": "PLAYER", "current_level": 4},
            ],
            LICENSES: [
                {"id": 1, "user_id": 1, "specialization_type": "PLAYER", "current_level": 2,
                 "last_advanced_at": "2025-02-03 04:05:06.25"},
            ],
        }
    )  # fmt: skip


@pytest.fixture
def application(new_postgresql_database: NewDatabase, request: pytest.FixtureRequest) -> Iterator[WholePostgresql]:
    application = WholePostgresql(new_postgresql_database(), getattr(request, "param", Schema()))
    _behind(application)
    yield application
    application.close()


@contextmanager
def _role(application: WholePostgresql, name: str, rights: str, *settings: str) -> Iterator[str]:
    """The address for a user of the server with a right to every table, and what else it is set to."""
    name = f"{name}_{application.url.database}"
    statements = [
        f"CREATE ROLE {name} LOGIN PASSWORD 'of-a-test'",
        f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
        *(f"ALTER ROLE {name} SET {setting}" for setting in settings),
    ]
    for statement in statements:
        application.execute(statement)
    try:
        url = make_url(plain_url(application)).set(username=name, password="of-a-test")
        yield url.render_as_string(hide_password=False)
    finally:
        application.execute(f"DROP OWNED BY {name}")
        application.execute(f"DROP ROLE {name}")


def _is_stopped_with_a_hint(repairs: Repairs) -> None:
    before = repairs.application.bytes()
    run = repairs.apply()
    assert run.status is RunStatus.STOPPED
    assert run.reason is not None
    assert SyncWriteDenied.hint in run.reason
    assert repairs.outcomes(run) == {"not_tried": 2}
    assert repairs.application.bytes() == before


@pytest.mark.postgresql
@pytest.mark.parametrize("rights", ["SELECT", "SELECT, INSERT"])
def test_a_user_who_may_not_write_stops_the_run_with_a_hint(
    application: WholePostgresql, new_repairs: NewRepairs, rights: str
) -> None:
    with _role(application, "reads", rights) as url:
        repairs = new_repairs(application, sync_database_url=url)
        _is_stopped_with_a_hint(repairs)
        repairs.service.stop()


@pytest.mark.postgresql
def test_a_database_that_is_set_to_read_only_stops_the_run_with_a_hint(
    application: WholePostgresql, new_repairs: NewRepairs
) -> None:
    with _role(application, "set", "SELECT, INSERT, UPDATE, DELETE", "default_transaction_read_only = on") as url:
        _is_stopped_with_a_hint(new_repairs(application, sync_database_url=url))


@pytest.mark.postgresql
@pytest.mark.parametrize("application", [Schema(), Schema(moment="timestamptz")], indirect=True, ids=["plain", "with zones"])
def test_reader_and_writer_may_write_times_in_their_own_ways(application: WholePostgresql, new_repairs: NewRepairs) -> None:
    """Neither takes the other's way of writing for a change, and both mean the same moment."""
    rights = "SELECT, INSERT, UPDATE, DELETE"
    hungarian = "TimeZone = 'Europe/Budapest'", "DateStyle = 'German'", "IntervalStyle = 'iso_8601'", "extra_float_digits = -5"
    american = "TimeZone = 'America/New_York'", "DateStyle = 'SQL, MDY'"
    with _role(application, "reads", "SELECT", *american) as read, _role(application, "writes", rights, *hungarian) as write:
        repairs = new_repairs(application, database_url=read, sync_database_url=write)
        before = application.bytes()
        run = repairs.apply()
        assert repairs.outcomes(run) == {"applied": 2}
        application.execute("SET TimeZone = 'UTC'")
        for row in application.rows(f"SELECT last_advanced_at FROM {LICENSES}"):
            assert row["last_advanced_at"].replace(tzinfo=None) == application.moment(repairs.clock())
        application.execute("RESET TimeZone")
        repairs.undo(run)
        assert application.bytes() == before


# --- SQLite -----------------------------------------------------------------------------------------------------------


@contextmanager
def _as_nobody(*own: Path) -> Iterator[None]:
    """Without the right of the superuser to write to everything; some folders are then one's own."""
    if os.geteuid() != 0:
        yield
        return
    for folder in own:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, _NOBODY, _NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Where everybody may go, unlike in the folder of a test."""
    folder = Path(tempfile.mkdtemp(prefix="chd-sync-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_file_that_may_only_be_read_stops_the_run_with_a_hint(open_folder: Path, migrated: Path) -> None:
    application = WholeSqlite(open_folder / "app.db")
    application.execute("PRAGMA journal_mode=DELETE")
    _behind(application)
    for name in ("var", "logs"):
        (open_folder / name).mkdir()
    shutil.copy(migrated, open_folder / "var" / "state.db")
    (open_folder / "app.db").chmod(0o444)
    settings, clock = settings_for(application, open_folder / "logs", f"sqlite:///{open_folder}/var/state.db"), FrozenClock()
    with _as_nobody(open_folder / "var", open_folder / "logs"):
        state = StateDatabase(settings.state_database_url)
        service = build_sync(build_monitor(settings, state, clock, nothing), clock, nothing)
        _is_stopped_with_a_hint(Repairs(service, application, clock, settings.scheduler_log_dir))
        state.dispose()
    application.close()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_that_another_took_the_place_of_is_the_one_that_is_written(whole: Whole, new_repairs: NewRepairs) -> None:
    """The application was restored from a copy between two runs."""
    _behind(whole)
    whole.execute("PRAGMA journal_mode=DELETE")
    path = Path(str(whole.url.database))
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    repairs = new_repairs(whole)
    repairs.undo(repairs.apply())
    whole.close()
    copy.replace(path)
    whole.connection = whole._connect()
    run = repairs.apply()
    assert repairs.outcomes(run) == {"applied": 2}
    assert [row["current_level"] for row in whole.rows(f"SELECT current_level FROM {LICENSES} ORDER BY id")] == [5, 4]


def test_a_table_that_was_migrated_between_two_runs_is_looked_at_afresh(whole: Whole, new_repairs: NewRepairs) -> None:
    _behind(whole)
    repairs = new_repairs(whole)
    repairs.undo(repairs.apply())
    whole.execute(f"ALTER TABLE {LICENSES} RENAME COLUMN last_advanced_at TO moved_at")
    whole.execute("DROP TABLE license_progressions")
    run = repairs.apply()
    assert repairs.outcomes(run) == {"applied": 2}
    assert {row["moved_at"] is None for row in whole.rows(f"SELECT moved_at FROM {LICENSES} WHERE user_id = 2")} == {True}
