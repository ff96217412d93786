"""History over time: small enough to draw, and no minimum lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.trend import MOST_POINTS, Trend, trend
from core.state import schema
from core.state.database import StateDatabase
from core.state.timeline import read as read_timeline
from core.status import DEFAULT_THRESHOLDS, reaches
from tests.examples import examples
from tests.frozen_clock import NOON
from tests.state.records import HERE, completed, failed, imported

FRESH_FOR = timedelta(minutes=11)
MINUTE = timedelta(minutes=1)


def read(
    state: StateDatabase, start: datetime, end: datetime, most_points: int = MOST_POINTS, watched: str | None = HERE
) -> Trend:
    with state.read() as connection:
        return trend(read_timeline(connection, watched, 0), start, end, FRESH_FOR, DEFAULT_THRESHOLDS, most_points)


def test_no_history_is_an_empty_trend(fresh_state: StateDatabase) -> None:
    empty = read(fresh_state, NOON, NOON + 60 * MINUTE)
    assert (list(empty.points), empty.worst, empty.worst_at, empty.failed) == ([], None, None, 0)
    assert [(gap.start, gap.end, gap.unknown) for gap in empty.gaps] == [(NOON, NOON + 60 * MINUTE, True)]
    assert (empty.below_healthy, empty.unknown) == (timedelta(0), 60 * MINUTE)


def test_few_attempts_are_a_point_each(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON, 1_000, 0)
    completed(fresh_state, NOON + 5 * MINUTE, 1_000, 1)
    failed(fresh_state, NOON + 10 * MINUTE)
    completed(fresh_state, NOON + 15 * MINUTE, 0, 0)
    points = read(fresh_state, NOON, NOON + 15 * MINUTE).points
    assert [(point.lowest, point.usual, point.violations, point.failed, point.attempts) for point in points] == [
        (100.0, 100.0, 0, 0, 1),
        (99.9, 99.9, 1, 0, 1),
        (None, None, None, 1, 1),
        (None, None, 0, 0, 1),
    ]
    assert [point.start for point in points] == [NOON + 5 * number * MINUTE for number in range(4)]


def test_the_ends_belong_to_it(fresh_state: StateDatabase) -> None:
    for minutes in (0, 5, 10):
        completed(fresh_state, NOON + minutes * MINUTE)
    assert len(read(fresh_state, NOON, NOON + 10 * MINUTE).points) == 3
    assert len(read(fresh_state, NOON + timedelta(seconds=1), NOON + 9 * MINUTE).points) == 1


def test_a_silence_is_a_gap(fresh_state: StateDatabase) -> None:
    for minutes in (0, 5, 16, 28, 33):  # eleven minutes are still fresh, twelve are not
        completed(fresh_state, NOON + minutes * MINUTE)
    gaps = read(fresh_state, NOON, NOON + 40 * MINUTE).gaps
    assert [(gap.start, gap.end, gap.unknown) for gap in gaps] == [(NOON + 16 * MINUTE, NOON + 28 * MINUTE, True)]


def test_the_silence_before_the_first_check_and_after_the_last_is_a_gap(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON)
    gaps = read(fresh_state, NOON - 12 * MINUTE, NOON + 60 * MINUTE).gaps
    assert {(gap.start, gap.end, gap.unknown) for gap in gaps} == {
        (NOON - 12 * MINUTE, NOON, True),
        (NOON, NOON + 60 * MINUTE, True),
    }


def test_nothing_is_known_from_a_failed_check_to_the_next_answer(fresh_state: StateDatabase) -> None:
    """Half a day without the database is half a day unknown, though somebody asked every five minutes."""
    completed(fresh_state, NOON)
    for minutes in (5, 10, 15):
        failed(fresh_state, NOON + minutes * MINUTE)
    completed(fresh_state, NOON + 20 * MINUTE)
    completed(fresh_state, NOON + 25 * MINUTE, 0, 0)
    found = read(fresh_state, NOON, NOON + 30 * MINUTE)
    assert [(gap.start, gap.end, gap.unknown) for gap in found.gaps] == [
        (NOON + 5 * MINUTE, NOON + 20 * MINUTE, True),
        (NOON + 25 * MINUTE, NOON + 30 * MINUTE, True),
    ]
    assert found.unknown == 20 * MINUTE


def test_many_short_failures_in_a_row_are_one_gap_that_a_long_chart_shows(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON)
    for minutes in range(5, 400, 5):
        failed(fresh_state, NOON + minutes * MINUTE)
    completed(fresh_state, NOON + 400 * MINUTE)
    gaps = read(fresh_state, NOON, NOON + 405 * MINUTE, most_points=10).gaps
    assert [(gap.start, gap.end, gap.unknown) for gap in gaps] == [(NOON + 5 * MINUTE, NOON + 400 * MINUTE, True)]


def test_no_line_is_drawn_between_two_logs(fresh_state: StateDatabase) -> None:
    for minutes in (0, 5, 10):
        imported(fresh_state, NOON + minutes * MINUTE)
    completed(fresh_state, NOON + 15 * MINUTE)
    completed(fresh_state, NOON + 20 * MINUTE)
    gaps = read(fresh_state, NOON, NOON + 20 * MINUTE).gaps
    assert [(gap.start, gap.end, gap.unknown) for gap in gaps] == [
        (NOON, NOON + 5 * MINUTE, False),
        (NOON + 5 * MINUTE, NOON + 10 * MINUTE, False),
    ]
    points = read(fresh_state, NOON, NOON + 20 * MINUTE).points
    assert [point.imported for point in points] == [True, True, True, False, False]


def test_another_database_is_somebody_else_s_and_logs_are_everybody_s(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON)
    completed(fresh_state, NOON + MINUTE, bad=90, watched="elsewhere")
    imported(fresh_state, NOON + 2 * MINUTE, bad=5)
    here = read(fresh_state, NOON, NOON + 5 * MINUTE)
    assert len(here.points) == 2
    assert (here.worst, here.worst_at) == (95.0, NOON + 2 * MINUTE)
    assert len(read(fresh_state, NOON, NOON + 5 * MINUTE, watched=None).points) == 3


def test_time_below_healthy_is_what_checks_have_seen(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON, bad=0)
    completed(fresh_state, NOON + 5 * MINUTE, bad=3)
    completed(fresh_state, NOON + 10 * MINUTE, bad=7)
    failed(fresh_state, NOON + 15 * MINUTE)
    completed(fresh_state, NOON + 20 * MINUTE, bad=0)
    assert read(fresh_state, NOON, NOON + 60 * MINUTE).below_healthy == 10 * MINUTE
    completed(fresh_state, NOON + 25 * MINUTE, bad=9)
    completed(fresh_state, NOON + 60 * MINUTE, bad=0)
    assert read(fresh_state, NOON, NOON + 60 * MINUTE).below_healthy == 10 * MINUTE, "after a silence nobody knows how long"


END = 20_000  # seconds after noon

kinds = st.sampled_from(["check", "check", "check", "failed", "import", "empty"])
rows = st.lists(st.tuples(st.integers(0, END), kinds, st.integers(0, 100)), unique_by=lambda row: row[0], min_size=1, max_size=40)


def brute(history: list[tuple[int, str, int]]) -> dict[str, Any]:
    rates = [(100.0 - bad, at) for at, kind, bad in history if kind in ("check", "import")]
    limit = int(FRESH_FOR.total_seconds())
    gaps, below, unknown = [], 0, 0
    failed_at: int | None = None
    if history[0][0] > limit:
        gaps.append((0, history[0][0], True))
        unknown += history[0][0]
    for (at, kind, bad), (following, next_kind, _) in pairwise([*history, (END, "end", 0)]):
        if kind in ("failed", "empty"):
            failed_at = at if failed_at is None else failed_at
            unknown += following - at
            continue
        if failed_at is not None:
            gaps.append((failed_at, at, True))
            failed_at = None
        if following - at > limit:
            gaps.append((at, following, True))
            unknown += following - at
            continue
        if kind == next_kind == "import":
            gaps.append((at, following, False))
        if kind == "check" and not reaches(DEFAULT_THRESHOLDS.healthy, 100 - bad, 100):
            below += following - at
    if failed_at is not None:
        gaps.append((failed_at, END, True))
    return {
        "worst": min((rate for rate, _ in rates), default=None),
        "gaps": gaps,
        "below": below,
        "unknown": unknown,
        "failed": sum(kind == "failed" for _, kind, _ in history),
    }


def put(state: StateDatabase, history: list[tuple[int, str, int]]) -> None:
    values: list[dict[str, object]] = []  # as checks and imports leave them, in one transaction
    for at, kind, bad in history:
        total = {"failed": None, "empty": 0}.get(kind, 100)
        values.append(
            {
                "timestamp": NOON + timedelta(seconds=at),
                "total_checked": total,
                "consistent": total and total - bad,
                "inconsistent": total and bad,
                "outcome": {"failed": "failed", "empty": "empty"}.get(kind, "unhealthy"),
                "source": "import" if kind == "import" else "check",
                "watched": None if kind == "import" else HERE,
            }
        )
    with state.write() as connection:
        connection.execute(schema.history.delete())
        connection.execute(schema.history.insert(), values)


def holds(state: StateDatabase, history: list[tuple[int, str, int]], most_points: int) -> None:
    put(state, history)
    history = sorted(history)
    start, end = NOON, NOON + timedelta(seconds=END)
    found, right = read(state, start, end, most_points), brute(history)
    assert 1 <= len(found.points) <= most_points
    assert sum(point.attempts for point in found.points) == len(history)
    assert found.failed == right["failed"]
    assert found.worst == right["worst"]
    assert min((point.lowest for point in found.points if point.lowest is not None), default=None) == right["worst"]
    for point, following in pairwise(found.points):
        assert point.end < following.start, "stretches follow each other"
    for point in found.points:
        inside = [row for row in history if point.start <= NOON + timedelta(seconds=row[0]) <= point.end]
        rates = [100.0 - bad for _, kind, bad in inside if kind in ("check", "import")]
        assert point.attempts == len(inside)
        assert point.lowest == min(rates, default=None)
        assert point.usual == (pytest.approx(sum(rates) / len(rates)) if rates else None)
        assert point.imported is any(kind == "import" for _, kind, _ in inside)
    assert found.below_healthy == timedelta(seconds=right["below"])
    assert found.unknown == timedelta(seconds=right["unknown"])
    visible = END / (2 * most_points)
    first_edge = [gap for gap in right["gaps"] if gap[0] == 0 < history[0][0]]
    seen = [gap for gap in right["gaps"] if gap in first_edge or gap[1] - gap[0] > visible]
    gaps = [((gap.start - NOON).total_seconds(), (gap.end - NOON).total_seconds(), gap.unknown) for gap in found.gaps]
    assert sorted(gaps) == sorted(seen)


@settings(max_examples=examples(40))
@given(rows, st.sampled_from([1, 2, 3, 7, 20, 40, 900]))
def test_a_reduced_trend_loses_no_minimum_no_failure_and_no_gap(
    sqlite_state: StateDatabase, history: list[tuple[int, str, int]], most_points: int
) -> None:
    holds(sqlite_state, history, most_points)


def test_a_reduced_trend_loses_no_minimum_no_failure_and_no_gap_on_both_engines(fresh_state: StateDatabase) -> None:
    @settings(max_examples=examples(12))
    @given(rows, st.sampled_from([1, 2, 7, 40]))
    def loses_nothing(history: list[tuple[int, str, int]], most_points: int) -> None:
        holds(fresh_state, history, most_points)

    loses_nothing()


@pytest.mark.parametrize("most_points", [2, 5, 10])
def test_there_are_never_more_points_than_asked_for(fresh_state: StateDatabase, most_points: int) -> None:
    """Also between two moments that are no whole seconds."""
    start = NOON + timedelta(microseconds=900_000)
    for number in range(4 * most_points):
        completed(fresh_state, start + timedelta(seconds=number * 9.9 / (4 * most_points - 1)))
    assert len(read(fresh_state, start, start + timedelta(seconds=9.9), most_points).points) <= most_points


def test_years_of_checks_stay_small(sqlite_state: StateDatabase) -> None:
    """Two years of a check every five minutes would be 210,000 points; the one bad one among them must show."""
    values = {
        "outcome": "healthy", "source": "check", "watched": HERE, "total_checked": 1_000, "consistent": 1_000, "inconsistent": 0,
    }  # fmt: skip
    moments = [NOON + number * 5 * MINUTE for number in range(30_000)]
    with sqlite_state.write() as connection:
        connection.execute(schema.history.insert(), [{"timestamp": moment, **values} for moment in moments])
    worst_at = NOON + 12_345 * 5 * MINUTE + MINUTE
    completed(sqlite_state, worst_at, 1_000, 400)
    found = read(sqlite_state, moments[0], moments[-1])
    assert len(found.points) <= MOST_POINTS
    assert (found.worst, found.worst_at) == (60.0, worst_at)
    assert min(point.lowest for point in found.points if point.lowest is not None) == 60.0
    assert list(found.gaps) == []
