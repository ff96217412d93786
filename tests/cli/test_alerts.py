"""`coupling-health alert …`."""

from __future__ import annotations

from tests.alerts.receivers import Receiver
from tests.application import SqliteApplication
from tests.cli.commands import Commands

URL = "alerts__channels__hook__url"


def test_every_rule_is_listed_with_its_state(commands: Commands) -> None:
    document = commands("alert", "list", "--json").document
    assert [one["rule"] for one in document] == [
        *("rate_low", "status_critical", "many_violations", "checks_fail", "checks_late", "pairs_dropped", "violation_old"),
        "sync_waits",
    ]
    assert {one["state"] for one in document} == {"inactive"}
    assert document[0]["description"] == (
        "Fires when, for 15 min, fewer than 95 % of all pairs agree and at least 3 do not; "
        "over when that has been gone for 10 min."
    )
    assert "many_violations" in commands("alert", "list").err


def test_a_test_message_is_really_sent(commands: Commands) -> None:
    with Receiver().open() as receiver:
        done = commands("alert", "test", "hook", **{URL: receiver.url})
        assert (done.code, done.err.strip()) == (0, "Sent through hook: HTTP 200")
        assert receiver.received[0].document["event"] == "test"
        receiver.answers = [503]
        refused = commands("alert", "test", "hook", "--json", **{URL: receiver.url})
        assert (refused.code, refused.document) == (1, {"channel": "hook", "sent": False, "answer": "HTTP 503"})


def test_a_channel_that_there_is_not_is_named_with_those_that_there_are(commands: Commands) -> None:
    done = commands("alert", "test", "hok", **{URL: "http://127.0.0.1:9/"})
    assert done.code == 2
    assert "There is no channel 'hok'. There are: hook." in done.err


def test_a_bad_rule_or_channel_is_named_at_once(commands: Commands) -> None:
    wrong = {
        "alerts__rules__mine__than": "5",
        "alerts__channels__ops__url": "fooo://bar-secret",
        "alerts__link": "health.example.org",
    }
    done = commands("alert", "list", **wrong)
    assert done.code == 2
    assert "bar-secret" not in done.err
    assert "alerts.channels.ops.url" in done.err
    assert "alerts.link" in done.err
    bad_rule = commands("alert", "list", alerts__rules__mine__than="5")
    assert "rules.mine.when: missing" in bad_rule.err


def test_a_replay_of_nothing_says_so_and_a_wrong_moment_is_named(commands: Commands) -> None:
    assert commands("alert", "replay", "--from", "2025-01-01", "--to", "2025-01-03", "--json").document == []
    assert "Nothing would have fired" in commands("alert", "replay", "--from", "2025-01-01", "--to", "2025-01-03").err
    assert "'yesterday' is no day" in commands("alert", "replay", "--from", "yesterday").err
    assert commands("alert", "replay", "--from", "2025-01-03", "--to", "2025-01-01").code == 2


def test_the_doctor_says_when_nobody_is_told(commands: Commands) -> None:
    assert "nobody is told" in commands("doctor").err
    assert "hook can be told" in commands("doctor", **{URL: "http://127.0.0.1:9/"}).err


def test_a_drill_arrives_and_touches_nothing(commands: Commands) -> None:
    commands("check")
    before = commands.files()
    with Receiver().open() as receiver:
        done = commands("drill", "hook", "--json", **{URL: receiver.url})
        assert done.code == 0
        (request,) = receiver.received
        assert (request.document["drill"], request.document["event"], request.document["inconsistent"]) == (True, "fired", 1)
        seconds = [done.document[name] for name in ("detected", "fired", "delivered")]
        assert seconds == sorted(seconds)
        assert "Arrived through hook" in commands("drill", "hook", **{URL: receiver.url}).err
        receiver.answers = [500]
        failed = commands("drill", "hook", **{URL: receiver.url})
        assert (failed.code, failed.err.strip()) == (1, "Did not arrive through hook: HTTP 500")
    assert commands.files() == before
    assert commands("drill", "nowhere").code == 2


def test_a_check_from_cron_tells_as_well(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(100)).disagreeing(range(500, 511))
    with Receiver().open() as receiver:
        for _ in range(2):
            assert commands("check", "--json", check__settle_seconds=0, **{URL: receiver.url}).code == 1
        assert [one.document["event"] for one in receiver.received] == ["fired"]
        assert commands("check", "--dry-run", check__settle_seconds=0, **{URL: receiver.url}).code == 1
        assert len(receiver.received) == 1
