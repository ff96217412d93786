"""The analysis in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dashboard import wording_analysis as wording
from dashboard.wording import UNBROKEN


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
