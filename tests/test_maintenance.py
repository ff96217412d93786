"""Maintenance: when windows come, what can be planned, and what becomes of the checks in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from dateutil import rrule
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from core.analysis.period import EpisodeFigures
from core.analysis.sums import TimeClass
from core.assembly import build_monitor
from core.doctor import examine
from core.errors import AlertProblem, CheckImpossible, NoSuchAlert
from core.health_monitor import HealthMonitor
from core.maintenance import Repeats, Window, occurrences
from core.maintenance_plan import MOST_WINDOWS, MaintenancePlan
from core.model import ReportFormat, Status
from core.record import HealthRecord
from core.reports.making import make
from core.reports.period import parse
from core.reports.verifying import verify
from core.settings import Settings
from core.state import schema
from core.state.database import StateDatabase
from dashboard.presentation.board import Board
from tests.application import SqliteApplication
from tests.examples import examples
from tests.frozen_clock import NOON, FrozenClock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BUDAPEST = ZoneInfo("Europe/Budapest")
WALL_NOON = NOON.replace(tzinfo=None)


def wall(*parts: int) -> datetime:
    """What a clock on a wall shows."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc,arg-type] - year, month, day, hour, minute


def window(starts: datetime, repeats: Repeats = Repeats.ONCE, zone: str = "UTC", **values: Any) -> Window:
    length = values.pop("length", HOUR)
    weekdays = frozenset(values.pop("weekdays", [starts.weekday()] if repeats is Repeats.WEEKLY else []))
    rest = {"last_day": None, "ended_at": None, **values}
    return Window(1, "upgrade", zone, starts, length, repeats, weekdays, created_at=NOON, created_by="kim", **rest)


