"""What can be planned, and taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from core.doctor import examine
from core.errors import AlertProblem, NoSuchAlert
from core.health_monitor import HealthMonitor
from core.maintenance import Repeats
from core.maintenance_plan import MOST_WINDOWS, MaintenancePlan
from tests.frozen_clock import NOON, FrozenClock
from tests.maintenance.walls import DAY, HOUR, MINUTE, WALL_NOON, wall


def test_a_window_from_now_holds_at_once_and_for_its_length(plan: MaintenancePlan, clock: FrozenClock) -> None:
    made = plan.plan("  app 3.0\nto production ", "kim", None, 30)
    (now,) = plan.now()
    assert (now.window, now.start, now.end) == (made, NOON, NOON + 30 * MINUTE)
    assert (made.reason, made.created_by, made.repeats) == ("app 3.0 to production", "kim", Repeats.ONCE)
    clock.advance(minutes=30)
    assert (plan.now(), plan.next_of_each()) == ([], [])


def test_a_time_with_a_zone_is_turned_to_the_clock_of_a_window_that_repeats(plan: MaintenancePlan) -> None:
    made = plan.plan("upgrade", "kim", NOON + DAY, 60, time_zone="Europe/Budapest", repeats=Repeats.DAILY)
    assert made.starts == wall(2025, 10, 26, 13), "summer time is over by then"
    assert plan.next_of_each()[0].start == NOON + DAY


def test_a_moment_in_the_hour_that_comes_twice_is_that_moment(plan: MaintenancePlan, clock: FrozenClock) -> None:
    """On 26 October 2025, 02:30 came twice in Budapest: at 00:30 and at 01:30 UTC."""
    second = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    plan.plan("upgrade", "kim", second, 60, time_zone="Europe/Budapest")
    assert [(one.start, one.end) for one in plan.next_of_each()] == [(second, second + HOUR)]
    clock.advance(second - clock.now)
    plan.plan("upgrade", "kim", None, 60, time_zone="Europe/Budapest")
    assert [one.start for one in plan.now()] == [second, second]


def test_windows_are_listed_with_their_next_time_the_soonest_first(plan: MaintenancePlan, clock: FrozenClock) -> None:
    nightly = plan.plan("batch", "kim", WALL_NOON + 9 * HOUR, 30, repeats=Repeats.DAILY)
    once = plan.plan("upgrade", "kim", WALL_NOON + 2 * HOUR, 60)
    assert [one.window.id for one in plan.next_of_each()] == [once.id, nightly.id]
    clock.advance(hours=10)
    assert [(one.window.id, one.start) for one in plan.next_of_each()] == [(nightly.id, NOON + 9 * HOUR + DAY)]


def test_a_window_that_is_taken_back_ends_now_and_only_once(plan: MaintenancePlan, clock: FrozenClock) -> None:
    made = plan.plan("upgrade", "kim", None, 60)
    clock.advance(minutes=10)
    plan.end(made.id, "lee")
    assert plan.now() == []
    with pytest.raises(NoSuchAlert):
        plan.end(made.id, "lee")


def test_one_time_of_a_window_is_ended_and_the_others_stay(plan: MaintenancePlan, clock: FrozenClock) -> None:
    nightly = plan.plan("batch", "kim", None, 60, repeats=Repeats.DAILY)
    clock.advance(minutes=20)
    plan.end(nightly.id, "lee", only_this_time=True)
    assert plan.now() == []
    assert [one.start for one in plan.next_of_each()] == [NOON + DAY]
    assert [(one.start, one.end) for one in plan.between(NOON, NOON + HOUR)] == [(NOON, NOON + 20 * MINUTE)]
    with pytest.raises(NoSuchAlert, match="holds now"):
        plan.end(nightly.id, "lee", only_this_time=True)
    clock.advance(days=1)
    assert [one.end for one in plan.now()] == [NOON + DAY + HOUR]


def test_a_window_in_a_time_zone_that_is_not_known_here_stops_nothing_and_is_named(
    monitor: HealthMonitor, plan: MaintenancePlan
) -> None:
    plan.plan("upgrade", "kim", None, 60, time_zone="Europe/Budapest", repeats=Repeats.DAILY)
    with monitor.state.write() as connection:
        connection.exec_driver_sql("UPDATE maintenance_windows SET time_zone = 'Mars/Olympus'")
    monitor.check_all_users()
    assert (plan.now(), plan.next_of_each()) == ([], [])
    assert monitor.record.timeline().in_maintenance.tolist() == [False]
    (finding,) = [one for one in examine(monitor.settings) if one.subject == "Maintenance"]
    assert "Mars/Olympus is not known" in finding.sentence
    plan.end(1, "kim")
    assert not [one for one in examine(monitor.settings) if one.subject == "Maintenance"]


def test_a_reason_leaves_the_text_around_it_as_it_is(plan: MaintenancePlan) -> None:
    assert plan.plan("app\u202e 3.0\x00\n", "kim", None, 30).reason == "app 3.0"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"starts": WALL_NOON - 2 * MINUTE}, "between now and a year ahead"),
        ({"starts": WALL_NOON + 400 * DAY}, "between now and a year ahead"),
        ({"starts": datetime(1, 1, 1, tzinfo=UTC), "time_zone": "America/New_York", "repeats": Repeats.DAILY}, "no such time"),
        ({"starts": datetime.max.replace(tzinfo=UTC), "time_zone": "Asia/Tokyo", "repeats": Repeats.DAILY}, "no such time"),
        ({"starts": wall(9999, 12, 31)}, "between now and a year ahead"),
        ({"reason": " \n"}, "needs a reason"),
        ({"reason": "x" * 501}, "needs a reason"),
        ({"minutes": 0}, "cannot last 0 minutes"),
        ({"minutes": 7 * 24 * 60 + 1}, "cannot last 10,081 minutes"),
        ({"minutes": 24 * 60 + 1, "repeats": Repeats.WEEKLY}, "cannot last 1,441 minutes"),
        ({"minutes": 12 * 60 + 1, "repeats": Repeats.DAILY}, "more than half of the time"),
        ({"minutes": 24 * 60, "repeats": Repeats.WEEKLY, "weekdays": frozenset({0, 1, 2, 3})}, "more than half of the time"),
        ({"weekdays": frozenset({7}), "repeats": Repeats.WEEKLY}, "seven weekdays"),
        ({"weekdays": frozenset({1})}, "Only weekly maintenance has weekdays"),
        ({"last_day": date(2026, 1, 1)}, "no last day"),
        ({"time_zone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"time_zone": "../../etc/passwd"}, "no time zone"),
        ({"time_zone": "Europe"}, "no time zone"),
        ({"time_zone": "localtime"}, "no time zone"),
        ({"time_zone": "posix/UTC"}, "no time zone"),
        ({"time_zone": ""}, "no time zone"),
        ({"last_day": date(2025, 10, 1), "repeats": Repeats.DAILY}, "never comes"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_what_to_do(plan: MaintenancePlan, wanted: dict[str, Any], said: str) -> None:
    values = {"reason": "upgrade", "by": "kim", "starts": WALL_NOON + HOUR, "minutes": 60, **wanted}
    with pytest.raises(AlertProblem, match=said) as refused:
        plan.plan(**values)
    assert refused.value.hint
    assert plan.next_of_each() == []


def test_windows_that_repeat_take_half_of_the_time_together_at_most(plan: MaintenancePlan) -> None:
    first = plan.plan("days", "kim", WALL_NOON + HOUR, 12 * 60, repeats=Repeats.DAILY)
    with pytest.raises(AlertProblem, match="more than half of the time"):
        plan.plan("nights", "kim", WALL_NOON + 13 * HOUR, 10, repeats=Repeats.DAILY)
    plan.end(first.id, "kim")
    plan.plan("nights", "kim", WALL_NOON + 13 * HOUR, 10, repeats=Repeats.DAILY)


def test_there_is_a_limit_that_windows_which_are_over_do_not_fill(plan: MaintenancePlan, clock: FrozenClock) -> None:
    for _ in range(MOST_WINDOWS):
        plan.plan("upgrade", "kim", None, 5)
    with pytest.raises(AlertProblem, match="100 windows already"):
        plan.plan("upgrade", "kim", None, 5)
    clock.advance(minutes=5)
    plan.plan("upgrade", "kim", None, 5)
