"""Pairs in flight: apart at the first look, in agreement at the second."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import CheckImpossible
from core.health_monitor import HealthMonitor
from core.model import Kind
from core.state import schema
from core.state.database import StateDatabase
from tests.application import Application, SqliteApplication
from tests.examples import examples
from tests.frozen_clock import FrozenClock
from tests.monitored import NewMonitor, history, logs, pairs, staged_chunks

SOME_SECONDS = {"settle_seconds": 7}


@pytest.fixture
def app(new_application: Callable[..., Application]) -> Application:
    """An application on either engine."""
    return new_application()


def settling(new_monitor: NewMonitor, app: Application, between: Callable[[], object]) -> HealthMonitor:
    """A monitor; `between` happens in the application while a check waits for its second look."""

    def wait(seconds: float) -> None:
        assert seconds == 7
        between()

    return new_monitor(app, wait=wait, check=SOME_SECONDS)


def test_a_pair_that_agrees_by_the_second_look_is_settled_and_no_violation(new_monitor: NewMonitor, app: Application) -> None:
    app.agreeing(range(10)).disagreeing([10, 11])
    monitor = settling(new_monitor, app, lambda: app.set_license_level(10, 2))
    report = monitor.check_all_users()
    assert (report.totals.total_checked, report.totals.inconsistent, report.settled) == (12, 1, 1)
    assert dict(report.by_kind) == {Kind.LEVEL_MISMATCH: 1}
    assert pairs(monitor) == [(11, "PLAYER", Kind.LEVEL_MISMATCH)]
    document = json.loads((monitor.settings.violation_log_dir / logs(monitor)[0]).read_text())
    assert (document["inconsistent"], document["settled"], len(document["violations"])) == (1, 1, 1)
    assert document["consistency_rate"] == 91.67, "11 of 12"
    row = history(monitor.state)[-1]
    assert (row.inconsistent, row.settled, row.breakdown) == (1, 1, {"level_mismatch/progress_ahead": {"PLAYER": 1}})
    last = monitor.get_health_summary().last
    assert last is not None
    assert last.settled == 1, "it is never hidden"


def test_when_everything_settles_the_check_is_healthy_and_writes_no_log(new_monitor: NewMonitor, app: Application) -> None:
    app.agreeing(range(5)).disagreeing([7])
    monitor = settling(new_monitor, app, lambda: app.set_license_level(7, 2))
    report = monitor.check_all_users()
    assert (report.totals.inconsistent, report.settled, str(report.consistency_rate)) == (0, 1, "100.00")
    assert logs(monitor) == []
    assert history(monitor.state)[-1].outcome == "healthy"


def test_only_pairs_that_were_never_apart_are_waited_for(new_monitor: NewMonitor, app: Application, clock: FrozenClock) -> None:
    app.agreeing([1]).disagreeing([2])
    waits: list[int] = []
    monitor = settling(new_monitor, app, lambda: waits.append(1))
    monitor.check_all_users()
    assert waits == [1]
    monitor.check_all_users()
    assert waits == [1], "what is known to be apart needs no second look"
    app.set_license_level(2, 2)
    monitor.check_all_users()
    app.set_license_level(2, 1)
    monitor.check_all_users()
    assert waits == [1, 1], "one that healed is looked at twice again"


def test_a_known_violation_stays_as_the_first_look_saw_it(new_monitor: NewMonitor, app: Application) -> None:
    app.disagreeing([1])
    new_monitor(app).check_all_users()
    app.disagreeing([2])
    monitor = settling(new_monitor, app, lambda: app.set_license_level(1, 2))
    report = monitor.check_all_users()
    assert (report.totals.inconsistent, report.settled) == (2, 0)


def test_a_pair_that_is_still_apart_counts_as_the_second_look_saw_it(new_monitor: NewMonitor, app: Application) -> None:
    app.disagreeing([1]).pair(2, progress=5, license=4)
    monitor = settling(new_monitor, app, lambda: app.delete_license(1).set_license_level(2, 3))
    report = monitor.check_all_users()
    found = [(v.user_id, v.kind, v.progress_level, v.license_level) for v in report.violations]
    assert found == [(1, Kind.MISSING_LICENSE, 2, None), (2, Kind.LEVEL_MISMATCH, 5, 3)]
    assert dict(report.by_kind) == {Kind.MISSING_LICENSE: 1, Kind.LEVEL_MISMATCH: 1}


def test_a_pair_that_came_apart_between_the_looks_is_left_to_the_next_check(new_monitor: NewMonitor, app: Application) -> None:
    app.agreeing([1, 3]).disagreeing([2])
    monitor = settling(new_monitor, app, lambda: app.set_license_level(1, 5))
    report = monitor.check_all_users()
    assert [v.user_id for v in report.violations] == [2]
    assert report.totals.total_checked == 3


def test_the_wait_is_no_work(new_monitor: NewMonitor, app: Application) -> None:
    app.agreeing([1]).disagreeing([2])
    monitor = new_monitor(app, wait=lambda _seconds: None, check={"settle_seconds": 30})
    assert monitor.check_all_users().duration_ms == 0, "30 s of waiting are taken off, and nobody waited here"


def test_without_a_second_look_nobody_waits(new_monitor: NewMonitor, app: Application) -> None:
    app.disagreeing([1])
    report = new_monitor(app, wait=pytest.fail, check={"settle_seconds": 0}).check_all_users()
    assert (report.totals.inconsistent, report.settled) == (1, 0)


def test_a_dry_run_looks_twice_as_well_and_leaves_no_trace(
    new_monitor: NewMonitor, app: Application, sqlite_state: StateDatabase
) -> None:
    app.agreeing([3]).disagreeing([1, 2])
    monitor = settling(new_monitor, app, lambda: app.set_license_level(1, 2))
    report = monitor.check_all_users(dry_run=True)
    assert ([v.user_id for v in report.violations], report.settled) == ([2], 1)
    assert staged_chunks(sqlite_state) == set()
    with sqlite_state.read() as connection:
        for table in (schema.settled_pairs, schema.episodes, schema.history):
            assert connection.execute(table.select()).all() == []


def test_a_second_look_that_fails_fails_the_check(new_monitor: NewMonitor, app: Application) -> None:
    app.disagreeing([1])
    monitor = settling(new_monitor, app, lambda: app.execute("ALTER TABLE user_licenses RENAME TO gone"))
    with pytest.raises(CheckImpossible):
        monitor.check_all_users()
    assert logs(monitor) == []
    assert history(monitor.state)[-1].outcome == "failed"


def test_more_newcomers_than_can_be_named_are_all_looked_at_again(new_monitor: NewMonitor, app: Application) -> None:
    app.disagreeing(range(1_500))
    monitor = settling(new_monitor, app, lambda: app.execute("UPDATE user_licenses SET current_level = 2 WHERE user_id < 1400"))
    report = monitor.check_all_users()
    assert (report.totals.inconsistent, report.settled) == (100, 1_400)
    assert [v.user_id for v in report.violations] == list(range(1_400, 1_500))


IDS = {
    "integers": ("bigint", [1, 2, 7]),
    "text": ("varchar(40)", ["a", "B", "7"]),
    "uuids": ("uuid", [str(UUID(int=number)) for number in (1, 2, 7)]),
    "numbers": ("numeric", [1, 2, 7]),
    "mixed": (("bigint", "varchar(40)"), ["1", "2", "7"]),
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_of_every_type_are_found_again(
    new_monitor: NewMonitor, new_application: Callable[..., Application], kind: str
) -> None:
    """One that is not found again would be taken for settled: a false green."""
    types, users = IDS[kind]
    app = new_application(user=types)
    for user in users:
        app.pair(user, progress=2, license=1)
    monitor = settling(new_monitor, app, lambda: None)
    report = monitor.check_all_users()
    assert (report.totals.inconsistent, report.settled) == (3, 0)


def test_what_sqlite_keeps_under_a_column_s_type_is_found_again_whatever_it_is(
    new_monitor: NewMonitor, sqlite_app: SqliteApplication
) -> None:
    for user in (7.5, 8.0, "007", "x", b"\x01"):
        sqlite_app.pair(user, progress=2, license=1)
    report = settling(new_monitor, sqlite_app, lambda: None).check_all_users()
    assert (report.totals.inconsistent, report.settled) == (5, 0)


def test_pairs_that_only_sqlite_tells_apart_share_a_life(new_monitor: NewMonitor, tmp_path: Path) -> None:
    """An integer and a text that are written alike: two violations, and no check fails for it."""
    app = SqliteApplication(tmp_path / "untyped.db", user="").pair(7, progress=2, license=1).pair("7", progress=3, license=1)
    monitor = settling(new_monitor, app, lambda: None)
    for _ in range(3):
        assert monitor.check_all_users().totals.inconsistent == 2
    assert len(monitor.record.lives("7", "PLAYER")) == 1
    app.close()


@settings(max_examples=examples(25))
@given(
    st.dictionaries(st.integers(0, 6), st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=7),
    st.dictionaries(st.integers(0, 6), st.integers(1, 3), max_size=7),
    st.sets(st.integers(0, 6)),
)
def test_what_counts_is_what_was_apart_at_both_looks_or_known(
    new_monitor: NewMonitor,
    sqlite_app: SqliteApplication,
    sqlite_state: StateDatabase,
    first: dict[int, tuple[int, int]],
    second: dict[int, int],
    known: set[int],
) -> None:
    """An oracle in five lines against the whole way of a check."""
    with sqlite_state.write() as connection:
        for table in (schema.history, schema.episodes, schema.violations, schema.settled_pairs, schema.episode_changes):
            connection.execute(table.delete())
    sqlite_app.delete_everything().disagreeing(known)
    new_monitor(sqlite_app).check_all_users()
    sqlite_app.delete_everything()
    for user, (progress, license_) in first.items():
        sqlite_app.pair(user, progress=progress, license=license_)

    def write_on() -> None:
        for user, license_ in second.items():
            sqlite_app.set_license_level(user, license_)

    monitor = settling(new_monitor, sqlite_app, write_on)
    report = monitor.check_all_users()
    apart = {user for user, (progress, license_) in first.items() if progress != license_}
    later = {user for user in apart if first[user][0] != second.get(user, first[user][1])}
    counts = (apart & known) | later
    assert {v.user_id for v in report.violations} == counts
    assert (report.totals.inconsistent, report.settled) == (len(counts), len(apart - counts))
    assert [v.user_id for v in monitor.stream_violations()] == sorted(counts)
