"""What the slides say in every state: never green without a reason, never a hundred percent of nothing, nobody's name."""

from __future__ import annotations

import json
import re
import string
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from core.analysis.period import EpisodeFigures, period_figures
from core.analysis.trend import Trend
from core.assembly import build_monitor
from core.facts import Facts as StateFacts
from core.health_monitor import HealthMonitor, HealthSummary, Known
from core.model import Kind, Outcome, Source, Status, Totals
from core.setting_groups import ObjectiveSettings
from core.settings import Settings
from core.state import episodes, schema
from core.state.history import Attempt
from core.status import DEFAULT_THRESHOLDS, Evidence, assess, holds_until, rate_of
from core.timeline import Timeline
from dashboard.presentation.board import Board
from dashboard.presentation.document import Facts, Slide
from dashboard.presentation.slides import facts_of
from dashboard.wording import STATUS_LOOKS, Theme
from tests.application import SqliteApplication
from tests.examples import examples
from tests.frozen_clock import NOON, FrozenClock
from tests.state import records
from tests.subprocesses import ROOT

UTC_ZONE, BUDAPEST = ZoneInfo("UTC"), ZoneInfo("Europe/Budapest")
NB = "\u00a0"
OF_A_DAY = ObjectiveSettings(window_days=1)


def shown(monitor: HealthMonitor, zone: ZoneInfo = UTC_ZONE, clock: FrozenClock | None = None) -> Facts:
    """What is shown now, or a moment later by that clock: what happens at the very end of a period is not in it yet."""
    if clock is not None:
        clock.advance(seconds=1)
    return Board(monitor).facts(zone)[0]


def slide(facts: Facts, name: str) -> Slide:
    return next(one for one in facts.slides if one.name == name)


def figures(facts: Facts, name: str) -> list[tuple[str, str]]:
    return [(figure.value, figure.label.text.replace(NB, " ")) for figure in slide(facts, name).figures]


def texts(facts: Facts, name: str) -> list[str]:
    return [line.text for line in slide(facts, name).lines]


def said(facts: Facts) -> list[str]:
    return [line.text for line in facts.verdict.lines]


def watched(monitor: HealthMonitor) -> str:
    with monitor.state.read() as connection:
        label = monitor._watched(connection)
    assert label is not None
    return label


# --- the states -------------------------------------------------------------------------------------------------------


def test_before_the_first_check_nothing_is_claimed(monitor: HealthMonitor) -> None:
    facts = shown(monitor)
    assert (facts.verdict.status, facts.verdict.rate, facts.holds_until) == (Status.UNKNOWN, None, None)
    assert said(facts) == ["No check has run yet."]
    assert texts(facts, "proof") == texts(facts, "healing") == ["No checks in this period."]
    assert texts(facts, "method")[1:] == ["No checks in this period."]
    assert not [figure for one in facts.slides for figure in one.figures]
    assert "100" not in json.dumps(json.loads(facts.as_json()), ensure_ascii=False)


