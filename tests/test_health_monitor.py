"""HealthMonitor: what it says before, during and after checks, and when things go wrong."""

from __future__ import annotations

import sqlite3
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.assembly import build_monitor
from core.errors import (
    CheckImpossible,
    CouplingHealthError,
    NoWatchedDatabase,
    ViolationLogUnwritable,
    WatchedDatabaseUnreachable,
    WatchedSchemaUnsuitable,
)
from core.health_monitor import HealthMonitor
from core.model import Kind, Outcome, Request, Source, Status, Trigger
from core.settings import Settings
from core.state.database import StateDatabase
from core.state.episodes import Changes
from tests.application import Application, SqliteApplication
from tests.engines.statements import listening
from tests.frozen_clock import NOON, FrozenClock
from tests.logs.files import read_log
from tests.monitored import NewMonitor, history, logs, pairs, staged_chunks

# --- the ordinary life ------------------------------------------------------------------------------------------------


def test_before_the_first_check_nothing_is_known(monitor: HealthMonitor) -> None:
    summary = monitor.get_health_summary()
    assert (summary.status, summary.assessment.reason) == (Status.UNKNOWN, "no check has run yet")
    assert (summary.last, summary.totals, summary.consistency_rate) == (None, None, None)
    assert not summary.requires_attention
    assert not summary.running
    assert monitor.get_latest_report() is None
    assert monitor.violations_page() == ([], 0)
    assert list(monitor.stream_violations()) == []
    assert monitor.find_violation("1", "PLAYER") is None
    assert monitor.checks_since(NOON) == (0, 0)
    assert list(monitor.trend(None).points) == []
    assert logs(monitor) == []


def test_a_healthy_check_leaves_a_row_and_no_log(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase
) -> None:
    sqlite_app.agreeing(range(150))
    report = monitor.check_all_users(request=Request(Trigger.API, "Éva"))
    assert (report.totals.total_checked, report.totals.inconsistent, str(report.consistency_rate)) == (150, 0, "100.00")
    assert (report.timestamp, report.trigger, report.requested_by) == (NOON, Trigger.API, "Éva")
    assert (list(report.violations), report.log_file, report.dry_run) == ([], None, False)
    summary = monitor.get_health_summary()
    assert (summary.status, summary.assessment.reason) == (Status.HEALTHY, "all 150 pairs agree")
    assert not summary.requires_attention
    assert logs(monitor) == []
    (row,) = history(sqlite_state)
    assert (row.outcome, row.total_checked, row.consistent, row.inconsistent) == (Outcome.HEALTHY, 150, 150, 0)
    assert (row.requested_by, row.trigger, row.source, row.error) == ("Éva", Trigger.API, Source.CHECK, None)


def test_an_unhealthy_check_leaves_a_row_a_log_and_its_violations(
    application: Application, new_monitor: NewMonitor, fresh_state: StateDatabase
) -> None:
    """On either engine, for both databases."""
    application.agreeing(range(100, 240)).pair(1, "player ", 3, 2).progress(2, "COACH", 5).license(3, "COACH", 4)
    application.pair(4, "PLAYER", None, 1).pair(10, "COACH", 2, 2).progress(10, "coach", 2).progress(None)
    monitor = new_monitor(application, fresh_state)
    report = monitor.check_all_users()
    expected = [
        (1, "PLAYER", Kind.LEVEL_MISMATCH),
        (2, "COACH", Kind.MISSING_LICENSE),
        (3, "COACH", Kind.MISSING_PROGRESS),
        (4, "PLAYER", Kind.LEVEL_NOT_SET),
        (10, "COACH", Kind.DUPLICATE_ROWS),
    ]
    assert [(v.user_id, v.specialization, v.kind) for v in report.violations] == expected == pairs(monitor)
    assert report.by_kind == {kind: 1 for *_, kind in expected}
    assert report.totals.unidentified_progress_rows == 1
    assert (report.log_file, logs(monitor)) == ("20251025_120000_violations.json", ["20251025_120000_violations.json"])
    log, _ = read_log(monitor.settings.violation_log_dir / str(report.log_file), 10**6)
    assert (log.check_id, log.totals, log.timestamp) == (report.check_id, report.totals, report.timestamp)
    assert [(v.user_id, v.specialization, v.kind) for v in log.violations] == expected
    summary = monitor.get_health_summary()
    assert (summary.status, summary.requires_attention) == (Status.DEGRADED, True)
    assert list(summary.specializations) == ["COACH", "PLAYER"]
    assert summary.oldest_violation == NOON
    latest = monitor.get_latest_report()
    assert latest is not None
    assert (latest.check_id, latest.totals, latest.consistency_rate) == (report.check_id, report.totals, report.consistency_rate)
    (row,) = history(fresh_state)
    assert (row.outcome, row.check_id, row.log_file) == (Outcome.UNHEALTHY, report.check_id, report.log_file)
    again = build_monitor(monitor.settings, fresh_state, lambda: NOON)
    assert pairs(again) == expected, "what a check found is there for every process"


