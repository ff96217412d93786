"""The usual rules over simulated hours: when they fire, when they resolve, and who hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.alerts.phases import Phase
from core.state import incidents, silences
from tests.alerts.conftest import NewWatch
from tests.alerts.receivers import Receiver
from tests.alerts.watch import MINUTE, Watch, channels
from tests.application import SqliteApplication
from tests.frozen_clock import NOON

FIVE, HOUR = 5 * MINUTE, 60 * MINUTE


def break_pairs(app: SqliteApplication, count: int, start: int = 0) -> None:
    app.execute("UPDATE user_licenses SET current_level = 2 WHERE user_id >= ? AND user_id < ?", (start, start + count))


def heal(app: SqliteApplication) -> None:
    app.execute("UPDATE user_licenses SET current_level = 1")


def events(receiver: Receiver) -> list[tuple[str, list[str]]]:
    """What each message tells of: the event, and the rules."""
    return [(one.document["event"], [alert["rule"] for alert in one.document["alerts"]]) for one in receiver.received]


def test_a_healthy_day_tells_nobody_anything(watch: Watch, receiver: Receiver) -> None:
    watch.pass_by(every=FIVE, hours=2)
    assert (watch.incidents(), receiver.received) == ([], [])


def test_many_violations_fire_with_the_check_that_finds_them_and_resolve(
    watch: Watch, app: SqliteApplication, receiver: Receiver
) -> None:
    break_pairs(app, 11)
    watch.pass_by(minutes=5)
    assert watch.fired_at("many_violations") == NOON + FIVE
    heal(app)
    watch.pass_by(minutes=14)
    assert watch.resolved_at("many_violations") is None
    watch.pass_by(minutes=1)
    assert watch.resolved_at("many_violations") == NOON + 4 * FIVE, "ten minutes after the check that found it gone"
    assert events(receiver) == [("fired", ["many_violations"]), ("resolved", ["many_violations"])]
    over = receiver.received[-1].document["alerts"][0]
    assert (over["most_violations"], over["worst_rate"], over["seconds"]) == (11, 98.9, 900)


def test_ten_violations_are_not_many(watch: Watch, app: SqliteApplication) -> None:
    break_pairs(app, 10)
    watch.pass_by(minutes=30)
    assert watch.incidents() == []


def test_a_low_rate_fires_after_a_quarter_of_an_hour_and_a_critical_status_after_half_an_hour(
    watch: Watch, app: SqliteApplication, receiver: Receiver
) -> None:
    break_pairs(app, 60)
    watch.pass_by(hours=1)
    assert watch.fired_at("many_violations") == NOON + FIVE
    assert watch.fired_at("rate_low") == NOON + FIVE + 15 * MINUTE
    assert watch.fired_at("status_critical") == NOON + FIVE + 30 * MINUTE
    assert [rules for _, rules in events(receiver)] == [["many_violations"], ["rate_low"], ["status_critical"]]


def test_rules_that_fire_together_make_one_message(new_watch: NewWatch, app: SqliteApplication, receiver: Receiver) -> None:
    watch = new_watch(**channels(hook=receiver.url), rules={"rate_low": {"for_minutes": 0}})
    break_pairs(app, 60)
    watch.look()
    assert events(receiver) == [("fired", ["rate_low", "many_violations"])]


def test_two_failed_checks_in_a_row_fire_and_one_does_not(watch: Watch, app: SqliteApplication, receiver: Receiver) -> None:
    app.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    watch.pass_by(minutes=9)
    assert watch.fired_at("checks_fail") is None
    watch.pass_by(minutes=1)
    assert watch.fired_at("checks_fail") == NOON + 2 * FIVE
    assert "doctor" in receiver.received[0].document["alerts"][0]["what_to_do"]
    app.execute("ALTER TABLE elsewhere RENAME TO user_licenses")
    watch.pass_by(minutes=15)
    assert watch.resolved_at("checks_fail") == NOON + 5 * FIVE


def test_a_checker_that_hangs_is_seen_by_the_watchdog(watch: Watch, receiver: Receiver) -> None:
    watch.checking = False
    watch.pass_by(minutes=15)
    assert watch.fired_at("checks_late") is None
    watch.pass_by(minutes=1)
    assert watch.fired_at("checks_late") == NOON + 16 * MINUTE, "the first minute after three intervals"
    assert events(receiver) == [("fired", ["checks_late"])]


def test_when_data_vanish_nothing_is_called_resolved(watch: Watch, app: SqliteApplication, receiver: Receiver) -> None:
    """A peer sends "resolved" then, and its users have complained for years."""
    break_pairs(app, 60)
    watch.pass_by(minutes=40)
    heal(app)
    app.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    watch.pass_by(every=FIVE, hours=3)
    assert {watch.phase(rule) for rule in ("many_violations", "rate_low", "status_critical", "checks_fail")} == {Phase.FIRING}
    assert "resolved" not in [event for event, _ in events(receiver)]


def test_an_emptied_table_is_no_recovery_and_is_told(new_watch: NewWatch, app: SqliteApplication) -> None:
    watch = new_watch(interval=1_800)
    break_pairs(app, 60)
    watch.look()
    watch.pass_by(every=FIVE, hours=1)
    app.delete_everything()
    watch.pass_by(every=HOUR / 2, hours=30)
    assert watch.fired_at("pairs_dropped") == NOON + 1.5 * HOUR
    assert {watch.phase(rule) for rule in ("pairs_dropped", "rate_low", "status_critical")} == {Phase.FIRING}, (
        "also when the empty table has become usual"
    )


def test_a_lost_fifth_of_the_pairs_is_told(watch: Watch, app: SqliteApplication) -> None:
    watch.pass_by(minutes=30)
    app.execute("DELETE FROM user_licenses WHERE user_id >= 799")
    app.execute("DELETE FROM specialization_progress WHERE student_id >= 799")
    watch.pass_by(minutes=5)
    assert watch.fired_at("pairs_dropped") == NOON + 35 * MINUTE


def test_a_violation_of_more_than_a_day_is_told(new_watch: NewWatch, app: SqliteApplication) -> None:
    watch = new_watch(interval=3_600)
    break_pairs(app, 1)
    watch.look()
    watch.pass_by(every=HOUR, hours=24)
    assert watch.fired_at("violation_old") is None
    watch.pass_by(minutes=1)
    assert watch.fired_at("violation_old") == NOON + timedelta(hours=24, minutes=1)


def test_what_lasts_is_told_again_until_somebody_acknowledges_it(
    new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch = new_watch(interval=1_800, **channels(hook=receiver.url))
    break_pairs(app, 11)
    watch.look()
    watch.pass_by(every=HOUR / 2, hours=4)
    assert [event for event, _ in events(receiver)] == ["fired", "still"]
    with watch.monitor.state.write() as connection:
        assert incidents.acknowledge(connection, watch.incidents()[0].id, "admin", "on it", watch.clock.now)
        assert not incidents.acknowledge(connection, watch.incidents()[0].id, "bea", "me too", watch.clock.now)
    watch.pass_by(every=HOUR / 2, hours=5)
    assert [event for event, _ in events(receiver)] == ["fired", "still"]
    heal(app)
    watch.pass_by(every=HOUR / 2, hours=1)
    assert [event for event, _ in events(receiver)] == ["fired", "still", "resolved"], "its end is told all the same"


def test_a_silence_keeps_quiet_and_what_still_fires_is_told_at_its_end(
    watch: Watch, app: SqliteApplication, receiver: Receiver
) -> None:
    with watch.monitor.state.write() as connection:
        silences.add(connection, None, "migration", "admin", NOON + timedelta(hours=1), NOON, until_resolved=False)
    break_pairs(app, 11)
    watch.pass_by(minutes=59)
    assert (watch.phase("many_violations"), receiver.received) == (Phase.FIRING, [])
    watch.pass_by(minutes=1)
    assert events(receiver) == [("fired", ["many_violations"])]


def test_what_came_and_went_during_a_silence_is_told_to_nobody(watch: Watch, app: SqliteApplication, receiver: Receiver) -> None:
    with watch.monitor.state.write() as connection:
        silences.add(connection, "many_violations", "known", "admin", NOON + timedelta(hours=9), NOON, until_resolved=True)
    break_pairs(app, 11)
    watch.pass_by(minutes=10)
    heal(app)
    watch.pass_by(minutes=20)
    assert (len(watch.incidents()), receiver.received) == (1, [])
    with watch.monitor.state.read() as connection:
        assert not silences.holding(connection, watch.clock.now), "it ended with the alert"


def test_a_restart_neither_loses_nor_repeats_a_message(
    watch: Watch, new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch.delivering = False
    break_pairs(app, 60)
    watch.pass_by(minutes=12)
    again = new_watch(**channels(hook=receiver.url))
    again.look()
    again.pass_by(minutes=9)
    assert again.fired_at("rate_low") == NOON + FIVE + 15 * MINUTE, "the time before the restart counts"
    assert [rules for _, rules in events(receiver)] == [["many_violations"], ["rate_low"]]


def test_two_replicas_send_one_message(watch: Watch, new_watch: NewWatch, app: SqliteApplication, receiver: Receiver) -> None:
    other = new_watch(**channels(hook=receiver.url))
    break_pairs(app, 11)
    watch.clock.advance(FIVE)
    for replica in (watch, other, watch, other):
        replica.look()
    assert events(receiver) == [("fired", ["many_violations"])]


def test_a_rule_that_is_turned_off_closes_its_incident_without_a_word(
    watch: Watch, new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    break_pairs(app, 11)
    watch.pass_by(minutes=5)
    other = new_watch(**channels(hook=receiver.url), rules={"many_violations": {"enabled": False}})
    other.look()
    assert other.resolved_at("many_violations") == watch.clock.now
    assert [event for event, _ in events(receiver)] == ["fired"]


def test_the_demo_tells_nobody(new_watch: NewWatch, receiver: Receiver) -> None:
    watch = new_watch(**channels(hook=receiver.url))
    demo = watch.monitor.settings.as_demo()
    assert demo.demo
    assert watch.desk.channels
    watch.monitor.settings = demo
    assert not Watch(watch.monitor, watch.clock).desk.channels


@pytest.mark.parametrize("user_ids", [True, False])
def test_users_are_named_unless_a_setting_leaves_them_out(
    new_watch: NewWatch, app: SqliteApplication, receiver: Receiver, user_ids: bool
) -> None:
    watch = new_watch(**channels(hook=receiver.url), user_ids=user_ids)
    break_pairs(app, 11, start=500)
    watch.look()
    document = receiver.received[0].document
    assert len(document["violations"]) == 5
    assert ("user_id" in document["violations"][0]) is user_ids
    text = watch.messages()[0]["text"]
    assert ("user 500" in text) is user_ids
    assert "and 6 more" in text
