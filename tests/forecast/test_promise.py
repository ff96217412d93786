"""When a promise breaks at the present pace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forecast.promise import CheckCount, Promise, PromiseState, promise_outlook
from dashboard.wording_forecast import outlook_sentence

BUDAPEST = ZoneInfo("Europe/Budapest")
OCTOBER = Promise(2025, 10, ZoneInfo("UTC"), Decimal(99), 31 * 288)
NOW = datetime(2025, 10, 25, tzinfo=UTC)
SO_FAR = 24 * 288
WEEK = 7 * 288
HOLDING = promise_outlook(OCTOBER, CheckCount(SO_FAR, 12), CheckCount(WEEK, 3), NOW)


def test_one_check_in_a_hundred_may_be_bad() -> None:
    assert OCTOBER.allowed == 89
    assert Promise(2025, 10, ZoneInfo("UTC"), Decimal("99.9"), 1000).allowed == 1
    assert Promise(2025, 10, ZoneInfo("UTC"), Decimal("99.99"), 1000).allowed == 0


def test_a_month_begins_and_ends_in_its_own_zone() -> None:
    october = Promise(2025, 10, BUDAPEST, Decimal(99), 8928)
    assert (october.start, october.end) == (datetime(2025, 9, 30, 22, tzinfo=UTC), datetime(2025, 10, 31, 23, tzinfo=UTC))
    assert Promise(2025, 12, BUDAPEST, Decimal(99), 8928).end == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_at_this_pace_it_breaks_on_a_day() -> None:
    outlook = promise_outlook(OCTOBER, CheckCount(SO_FAR, 46), CheckCount(WEEK, 70), NOW)
    assert outlook.state is PromiseState.BREAKS
    assert outlook.bad_per_day == pytest.approx(10)
    assert outlook.breaks_at == NOW + timedelta(days=4.4), "44 more at 10 a day: the 90th is one too many"
    assert (
        outlook_sentence(outlook)
        == "At this pace the 99 % promise for October breaks on Wednesday 29 Oct: 46 of 89 allowed bad checks are used."
    )


def test_at_a_slow_pace_it_holds() -> None:
    assert HOLDING.state is PromiseState.HOLDS
    assert outlook_sentence(HOLDING) == "At this pace the 99 % promise for October holds: 12 of 89 allowed bad checks are used."


def test_one_bad_check_too_many_breaks_it() -> None:
    since = datetime(2025, 10, 15, 12, 10, tzinfo=UTC)
    assert promise_outlook(OCTOBER, CheckCount(SO_FAR, 89), CheckCount(WEEK, 0), NOW).state is PromiseState.HOLDS
    outlook = promise_outlook(OCTOBER, CheckCount(SO_FAR, 90), CheckCount(WEEK, 0), NOW, since)
    assert outlook.state is PromiseState.BROKEN
    assert outlook_sentence(outlook) == (
        "The 99 % promise for October is broken since Wednesday 15 Oct 12:10: 90 bad checks, 89 were allowed."
    )


def test_the_day_is_that_of_the_promise() -> None:
    october = Promise(2025, 10, BUDAPEST, Decimal("99.5"), 8928)
    outlook = promise_outlook(october, CheckCount(SO_FAR, 60), CheckCount(1, 0), NOW, datetime(2025, 10, 14, 22, 30, tzinfo=UTC))
    assert "since Wednesday 15 Oct 00:30" in outlook_sentence(outlook)
    assert "99.5 %" in outlook_sentence(outlook)


def test_today_and_tomorrow_are_called_so() -> None:
    outlook = promise_outlook(OCTOBER, CheckCount(SO_FAR, 89), CheckCount(WEEK, 70), NOW)
    assert (
        outlook_sentence(outlook, now=NOW)
        == "At this pace the 99 % promise for October breaks today: 89 of 89 allowed bad checks are used."
    )
    outlook = promise_outlook(OCTOBER, CheckCount(SO_FAR, 75), CheckCount(WEEK, 70), NOW)
    assert "breaks tomorrow" in outlook_sentence(outlook, now=NOW)


def test_without_a_recent_check_there_is_no_pace() -> None:
    outlook = promise_outlook(OCTOBER, CheckCount(0, 0), CheckCount(0, 0), NOW)
    assert outlook.state is PromiseState.OPEN
    assert outlook_sentence(outlook).startswith("Nothing can be said yet about the 99 % promise for October")


def test_a_month_that_is_over_is_judged_by_what_was() -> None:
    after = datetime(2025, 11, 2, tzinfo=UTC)
    kept = promise_outlook(OCTOBER, CheckCount(8928, 80), CheckCount(WEEK, 2000), after)
    assert kept.state is PromiseState.HOLDS
    assert outlook_sentence(kept) == "The 99 % promise for October was kept: 80 of 89 allowed bad checks were used."


@given(used=st.integers(0, 200), recent=st.integers(0, 2016), bad=st.integers(0, 2016), hours=st.integers(-48, 31 * 24 + 48))
def test_a_breaking_moment_lies_in_what_is_left_of_the_month(used: int, recent: int, bad: int, hours: int) -> None:
    now = OCTOBER.start + timedelta(hours=hours)
    outlook = promise_outlook(OCTOBER, CheckCount(SO_FAR, used), CheckCount(recent, min(bad, recent)), now)
    assert (outlook.breaks_at is not None) == (outlook.state is PromiseState.BREAKS)
    assert (used > OCTOBER.allowed) == (outlook.state is PromiseState.BROKEN)
    if outlook.breaks_at is not None:
        assert max(now, OCTOBER.start) <= outlook.breaks_at < OCTOBER.end
    assert outlook_sentence(outlook, now=now).endswith(".")