def test_nothing_to_check_is_no_green_light(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase
) -> None:
    sqlite_app.progress(None).license(1, None)
    report = monitor.check_all_users()
    assert (report.totals.total_checked, report.consistency_rate) == (0, None)
    summary = monitor.get_health_summary()
    assert (summary.status, summary.consistency_rate) == (Status.UNKNOWN, None)
    assert "nothing to check" in summary.assessment.reason
    assert summary.requires_attention
    assert history(sqlite_state)[0].outcome == Outcome.EMPTY
    assert logs(monitor) == []


def test_a_status_grows_old_by_itself(monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    sqlite_app.agreeing([1])
    monitor.check_all_users()
    clock.advance(minutes=11)
    fresh = monitor.get_health_summary()
    clock.advance(timedelta(microseconds=1))
    stale = monitor.get_health_summary()
    assert (fresh.status, stale.status) == (Status.HEALTHY, Status.UNKNOWN)
    assert fresh.version != stale.version
    assert str(stale.consistency_rate) == "100.00", "the last known rate stays visible"
    assert stale.requires_attention
    monitor.check_all_users()
    assert monitor.get_health_summary().status is Status.HEALTHY


def test_violations_keep_the_moment_at_which_they_were_first_seen(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock
) -> None:
    sqlite_app.disagreeing([1, 2])
    monitor.check_all_users()
    clock.advance(minutes=5)
    sqlite_app.disagreeing([3]).set_license_level(1, 2)
    monitor.check_all_users()
    assert [(v.user_id, v.first_seen) for v in monitor.stream_violations()] == [(2, NOON), (3, clock.now)]
    summary = monitor.get_health_summary()
    assert (summary.changes, summary.oldest_violation) == (Changes(new=1, still_open=1, healed=1), NOON)
    found, count = monitor.violations_page(limit=1)
    assert ([v.user_id for v in found], count) == ([2], 2)
    assert monitor.find_violation("3", "PLAYER") is not None
    assert monitor.find_violation("1", "PLAYER") is None


def test_two_checks_in_one_second_leave_two_logs(monitor: HealthMonitor, sqlite_app: SqliteApplication) -> None:
    sqlite_app.disagreeing([1])
    reports = [monitor.check_all_users(), monitor.check_all_users()]
    assert [report.log_file for report in reports] == logs(monitor)[::-1]
    assert len(set(logs(monitor))) == 2


# --- checks that fail -------------------------------------------------------------------------------------------------


def test_a_failed_check_is_recorded_in_words_raised_and_makes_the_status_unknown(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, clock: FrozenClock
) -> None:
    sqlite_app.agreeing(range(9)).disagreeing([9])
    before = monitor.check_all_users()
    clock.advance(minutes=5)
    sqlite_app.execute("ALTER TABLE user_licenses RENAME TO licences")
    with pytest.raises(CheckImpossible) as failed:
        monitor.check_all_users(request=Request(Trigger.SCHEDULED))
    assert isinstance(failed.value, WatchedSchemaUnsuitable)
    row = history(sqlite_state)[-1]
    assert (row.outcome, row.trigger) == (Outcome.FAILED, Trigger.SCHEDULED)
    assert row.error == str(failed.value)
    assert (row.total_checked, row.consistent, row.inconsistent, row.consistency_rate) == (None, None, None, None)
    summary = monitor.get_health_summary()
    assert summary.status is Status.UNKNOWN
    assert "last completed check 5 min ago; the last attempt failed:" in summary.assessment.reason
    assert "user_licenses" in summary.assessment.reason
    assert summary.requires_attention
    assert (summary.last is not None and summary.last.check_id) == before.check_id
    assert pairs(monitor) == [(9, "PLAYER", Kind.LEVEL_MISMATCH)], "a failed check replaces nothing"
    assert [attempt.error for attempt in monitor.recent_failures()] == [row.error]
    assert monitor.checks_since(NOON) == (1, 2)

    sqlite_app.execute("ALTER TABLE licences RENAME TO user_licenses")
    clock.advance(minutes=5)
    monitor.check_all_users()
    assert monitor.get_health_summary().status is Status.CRITICAL, "it recovers by itself"


def test_a_first_check_that_fails_needs_attention(new_monitor: NewMonitor, tmp_path: Path) -> None:
    monitor = new_monitor(Settings(database_url=f"sqlite:///{tmp_path / 'nowhere.db'}").watched_url)
    with pytest.raises(WatchedDatabaseUnreachable):
        monitor.check_all_users()
    summary = monitor.get_health_summary()
    assert summary.assessment.reason.startswith("no check has completed yet; the last attempt failed: Could not read")
    assert summary.requires_attention


def test_a_log_that_cannot_be_written_fails_the_check(
    new_monitor: NewMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, tmp_path: Path
) -> None:
    (tmp_path / "in the way").write_text("")
    monitor = new_monitor(sqlite_app.disagreeing([1]), log_dir=tmp_path / "in the way")
    with pytest.raises(ViolationLogUnwritable):
        monitor.check_all_users()
    assert history(sqlite_state)[-1].outcome == Outcome.FAILED
    assert pairs(monitor) == []


def test_a_check_that_fails_after_its_first_violations_shows_none_of_them(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase
) -> None:
    sqlite_app.disagreeing([1])
    monitor.check_all_users()
    sqlite_app.disagreeing(range(2, 12_000))

    def fail_late(statement: str) -> None:
        if statement.startswith("UPDATE leases") and len(staged_chunks(sqlite_state)) > 1:
            raise sa.exc.OperationalError(statement, None, sqlite3.OperationalError("disk I/O error"))

    with listening(fail_late), pytest.raises(CouplingHealthError, match="disk I/O error"):
        monitor.check_all_users()
    assert pairs(monitor) == [(1, "PLAYER", Kind.LEVEL_MISMATCH)]
    assert monitor.get_health_summary().status is Status.UNKNOWN


def test_a_monitor_without_a_watched_database_answers_and_cannot_check(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, clock: FrozenClock
) -> None:
    sqlite_app.disagreeing([1])
    monitor.check_all_users()
    only_state = HealthMonitor(monitor.settings, sqlite_state, None, clock)
    assert only_state.get_health_summary().status is Status.CRITICAL
    assert pairs(only_state) == [(1, "PLAYER", Kind.LEVEL_MISMATCH)]
    with pytest.raises(NoWatchedDatabase):
        only_state.pair_now(1, "PLAYER")


# --- dry runs ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_leaves_no_trace(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, clock: FrozenClock
) -> None:
    sqlite_app.agreeing(range(10))
    monitor.check_all_users()
    before, rows = monitor.get_health_summary(), history(sqlite_state)
    clock.advance(minutes=1)
    sqlite_app.disagreeing([20, 21])
    report = monitor.check_all_users(dry_run=True)
    assert (report.dry_run, report.totals.inconsistent, report.log_file) == (True, 2, None)
    for _ in range(2):
        assert [v.user_id for v in report.violations] == [20, 21]
    after = monitor.get_health_summary()
    assert after.version == before.version
    assert (after.status, after.totals) == (Status.HEALTHY, before.totals)
    assert history(sqlite_state) == rows
    assert (logs(monitor), pairs(monitor)) == ([], [])
    assert monitor.checks_since(NOON) == (1, 1)


