"""Periods as people name them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ReportProblem
from core.reports.period import Period, PeriodKind, around, parse
from tests.examples import examples

NOW = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # the 26th in Budapest
ZONE = "Europe/Budapest"


@pytest.mark.parametrize(
    ("asked", "name", "start", "end", "previous"),
    [
        ("2026-10", "2026-10", "2026-09-30T22:00", "2026-10-31T23:00", "2026-09"),
        ("2026-W41", "2026-W41", "2026-10-04T22:00", "2026-10-11T22:00", "2026-W40"),
        ("2026-w1", "2026-W01", "2025-12-28T23:00", "2026-01-04T23:00", "2025-W52"),
        ("2026-Q1", "2026-Q1", "2025-12-31T23:00", "2026-03-31T22:00", "2025-Q4"),
        ("2025", "2025", "2024-12-31T23:00", "2025-12-31T23:00", "2024"),
        ("2026-10-25", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00", "2026-10-24"),
        ("2026-10-01..2026-10-15", "2026-10-01..2026-10-15", "2026-09-30T22:00", "2026-10-15T22:00", "2026-09-16..2026-09-30"),
        ("last-week", "2026-W47", "2026-11-15T23:00", "2026-11-22T23:00", "2026-W46"),
        (" Last-Month ", "2026-10", "2026-09-30T22:00", "2026-10-31T23:00", "2026-09"),
        ("this-month", "2026-11", "2026-10-31T23:00", "2026-11-30T23:00", "2026-10"),
        ("last-quarter", "2026-Q3", "2026-06-30T22:00", "2026-09-30T22:00", "2026-Q2"),
        ("last-year", "2025", "2024-12-31T23:00", "2025-12-31T23:00", "2024"),
    ],
)
def test_a_name_means_whole_days_in_the_zone(asked: str, name: str, start: str, end: str, previous: str) -> None:
    period = parse(asked, ZONE, NOW)
    assert (period.name, period.start.isoformat(timespec="minutes"), period.end.isoformat(timespec="minutes")) == (
        name,
        f"{start}+00:00",
        f"{end}+00:00",
    )
    assert period.previous.name == previous
    assert period.previous.end == period.start


def test_today_is_the_zone_s() -> None:
    assert parse("2026-11-26", ZONE, NOW).name == "2026-11-26"
    with pytest.raises(ReportProblem, match="has not begun yet"):
        parse("2026-11-26", "UTC", NOW)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "october",
        "2026-13",
        "2026-W54",
        "2026-Q5",
        "2026-02-30",
        "2026-10-15..2026-10-01",
        "1066-10",
        "9999",
        "2026-10..2026-11",
        "2001-01-01..2026-01-01",
        "2027",
        "next-week",
        "last-fortnight",
        "2026-10-01..",
        "2026‐10",
        "0000",
        "2026-W00",
    ],
)
def test_what_is_no_period_is_named_with_examples(asked: str) -> None:
    with pytest.raises(ReportProblem) as problem:
        parse(asked, ZONE, NOW)
    assert "2026-10" in problem.value.hint or "this-month" in problem.value.hint


def test_a_day_without_midnight_begins_after_it() -> None:
    period = parse("2018-11-04", "America/Sao_Paulo", NOW)
    assert period.end - period.start == timedelta(hours=23)


@settings(max_examples=examples(200))
@given(
    st.dates(date(1972, 1, 1), date(2026, 11, 1)),
    st.sampled_from(PeriodKind),
    st.integers(0, 40),
    st.sampled_from(["UTC", ZONE, "Asia/Kathmandu", "America/Sao_Paulo"]),
)
def test_a_period_is_read_back_by_its_name(day: date, kind: PeriodKind, more: int, zone: str) -> None:
    some_days = Period(kind, day, day + timedelta(days=more), zone)
    period = some_days if kind is PeriodKind.RANGE else around(day, kind, zone)
    assert parse(period.name, zone, NOW) == period
    assert period.first <= day <= period.last
    before = period.previous
    assert before.kind is kind
    assert before.last + timedelta(days=1) == period.first
    assert parse(before.name, zone, NOW) == before
