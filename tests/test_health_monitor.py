"""HealthMonitor: what it says before, during and after checks, and when things go wrong."""

from __future__ import annotations

import json
import sqlite3
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.assembly import build_monitor
from core.errors import (
    CheckImpossible,
    CouplingHealthError,
    JoinedCheckFailed,
    NoWatchedDatabase,
    StateDatabaseLocked,
    ViolationLogUnwritable,
    WatchedDatabaseUnreachable,
    WatchedSchemaUnsuitable,
)
from core.health_monitor import HealthMonitor
from core.model import Kind, Outcome, Report, Request, Source, Status, Trigger
from core.settings import Settings
from core.state import schema
from core.state.database import StateDatabase
from core.violation_log import read_log
from tests.application import Application, SqliteApplication
from tests.engines.statements import holding_before, listening
from tests.frozen_clock import NOON, FrozenClock
from tests.subprocesses import running, wait_for_line

NewMonitor = Callable[..., HealthMonitor]


def history(state: StateDatabase) -> list[sa.Row[Any]]:
    with state.read() as connection:
        return list(connection.execute(sa.select(schema.history).order_by(schema.history.c.id)))


def logs(monitor: HealthMonitor) -> list[str]:
    folder = monitor.settings.violation_log_dir
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def pairs(monitor: HealthMonitor) -> list[tuple[object, str, Kind]]:
    return [(v.user_id, v.specialization, v.kind) for v in monitor.stream_violations()]


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Start `work` in a thread; call the answer for its result, or the error that it met."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except CouplingHealthError as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(60)
        assert results, "it hangs, or met an unforeseen error"
        return results[0]

    return result


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
    assert (summary.new_violations, summary.oldest_violation) == (1, NOON)
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


def staged_chunks(state: StateDatabase) -> set[str]:
    with sqlite3.connect(str(state.url.database)) as connection:
        found = {row[0] for row in connection.execute("SELECT DISTINCT check_id FROM current_violations")}
    connection.close()
    return found


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


# --- one check at a time ----------------------------------------------------------------------------------------------


def test_a_check_that_meets_a_running_one_joins_it(
    monitor: HealthMonitor, new_monitor: NewMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase
) -> None:
    sqlite_app.disagreeing([1, 2])
    other = new_monitor(sqlite_app)  # as in another process: only the state database is shared
    with holding_before("specialization_progress") as (reached, go):
        first = in_thread(monitor.check_all_users)
        assert reached.wait(30)
        assert other.get_health_summary().running
        assert pairs(other) == [], "nothing of a running check shows"
        with until_waiting(2) as waiting:
            second, third = in_thread(other.check_all_users), in_thread(monitor.check_all_users)
            assert waiting.wait(30)
        go.set()
        reports: list[Report] = [first(), second(), third()]
    assert len({report.check_id for report in reports}) == 1
    for report in reports:
        assert [v.user_id for v in report.violations] == [1, 2]
    assert len(history(sqlite_state)) == 1
    assert logs(monitor) == ["20251025_120000_violations.json"]
    assert not monitor.get_health_summary().running


@contextmanager
def until_waiting(threads: int = 1) -> Iterator[threading.Event]:
    """Set when as many threads of this process wait for the lease: each asks for it again and again."""
    asked: Counter[int] = Counter()
    enough = threading.Event()

    def count(statement: str) -> None:
        if statement.startswith("SELECT leases"):
            asked[threading.get_ident()] += 1
            if sum(times >= 3 for times in asked.values()) >= threads:
                enough.set()

    with listening(count):
        yield enough


def test_joining_a_check_that_fails_fails_with_its_reason(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, new_monitor: NewMonitor
) -> None:
    sqlite_app.execute("DROP TABLE user_licenses")
    other = new_monitor(sqlite_app)
    with holding_before("specialization_progress") as (reached, go):
        first = in_thread(monitor.check_all_users)
        assert reached.wait(30)
        with until_waiting() as waiting:
            second = in_thread(other.check_all_users)
            assert waiting.wait(30)
        go.set()
        errors = [first(), second()]
    assert isinstance(errors[0], WatchedSchemaUnsuitable)
    assert isinstance(errors[1], JoinedCheckFailed)
    assert str(errors[1]) == str(errors[0])
    assert len(history(sqlite_state)) == 1


def test_a_check_that_meets_a_dry_run_waits_and_checks_itself(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase
) -> None:
    sqlite_app.disagreeing([1])
    with holding_before("specialization_progress") as (reached, go):
        dry = in_thread(lambda: monitor.check_all_users(dry_run=True))
        assert reached.wait(30)
        with until_waiting() as waiting:
            real = in_thread(monitor.check_all_users)
            assert waiting.wait(30)
        go.set()
        assert dry().dry_run
        assert not real().dry_run
    assert len(history(sqlite_state)) == 1


def test_a_check_in_the_background_shows_while_it_runs_and_when_it_is_done(
    monitor: HealthMonitor, sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing([1])
    with holding_before("specialization_progress") as (reached, go):
        monitor.start_check(Request(Trigger.MANUAL, "admin"))
        assert monitor.get_health_summary().running
        assert reached.wait(30)
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "check-now"]
        go.set()
        thread.join(30)
    summary = monitor.get_health_summary()
    assert not summary.running
    assert summary.status is Status.HEALTHY


