"""What becomes of the checks in maintenance: they are marked, and count neither as healthy nor as bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from core.analysis.period import EpisodeFigures
from core.analysis.sums import TimeClass
from core.errors import CheckImpossible
from core.health_monitor import HealthMonitor
from core.maintenance_plan import MaintenancePlan
from core.model import ReportFormat, Status
from core.record import HealthRecord
from core.reports.making import make
from core.reports.period import parse
from core.reports.verifying import verify
from core.state import schema
from dashboard.presentation.board import Board
from tests.application import SqliteApplication
from tests.frozen_clock import NOON, FrozenClock
from tests.maintenance.walls import DAY, HOUR, MINUTE


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
    assert "of them ran in planned maintenance: they count neither way" in told


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
