"""The daily drill: an alert of its own when it does not arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.alerts.book import AlertBook
from core.alerts.configured import AlertSettings
from core.alerts.phases import Phase
from core.alerts.rules import Condition, Seen, Verdict, judge
from core.model import Status
from core.settings import Settings
from core.state.schema_of_alerts import alert_states
from tests.alerts.conftest import NewWatch
from tests.alerts.receivers import Receiver
from tests.alerts.test_desk import break_pairs, events
from tests.alerts.watch import Watch, channels
from tests.application import SqliteApplication
from tests.frozen_clock import NOON

DAY = timedelta(days=1)


@pytest.fixture
def drilling(new_watch: NewWatch, receiver: Receiver) -> Watch:
    watch = new_watch(**channels(ops="json://127.0.0.1:9/nobody", hook=receiver.url), drill_channel="ops")
    watch.look()
    return watch


@pytest.fixture
def book(drilling: Watch) -> AlertBook:
    return AlertBook(drilling.monitor.record, drilling.desk, drilling.clock)


def test_a_drill_that_does_not_arrive_fires_and_the_next_one_that_does_resolves_it(
    drilling: Watch, book: AlertBook, receiver: Receiver
) -> None:
    book.keep_drill("ops", None, "HTTP 500")
    drilling.pass_by(minutes=1)
    assert drilling.phase("drill_failed") is Phase.FIRING
    assert events(receiver) == [("fired", ["drill_failed"])]
    text = drilling.messages()[0]["text"]
    assert "A planted mismatch did not arrive through ops: HTTP 500." in text
    assert "What to do: Alerts would not arrive there either." in text
    (incident,) = drilling.incidents()
    assert incident.began_at == NOON
    drilling.clock.advance(DAY)
    drilling.look()
    book.keep_drill("ops", 1.5, "accepted")
    drilling.look()
    assert drilling.phase("drill_failed") is Phase.RESOLVED
    assert events(receiver)[-1] == ("resolved", ["drill_failed"])


def test_a_drill_that_arrives_tells_nobody_anything(drilling: Watch, book: AlertBook, receiver: Receiver) -> None:
    assert book.last_drill() is None
    book.keep_drill("ops", 1.5, "accepted")
    drilling.pass_by(minutes=1)
    assert receiver.received == []
    last = book.last_drill()
    assert last is not None
    assert (last.arrived, last.delivered_seconds) == (True, 1.5)


def test_a_drill_of_long_ago_says_nothing_about_today(drilling: Watch, book: AlertBook) -> None:
    rule = next(rule for rule in drilling.desk.rules if rule.condition is Condition.DRILL_FAILED)
    seen = Seen(NOON, timedelta(minutes=5), Status.HEALTHY, fresh=True, drilled_at=NOON - 2 * DAY, drill_arrived=True)
    assert judge(rule, seen).verdict is Verdict.CLEAR
    assert judge(rule, replace(seen, drilled_at=NOON - 2 * DAY - timedelta(seconds=1))).verdict is Verdict.UNKNOWN


def test_a_failed_drill_has_nothing_to_do_with_the_pairs(drilling: Watch, book: AlertBook, app: SqliteApplication) -> None:
    break_pairs(app, 9)
    drilling.pass_by(minutes=5)
    book.keep_drill("ops", None, "HTTP 500")
    drilling.pass_by(minutes=1)
    book.keep_drill("ops", 1.5, "accepted")
    drilling.pass_by(minutes=1)
    (incident,) = drilling.incidents()
    assert (incident.violations, incident.most_violations, incident.worst_rate) == (None, None, None)
    fired, resolved = [message["text"] for message in drilling.messages() if "drill" in message["subject"]][::2]
    assert "violations" not in fired.replace("Now degraded: 99.10 % of 1000 pairs agree", "")
    assert "at the worst" not in resolved


def test_without_a_daily_drill_there_is_no_rule_for_it() -> None:
    assert "drill_failed" not in {rule.name for rule in AlertSettings().built_rules()}
    own = AlertSettings(rules={"drill_failed": {"severity": "info"}})
    assert "drill_failed" in {rule.name for rule in own.built_rules()}
    with pytest.raises(ValueError, match="no channel"):
        Settings(alerts={"drill_channel": "nowhere"})


def test_an_evaluation_that_does_not_come_through_is_told_until_one_does(drilling: Watch) -> None:
    state, desk = drilling.monitor.state, drilling.desk
    assert (desk.problem, desk.evaluated_at) == (None, NOON)
    with state.write() as connection:
        scope = drilling.monitor.record.scope(connection)
        odd = {"watched": scope, "rule": "odd", "phase": "of the moon", "returns": 0}
        connection.execute(sa.insert(alert_states).values(odd))
    drilling.clock.advance(minutes=1)
    desk.evaluate_quietly()
    assert desk.problem == "ValueError: 'of the moon' is not a valid Phase"
    assert desk.evaluated_at == NOON
    with state.write() as connection:
        connection.execute(sa.delete(alert_states).where(alert_states.c.rule == "odd"))
    desk.evaluate_quietly()
    assert (desk.problem, desk.evaluated_at) == (None, drilling.clock.now)


def test_when_nobody_evaluates_any_more_that_is_told(drilling: Watch) -> None:
    drilling.clock.advance(minutes=2)
    assert drilling.desk.problem is None
    drilling.clock.advance(seconds=1)
    assert drilling.desk.problem == "nobody has evaluated them for minutes"
    drilling.look()
    assert drilling.desk.problem is None