def test_a_dry_run_that_fails_leaves_no_trace(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase
) -> None:
    sqlite_app.agreeing(range(10))
    monitor.check_all_users()
    sqlite_app.execute("DROP TABLE user_licenses")
    with pytest.raises(WatchedSchemaUnsuitable):
        monitor.check_all_users(dry_run=True)
    assert len(history(sqlite_state)) == 1
    assert monitor.get_health_summary().status is Status.HEALTHY


def test_a_dry_run_reads_no_logs_into_history(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase
) -> None:
    folder = monitor.settings.violation_log_dir
    folder.mkdir(parents=True)
    (folder / "20250101_000000_violations.json").write_text('{"timestamp": "2025-01-01", "total_checked": 1, "inconsistent": 0}')
    monitor.check_all_users(dry_run=True)
    assert history(sqlite_state) == []


# --- memory -----------------------------------------------------------------------------------------------------------


def _peak(monitor: HealthMonitor, *, dry_run: bool) -> int:
    tracemalloc.start()
    try:
        for _ in monitor.check_all_users(dry_run=dry_run).violations:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("dry_run", "few", "many", "most_megabytes"),  # kept, the violations beyond the few would take more
    [(False, 2_000, 30_000, 6), (True, 12_000, 30_000, 3)],
    ids=["check", "dry run"],
)
def test_memory_does_not_grow_with_the_violations(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, dry_run: bool, few: int, many: int, most_megabytes: int
) -> None:
    """Some thousand violations are at hand at a time, however many there are."""
    peaks = {}
    for violations in (few, many):
        sqlite_app.delete_everything().disagreeing(range(violations))
        peaks[violations] = _peak(monitor, dry_run=dry_run)
    assert peaks[many] - peaks[few] < most_megabytes * 2**20, peaks
