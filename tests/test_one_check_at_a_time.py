"""Single flight: over threads, processes, and one that is killed."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.assembly import build_monitor
from core.errors import (
    JoinedCheckFailed,
    WatchedSchemaUnsuitable,
)
from core.health_monitor import HealthMonitor
from core.model import Kind, Outcome, Report, Request, Source, Status, Trigger
from core.settings import Settings
from core.state.database import StateDatabase
from tests.application import SqliteApplication
from tests.engines.statements import holding_before, listening
from tests.frozen_clock import FrozenClock
from tests.logs.files import read_log
from tests.monitored import NewMonitor, history, in_thread, logs, pairs, staged_chunks
from tests.subprocesses import running, wait_for_line


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