def test_healthy(monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    sqlite_app.agreeing(range(1, 13_001))
    monitor.check_all_users()
    clock.advance(minutes=3)
    facts = shown(monitor, BUDAPEST)
    assert (facts.verdict.status, facts.verdict.label, facts.verdict.rate) == (Status.HEALTHY, "Healthy", "100.00 %")
    assert said(facts) == ["of 13\u202f000 pairs agree", "since 14:00 · {}", "Last check {}"]
    assert [line.at for line in facts.verdict.lines] == [None, NOON.timestamp(), NOON.timestamp()]
    assert facts.holds_until == (NOON + timedelta(minutes=11)).timestamp()
    assert figures(facts, "proof") == [
        ("100.00 %", "of all comparisons agreed"),
        ("100.00 %", "of 1 check was healthy; 99 % is promised"),
        ("Never", "below 99 % at any check"),
    ]
    assert texts(facts, "proof") == ["Nothing is known about 29 d 23 h of this time."]
    assert texts(facts, "healing") == ["No desync in the last 30 days."]
    assert figures(facts, "method") == [("1 of 8\u202f640", "checks that were due in 30 days ran")]


@pytest.mark.parametrize(("bad", "status"), [(30, Status.DEGRADED), (100, Status.CRITICAL)])
def test_trouble(monitor: HealthMonitor, sqlite_app: SqliteApplication, bad: int, status: Status, clock: FrozenClock) -> None:
    sqlite_app.agreeing(range(1, 1_001 - bad)).disagreeing(range(5_001, 5_001 + bad))
    monitor.check_all_users()
    clock.advance(minutes=5)
    monitor.check_all_users()
    facts = shown(monitor, clock=clock)
    assert facts.verdict.status is status
    assert [(figure.value, figure.kept) for figure in slide(facts, "proof").figures][1] == ("0.00 %", False)
    assert figures(facts, "proof")[2] == ("≥ 5 min", "longest below 99 %, from 25 Oct")
    assert figures(facts, "healing") == [
        ("None", "has healed in the last 30 days"),
        (str(bad), "open now, the oldest for {}"),
    ]


def test_a_check_that_is_too_old_is_not_green(monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    sqlite_app.agreeing(range(1, 11))
    monitor.check_all_users()
    before = shown(monitor)
    clock.advance(minutes=11, microseconds=1)
    facts = shown(monitor)
    assert facts.verdict.status is Status.UNKNOWN
    assert said(facts) == ["The last check is too old to tell.", "Last known: 100.00 % of 10 pairs, {}"]
    assert before.stale == facts.verdict, "the page says the same when it learns nothing more"
    assert before.lost.status is Status.UNKNOWN
    assert before.lost.lines[0].text == "No contact with the server."
    assert figures(facts, "healing") == []


def test_failed_checks_are_told_without_their_error(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock
) -> None:
    sqlite_app.agreeing(range(1, 11)).disagreeing([77])
    monitor.check_all_users()
    for count, words in ((1, "The newest check failed."), (2, "The last 2 checks failed.")):
        clock.advance(minutes=5)
        records.failed(monitor.state, clock(), "no route to db.internal:5432", watched(monitor))
        facts = shown(build_monitor(monitor.settings, monitor.state, clock), clock=clock)
        assert facts.verdict.status is Status.UNKNOWN
        assert said(facts)[0] == words
        assert b"internal" not in facts.as_json()
        assert figures(facts, "healing")[-1] == ("1", "open when last known, the oldest for {}")
        assert figures(facts, "method")[1] == (str(count), "of them failed; they count as not healthy")


def test_no_check_that_completed(monitor: HealthMonitor, clock: FrozenClock) -> None:
    records.failed(monitor.state, NOON, watched=watched(monitor))
    facts = shown(monitor, clock=clock)
    assert said(facts) == ["No check has completed yet: the newest check failed."]
    assert [value for value, _ in figures(facts, "proof")] == ["0.00 %"]
    assert texts(facts, "healing") == ["No check gave a result in this period."]


def test_nothing_to_compare_is_no_success(monitor: HealthMonitor, clock: FrozenClock) -> None:
    monitor.check_all_users()
    facts = shown(monitor, clock=clock)
    assert (facts.verdict.status, said(facts)) == (Status.UNKNOWN, ["There was nothing to compare."])
    assert figures(facts, "proof") == [("0.00 %", "of 1 check was healthy; 99 % is promised")]


def test_a_clock_that_was_set_back(monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    sqlite_app.agreeing(range(1, 11))
    monitor.check_all_users()
    clock.advance(hours=-1)
    assert said(shown(monitor))[0] == "The server's clock was set back."


def test_without_the_state_database_the_words_name_no_database(monitor: HealthMonitor, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(1, 11))
    monitor.check_all_users()
    known = monitor.known_without("could not connect to state.internal")
    facts = facts_now(monitor, known)
    assert said(facts)[0] == "The results cannot be read at the moment."
    assert b"internal" not in facts.as_json()


def test_the_demo_says_that_it_is_one(monitor: HealthMonitor) -> None:
    assert not shown(monitor).demo
    assert facts_now(monitor, monitor.known(), monitor.settings.as_demo()).demo


# --- the period -------------------------------------------------------------------------------------------------------


def test_what_healed_is_told_by_mean_share_and_longest(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock
) -> None:
    sqlite_app.agreeing(range(1, 11))
    monitor.check_all_users()
    lengths = [timedelta(minutes=5)] * 198 + [timedelta(hours=1)] + [timedelta(hours=3, minutes=5)]
    rows = [life(watched(monitor), NOON - timedelta(days=1), length) for length in lengths]
    with monitor.state.write() as connection:
        connection.execute(sa.insert(schema.episodes), rows)
    assert figures(shown(monitor), "healing") == [
        ("6 min", "mean time to repair, over 200 that healed"),
        ("99 %", "of these within an hour"),  # 199 of 200: not rounded up
        ("3 h 5 min", "the longest took"),
        ("0", "open now"),
    ]


def life(label: str, start: datetime, length: timedelta) -> dict[str, object]:
    kind = Kind.LEVEL_MISMATCH.value
    return {
        "watched": episodes.scope_of(label),
        "user_text": uuid4().hex,
        "specialization": "PLAYER",
        "first_seen": start,
        "last_seen": start,
        "resolved_at": start + length,
        "opened_in": 1,
        "resolved_in": 1,
        "first_kind": kind,
        "kind": kind,
    }


def test_readings_from_logs_are_counted_and_told(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock
) -> None:
    sqlite_app.agreeing(range(1, 11))
    monitor.check_all_users()
    for hours in range(1, 4):
        records.imported(monitor.state, NOON - timedelta(hours=hours), total=1_000, bad=1)
    assert figures(shown(monitor, clock=clock), "method") == [
        ("4 of 8\u202f640", "checks that were due in 30 days ran"),
        ("75 %", "of them were read from logs of an earlier system"),
    ]


def test_the_promise_is_kept_exactly_or_not_at_all(monitor: HealthMonitor) -> None:
    monitor = build_monitor(monitor.settings.model_copy(update={"objective": OF_A_DAY}), monitor.state, lambda: NOON)
    for number in range(200):
        records.completed(
            monitor.state, NOON - timedelta(minutes=5 * (number + 1)), bad=5 * (number in (50, 60)), watched=watched(monitor)
        )
    assert [(one.value, one.kept) for one in slide(shown(monitor), "proof").figures][1] == ("99.00 %", True)
    records.completed(monitor.state, NOON - timedelta(minutes=1), bad=5, watched=watched(monitor))
    assert [(one.value, one.kept) for one in slide(shown(monitor), "proof").figures][1] == ("98.50 %", False)


def test_a_few_good_checks_of_a_month_about_which_nothing_is_known_keep_no_promise(monitor: HealthMonitor) -> None:
    for number in range(100):
        records.completed(monitor.state, NOON - timedelta(minutes=5 * (number + 1)), watched=watched(monitor))
    assert [(one.value, one.kept) for one in slide(shown(monitor), "proof").figures][1] == ("100.00 %", None)


def test_days_of_which_only_sums_are_left_are_not_called_free_of_trouble(monitor: HealthMonitor, clock: FrozenClock) -> None:
    records.completed(monitor.state, NOON - timedelta(days=2), bad=7, watched=watched(monitor))
    figures_now = monitor.record.period(NOON - timedelta(days=30), NOON)
    left = replace(figures_now, stretches=(), dropped_days=1)
    facts = facts_of(monitor.settings, monitor.get_health_summary(), left, monitor.trend(NOON - timedelta(days=30)), UTC_ZONE)
    assert figures(facts, "proof")[2] == ("93.00 %", "at the worst check, on 23 Oct")


def test_checks_by_hand_can_be_more_than_were_due(monitor: HealthMonitor) -> None:
    records.completed(monitor.state, NOON - timedelta(hours=1), watched=watched(monitor))
    many = replace(monitor.record.period(NOON - timedelta(days=30), NOON), expected=0)
    facts = facts_of(monitor.settings, monitor.get_health_summary(), many, monitor.trend(NOON - timedelta(days=30)), UTC_ZONE)
    assert figures(facts, "method") == [("1", "checks ran; 0 were due in 30 days")]


@pytest.mark.parametrize(
    ("seconds", "words"), [(300, "5 minutes"), (60, "minute"), (86_400, "day"), (7_200, "2 hours"), (90, "90 seconds")]
)
def test_the_method_names_the_interval(monitor: HealthMonitor, seconds: int, words: str) -> None:
    check = monitor.settings.check.model_copy(update={"interval_seconds": seconds})
    facts = facts_now(monitor, monitor.known(), monitor.settings.model_copy(update={"check": check}))
    assert texts(facts, "method")[0].startswith(f"Every {words}, ")


# --- nobody's name ----------------------------------------------------------------------------------------------------


def facts_now(monitor: HealthMonitor, known: Known, settings: Settings | None = None) -> Facts:
    now = NOON
    summary = HealthSummary(now, known, running=False, running_since=None, next_check=None, version="1")
    start = now - timedelta(days=30)
    return facts_of(settings or monitor.settings, summary, monitor.record.period(start, now), monitor.trend(start, now), UTC_ZONE)


@trying(max_examples=examples(50))
@given(st.text(string.ascii_letters + string.digits + "@./:", min_size=6, max_size=40))
def test_whatever_an_error_names_none_of_it_is_shown(error: str) -> None:
    assert facts_with(error) == facts_with("another reason")


def facts_with(error: str) -> Facts:
    """The document after a failed attempt, with that error wherever an error can stand."""
    settings, totals, now = Settings(), Totals(100, 1), NOON + timedelta(minutes=5)
    newest = Attempt(
        id=1,
        check_id=error,
        timestamp=NOON,
        outcome=Outcome.UNHEALTHY,
        source=Source.CHECK,
        totals=totals,
        consistency_rate=rate_of(totals),
        by_kind={Kind.LEVEL_MISMATCH: 1},
        duration_ms=1,
        trigger=None,
        requested_by=error,
        log_file=error,
        error=error,
    )
    evidence = Evidence(NOON, totals, NOON, failed_attempts=1, failing_since=now, last_error=error)
    assessment = assess(evidence, now)
    state_facts = StateFacts(1, evidence, newest, 1, NOON, (error,))
    known = Known(state_facts, (), assessment, now, holds_until(evidence, assessment, now, settings.schedule))
    summary = HealthSummary(now, known, running=False, running_since=None, next_check=None, version=error)
    start = now - timedelta(days=30)
    nothing = Trend(start, now, (), (), timedelta(0), timedelta(days=30), None, None)
    empty = period_figures(
        Timeline.empty(),
        start,
        now,
        schedule=settings.schedule,
        thresholds=DEFAULT_THRESHOLDS,
        objective=settings.promised,
        episodes=EpisodeFigures(),
    )
    return facts_of(settings, summary, empty, nothing, UTC_ZONE)


def test_no_user_and_no_place_is_named(monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    sqlite_app.agreeing(range(1, 1_000)).pair(918_273_645, "SECRETSPEC", 1, 2)
    monitor.check_all_users()
    clock.advance(minutes=5)
    records.failed(monitor.state, clock(), "no route to db.internal", watched(monitor))
    text = shown(build_monitor(monitor.settings, monitor.state, clock)).as_json().decode()
    for secret in ("918273645", "SECRETSPEC", "internal", "app.db", "sqlite", "user_licenses", str(ROOT)):
        assert secret not in text, secret


# --- the page ---------------------------------------------------------------------------------------------------------

_STYLE = (ROOT / "dashboard" / "static" / "presentation" / "slides.css").read_text("utf-8")


@pytest.mark.parametrize("status", Status)
def test_the_slides_have_the_colours_of_the_wording(status: Status) -> None:
    for name, colours in ((status, STATUS_LOOKS[status].text), (f"{status}-tint", STATUS_LOOKS[status].tint)):
        assert f"--{name}: light-dark({colours[Theme.LIGHT]}, {colours[Theme.DARK]});" in _STYLE


def test_every_status_has_its_icon() -> None:
    script = (ROOT / "dashboard" / "static" / "presentation" / "slides.js").read_text("utf-8")
    assert all(re.search(rf"^    {status}: \"M", script, re.MULTILINE) for status in Status)
