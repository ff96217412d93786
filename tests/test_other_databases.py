"""What is known of one watched database says nothing about another."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.assembly import build_monitor
from core.errors import (
    CheckImpossible,
    WatchedDatabaseUnreachable,
)
from core.settings import Settings
from core.state.database import StateDatabase
from tests.application import SqliteApplication
from tests.frozen_clock import NOON, FrozenClock
from tests.monitored import NewMonitor, history, pairs


def test_another_database_s_history_is_not_shown_as_this_one_s(
    new_monitor: NewMonitor, tmp_path: Path, sqlite_state: StateDatabase, clock: FrozenClock
) -> None:
    one, other = SqliteApplication(tmp_path / "one.db"), SqliteApplication(tmp_path / "other.db")
    one.disagreeing([1])
    new_monitor(one).check_all_users()
    summary = new_monitor(other).get_health_summary()
    assert (summary.assessment.reason, summary.last) == ("no check has run yet", None)
    assert new_monitor(other).violations_page() == ([], 0)
    assert new_monitor(other).get_latest_report() is None
    assert new_monitor(other).checks_since(NOON) == (0, 0)
    assert list(new_monitor(other).trend(None).points) == []
    one.close()
    other.close()


def test_failures_of_another_database_are_not_shown_as_this_one_s(
    new_monitor: NewMonitor, sqlite_app: SqliteApplication, tmp_path: Path
) -> None:
    with pytest.raises(CheckImpossible):
        new_monitor(Settings(database_url=f"sqlite:///{tmp_path / 'nowhere.db'}").watched_url).check_all_users()
    assert list(new_monitor(sqlite_app).recent_failures()) == []


def test_checks_of_another_database_leave_this_one_s_violations(
    new_monitor: NewMonitor, tmp_path: Path, clock: FrozenClock
) -> None:
    one, other = SqliteApplication(tmp_path / "one.db"), SqliteApplication(tmp_path / "other.db")
    one.disagreeing([1])
    other.agreeing([1])
    new_monitor(one).check_all_users()
    for _ in range(3):
        clock.advance(minutes=1)
        new_monitor(other).check_all_users()
    back = new_monitor(one)
    summary = back.get_health_summary()
    assert summary.totals is not None
    assert summary.totals.inconsistent == len(pairs(back)) == 1, "a count of one beside an empty list would be a lie"
    one.close()
    other.close()


def test_another_column_is_another_subject(new_monitor: NewMonitor, sqlite_app: SqliteApplication) -> None:
    new_monitor(sqlite_app.agreeing([1])).check_all_users()
    otherwise = new_monitor(sqlite_app, license={"level_column": "max_achieved_level"})
    assert otherwise.get_health_summary().last is None


def test_a_password_in_a_url_is_in_no_row_and_no_label(sqlite_state: StateDatabase, clock: FrozenClock, tmp_path: Path) -> None:
    settings = Settings(database_url="postgresql://u:s3cret-word@127.0.0.1:1/app", log_dir=tmp_path / "logs")
    monitor = build_monitor(settings, sqlite_state, clock)
    with pytest.raises(WatchedDatabaseUnreachable):
        monitor.check_all_users()
    (row,) = history(sqlite_state)
    assert "s3cret-word" not in str(row)
    assert "127.0.0.1:1/app" in row.watched
    assert "s3cret-word" not in monitor.get_health_summary().assessment.reason
