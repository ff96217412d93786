"""What each rule makes of what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.alerts.rules import DEFAULT_RULES, Condition, Rule, Seen, Severity, Verdict, judge
from core.model import Status, Totals
from tests.frozen_clock import NOON

FIVE = timedelta(minutes=5)
FINE = Seen(
    at=NOON,
    interval=FIVE,
    status=Status.HEALTHY,
    fresh=True,
    completed_at=NOON - FIVE,
    totals=Totals(1_000, 0),
    usual_pairs=1_000,
    drilled_at=NOON - FIVE,
    drill_arrived=True,
    syncs_known=True,
)
STALE = replace(FINE, fresh=False, status=Status.UNKNOWN)


def rule(condition: Condition, than: float = 0, **changes: object) -> Rule:
    return replace(Rule("mine", condition, Severity.WARNING, Decimal(str(than))), **changes)  # type: ignore[arg-type] # fields of Rule


@pytest.mark.parametrize("usual", DEFAULT_RULES, ids=lambda usual: usual.name)
def test_nothing_holds_while_all_is_fine(usual: Rule) -> None:
    assert judge(usual, FINE).verdict is Verdict.CLEAR


@pytest.mark.parametrize("usual", DEFAULT_RULES, ids=lambda usual: usual.name)
def test_nothing_is_called_clear_before_the_first_check(usual: Rule) -> None:
    assert judge(usual, Seen(NOON, FIVE, Status.UNKNOWN, fresh=False)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("condition", "than", "seen", "verdict"),
    [
        (Condition.SYNC_WAITS, 0, replace(STALE, sync_waits_since=NOON - FIVE), Verdict.HOLDS),
        (Condition.SYNC_WAITS, 0, STALE, Verdict.CLEAR),
        (Condition.RATE_BELOW, 95, replace(FINE, totals=Totals(1_000, 51)), Verdict.HOLDS),
        (Condition.RATE_BELOW, 95, replace(FINE, totals=Totals(1_000, 50)), Verdict.CLEAR),  # exactly 95 %
        (Condition.RATE_BELOW, 95, replace(STALE, totals=Totals(1_000, 500)), Verdict.UNKNOWN),
        (Condition.RATE_BELOW, 95, replace(FINE, totals=Totals(0, 0)), Verdict.UNKNOWN),  # an emptied table heals nothing
        (Condition.STATUS_IS, 0, replace(FINE, status=Status.CRITICAL), Verdict.HOLDS),
        (Condition.STATUS_IS, 0, STALE, Verdict.UNKNOWN),
        (Condition.VIOLATIONS_ABOVE, 10, replace(FINE, totals=Totals(1_000, 11)), Verdict.HOLDS),
        (Condition.VIOLATIONS_ABOVE, 10, replace(FINE, totals=Totals(1_000, 10)), Verdict.CLEAR),
        (Condition.VIOLATIONS_ABOVE, 10, STALE, Verdict.UNKNOWN),
        (Condition.FAILED_CHECKS, 2, replace(STALE, failed_attempts=2), Verdict.HOLDS),
        (Condition.FAILED_CHECKS, 2, replace(STALE, failed_attempts=1), Verdict.CLEAR),
        (Condition.FAILED_CHECKS, 2, STALE, Verdict.UNKNOWN),  # nobody tries any more
        (Condition.CHECKS_LATE, 3, replace(STALE, completed_at=NOON - 3 * FIVE), Verdict.CLEAR),
        (Condition.CHECKS_LATE, 3, replace(STALE, completed_at=NOON - 3 * FIVE - timedelta(seconds=1)), Verdict.HOLDS),
        (Condition.CHECKS_LATE, 3, replace(STALE, completed_at=NOON + 2 * FIVE), Verdict.UNKNOWN),  # the clock was set back
        (Condition.PAIRS_DROPPED, 20, replace(FINE, totals=Totals(799, 0)), Verdict.HOLDS),
        (Condition.PAIRS_DROPPED, 20, replace(FINE, totals=Totals(800, 0)), Verdict.CLEAR),
        (Condition.PAIRS_DROPPED, 20, replace(FINE, totals=Totals(0, 0), status=Status.UNKNOWN), Verdict.HOLDS),
        (Condition.PAIRS_DROPPED, 20, replace(FINE, usual_pairs=None), Verdict.UNKNOWN),
        (Condition.VIOLATION_OLDER, 24, replace(FINE, oldest_violation=NOON - timedelta(hours=25)), Verdict.HOLDS),
        (Condition.VIOLATION_OLDER, 24, replace(FINE, oldest_violation=NOON - timedelta(hours=24)), Verdict.CLEAR),
        (Condition.VIOLATION_OLDER, 24, replace(FINE, totals=Totals(0, 0), status=Status.UNKNOWN), Verdict.UNKNOWN),
        (Condition.VIOLATION_OLDER, 24, replace(STALE, oldest_violation=NOON - timedelta(hours=25)), Verdict.UNKNOWN),
    ],
)
def test_a_condition_holds_from_its_bound_on_and_never_says_clear_of_what_nobody_knows(
    condition: Condition, than: float, seen: Seen, verdict: Verdict
) -> None:
    assert judge(rule(condition, than), seen).verdict is verdict


def test_few_pairs_do_not_make_a_percentage_flap() -> None:
    """Of 10 pairs one is 10 percent."""
    careful = rule(Condition.RATE_BELOW, 95, at_least=3)
    assert judge(careful, replace(FINE, totals=Totals(10, 2))).verdict is Verdict.CLEAR
    assert judge(careful, replace(FINE, totals=Totals(10, 3))).verdict is Verdict.HOLDS


def test_a_condition_counts_from_the_check_that_told() -> None:
    judged = judge(rule(Condition.VIOLATIONS_ABOVE, 10), replace(FINE, totals=Totals(1_000, 11)))
    assert judged.since == NOON - FIVE
    failing = replace(STALE, failed_attempts=2, failing_since=NOON - 2 * FIVE)
    assert judge(rule(Condition.FAILED_CHECKS, 2), failing).since == NOON - 2 * FIVE
    unknown = replace(STALE, unknown_since=NOON - timedelta(minutes=1))
    assert judge(rule(Condition.STATUS_IS, status=Status.UNKNOWN), unknown).since == NOON - timedelta(minutes=1)
