"""How often is too often."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.api.budget import Budget
from tests.examples import examples


class Seconds:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_turns_come_back_evenly_over_a_minute() -> None:
    seconds = Seconds()
    budget = Budget(6, seconds)
    assert [budget.take("a") for _ in range(7)] == [None] * 6 + [10.0]
    assert budget.take("b") is None, "everybody has a budget of one's own"
    seconds.now += 9
    assert budget.take("a") == pytest.approx(1.0)
    seconds.now += 1
    assert (budget.take("a"), budget.take("a")) == (None, 10.0)
    seconds.now += 3_600
    assert [budget.take("a") for _ in range(7)] == [None] * 6 + [10.0], "no more is saved up than a minute's"


@given(st.integers(1, 60), st.lists(st.floats(0, 30), max_size=60))
@settings(max_examples=examples(100))
def test_no_more_than_two_minutes_worth_pass_in_any_minute(per_minute: int, pauses: list[float]) -> None:
    seconds = Seconds()
    budget, taken = Budget(per_minute, seconds), []
    for pause in pauses:
        seconds.now += pause
        wait = budget.take("a")
        if wait is None:
            taken.append(seconds.now)
        else:
            assert 0 < wait <= 60 / per_minute
    for moment in taken:
        assert sum(moment - 60 <= other <= moment for other in taken) <= 2 * per_minute


def test_forgotten_keys_take_no_room() -> None:
    budget = Budget(1, Seconds())
    for key in range(12_000):
        budget.take(key)
    assert len(budget._left) == 10_000
    assert budget.take(11_999) is not None, "those that were used last are remembered"
