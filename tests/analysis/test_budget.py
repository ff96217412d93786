"""The error budget, from the integers."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.budget import PACES, Budget, budget_at
from core.analysis.objective import Objective
from core.model import Status
from core.status import DEFAULT_THRESHOLDS
from core.timeline import Timeline
from tests.analysis.readings import MINUTE, Reading, every, histories, moments, timeline_of
from tests.examples import examples
from tests.frozen_clock import NOON

DAY = timedelta(days=1)
OBJECTIVE = Objective(Decimal(99), 30 * DAY)
HALF_AND_HALF = every(5 * MINUTE, [0, 5] * 50)


def at(end: datetime, readings: list[Reading], objective: Objective = OBJECTIVE) -> Budget:
    return budget_at(timeline_of(readings), end, objective, DEFAULT_THRESHOLDS, timedelta(0))


@settings(max_examples=examples(100))
@given(histories(), moments, st.sampled_from(["50", "90", "99", "99.9", "99.999"]), st.integers(1, 9))
def test_the_budget_is_that_of_a_walk_through_the_rows(readings: list[Reading], end: datetime, percent: str, days: int) -> None:
    found = at(end, readings, Objective(Decimal(percent), days * DAY))
    inside = [row for row in readings if end - days * DAY <= row.at < end and not row.in_maintenance]
    bad = sum(row.status is not Status.HEALTHY for row in inside)
    allowed = len(inside) * (1 - Fraction(percent) / 100)
    assert (found.attempts, found.bad) == (len(inside), bad)
    assert found.kept == ((bad <= allowed) if inside else None)
    assert found.left_percent == (floor(100 * (allowed - bad) / allowed) if inside else None)
    assert [pace.length for pace in found.paces] == list(PACES)
    for pace in found.paces:
        tried = [row for row in readings if end - pace.length <= row.at < end and not row.in_maintenance]
        wrong = sum(row.status is not Status.HEALTHY for row in tried)
        assert (pace.attempts, pace.bad) == (len(tried), wrong)
        if not tried:
            assert pace.burn_rate is None
        else:
            assert pace.burn_rate == pytest.approx(
                Decimal(wrong) / len(tried) / (1 - Decimal(percent) / 100), rel=Decimal("1e-20")
            )


def test_a_budget_that_is_just_used_up_is_kept() -> None:
    used_up = at(NOON + DAY, every(MINUTE, [5, *[0] * 99]))
    assert (used_up.allowed, used_up.kept, used_up.left_percent) == (1, True, 0)
    assert used_up.paces[2].burn_rate == 1, "one uses it up exactly by the window's end"


def test_a_budget_that_is_overdrawn_by_less_than_a_percent_does_not_read_as_nothing_left() -> None:
    overdrawn = at(NOON + DAY, every(timedelta(seconds=1), [5] * 201 + [0] * 19_899))
    assert (overdrawn.bad, overdrawn.allowed, overdrawn.kept) == (201, 201, True)
    beyond = at(NOON + DAY, every(timedelta(seconds=1), [5] * 201 + [0] * 19_898))
    assert (beyond.kept, beyond.left_percent) == (False, -1)


def test_failed_and_empty_checks_use_the_budget_up_as_well() -> None:
    readings = [*every(5 * MINUTE, [0, None]), Reading(NOON + 10 * MINUTE, 3, 0)]
    assert (at(NOON + DAY, readings).attempts, at(NOON + DAY, readings).bad) == (3, 2)


def test_the_window_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    one = [Reading(NOON, 1, 100, 50)]
    assert at(NOON, one).attempts == 0
    assert at(NOON + 30 * DAY, one).attempts == 1
    assert at(NOON + 30 * DAY + timedelta(microseconds=1), one).attempts == 0


def test_without_a_check_nothing_is_kept_and_nothing_broken() -> None:
    nothing = budget_at(Timeline.empty(), NOON, OBJECTIVE, DEFAULT_THRESHOLDS, OBJECTIVE.window)
    assert (nothing.kept, nothing.left_percent, nothing.allowed) == (None, None, 0)
    assert {pace.burn_rate for pace in nothing.paces} == {None}
    assert (nothing.start, nothing.end) == (NOON - 30 * DAY, NOON)


@pytest.mark.parametrize(("unknown", "bad", "kept"), [(15, 0, True), (16, 0, None), (30, 0, None), (30, 5, False), (0, 5, False)])
def test_a_few_good_checks_keep_no_promise_of_a_month_about_which_nothing_is_known(
    unknown: int, bad: int, kept: bool | None
) -> None:
    """What is known to be bad is said, whatever else is unknown."""
    readings = timeline_of(every(5 * MINUTE, [bad] * 10))
    assert budget_at(readings, NOON + DAY, OBJECTIVE, DEFAULT_THRESHOLDS, unknown * DAY).kept is kept
