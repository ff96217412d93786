"""Stretches of trouble against a walk row by row, and where their violations began."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.stretches import Stretch, began_at, present_stretch, time_unhealthy, unhealthy_stretches
from core.model import Status
from core.status import DEFAULT_THRESHOLDS
from tests.analysis.readings import FRESH_FOR, MIDNIGHT, MINUTE, Reading, every, histories, moments, timeline_of
from tests.examples import examples
from tests.frozen_clock import NOON

HOUR = 60 * MINUTE


def stretches(readings: list[Reading], start: datetime = NOON, end: datetime = NOON + 10 * HOUR, **options: Any) -> list[Stretch]:
    return list(unhealthy_stretches(timeline_of(readings), start, end, FRESH_FOR, DEFAULT_THRESHOLDS, **options))


def walk(readings: list[Reading], start: datetime, end: datetime) -> list[tuple[datetime, datetime, bool, int, bool]]:
    """The same, one reading after another."""
    found = []
    run: list[Reading] = []

    def close(at: datetime, healed: bool) -> None:
        worst = min(run, key=lambda row: (row.share, row.at, row.number))
        found.append((run[0].at, at, healed, worst.number, any(row.status is Status.CRITICAL for row in run)))
        run.clear()

    before: Reading | None = None
    planned = False  # since the one before
    for row in (row for row in sorted(readings) if start <= row.at < end and (row.compared or row.in_maintenance)):
        if row.in_maintenance:
            planned = True
            continue
        late = before is not None and (row.at - before.at > FRESH_FOR or planned)
        planned = False
        if run and late and before is not None:
            close(before.at, healed=False)
        if row.status is not Status.HEALTHY:
            run.append(row)
        elif run:
            close(row.at, healed=True)
        before = row
    if run and before is not None:
        close(before.at, healed=False)
    return sorted(found, key=lambda stretch: (stretch[0] - stretch[1], stretch[0]))


@settings(max_examples=examples(200))
@given(histories(), moments, moments)
def test_stretches_are_those_of_a_walk_through_the_readings(readings: list[Reading], one: datetime, other: datetime) -> None:
    start, end = sorted((one, other))
    found = stretches(readings, start, end)
    assert [(s.start, s.end, s.healed, s.worst.number, s.critical) for s in found] == walk(readings, start, end)
    assert stretches(readings, start, end, most=2) == found[:2]
    assert time_unhealthy(found) == sum((s.length for s in found), timedelta(0))


def test_a_healthy_reading_ends_a_stretch() -> None:
    (only,) = stretches(every(5 * MINUTE, [0, 3, 7, 2, 0, 0]))
    assert (only.start, only.end, only.healed, only.critical) == (NOON + 5 * MINUTE, NOON + 20 * MINUTE, True, True)
    assert (only.worst.number, only.worst.consistent, only.length) == (3, 93, 15 * MINUTE)


def test_a_failed_check_within_a_stretch_does_not_end_it_but_a_silence_does() -> None:
    (only,) = stretches(every(5 * MINUTE, [3, None, 3, 0]))
    assert only.length == 15 * MINUTE
    torn = stretches(every(5 * MINUTE, [3, 3, None, None, 3, 0]))
    assert [(s.start, s.end, s.healed) for s in torn] == [
        (NOON, NOON + 5 * MINUTE, False),
        (NOON + 20 * MINUTE, NOON + 25 * MINUTE, True),
    ]


def test_a_stretch_that_goes_on_has_not_healed_and_ends_where_it_was_seen_last() -> None:
    (only,) = stretches(every(5 * MINUTE, [0, 3, 3]))
    assert (only.end, only.healed) == (NOON + 10 * MINUTE, False)


def test_what_lies_outside_the_period_does_not_count() -> None:
    readings = every(5 * MINUTE, [3, 3, 3, 3, 0])
    (only,) = stretches(readings, NOON + 5 * MINUTE, NOON + 15 * MINUTE)
    assert (only.start, only.end, only.healed) == (NOON + 5 * MINUTE, NOON + 10 * MINUTE, False)


@settings(max_examples=examples(100))
@given(histories(), moments, moments)
def test_the_present_stretch_is_the_one_that_the_newest_reading_belongs_to(
    readings: list[Reading], one: datetime, other: datetime
) -> None:
    start, end = sorted((one, other))
    compared = [row for row in sorted(readings) if start <= row.at < end and row.compared and not row.in_maintenance]
    found = present_stretch(timeline_of(readings), start, end, FRESH_FOR, DEFAULT_THRESHOLDS)
    if not compared or compared[-1].status is Status.HEALTHY:
        assert found is None
    else:
        assert found is not None
        assert (found.end, found.healed) == (compared[-1].at, False)
        assert found in stretches(readings, start, end)


def test_without_readings_there_is_no_stretch() -> None:
    assert stretches([]) == []
    assert stretches(every(5 * MINUTE, [None, None])) == []
    assert time_unhealthy([]) == timedelta(0)


def began(readings: list[Reading], start: datetime, end: datetime) -> datetime | None:
    return began_at(timeline_of(readings), start, end)


def test_trouble_began_where_violations_rose_most() -> None:
    readings = every(5 * MINUTE, [1, 2, 9, 10, 0])
    assert began(readings, NOON, NOON + HOUR) == NOON + 10 * MINUTE
    assert began(readings, NOON + 10 * MINUTE, NOON + HOUR) == NOON + 10 * MINUTE, "the reading before it lies outside"
    assert began(readings, NOON + 15 * MINUTE, NOON + 15 * MINUTE) == NOON + 15 * MINUTE, "one reading is a stretch"
    assert began(readings, NOON + 20 * MINUTE, NOON + HOUR) is None, "nothing rose"
    assert began([], NOON, NOON + HOUR) is None
    assert began(every(5 * MINUTE, [7]), NOON, NOON + HOUR) is None, "nothing is known of the time before"


@settings(max_examples=examples(100))
@given(histories(), moments, moments)
def test_the_beginning_is_the_steepest_rise(readings: list[Reading], one: datetime, other: datetime) -> None:
    start, end = sorted((one, other))
    rows = [row for row in sorted(readings) if row.compared]
    rises = [(row.bad - before.bad, row.at) for before, row in pairwise(rows) if start <= row.at <= end]
    steepest = max((rise for rise, _ in rises), default=0)
    expected = next(at for rise, at in rises if rise == steepest) if steepest > 0 else None
    assert began(readings, start, end) == expected


@given(st.integers(0, 40))
def test_the_first_reading_of_all_has_none_to_rise_from(bad: int) -> None:
    assert began([Reading(MIDNIGHT, 1, 100, bad)], MIDNIGHT, MIDNIGHT + HOUR) is None