def times(planned: Window, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    return [(one.start, one.end) for one in occurrences(planned, start, end)]


# --- when they come ---------------------------------------------------------------------------------------------------

_walls = st.datetimes(wall(2025, 1, 1), wall(2026, 6, 30)).map(lambda at: at.replace(second=0, microsecond=0))
_places = {1: 1, 2: 2, 3: 3, 4: 4, 5: -1}


def by_dateutil(planned: Window, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The same by the calendar rules of iCalendar."""
    first = planned.starts
    until = datetime.combine(planned.last_day, datetime.max.time()) if planned.last_day else None
    common = {"dtstart": first, "until": until}
    weekday = rrule.weekday(first.weekday())(_places[(first.day - 1) // 7 + 1])
    rule = {
        Repeats.ONCE: lambda: rrule.rrule(rrule.DAILY, dtstart=first, count=1),
        Repeats.DAILY: lambda: rrule.rrule(rrule.DAILY, **common),
        Repeats.WEEKLY: lambda: rrule.rrule(rrule.WEEKLY, byweekday=sorted(planned.weekdays), **common),
        Repeats.MONTHLY: lambda: rrule.rrule(rrule.MONTHLY, byweekday=weekday, **common),
    }[planned.repeats]()
    begins = [
        shown.replace(tzinfo=ZoneInfo(planned.time_zone)).astimezone(UTC)
        for shown in rule.between(wall(2024, 1, 1), end.replace(tzinfo=None) + 2 * DAY, inc=True)
    ]
    return [(at, at + planned.length) for at in begins if at < end and at + planned.length > start]


@trying(max_examples=examples(150))
@given(
    _walls,
    st.sampled_from(Repeats),
    st.sampled_from(["UTC", "Europe/Budapest", "America/New_York", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu"]),
    st.sets(st.integers(0, 6), min_size=1),
    st.none() | st.integers(0, 90),
    st.integers(1, 7 * 24 * 60),
    st.datetimes(wall(2025, 1, 1), wall(2026, 12, 31), timezones=st.just(UTC)),
    st.timedeltas(timedelta(microseconds=1), timedelta(days=90)),
)
def test_windows_come_when_the_calendar_rules_say(
    starts: datetime,
    repeats: Repeats,
    zone: str,
    weekdays: set[int],
    days: int | None,
    length: int,
    at: datetime,
    span: timedelta,
) -> None:
    last_day = None if days is None else starts.date() + days * DAY
    chosen = weekdays if repeats is Repeats.WEEKLY else set()
    planned = window(starts, repeats, zone, weekdays=chosen, last_day=last_day, length=length * MINUTE)
    assert times(planned, at, at + span) == by_dateutil(planned, at, at + span)


def test_a_window_keeps_to_the_clock_on_the_wall_when_the_clocks_change() -> None:
    """In Budapest, summer time ended on 26 October 2025."""
    nightly = window(wall(2025, 10, 24, 4), Repeats.DAILY, "Europe/Budapest")
    begins = [start.isoformat() for start, _ in times(nightly, NOON - 36 * HOUR, NOON + 20 * HOUR)]
    assert begins == ["2025-10-24T02:00:00+00:00", "2025-10-25T02:00:00+00:00", "2025-10-26T03:00:00+00:00"]


def test_a_time_that_the_clocks_skip_begins_as_much_later() -> None:
    skipped = window(wall(2026, 3, 29, 2, 30), zone="Europe/Budapest")
    ((start, end),) = times(skipped, datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
    assert (start.astimezone(BUDAPEST).strftime("%H:%M"), end - start) == ("03:30", HOUR)


def test_a_fifth_weekday_stands_for_the_last_of_each_month() -> None:
    last_friday = window(wall(2025, 10, 31, 22), Repeats.MONTHLY)
    begins = [start.date() for start, _ in times(last_friday, NOON, NOON + 100 * DAY)]
    assert begins == [date(2025, 10, 31), date(2025, 11, 28), date(2025, 12, 26), date(2026, 1, 30)]


def test_what_was_taken_back_holds_up_to_then_and_never_after() -> None:
    planned = window(WALL_NOON, Repeats.DAILY, ended_at=NOON + DAY + 10 * MINUTE)
    assert times(planned, NOON, NOON + 9 * DAY) == [(NOON, NOON + HOUR), (NOON + DAY, NOON + DAY + 10 * MINUTE)]


# --- what can be planned ----------------------------------------------------------------------------------------------


@pytest.fixture
def app(sqlite_app: SqliteApplication) -> SqliteApplication:
    return sqlite_app.agreeing(range(100))


@pytest.fixture
def monitor(app: SqliteApplication, settings_of_test: Settings, sqlite_state: StateDatabase, clock: FrozenClock) -> HealthMonitor:
    return build_monitor(settings_of_test, sqlite_state, clock)


@pytest.fixture
def plan(monitor: HealthMonitor, clock: FrozenClock) -> MaintenancePlan:
    monitor.state.upgrade()
    return MaintenancePlan(monitor.state, clock)


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


# --- what becomes of the checks ---------------------------------------------------------------------------------------


def break_pairs(app: SqliteApplication, count: int) -> None:
    app.execute("UPDATE user_licenses SET current_level = 2 WHERE user_id < ?", (count,))


def heal(app: SqliteApplication) -> None:
    app.execute("UPDATE user_licenses SET current_level = 1")


def pass_by(monitor: HealthMonitor, clock: FrozenClock, checks: int) -> None:
    for _ in range(checks):
        clock.advance(minutes=5)
        monitor.check_all_users()


def test_checks_in_maintenance_count_neither_as_healthy_nor_as_bad(
    monitor: HealthMonitor, plan: MaintenancePlan, app: SqliteApplication, clock: FrozenClock
) -> None:
    start = clock.now
    pass_by(monitor, clock, 2)
    plan.plan("upgrade", "kim", None, 16)
    break_pairs(app, 50)
    pass_by(monitor, clock, 2)
    heal(app)
    pass_by(monitor, clock, 3)
    clock.advance(minutes=1)
    figures = monitor.record.period(start, clock.now)
    sums = figures.sums
    assert (sums.healthy, sums.unhealthy, sums.in_maintenance, figures.ran_of_expected) == (4, 0, 3, 7)
    assert (sums.healthy_share, sums.mean_rate(figures.thresholds), sums.most_violations) == (100, Decimal("100.00"), 0)
    assert (figures.stretches, figures.budget.attempts, figures.budget.bad) == ([], 4, 0)
    assert figures.episodes == EpisodeFigures(), "what maintenance broke and healed says nothing about how fast things heal"
    assert sums.time(TimeClass.MAINTENANCE) == 15 * MINUTE, "from its first check to the first one after it"
    assert sums.time(TimeClass.HEALTHY) == 16 * MINUTE


def test_healthy_checks_in_maintenance_are_not_healthy_ones(
    monitor: HealthMonitor, plan: MaintenancePlan, clock: FrozenClock
) -> None:
    start = clock.now
    plan.plan("upgrade", "kim", None, 60)
    pass_by(monitor, clock, 6)
    figures = monitor.record.period(start, clock.now)
    assert (figures.sums.healthy, figures.sums.attempts, figures.known) == (0, 0, False)
    assert figures.sums.time(TimeClass.HEALTHY) == timedelta(0)
    assert figures.budget.kept is None
    assert monitor.known().status is Status.HEALTHY, "what is now is told as it is"


def test_a_check_that_fails_in_maintenance_is_marked_as_well(
    monitor: HealthMonitor, plan: MaintenancePlan, app: SqliteApplication, clock: FrozenClock
) -> None:
    start = clock.now
    plan.plan("upgrade", "kim", None, 60)
    app.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    clock.advance(minutes=5)
    with pytest.raises(CheckImpossible):
        monitor.check_all_users()
    clock.advance(minutes=1)
    sums = monitor.record.period(start, clock.now).sums
    assert (sums.failed, sums.in_maintenance) == (0, 1)
    assert monitor.known().status is Status.UNKNOWN, "what is now is told as it is"


def test_failed_checks_in_maintenance_leave_a_gap_of_which_nothing_is_unknown(
    monitor: HealthMonitor, plan: MaintenancePlan, app: SqliteApplication, clock: FrozenClock
) -> None:
    pass_by(monitor, clock, 1)
    plan.plan("upgrade", "kim", None, 12)
    app.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    for _ in range(2):
        clock.advance(minutes=5)
        with pytest.raises(CheckImpossible):
            monitor.check_all_users()
    app.execute("ALTER TABLE elsewhere RENAME TO user_licenses")
    pass_by(monitor, clock, 1)
    trend = monitor.record.trend(NOON + 5 * MINUTE, clock.now)
    assert [(gap.start, gap.end, gap.unknown) for gap in trend.gaps] == [(NOON + 10 * MINUTE, NOON + 20 * MINUTE, False)]
    assert (trend.unknown, trend.failed) == (timedelta(0), 0)


def test_a_mark_stays_whatever_becomes_of_the_plan(monitor: HealthMonitor, plan: MaintenancePlan, clock: FrozenClock) -> None:
    made = plan.plan("upgrade", "kim", None, 60)
    pass_by(monitor, clock, 1)
    plan.end(made.id, "kim")
    pass_by(monitor, clock, 1)
    assert monitor.record.timeline().in_maintenance.tolist() == [True, False]


def test_the_log_and_the_report_of_a_check_say_that_it_was_maintenance(
    monitor: HealthMonitor, plan: MaintenancePlan, app: SqliteApplication
) -> None:
    plan.plan("upgrade", "kim", None, 60)
    break_pairs(app, 1)
    report = monitor.check_all_users()
    (log,) = monitor.settings.violation_log_dir.glob("*.json")
    assert (report.in_maintenance, json.loads(log.read_text())["in_maintenance"]) == (True, True)
    latest = monitor.get_latest_report()
    assert latest is not None and latest.in_maintenance


def test_a_check_that_had_begun_before_somebody_planned_is_not_excused(
    plan: MaintenancePlan, app: SqliteApplication, clock: FrozenClock, new_monitor: Callable[..., HealthMonitor]
) -> None:
    """Between its two looks somebody sees trouble coming."""

    def wait(_seconds: float) -> None:
        clock.advance(minutes=1)
        plan.plan("oh no", "kim", None, 30)

    break_pairs(app, 50)
    monitor = new_monitor(app, wait=wait, check={"settle_seconds": 2})
    monitor.check_all_users()
    assert monitor.record.timeline().in_maintenance.tolist() == [False]


def test_a_log_of_our_own_is_read_back_with_its_mark_when_the_state_was_lost(
    monitor: HealthMonitor, plan: MaintenancePlan, app: SqliteApplication, clock: FrozenClock
) -> None:
    plan.plan("upgrade", "kim", None, 60)
    break_pairs(app, 50)
    pass_by(monitor, clock, 1)
    with monitor.state.write() as connection:
        connection.execute(sa.delete(schema.history))
        connection.execute(sa.delete(schema.known_logs))
        connection.execute(sa.delete(schema.log_folders))
    monitor.import_logs()
    timeline = monitor.record.timeline()
    assert (timeline.imported.tolist(), timeline.in_maintenance.tolist()) == ([True], [True])


def trend_of(record: HealthRecord, clock: FrozenClock) -> Any:
    return record.trend(clock.now - DAY, clock.now)


def test_the_trend_shows_maintenance_and_takes_no_worst_from_it(
    monitor: HealthMonitor, plan: MaintenancePlan, app: SqliteApplication, clock: FrozenClock
) -> None:
    pass_by(monitor, clock, 1)
    plan.plan("upgrade", "kim", None, 8)
    break_pairs(app, 50)
    pass_by(monitor, clock, 1)
    heal(app)
    pass_by(monitor, clock, 2)
    trend = trend_of(monitor.record, clock)
    assert [(one.start, one.end) for one in trend.maintenance] == [(NOON + 10 * MINUTE, NOON + 15 * MINUTE)]
    assert [(point.lowest, point.in_maintenance) for point in trend.points] == [(100.0, 0), (50.0, 1), (100.0, 0), (100.0, 0)]
    assert (trend.worst, trend.below_healthy) == (100.0, timedelta(0))


def test_a_point_of_several_checks_tells_what_counts_and_of_maintenance_only_where_nothing_else_is(
    monitor: HealthMonitor, plan: MaintenancePlan, app: SqliteApplication, clock: FrozenClock
) -> None:
    pass_by(monitor, clock, 1)
    break_pairs(app, 3)
    pass_by(monitor, clock, 1)
    plan.plan("upgrade", "kim", None, 8)
    break_pairs(app, 50)
    pass_by(monitor, clock, 1)
    heal(app)
    pass_by(monitor, clock, 2)
    (point,) = monitor.record.trend(clock.now - HOUR, clock.now, most_points=1).points
    assert (point.lowest, point.violations, point.number, point.attempts, point.in_maintenance) == (97.0, 3, 2, 5, 1)


def test_two_stretches_of_maintenance_with_nothing_between_them_are_two(
    monitor: HealthMonitor, plan: MaintenancePlan, clock: FrozenClock
) -> None:
    for hours in (0, 10):
        clock.advance(NOON + hours * HOUR - clock.now)
        plan.plan("upgrade", "kim", None, 30)
        pass_by(monitor, clock, 2)
    clock.advance(minutes=1)
    found = trend_of(monitor.record, clock).maintenance
    assert [(one.start - NOON, one.end - NOON) for one in found] == [
        (5 * MINUTE, 10 * MINUTE),
        (10 * HOUR + 5 * MINUTE, 10 * HOUR + 11 * MINUTE),
    ]


def test_the_promise_of_the_month_leaves_maintenance_out(
    monitor: HealthMonitor, plan: MaintenancePlan, app: SqliteApplication, clock: FrozenClock
) -> None:
    pass_by(monitor, clock, 2)
    plan.plan("upgrade", "kim", None, 60)
    break_pairs(app, 50)
    clock.advance(seconds=1)
    before = monitor.foresight.promise()
    pass_by(monitor, clock, 5)
    clock.advance(seconds=1)
    after = monitor.foresight.promise()
    assert before is not None and after is not None
    whole = 31 * 288
    assert whole - before.promise.expected_checks == 12, "planned for the coming hour"
    assert whole - after.promise.expected_checks == 11, "the check before it spoke for its first five minutes"
    assert (before.used, after.used) == (0, 0)


def test_the_presentation_says_what_was_maintenance(monitor: HealthMonitor, plan: MaintenancePlan, clock: FrozenClock) -> None:
    plan.plan("upgrade", "kim", None, 60)
    pass_by(monitor, clock, 3)
    clock.advance(seconds=1)
    facts = Board(monitor).facts(ZoneInfo("UTC"))[0]
    told = json.dumps(asdict(facts), default=str)
    assert "Last check {}, in planned maintenance" in told
    assert "Every check of this time ran in planned maintenance: nothing is claimed." in told
    assert "of them ran in planned maintenance and count as neither" in told


@pytest.mark.parametrize("language", ["en", "hu"])
def test_a_report_about_nothing_but_maintenance_claims_nothing_and_does_not_say_that_nothing_ran(
    monitor: HealthMonitor, plan: MaintenancePlan, clock: FrozenClock, language: str
) -> None:
    plan.plan("upgrade", "kim", None, 60)
    pass_by(monitor, clock, 3)
    clock.advance(days=1)
    made = make(monitor.record, parse("2025-10-25", "UTC", clock.now), ReportFormat.HTML, clock.now, language=language)
    assert {"en": "Only maintenance in this period", "hu": "csak karbantartás"}[language] in made.said.verdict
    assert {"en": "every check ran in planned", "hu": "tervezett karbantartás alatt futott"}[language] in made.said.sentence
    assert verify(made.content, monitor.record).holds