_CHECK_IN_ANOTHER_PROCESS = """
import json, sys
import sqlalchemy as sa
from core.assembly import build_monitor
from core.settings import Settings

hold_before = sys.argv[1]
held = False

def stop(connection, cursor, statement, *rest):
    global held
    if hold_before in statement and not held and threading.current_thread() is threading.main_thread():
        held = True
        print("holding", flush=True)
        sys.stdin.readline()

import threading
monitor = build_monitor(Settings(**json.loads(sys.argv[2])))
sa.event.listen(sa.Engine, "before_cursor_execute", stop)
report = monitor.check_all_users()
print(json.dumps([report.check_id, [violation.user_id for violation in report.violations]]), flush=True)
"""


def _settings_json(settings: Settings) -> str:
    return json.dumps(
        {
            "database_url": settings.database_url.get_secret_value() if settings.database_url else None,
            "state_url": f"sqlite:///{settings.state_database_url.database}",
            "log_dir": str(settings.violation_log_dir),
        }
    )


def test_a_check_in_another_process_is_joined(
    settings_of_test: Settings, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, tmp_path: Path
) -> None:
    sqlite_app.disagreeing([1, 2])
    here = build_monitor(settings_of_test, sqlite_state)
    arguments = ("specialization_progress", _settings_json(settings_of_test))
    with running(_CHECK_IN_ANOTHER_PROCESS, *arguments, folder=tmp_path) as process:
        assert wait_for_line(process) == "holding"
        assert here.get_health_summary().running
        with until_waiting() as waiting:
            joining = in_thread(here.check_all_users)
            assert waiting.wait(30)
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        check_id, users = json.loads(wait_for_line(process))
        report = joining()
    assert report.check_id == check_id
    assert [v.user_id for v in report.violations] == users == [1, 2]
    assert len(history(sqlite_state)) == 1


@pytest.mark.parametrize("moment", ["INSERT INTO current_violations", "UPDATE leases"])
def test_a_check_that_is_killed_shows_nothing_and_the_next_goes_on(
    settings_of_test: Settings, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, tmp_path: Path, moment: str
) -> None:
    """Killed before its first violations are kept, and after all of them are, but before they are published."""
    clock = FrozenClock(datetime.now(UTC))
    here = build_monitor(settings_of_test, sqlite_state, clock)
    sqlite_app.disagreeing([1])
    here.check_all_users()
    sqlite_app.disagreeing(range(2, 6_000))
    # The other process takes the lease with "UPDATE leases", too: only the second such statement publishes.
    arguments = (moment if moment.startswith("INSERT") else "UPDATE leases SET expires_at", _settings_json(settings_of_test))
    with running(_CHECK_IN_ANOTHER_PROCESS, *arguments, folder=tmp_path) as process:
        assert wait_for_line(process) == "holding"
        process.kill()
        assert process.wait(30) == -9
    here = build_monitor(settings_of_test, sqlite_state, clock)
    assert pairs(here) == [(1, "PLAYER", Kind.LEVEL_MISMATCH)], "nothing half-done shows"
    assert len(history(sqlite_state)) == 1
    clock.advance(minutes=3)
    report = here.check_all_users()
    assert report.totals.inconsistent == len(pairs(here)) == 5_999
    checks = [row for row in history(sqlite_state) if row.source == Source.CHECK]
    assert len(checks) == 2
    assert all(row.outcome == Outcome.UNHEALTHY for row in checks)
    clock.advance(minutes=5)
    here.check_all_users()
    assert len(staged_chunks(sqlite_state)) <= 2, "what the dead one left is cleared away"
    for path in settings_of_test.violation_log_dir.glob("*_violations.json"):
        read_log(path, 10**8)


# --- a state database that is locked or away --------------------------------------------------------------------------


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


# --- other databases --------------------------------------------------------------------------------------------------


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


# --- memory -----------------------------------------------------------------------------------------------------------


def _peak(monitor: HealthMonitor, *, dry_run: bool) -> int:
    tracemalloc.start()
    try:
        for _ in monitor.check_all_users(dry_run=dry_run).violations:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_violations(monitor: HealthMonitor, sqlite_app: SqliteApplication) -> None:
    """Some thousand violations are at hand at a time, however many there are."""
    peaks = {}
    for violations in (2_000, 50_000):
        sqlite_app.delete_everything().disagreeing(range(violations))
        peaks[violations] = _peak(monitor, dry_run=False)
    assert peaks[50_000] - peaks[2_000] < 10 * 2**20, peaks  # kept, the 48,000 others would take more than that


def test_the_memory_of_a_dry_run_does_not_grow_either(monitor: HealthMonitor, sqlite_app: SqliteApplication) -> None:
    peaks = {}
    for violations in (12_000, 30_000):
        sqlite_app.delete_everything().disagreeing(range(violations))
        peaks[violations] = _peak(monitor, dry_run=True)
    assert peaks[30_000] - peaks[12_000] < 3 * 2**20, peaks  # kept, the 18,000 others would take more than that
