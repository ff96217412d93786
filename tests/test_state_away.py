"""A state database that is locked, away, or refuses: never a green light, and never the end of all checks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.assembly import build_monitor
from core.errors import (
    CheckImpossible,
    CouplingHealthError,
    StateDatabaseLocked,
)
from core.health_monitor import HealthMonitor
from core.model import Outcome, Request, Status, Trigger
from core.settings import Settings
from core.state.database import StateDatabase
from tests.application import SqliteApplication
from tests.engines.statements import listening
from tests.frozen_clock import NOON, FrozenClock
from tests.monitored import NewMonitor, history


@pytest.fixture
def impatient_state(monkeypatch: pytest.MonkeyPatch, sqlite_state: StateDatabase) -> Iterator[StateDatabase]:
    """The same state database, waited for a tenth of a second."""
    monkeypatch.setattr("core.state.database._BUSY_SECONDS", 0.1)
    state = StateDatabase(sqlite_state.url)
    yield state
    state.dispose()


@pytest.fixture
def state_lock(sqlite_state: StateDatabase) -> Iterator[sqlite3.Connection]:
    """Another program with a write transaction to begin and end on the state database."""
    connection = sqlite3.connect(str(sqlite_state.url.database), isolation_level=None)
    yield connection
    connection.close()


def test_a_locked_state_database_is_no_green_light(
    settings_of_test: Settings,
    sqlite_app: SqliteApplication,
    impatient_state: StateDatabase,
    state_lock: sqlite3.Connection,
    clock: FrozenClock,
) -> None:
    monitor = build_monitor(settings_of_test, impatient_state, clock)
    sqlite_app.agreeing([1])
    monitor.check_all_users()
    green = monitor.get_health_summary()
    state_lock.execute("BEGIN IMMEDIATE")
    clock.advance(minutes=5)
    for _ in range(2):
        with pytest.raises(StateDatabaseLocked):
            monitor.check_all_users(request=Request(Trigger.SCHEDULED))
    summary = monitor.get_health_summary()
    assert summary.status is Status.UNKNOWN, "the last row is green, but two attempts failed since"
    assert "the last 2 attempts failed: The state database is locked" in summary.assessment.reason
    assert summary.version != green.version
    assert len(history(impatient_state)) == 1
    state_lock.execute("ROLLBACK")
    clock.advance(minutes=5)
    monitor.check_all_users()
    assert [row.outcome for row in history(impatient_state)] == [Outcome.HEALTHY, Outcome.FAILED, Outcome.FAILED, Outcome.HEALTHY]
    assert [row.timestamp for row in history(impatient_state)][1:3] == [NOON + timedelta(minutes=5)] * 2
    assert monitor.get_health_summary().status is Status.HEALTHY
    assert monitor.checks_since(NOON) == (2, 4)


def test_a_state_database_that_goes_away_makes_the_status_unknown_and_keeps_the_last_known(
    settings_of_test: Settings, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, clock: FrozenClock
) -> None:
    monitor = build_monitor(settings_of_test, sqlite_state, clock)
    sqlite_app.agreeing([1])
    monitor.check_all_users()
    assert monitor.get_health_summary().status is Status.HEALTHY

    def away(statement: str) -> None:
        raise sa.exc.OperationalError(statement, None, sqlite3.OperationalError("unable to open database file"))

    with listening(away):
        with pytest.raises(CouplingHealthError):
            monitor.check_all_users()
        summary = monitor.get_health_summary()
        assert summary.status is Status.UNKNOWN
        assert "state database cannot be used: unable to open database file" in summary.assessment.reason
        assert summary.last is not None
        assert summary.requires_attention
    monitor.check_all_users()
    assert monitor.get_health_summary().status is Status.HEALTHY


def test_a_commit_whose_answer_was_lost_does_not_stop_all_later_checks(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, clock: FrozenClock
) -> None:
    """The failure was recorded, but we were told otherwise: recording it once more must not fail for ever."""
    sqlite_app.execute("ALTER TABLE user_licenses RENAME TO licences")
    seen: list[str] = []

    def lose_the_answer(connection: sa.Connection) -> None:
        if seen and seen[-1].startswith("INSERT INTO health_check_history"):
            seen.clear()
            connection.connection.driver_connection.execute("COMMIT")  # type: ignore[union-attr]
            raise sa.exc.OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

    sa.event.listen(sqlite_state.engine, "commit", lose_the_answer)
    try:
        with listening(seen.append), pytest.raises(CheckImpossible):
            monitor.check_all_users()
    finally:
        sa.event.remove(sqlite_state.engine, "commit", lose_the_answer)
    assert [row.outcome for row in history(sqlite_state)] == [Outcome.FAILED]
    sqlite_app.execute("ALTER TABLE licences RENAME TO user_licenses")
    clock.advance(minutes=5)
    sqlite_app.agreeing([1])
    monitor.check_all_users()
    assert [row.outcome for row in history(sqlite_state)] == [Outcome.FAILED, Outcome.HEALTHY]
    assert monitor.get_health_summary().status is Status.HEALTHY


def test_a_long_name_of_who_asked_does_not_stop_all_later_checks(
    fresh_state: StateDatabase, sqlite_app: SqliteApplication, settings_of_test: Settings, clock: FrozenClock
) -> None:
    monitor = build_monitor(settings_of_test, fresh_state, clock)
    sqlite_app.agreeing([1])
    monitor.check_all_users(request=Request(Trigger.CLI, "n" * 300))
    clock.advance(minutes=5)
    monitor.check_all_users()
    assert monitor.get_health_summary().status is Status.HEALTHY


@pytest.mark.parametrize("healthy", ["99.9", "99.999999"])
def test_any_threshold_that_the_settings_take_can_be_lived_with(
    new_monitor: NewMonitor, sqlite_app: SqliteApplication, healthy: str
) -> None:
    monitor = new_monitor(sqlite_app.agreeing(range(10)), thresholds={"healthy": healthy})
    monitor.check_all_users()
    assert monitor.get_health_summary().status is Status.HEALTHY
    assert len(monitor.trend(None).points) == 1
