"""Sums against a walk row by row; and a month is what its days add up to, however it is cut."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.sums import Sums, TimeClass, Worst, sums_of
from core.model import Status
from core.status import DEFAULT_THRESHOLDS
from core.timeline import Timeline
from tests.analysis.readings import FRESH_FOR, MIDNIGHT, MINUTE, Reading, every, histories, moments, timeline_of
from tests.examples import examples
from tests.frozen_clock import NOON

HOUR = 60 * MINUTE
CLASS_OF = {
    Status.HEALTHY: TimeClass.HEALTHY,
    Status.DEGRADED: TimeClass.DEGRADED,
    Status.CRITICAL: TimeClass.CRITICAL,
    Status.UNKNOWN: TimeClass.NO_DATA,
}


def summed(readings: list[Reading], start: datetime, end: datetime, until: datetime | None = None) -> Sums:
    return sums_of(timeline_of(readings), start, end, FRESH_FOR, DEFAULT_THRESHOLDS, until)


def walk(readings: list[Reading], start: datetime, end: datetime, until: datetime) -> Sums:
    """The same, one row after another."""
    rows = sorted(readings)
    ran = [row for row in rows if start <= row.at < end]
    inside = [row for row in ran if not row.in_maintenance]
    by_status = Counter(row.status for row in inside if row.total >= 0)
    lowest = min((row for row in inside if row.compared), key=lambda row: (row.share, row.at, row.number), default=None)
    time: Counter[TimeClass] = Counter()
    clock = start
    for row, following in pairwise([*rows, Reading(max(until, rows[-1].at), 0, -1)] if rows else []):
        held_from, held_to = max(row.at, start), min(following.at, end)
        if held_from >= held_to:
            continue
        time[TimeClass.NO_DATA] += (held_from - clock) // timedelta(microseconds=1)
        kind = CLASS_OF[row.status]
        if row.imported and row.compared:
            kind = TimeClass.LOGS_ONLY
        if row.in_maintenance:
            kind = TimeClass.MAINTENANCE
        if following.at - row.at > FRESH_FOR:
            kind = TimeClass.NO_DATA
        time[kind] += (held_to - held_from) // timedelta(microseconds=1)
        clock = held_to
    time[TimeClass.NO_DATA] += max((end - clock) // timedelta(microseconds=1), 0)
    return Sums(
        healthy=by_status[Status.HEALTHY],
        degraded=by_status[Status.DEGRADED],
        critical=by_status[Status.CRITICAL],
        empty=by_status[Status.UNKNOWN],
        failed=sum(row.total < 0 for row in inside),
        imported=sum(row.imported for row in inside),
        in_maintenance=len(ran) - len(inside),
        agreeing=sum(row.total - row.bad for row in inside if row.compared),
        compared=sum(row.total for row in inside if row.compared),
        most_violations=max((row.bad for row in inside if row.compared), default=0),
        worst=Worst(lowest.number, lowest.at, lowest.total - lowest.bad, lowest.total) if lowest else None,
        microseconds={kind: length for kind, length in time.items() if length},
    )


@settings(max_examples=examples(150))
@given(histories(), moments, moments, moments)
def test_sums_are_those_of_a_walk_through_the_rows(
    readings: list[Reading], one: datetime, other: datetime, until: datetime
) -> None:
    start, end = sorted((one, other))
    found, right = summed(readings, start, end, until), walk(readings, start, end, max(until, end))
    assert found == right
    assert sum(found.microseconds.values()) == (end - start) // timedelta(microseconds=1)
    assert found.ran == sum(start <= row.at < end for row in readings)


@settings(max_examples=examples(150))
@given(histories(), st.lists(moments, min_size=2, max_size=6))
def test_the_whole_is_what_its_parts_add_up_to(readings: list[Reading], cuts: list[datetime]) -> None:
    cuts = sorted(cuts)
    now = cuts[-1]
    parts = [summed(readings, start, end, now) for start, end in pairwise(cuts)]
    assert sum(parts, Sums()) == summed(readings, cuts[0], cuts[-1], now)
    assert sum(reversed(parts), Sums()) == sum(parts, Sums())


@settings(max_examples=examples(50))
@given(histories())
def test_sums_are_read_back_from_json_as_they_were(readings: list[Reading]) -> None:
    sums = summed(readings, MIDNIGHT, MIDNIGHT + timedelta(days=3))
    assert Sums.from_json(json.loads(json.dumps(sums.as_json()))) == sums


def test_nothing_is_nothing() -> None:
    empty = sums_of(Timeline.empty(), NOON, NOON + HOUR, FRESH_FOR, DEFAULT_THRESHOLDS)
    assert empty == Sums(microseconds={TimeClass.NO_DATA: 3_600_000_000})
    assert (empty.attempts, empty.healthy_share, empty.mean_rate(DEFAULT_THRESHOLDS)) == (0, None, None)
    assert empty.worst_rate(DEFAULT_THRESHOLDS) is None
    assert summed([], NOON, NOON).microseconds == {}


def test_time_without_a_check_is_never_healthy() -> None:
    sums = summed(every(5 * MINUTE, [0, 0]), NOON - HOUR, NOON + 2 * HOUR)
    assert sums.time(TimeClass.HEALTHY) == 5 * MINUTE, "after the newest nobody looked for two hours"
    assert sums.time(TimeClass.NO_DATA) == 3 * HOUR - 5 * MINUTE


def test_the_newest_status_holds_up_to_now_while_it_is_fresh() -> None:
    readings = every(5 * MINUTE, [0, 3])
    now = NOON + 5 * MINUTE + FRESH_FOR
    assert summed(readings, NOON, now).time(TimeClass.DEGRADED) == FRESH_FOR
    assert summed(readings, NOON, now + timedelta(microseconds=1)).time(TimeClass.DEGRADED) == timedelta(0)


def test_a_failed_check_ends_what_was_known_until_the_next_answer() -> None:
    sums = summed(every(5 * MINUTE, [0, None, None, 0]), NOON, NOON + 20 * MINUTE)
    assert sums.microseconds == {TimeClass.HEALTHY: 600_000_000, TimeClass.NO_DATA: 600_000_000}
    assert (sums.failed, sums.completed, sums.attempts, sums.unhealthy) == (2, 2, 4, 2)


def test_between_two_logs_of_the_earlier_system_only_logs_are_known() -> None:
    logs = [Reading(NOON + number * 5 * MINUTE, number, 100, 7, imported=True) for number in range(3)]
    sums = summed(logs, NOON, NOON + 15 * MINUTE)
    assert sums.microseconds == {TimeClass.LOGS_ONLY: 900_000_000}
    assert (sums.critical, sums.imported) == (3, 3)


def test_a_check_counts_where_it_began() -> None:
    readings = every(5 * MINUTE, [0, 0, 0])
    assert summed(readings, NOON, NOON + 10 * MINUTE).healthy == 2, "the end does not belong to it, the start does"


def test_a_share_of_healthy_checks_is_never_rounded_up() -> None:
    assert Sums(healthy=99_999, failed=1).healthy_share == Decimal("99.99")
    assert Sums(healthy=999_999, degraded=1).healthy_share == Decimal("99.99")
    assert Sums(healthy=3).healthy_share == 100


def test_a_mean_rate_weighs_every_comparison_and_never_rounds_up_to_100() -> None:
    assert Sums(agreeing=999_999, compared=1_000_000).mean_rate(DEFAULT_THRESHOLDS) == Decimal("99.99")
    assert Sums(agreeing=148, compared=150).mean_rate(DEFAULT_THRESHOLDS) == Decimal("98.67")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_rates_that_are_equal_as_floats_are_told_apart(order: tuple[int, int]) -> None:
    """3·10⁹ pairs and one more with one violation each: no float tells them apart, and the fewer pairs are the worse."""
    sizes = (3_000_000_000, 3_000_000_001)
    readings = [Reading(NOON + number * MINUTE, number, sizes[which], 1) for number, which in enumerate(order)]
    worst = summed(readings, NOON, NOON + HOUR).worst
    assert worst is not None
    assert worst.total == 3_000_000_000


def test_of_several_equally_bad_readings_the_first_is_the_worst() -> None:
    readings = [Reading(NOON, 9, 50, 1), Reading(NOON + MINUTE, 3, 100, 2), Reading(NOON, 4, 100, 2)]
    worst = summed(readings, NOON, NOON + HOUR).worst
    assert worst == Worst(4, NOON, 98, 100)
