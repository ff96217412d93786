"""Weekly and monthly reports are made once each, by whoever comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.health_monitor import HealthMonitor
from core.model import ReportFormat
from core.record import HealthRecord
from core.reports import schedule
from core.reports.period import parse
from core.reports.shelf import ReportShelf
from core.setting_groups import ReportSettings
from core.settings import Settings
from core.state import reports
from core.state.database import StateDatabase
from core.state.reports import NewReport
from tests.frozen_clock import FrozenClock
from tests.state import records

MONDAY = datetime(2025, 12, 1, 0, 30, tzinfo=UTC)  # and the first of a month


def record(state: StateDatabase, now: datetime = MONDAY, **wanted: Any) -> HealthRecord:
    wanted.setdefault("formats", (ReportFormat.CSV,))
    return HealthMonitor(Settings(report=ReportSettings(**wanted)), state, None, FrozenClock(now)).record


def due(record: HealthRecord, now: datetime = MONDAY) -> list[str]:
    return [f"{entry.period.name}.{entry.format.value}" for entry in schedule.due(record, now)]


def kept(state: StateDatabase) -> list[tuple[str, str]]:
    with state.read() as connection:
        return [(report.period, report.format.value) for report in reports.listed(connection)]


def test_nothing_is_due_before_the_first_reading(sqlite_state: StateDatabase) -> None:
    assert due(record(sqlite_state)) == []
    records.completed(sqlite_state, MONDAY)
    assert due(record(sqlite_state)) == [], "the last week and month were over before it"


def test_the_last_week_and_month_are_due_once(sqlite_state: StateDatabase) -> None:
    records.completed(sqlite_state, MONDAY - timedelta(days=3))
    here = record(sqlite_state)
    assert due(here) == ["2025-W48.csv", "2025-11.csv"]
    assert schedule.make_due(here, MONDAY) == 2
    assert due(here) == []
    assert schedule.make_due(here, MONDAY + timedelta(days=6)) == 0
    assert sorted(kept(sqlite_state)) == [("2025-11", "csv"), ("2025-W48", "csv")]


def test_the_time_zone_decides_when_a_month_is_over(sqlite_state: StateDatabase) -> None:
    records.completed(sqlite_state, MONDAY - timedelta(days=40))
    in_new_york = record(sqlite_state, time_zone="America/New_York", weekly=False)
    assert due(in_new_york) == ["2025-10.csv"]
    assert due(in_new_york, MONDAY + timedelta(hours=5)) == ["2025-11.csv"]


def test_those_that_were_missed_are_made_later(sqlite_state: StateDatabase) -> None:
    records.completed(sqlite_state, MONDAY - timedelta(days=30))
    here = record(sqlite_state, monthly=False)
    assert schedule.make_due(here, MONDAY) == 1
    later = MONDAY + timedelta(weeks=3)
    assert due(here, later) == ["2025-W49.csv", "2025-W50.csv", "2025-W51.csv"]
    assert schedule.make_due(here, later) == 3


def test_a_week_without_checks_is_reported_as_such(sqlite_state: StateDatabase) -> None:
    records.completed(sqlite_state, MONDAY - timedelta(days=30))
    here = record(sqlite_state, monthly=False, formats=(ReportFormat.HTML,))
    schedule.make_due(here, MONDAY)
    found = ReportShelf(here, FrozenClock(MONDAY)).find(1)
    assert found is not None
    assert b"No checks in this period" in found[1]


def test_what_is_switched_off_is_not_made(sqlite_state: StateDatabase) -> None:
    records.completed(sqlite_state, MONDAY - timedelta(days=30))
    assert due(record(sqlite_state, weekly=False, monthly=False)) == []
    assert due(record(sqlite_state, formats=())) == []
    assert due(record(sqlite_state, weekly=False, formats=(ReportFormat.CSV, ReportFormat.HTML, ReportFormat.CSV))) == [
        "2025-11.csv",
        "2025-11.html",
    ]


def test_of_two_servers_one_keeps_its_report(fresh_state: StateDatabase) -> None:
    report = NewReport("r.csv", ReportFormat.CSV, "en", "2025-11", MONDAY, MONDAY, MONDAY, b"content")
    with fresh_state.write() as connection:
        assert reports.add_scheduled(connection, report)
    with fresh_state.write() as connection:
        assert not reports.add_scheduled(connection, report)
        number = reports.add(connection, report, "ann")
    with fresh_state.read() as connection:
        assert [(one.made_by, one.size) for one in reports.listed(connection)] == [("ann", 7), (None, 7)]
        assert [one.made_by for one in reports.scheduled(connection)] == [None]
        found = reports.find(connection, number)
        assert reports.find(connection, 99) is None
    assert found is not None
    assert (found[0].name, found[0].made_at, found[1]) == ("r.csv", MONDAY, b"content")


@pytest.mark.parametrize("user_ids", [True, False])
def test_one_made_by_hand_is_kept_beside_them(sqlite_state: StateDatabase, user_ids: bool) -> None:
    records.completed(sqlite_state, MONDAY - timedelta(days=3))
    here = record(sqlite_state, weekly=False, language="hu")
    shelf = ReportShelf(here, FrozenClock(MONDAY))
    assert shelf.languages() == ["hu", "en"]
    number = shelf.make(parse("2025-11", "UTC", MONDAY), ReportFormat.CSV, "ann", language="en", user_ids=user_ids)
    assert due(here) == ["2025-11.csv"], "the schedule's own is still due"
    (report,) = shelf.kept()
    assert (report.id, report.name, report.made_by, report.language) == (number, "coupling-health-2025-11.csv", "ann", "en")
    assert shelf.title_of(report) == "November 2025"
