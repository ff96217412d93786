"""Planned maintenance: nobody is told in it, nor of what the first check after it finds gone."""

from __future__ import annotations

import pytest

from core.alerts.book import AlertBook
from core.alerts.phases import Phase
from core.alerts.replay import replayed
from core.maintenance_plan import MaintenancePlan
from tests.alerts.conftest import NewWatch
from tests.alerts.receivers import Receiver
from tests.alerts.test_desk import FIVE, break_pairs, events, heal
from tests.alerts.watch import MINUTE, Watch, channels
from tests.application import SqliteApplication
from tests.frozen_clock import NOON


@pytest.fixture
def plan(watch: Watch) -> MaintenancePlan:
    return MaintenancePlan(watch.monitor.state, watch.clock)


def test_what_still_fires_after_maintenance_is_told_by_the_first_check_after_it(
    watch: Watch, plan: MaintenancePlan, app: SqliteApplication, receiver: Receiver
) -> None:
    plan.plan("upgrade", "kim", None, 18)
    break_pairs(app, 11)
    watch.pass_by(minutes=19)
    assert watch.phase("many_violations") is Phase.FIRING
    assert receiver.received == [], "maintenance is over, and nobody knows yet what it left behind"
    watch.pass_by(minutes=1)
    assert events(receiver) == [("fired", ["many_violations"])]
    assert watch.fired_at("many_violations") == NOON + FIVE, "the incident tells when it began"


def test_what_the_first_check_after_maintenance_finds_gone_is_told_to_nobody(
    watch: Watch, plan: MaintenancePlan, app: SqliteApplication, receiver: Receiver
) -> None:
    plan.plan("upgrade", "kim", None, 18)
    break_pairs(app, 11)
    watch.pass_by(minutes=16)
    heal(app)
    watch.pass_by(minutes=5)
    assert watch.phase("many_violations") is Phase.FIRING, "it resolves ten minutes after its condition went, and is no news"
    watch.pass_by(hours=1)
    assert watch.resolved_at("many_violations") == NOON + 20 * MINUTE + 10 * MINUTE
    assert receiver.received == []


def test_when_no_check_comes_after_maintenance_somebody_hears_all_the_same(
    watch: Watch, plan: MaintenancePlan, app: SqliteApplication, receiver: Receiver
) -> None:
    plan.plan("upgrade", "kim", None, 18)
    break_pairs(app, 11)
    watch.pass_by(minutes=17)
    watch.checking = False
    watch.pass_by(minutes=11)
    assert receiver.received == []
    watch.pass_by(minutes=2)
    assert events(receiver)[0] == ("fired", ["many_violations"])


def test_what_was_told_before_maintenance_is_not_repeated_in_it_and_only_a_check_after_it_says_that_it_is_over(
    new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch = new_watch(**channels(hook=receiver.url), rules={"many_violations": {"repeat_minutes": 60}})
    plan = MaintenancePlan(watch.monitor.state, watch.clock)
    watch.look()
    break_pairs(app, 11)
    watch.pass_by(minutes=5)
    plan.plan("upgrade", "kim", None, 118)
    watch.pass_by(minutes=70)
    heal(app)
    watch.pass_by(minutes=48)
    assert [event for event, _ in events(receiver)] == ["fired"], "what maintenance shows for a while has healed nothing"
    watch.pass_by(minutes=12)
    assert [event for event, _ in events(receiver)] == ["fired", "resolved"]
    assert watch.resolved_at("many_violations") == NOON + 135 * MINUTE


def test_a_checker_that_works_again_in_maintenance_works_again(
    watch: Watch, plan: MaintenancePlan, app: SqliteApplication
) -> None:
    watch.checking = False
    watch.pass_by(minutes=20)
    assert watch.phase("checks_late") is Phase.FIRING
    plan.plan("upgrade", "kim", None, 60)
    watch.checking = True
    watch.pass_by(minutes=20)
    assert watch.phase("checks_late") is Phase.RESOLVED


def test_rules_learn_nothing_usual_from_maintenance(
    watch: Watch, plan: MaintenancePlan, app: SqliteApplication, receiver: Receiver
) -> None:
    """Half of the pairs away for hours is not how many there usually are."""
    watch.pass_by(every=FIVE, hours=1)
    plan.plan("upgrade", "kim", None, 302)
    app.execute("CREATE TABLE away AS SELECT * FROM user_licenses WHERE user_id < 500")
    app.execute("CREATE TABLE away_too AS SELECT * FROM specialization_progress WHERE student_id < 500")
    app.execute("DELETE FROM user_licenses WHERE user_id < 500")
    app.execute("DELETE FROM specialization_progress WHERE student_id < 500")
    watch.pass_by(every=FIVE, hours=5)
    assert receiver.received == []
    watch.pass_by(every=FIVE, minutes=10)
    assert events(receiver) == [("fired", ["pairs_dropped"])], "they did not come back"


def test_a_replay_says_which_incidents_fell_into_maintenance(watch: Watch, plan: MaintenancePlan, app: SqliteApplication) -> None:
    watch.pass_by(minutes=6)
    plan.plan("upgrade", "kim", None, 20)
    break_pairs(app, 11)
    watch.pass_by(minutes=10)
    heal(app)
    watch.pass_by(minutes=60)
    break_pairs(app, 11)
    watch.pass_by(minutes=10)
    found = replayed(watch.monitor.record, watch.desk.rules, NOON - MINUTE, watch.clock.now)
    assert [(one.rule.name, one.in_maintenance) for one in found] == [("many_violations", True), ("many_violations", False)]


def test_how_quickly_somebody_is_told_leaves_out_what_was_kept_quiet(
    watch: Watch, plan: MaintenancePlan, app: SqliteApplication
) -> None:
    plan.plan("upgrade", "kim", None, 178)
    break_pairs(app, 11)
    watch.pass_by(every=FIVE, minutes=190)
    book = AlertBook(watch.monitor.record, watch.desk, watch.clock)
    assert (book.figures().count, len(book.figures().delivered), book.figures().told) == (1, 1, None)


def test_an_incident_of_a_rule_that_is_turned_off_is_closed_and_keeps_its_note(
    watch: Watch, new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    break_pairs(app, 11)
    watch.pass_by(minutes=5)
    AlertBook(watch.monitor.record, watch.desk, watch.clock).acknowledge(1, "ann", "the import is wrong, I stop it")
    off = new_watch(**channels(hook=receiver.url), rules={"many_violations": {"enabled": False}})
    off.desk.evaluate()
    (incident,) = off.incidents()
    assert (incident.note, incident.closed) == ("the import is wrong, I stop it", "the rule was turned off")
    assert incident.resolved_at is not None


def test_a_replay_over_maintenance_says_what_happened(watch: Watch, plan: MaintenancePlan, app: SqliteApplication) -> None:
    watch.pass_by(minutes=6)
    break_pairs(app, 60)
    watch.pass_by(minutes=20)
    plan.plan("upgrade", "kim", None, 40)
    heal(app)
    watch.pass_by(minutes=30)
    break_pairs(app, 20)
    watch.pass_by(minutes=30)
    heal(app)
    watch.pass_by(minutes=30)
    happened = sorted((one.rule, one.opened_at, one.resolved_at, one.most_violations) for one in watch.incidents())
    assert {rule for rule, *_ in happened} == {"many_violations", "rate_low"}
    found = replayed(watch.monitor.record, watch.desk.rules, NOON - MINUTE, watch.clock.now + MINUTE)
    assert sorted((one.rule.name, one.fired_at, one.resolved_at, one.most_violations) for one in found) == happened
