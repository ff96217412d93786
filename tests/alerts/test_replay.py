"""What the rules would have said is what they said."""

from __future__ import annotations

from datetime import timedelta

from core.alerts.replay import replayed
from tests.alerts.test_desk import FIVE, break_pairs, heal
from tests.alerts.watch import MINUTE, Watch
from tests.application import SqliteApplication
from tests.frozen_clock import NOON


def test_a_replay_fires_and_resolves_at_the_minute_at_which_it_happened(watch: Watch, app: SqliteApplication) -> None:
    watch.pass_by(minutes=20)
    break_pairs(app, 60)
    watch.pass_by(minutes=50)
    app.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    watch.pass_by(minutes=15)
    app.execute("ALTER TABLE elsewhere RENAME TO user_licenses")
    heal(app)
    watch.pass_by(minutes=20)
    watch.checking = False
    watch.pass_by(minutes=25)
    watch.checking = True
    watch.pass_by(minutes=20)
    happened = sorted((one.rule, one.opened_at, one.resolved_at, one.most_violations) for one in watch.incidents())
    assert {rule for rule, *_ in happened} == {"many_violations", "rate_low", "status_critical", "checks_fail", "checks_late"}
    end = watch.clock.now + timedelta(seconds=1)
    found = replayed(watch.monitor.record, watch.desk.rules, NOON - MINUTE, end)
    assert sorted((one.rule.name, one.fired_at, one.resolved_at, one.most_violations) for one in found) == happened


def test_an_emptied_table_is_found_in_a_replay(watch: Watch, app: SqliteApplication) -> None:
    watch.pass_by(minutes=20)
    app.delete_everything()
    watch.pass_by(every=FIVE, minutes=30)
    found = replayed(watch.monitor.record, watch.desk.rules, NOON - MINUTE, watch.clock.now)
    assert [(one.rule.name, one.fired_at) for one in found] == [("pairs_dropped", NOON + 5 * FIVE)]
