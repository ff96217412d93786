"""Windows, marks and drills as they are kept, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from core.maintenance import Repeats, Window
from core.model import Request, Totals, Trigger
from core.state import alert_version, drills, history, maintenance
from core.state.database import StateDatabase
from core.state.drills import Drill
from core.state.history import FailedAttempt
from core.state.timeline import read
from tests.frozen_clock import NOON
from tests.state.records import HERE, report

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ONCE = Window(
    id=0,
    reason="app 3.0",
    time_zone="Europe/Budapest",
    starts=datetime(2025, 10, 25, 14, tzinfo=UTC).replace(tzinfo=None),  # noon in UTC
    length=HOUR,
    repeats=Repeats.ONCE,
    weekdays=frozenset(),
    last_day=None,
    created_at=NOON - DAY,
    created_by="kim",
    ended_at=None,
)
WEEKLY = replace(ONCE, repeats=Repeats.WEEKLY, weekdays=frozenset({5, 6}), last_day=date(2025, 12, 31))


def test_windows_are_read_back_as_they_were_planned(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        kept = [maintenance.add(connection, ONCE), maintenance.add(connection, WEEKLY)]
    assert kept == [replace(ONCE, id=1), replace(WEEKLY, id=2)]
    with fresh_state.read() as connection:
        assert maintenance.windows(connection, NOON) == kept
        assert maintenance.windows(connection, NOON + 30 * DAY) == kept[1:], "one that came once is long over"


def test_maintenance_holds_where_a_moment_of_it_lies_between(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        maintenance.add(connection, ONCE)
    with fresh_state.read() as connection:
        for start, end, holds in (
            (NOON - HOUR, NOON, True),
            (NOON - HOUR, NOON - timedelta(microseconds=1), False),
            (NOON + HOUR - timedelta(microseconds=1), NOON + 2 * HOUR, True),
            (NOON + HOUR, NOON + 2 * HOUR, False),
            (NOON + 3 * HOUR, NOON - HOUR, False),  # the clock was set back in between: from the beginning on
        ):
            assert maintenance.any_between(connection, start, end) is holds


def test_a_window_is_taken_back_once_and_holds_until_then(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        number = maintenance.add(connection, ONCE).id
        before = alert_version.read(connection, "")
        assert maintenance.end(connection, number, "lee", NOON + HOUR / 2)
        assert not maintenance.end(connection, number, "lee", NOON + HOUR / 2)
        assert alert_version.read(connection, "") != before
    with fresh_state.read() as connection:
        assert maintenance.any_between(connection, NOON, NOON)
        assert not maintenance.any_between(connection, NOON + HOUR / 2, NOON + HOUR)


def test_the_timeline_knows_which_attempts_ran_in_maintenance(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        for minutes, planned in ((0, False), (5, True)):
            made = replace(report(NOON + timedelta(minutes=minutes), Totals(10, 1)), in_maintenance=planned)
            history.record_completed(connection, made, HERE)
        failed = FailedAttempt("f", NOON + timedelta(minutes=10), Request(Trigger.SCHEDULED), "refused", 5)
        history.record_failed(connection, failed, HERE, in_maintenance=True)
    with fresh_state.read() as connection:
        assert read(connection, HERE, 0).in_maintenance.tolist() == [False, True, True]
        found = history.find(connection, "f")
    assert found is not None
    assert found.in_maintenance


def test_the_last_drill_of_a_watched_database_is_kept(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        drills.keep(connection, "here", Drill(NOON, "ops", 1.25, "accepted"))
        drills.keep(connection, "here", Drill(NOON + DAY, "ops", None, "HTTP 500"))
        drills.keep(connection, "there", Drill(NOON + DAY, "ops", 2.0, "accepted"))
        assert drills.newest(connection, "here") == Drill(NOON + DAY, "ops", None, "HTTP 500")
        drills.drop_old(connection, NOON + 2 * DAY)
        assert drills.newest(connection, "here") is None
