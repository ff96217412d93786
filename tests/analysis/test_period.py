"""A period's figures; and they stay what they were when single checks go and only the sums of their days are left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.objective import Objective
from core.analysis.period import (
    DAY,
    Day,
    EpisodeFigures,
    PeriodFigures,
    between_days,
    midnight,
    period_figures,
    within,
)
from core.analysis.sums import Sums, TimeClass, sums_of
from core.analysis.trend import trend
from core.status import DEFAULT_THRESHOLDS
from core.timeline import Timeline
from tests.analysis.readings import FRESH_FOR, MIDNIGHT, MINUTE, SCHEDULE, Reading, every, histories, moments, timeline_of
from tests.examples import examples
from tests.frozen_clock import NOON

HOUR = 60 * MINUTE
NOTHING = EpisodeFigures()
MUCH_LATER = MIDNIGHT + 40 * DAY


def figures(timeline: Timeline, start: datetime, end: datetime, **options: Any) -> PeriodFigures:
    options = {"episodes": NOTHING, "until": MUCH_LATER} | options
    return period_figures(
        timeline, start, end, schedule=SCHEDULE, thresholds=DEFAULT_THRESHOLDS, objective=Objective(), **options
    )


def test_a_period_tells_what_ran_of_what_should_have_and_which_rows_it_comes_from() -> None:
    found = figures(timeline_of(every(5 * MINUTE, [0, 3, None, 0])), NOON, NOON + HOUR)
    assert (found.expected, found.ran_of_expected, found.known) == (12, 4, True)
    assert (found.first_number, found.last_number) == (1, 4)
    assert (found.stretch_count, found.time_below_healthy) == (1, 10 * MINUTE)
    assert (found.budget.end, found.dropped_days) == (NOON + HOUR, 0)


def test_a_period_without_checks_is_not_one_hundred_percent() -> None:
    found = figures(Timeline.empty(), NOON, NOON + DAY)
    assert (found.known, found.expected, found.ran_of_expected) == (False, 288, 0)
    assert found.sums.mean_rate(DEFAULT_THRESHOLDS) is None
    assert found.sums.time(TimeClass.NO_DATA) == DAY
    assert (found.first_number, found.last_number, found.budget.kept) == (None, None, None)


def test_only_the_longest_stretches_are_listed_and_all_are_counted() -> None:
    found = figures(timeline_of(every(5 * MINUTE, [0, 3] * 15)), NOON, NOON + 5 * HOUR)
    assert (len(found.stretches), found.stretch_count) == (10, 15)
    assert found.time_below_healthy == 14 * 5 * MINUTE, "the last is seen once"


def split(readings: list[Reading], days: set[int]) -> tuple[Timeline, dict[Any, Day]]:
    """What is left when the single checks of some days go: the rest, and those days' sums."""
    whole = timeline_of(readings)
    dropped = {}
    for number in days:
        start = MIDNIGHT + number * DAY
        part = whole.between(start, start + DAY)
        sums = sums_of(whole, start, start + DAY, FRESH_FOR, DEFAULT_THRESHOLDS, MUCH_LATER)
        dropped[start.date()] = Day(sums, NOTHING, part[-1:])
    left = [row for row in readings if row.at.date() not in dropped]
    return timeline_of(left), dropped


@settings(max_examples=examples(150))
@given(histories(), st.sets(st.integers(0, 5)), st.integers(-1, 4), st.integers(0, 6))
def test_sums_stay_what_they_were_when_single_checks_go(readings: list[Reading], days: set[int], first: int, length: int) -> None:
    start, end = MIDNIGHT + first * DAY, MIDNIGHT + (first + length) * DAY
    rest, dropped = split(readings, days)
    before, after = figures(timeline_of(readings), start, end), figures(rest, start, end, dropped=dropped)
    assert after.sums == before.sums
    assert (after.expected, after.ran_of_expected) == (before.expected, before.ran_of_expected)
    assert after.dropped_days == len([day for day in dropped if start <= midnight(day) < end])


@settings(max_examples=examples(100))
@given(st.sets(st.integers(0, 6)), moments, moments)
def test_days_and_what_lies_between_them_are_the_whole(days: set[int], one: datetime, other: datetime) -> None:
    start, end = sorted((one, other))
    inside = within({(MIDNIGHT + number * DAY).date(): Day(Sums(), NOTHING, Timeline.empty()) for number in days}, start, end)
    rest = list(between_days(inside, start, end))
    assert sum((last - first for first, last in rest), len(inside) * DAY) == end - start
    assert all(first <= last for first, last in rest)
    assert rest[-1][1] == end


def test_lives_add_up_and_what_is_open_is_the_later_one_s() -> None:
    early = EpisodeFigures(5, 1, 3, 9, 100, 60, 2, NOON)
    late = EpisodeFigures(2, 0, 4, 7, 300, 250, 1, NOON + HOUR)
    assert early + late == EpisodeFigures(7, 1, 7, 7, 400, 250, 3, NOON + HOUR)
    assert (early + late).mean_time_to_repair == timedelta(seconds=57)
    assert (NOTHING.mean_time_to_repair, NOTHING.longest_time_to_repair) == (None, None)
    assert replace(early, healed=0).longest_time_to_repair is None


@settings(max_examples=examples(60))
@given(histories(), st.integers(0, 5))
def test_the_trend_shows_a_point_for_each_day_that_was_dropped(readings: list[Reading], days: int) -> None:
    rest, dropped = split(readings, set(range(days)))
    end = MIDNIGHT + 20 * DAY
    whole = trend(timeline_of(readings), MIDNIGHT, end, FRESH_FOR, DEFAULT_THRESHOLDS)
    reduced = trend(rest, MIDNIGHT, end, FRESH_FOR, DEFAULT_THRESHOLDS, dropped={d: day.sums for d, day in dropped.items()})
    points = [point for point in reduced.points if point.number is None]
    assert [point.start for point in points] == [midnight(day) for day in sorted(dropped)]
    assert sum(point.attempts for point in reduced.points) == len(readings)
    assert (reduced.failed, reduced.worst) == (whole.failed, pytest.approx(whole.worst))
    assert reduced.worst_at == whole.worst_at or reduced.worst == pytest.approx(whole.worst)
    assert [point.number for point in reduced.points if point.number is not None] == [
        point.number for point in whole.points if point.start >= MIDNIGHT + days * DAY
    ]


def test_a_point_of_the_trend_names_its_worst_reading() -> None:
    readings = every(5 * MINUTE, [0, 3, 1, None, None, 2])
    (only,) = trend(timeline_of(readings), NOON, NOON + HOUR, FRESH_FOR, DEFAULT_THRESHOLDS, 1).points
    assert only.number == 2
    failed = trend(timeline_of(readings), NOON + 15 * MINUTE, NOON + 20 * MINUTE, FRESH_FOR, DEFAULT_THRESHOLDS, 1).points
    assert [point.number for point in failed] == [4]
