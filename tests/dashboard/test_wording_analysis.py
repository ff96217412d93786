"""The analysis in words."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.analysis.budget import budget_at
from core.analysis.objective import Objective
from core.status import DEFAULT_THRESHOLDS
from dashboard import wording_analysis as wording
from dashboard.wording import UNBROKEN
from tests.analysis.readings import MINUTE, every, timeline_of
from tests.frozen_clock import NOON


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (-1, f"overdrawn by 1{UNBROKEN}%"),
        (-999, f"overdrawn by 999{UNBROKEN}%"),
        (-1_000, "used up 11 times over"),
        (-9_900, "used up 100 times over"),
    ],
)
def test_a_budget_that_is_overdrawn_by_far_is_told_in_whole_budgets(left: int, words: str) -> None:
    assert wording.overdrawn(Decimal(left)) == words


def of_checks(bads: list[int]) -> str:
    """Checks every five minutes up to now, each with so many of a hundred pairs apart."""
    start = NOON - len(bads) * 5 * MINUTE
    budget = budget_at(timeline_of(every(5 * MINUTE, bads, start)), NOON, Objective(), DEFAULT_THRESHOLDS, timedelta(0))
    return wording.budget_in_words(budget).replace(UNBROKEN, " ")


@pytest.mark.parametrize(
    ("bads", "of_budget", "lately", "rest"),
    [
        ([0] * 60, "60 checks in 30 d, none may be anything but healthy; none was", "0 of 60 were not healthy, 0.0 ×", ""),
        ([5] + [0] * 499, "500 checks in 30 d, 5 may be anything but healthy; 1 was, so 4 may still be", "0 of 288 were", ""),
        (
            [0] * 990 + [5] * 6 + [0] * 4,
            "1\u202f000 checks in 30 d, 10 may be anything but healthy; 6 were, so 4 may still be",
            "6 of 288 were not healthy, 2.1 ×",
            ": what is left lasts 5 d 18 h at this pace",
        ),
        ([0] * 990 + [5] * 10, "10 may be anything but healthy; 10 were.", "10 of 288 were not healthy, 3.5 ×", ""),
        ([0] * 90 + [5] * 10, "1 may be anything but healthy; 10 were, more than it allows.", "10 of 100 were", ""),
    ],
)
def test_budget_and_burn_rate_are_explained_in_plain_sentences(bads: list[int], of_budget: str, lately: str, rest: str) -> None:
    words = of_checks(bads)
    assert words.startswith("<b>Error budget</b>: of the ")
    assert of_budget in words
    assert f"<b>Burn rate</b>: in the last day {lately}" in words
    assert words.endswith(f" the pace that uses the whole budget up in just 30 d{rest}.")


def test_without_a_check_there_is_no_budget_to_explain() -> None:
    assert of_checks([]) == ""
