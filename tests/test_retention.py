"""Single checks go when their time is over, and their sums stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.analysis.period import Day, EpisodeFigures
from core.analysis.sums import sums_of
from core.health_monitor import HealthMonitor
from core.model import Kind, Violation
from core.retention import Dropped, drop_old
from core.settings import Settings
from core.state import daily, schema
from core.state.database import StateDatabase
from core.status import DEFAULT_THRESHOLDS
from tests.analysis.readings import FRESH_FOR, every, timeline_of
from tests.frozen_clock import NOON, FrozenClock
from tests.state.records import HERE, completed, failed, imported, recorded

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
KEPT = Settings(retention={"checks_days": 31})
MIDNIGHT = NOON - timedelta(hours=12)


def record_of(state: StateDatabase, clock: FrozenClock) -> HealthMonitor:
    return HealthMonitor(KEPT, state, None, clock)


def numbers(state: StateDatabase) -> list[int]:
    with state.read() as connection:
        return list(connection.execute(sa.select(schema.history.c.id).order_by(schema.history.c.id)).scalars())


@pytest.fixture
def three_old_days(fresh_state: StateDatabase) -> StateDatabase:
    """Healthy, degraded, failed and imported entries on three days, a pair that was apart, and a check of today."""
    for hours in range(0, 70, 5):
        at = NOON - 50 * DAY + hours * HOUR
        completed(fresh_state, at, 1_000, hours % 3 * 15)
        completed(fresh_state, at + timedelta(minutes=5), 1_000, 0)
        failed(fresh_state, at + timedelta(minutes=10))
        imported(fresh_state, at + timedelta(minutes=20), 100, 3)
    recorded(fresh_state, NOON - 48 * DAY, [Violation(1, "PLAYER", 2, 1, Kind.LEVEL_MISMATCH)])
    recorded(fresh_state, NOON - 48 * DAY + HOUR, [])
    completed(fresh_state, NOON)
    return fresh_state


def test_the_figures_of_a_period_are_the_same_before_and_after(three_old_days: StateDatabase, clock: FrozenClock) -> None:
    start, end = MIDNIGHT - 51 * DAY, MIDNIGHT + DAY
    before = record_of(three_old_days, clock).record.period(start, end)
    assert drop_old(three_old_days, KEPT, clock) == Dropped(checks=14 * 4 + 2, days=4)
    assert len(numbers(three_old_days)) == 1
    after = record_of(three_old_days, clock).record.period(start, end)
    assert after.sums == before.sums
    assert after.episodes == before.episodes
    assert after.episodes.healed == 1
    assert (after.expected, after.dropped_days) == (before.expected, 4)


def test_a_monitor_that_had_everything_in_memory_notices(three_old_days: StateDatabase, clock: FrozenClock) -> None:
    monitor = record_of(three_old_days, clock)
    assert len(monitor.record.timeline()) == 14 * 4 + 3
    drop_old(three_old_days, KEPT, clock)
    assert len(monitor.record.timeline()) == 1


def test_running_again_changes_nothing(three_old_days: StateDatabase, clock: FrozenClock) -> None:
    drop_old(three_old_days, KEPT, clock)
    with three_old_days.read() as connection:
        kept = connection.execute(schema.daily_figures.select()).all()
    assert drop_old(three_old_days, KEPT, clock) == Dropped()
    with three_old_days.read() as connection:
        assert connection.execute(schema.daily_figures.select()).all() == kept


def test_the_newest_completed_check_never_goes(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    completed(fresh_state, NOON - 100 * DAY)
    completed(fresh_state, NOON - 90 * DAY)
    failed(fresh_state, NOON)
    drop_old(fresh_state, KEPT, clock)
    assert numbers(fresh_state) == [2, 3]
    last = record_of(fresh_state, clock).get_health_summary().last
    assert last is not None
    assert last.timestamp == NOON - 90 * DAY


def test_logs_that_come_late_for_a_dropped_day_are_added(three_old_days: StateDatabase, clock: FrozenClock) -> None:
    drop_old(three_old_days, KEPT, clock)
    start, end = MIDNIGHT - 51 * DAY, MIDNIGHT + DAY
    before = record_of(three_old_days, clock).record.period(start, end).sums
    imported(three_old_days, NOON - 50 * DAY + HOUR, 100, 50)
    drop_old(three_old_days, KEPT, clock)
    after = record_of(three_old_days, clock).record.period(start, end).sums
    assert (after.critical, after.imported) == (before.critical + 1, before.imported + 1)
    assert after.microseconds == before.microseconds


def test_an_open_violation_stays_whatever_its_age(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    for days in (60, 50, 0):
        recorded(fresh_state, NOON - days * DAY, [Violation(1, "PLAYER", 2, 1, Kind.LEVEL_MISMATCH)], watched=HERE)
    drop_old(fresh_state, KEPT, clock)
    (life,) = record_of(fresh_state, clock).record.lives("1", "PLAYER")
    assert (life.episode.first_seen, life.episode.resolved_at) == (NOON - 60 * DAY, None)


def test_settled_pairs_go_after_a_month(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    pair = {"check_id": "x", "user_text": "1", "specialization": "PLAYER", "kind": Kind.LEVEL_MISMATCH.value}
    with fresh_state.write() as connection:
        connection.execute(sa.insert(schema.settled_pairs), [{**pair, "at": NOON - days * DAY} for days in (29, 31)])
    assert drop_old(fresh_state, KEPT, clock).settled == 1


def test_daily_figures_stay_for_ever_unless_told_otherwise(three_old_days: StateDatabase, clock: FrozenClock) -> None:
    drop_old(three_old_days, KEPT, clock)
    clock.advance(days=3_650)
    drop_old(three_old_days, KEPT, clock)
    with three_old_days.read() as connection:
        assert len(connection.execute(schema.daily_figures.select()).all()) == 4
    drop_old(three_old_days, Settings(retention={"checks_days": 31, "daily_days": 366}), clock)
    with three_old_days.read() as connection:
        assert connection.execute(schema.daily_figures.select()).all() == []


def test_a_day_that_an_older_version_summed_up_is_read_and_knows_of_no_maintenance() -> None:
    readings = every(timedelta(minutes=5), [0, 3, None], NOON)
    sums = sums_of(timeline_of(readings), NOON, NOON + timedelta(hours=1), FRESH_FOR, DEFAULT_THRESHOLDS)
    day = Day(sums, EpisodeFigures(opened=3), timeline_of(readings[-1:]))
    document = daily.as_json(day)
    del document["in_maintenance"], document["last"][6]
    read = daily.from_json(document)
    assert (read.sums, read.episodes) == (sums, EpisodeFigures(opened=3))
    assert read.last.in_maintenance.tolist() == [False]
