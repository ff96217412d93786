"""What becomes of the month's promise, from the record."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.forecast.promise import PromiseState
from core.health_monitor import HealthMonitor
from core.settings import Settings
from core.state.database import StateDatabase
from tests.frozen_clock import NOON, FrozenClock
from tests.state.records import completed, imported

FIVE = timedelta(minutes=5)
DAY = timedelta(days=1)


def checked(state: StateDatabase, start: datetime, end: datetime, bad: int = 0) -> None:
    while start < end:
        completed(state, start, bad=bad)
        start += FIVE


def state_of_promise(state: StateDatabase, clock: FrozenClock) -> PromiseState | None:
    outlook = HealthMonitor(Settings(), state, None, clock).foresight.promise()
    return outlook and outlook.state


def test_without_a_check_of_our_own_in_the_month_nothing_is_said(sqlite_state: StateDatabase, clock: FrozenClock) -> None:
    imported(sqlite_state, NOON - DAY)
    assert state_of_promise(sqlite_state, clock) is None


def test_healthy_checks_that_run_as_they_should_hold_it(sqlite_state: StateDatabase, clock: FrozenClock) -> None:
    checked(sqlite_state, NOON - DAY, NOON)
    assert state_of_promise(sqlite_state, clock) is PromiseState.HOLDS


def test_the_first_day_is_no_pace(sqlite_state: StateDatabase, clock: FrozenClock) -> None:
    checked(sqlite_state, NOON - timedelta(hours=23), NOON)
    assert state_of_promise(sqlite_state, clock) is PromiseState.OPEN


def test_a_few_healthy_checks_in_a_week_of_silence_are_no_pace(sqlite_state: StateDatabase, clock: FrozenClock) -> None:
    checked(sqlite_state, NOON - 8 * DAY, NOON - 7 * DAY)
    checked(sqlite_state, NOON - DAY, NOON)
    assert state_of_promise(sqlite_state, clock) is PromiseState.OPEN


def test_more_bad_checks_than_are_allowed_have_broken_it_since_the_first_too_many(
    sqlite_state: StateDatabase, clock: FrozenClock
) -> None:
    checked(sqlite_state, NOON - DAY, NOON, bad=50)
    outlook = HealthMonitor(Settings(), sqlite_state, None, clock).foresight.promise()
    assert outlook is not None
    assert (outlook.state, outlook.used, outlook.promise.allowed) == (PromiseState.BROKEN, 288, 89)
    assert outlook.broken_since == NOON - DAY + 89 * FIVE
