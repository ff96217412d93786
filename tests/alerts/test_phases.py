"""The life of an alert."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.alerts.phases import FLAPPING, Phase, Standing, step
from core.alerts.rules import Condition, Judged, Rule, Severity, Verdict
from tests.examples import examples
from tests.frozen_clock import NOON

HOLDS, CLEAR, UNKNOWN = Verdict.HOLDS, Verdict.CLEAR, Verdict.UNKNOWN
MINUTE = timedelta(minutes=1)
RULE = Rule("mine", Condition.STATUS_IS, Severity.PAGE, lasting=3 * MINUTE, quiet=2 * MINUTE)


def after(*verdicts: Verdict, rule: Rule = RULE) -> list[Standing]:
    """Where the rule stands after each verdict, one a minute."""
    standing, passed = Standing(), []
    for number, verdict in enumerate(verdicts):
        at = NOON + number * MINUTE
        standing = step(rule, standing, Judged(verdict, at), at)
        passed.append(standing)
    return passed


def phases(*verdicts: Verdict) -> list[str]:
    return [standing.phase.value for standing in after(*verdicts)]


def test_it_fires_when_its_time_is_full_and_resolves_when_it_has_been_gone_long_enough() -> None:
    assert phases(CLEAR, HOLDS, HOLDS, HOLDS, HOLDS, CLEAR, CLEAR, CLEAR, CLEAR) == [
        *("inactive", "pending", "pending", "pending", "firing"),
        *("firing", "firing", "resolved", "resolved"),
    ]


def test_what_passes_before_its_time_is_full_is_told_to_nobody() -> None:
    assert phases(HOLDS, HOLDS, HOLDS, CLEAR, HOLDS)[-2:] == ["inactive", "pending"]


def test_a_gap_resolves_nothing_and_begins_the_quiet_time_anew() -> None:
    assert phases(*[HOLDS] * 4, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)[-1] == "firing"
    assert phases(*[HOLDS] * 4, CLEAR, CLEAR, UNKNOWN, CLEAR, CLEAR)[-1] == "firing"
    assert phases(*[HOLDS] * 4, CLEAR, CLEAR, UNKNOWN, CLEAR, CLEAR, CLEAR)[-1] == "resolved"


def test_a_gap_fires_nothing_either() -> None:
    assert phases(HOLDS, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)[-1] == "pending"
    assert phases(HOLDS, UNKNOWN, UNKNOWN, UNKNOWN, HOLDS)[-1] == "firing"


def test_what_comes_and_goes_is_one_incident_and_is_called_flapping() -> None:
    stood = after(*[HOLDS] * 4, *[CLEAR, HOLDS] * FLAPPING)
    assert {standing.phase for standing in stood[3:]} == {Phase.FIRING}
    assert (stood[-1].returns, stood[-1].flapping, stood[-3].flapping) == (FLAPPING, True, False)


def test_a_clock_that_is_set_back_neither_fires_nor_resolves() -> None:
    begun = step(RULE, Standing(), Judged(HOLDS, NOON), NOON)
    earlier = NOON - timedelta(hours=1)
    assert step(RULE, begun, Judged(HOLDS, earlier), earlier).phase is Phase.PENDING
    firing = after(*[HOLDS] * 4)[-1]
    assert step(RULE, firing, Judged(CLEAR, earlier), earlier).phase is Phase.FIRING


verdicts = st.lists(st.tuples(st.sampled_from(list(Verdict)), st.integers(0, 4)), max_size=30)


@settings(max_examples=examples(300))
@given(verdicts, st.integers(0, 6), st.integers(0, 6))
def test_it_fires_after_nothing_but_holding_and_resolves_after_nothing_but_clearness(
    told: list[tuple[Verdict, int]], lasting: int, quiet: int
) -> None:
    rule = Rule("mine", Condition.STATUS_IS, Severity.PAGE, lasting=lasting * MINUTE, quiet=quiet * MINUTE)
    standing, at = Standing(), NOON
    heard: list[tuple[Verdict, datetime]] = []
    for verdict, pause in told:
        at += pause * MINUTE
        heard.append((verdict, at))
        before, standing = standing, step(rule, standing, Judged(verdict, at), at)
        if standing.phase is Phase.FIRING and before.phase is not Phase.FIRING:
            held = _tail(heard, but=Verdict.CLEAR)
            assert verdict is HOLDS
            first = next(moment for one, moment in held if one is HOLDS)
            assert at - first >= rule.lasting
        if standing.phase is Phase.RESOLVED and before.phase is Phase.FIRING:
            clear = [moment for one, moment in _tail(heard, only=Verdict.CLEAR)]
            assert at - clear[0] >= rule.quiet
        if before.phase is Phase.FIRING and standing.phase is not Phase.FIRING:
            assert standing.phase is Phase.RESOLVED


def _tail(
    heard: list[tuple[Verdict, datetime]], but: Verdict | None = None, only: Verdict | None = None
) -> list[tuple[Verdict, datetime]]:
    """The newest verdicts without a break by `but`, or by anything but `only`."""
    kept: list[tuple[Verdict, datetime]] = []
    for one in reversed(heard):
        if one[0] is but or (only is not None and one[0] is not only):
            break
        kept.insert(0, one)
    return kept
