"""Hours and weekdays as the viewer's clock shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.heat import HeatMap, Standout, heat_map, standout
from core.model import Status
from core.status import DEFAULT_THRESHOLDS
from tests.analysis.readings import MINUTE, Reading, every, histories, moments, timeline_of
from tests.examples import examples
from tests.frozen_clock import NOON

BUDAPEST, KATHMANDU = ZoneInfo("Europe/Budapest"), ZoneInfo("Asia/Kathmandu")


def heat(readings: list[Reading], start: datetime, end: datetime, zone: ZoneInfo) -> HeatMap:
    return heat_map(timeline_of(readings), start, end, zone, DEFAULT_THRESHOLDS)


@settings(max_examples=examples(100))
@given(histories(), moments, moments, st.sampled_from([BUDAPEST, KATHMANDU, ZoneInfo("UTC"), ZoneInfo("America/New_York")]))
def test_every_check_stands_in_the_hour_that_its_viewer_s_clock_showed(
    readings: list[Reading], one: datetime, other: datetime, zone: ZoneInfo
) -> None:
    start, end = sorted((one, other))
    attempts, unhealthy = np.zeros((7, 24)), np.zeros((7, 24))
    violations: dict[tuple[int, int], list[int]] = {}
    for row in (row for row in readings if start <= row.at < end and not row.in_maintenance):
        local = row.at.astimezone(zone)
        cell = local.weekday(), local.hour
        attempts[cell] += 1
        unhealthy[cell] += row.status is not Status.HEALTHY
        if row.compared:
            violations.setdefault(cell, []).append(row.bad)
    found = heat(readings, start, end, zone)
    assert np.array_equal(found.attempts, attempts)
    assert np.array_equal(found.unhealthy, unhealthy)
    means = np.full((7, 24), np.nan)
    for cell, bads in violations.items():
        means[cell] = sum(bads) / len(bads)
    assert np.allclose(found.violations, means, equal_nan=True)
    with np.errstate(invalid="ignore"):
        assert np.array_equal(found.unhealthy_percent, 100 * unhealthy / attempts, equal_nan=True)


def test_the_hour_that_the_clock_shows_twice_holds_the_checks_of_both() -> None:
    """On 26 October 2025 the hour from two to three came twice in Budapest."""
    night = datetime(2025, 10, 25, 22, tzinfo=UTC)
    found = heat(every(5 * MINUTE, [0] * 72, night), night, night + timedelta(hours=6), BUDAPEST)
    assert found.attempts[6].tolist()[:6] == [12, 12, 24, 12, 12, 0]


@pytest.mark.parametrize("zone", [BUDAPEST, KATHMANDU])
def test_no_history_is_an_empty_map(zone: ZoneInfo) -> None:
    empty = heat([], NOON, NOON + timedelta(days=7), zone)
    assert empty.attempts.sum() == 0
    assert np.isnan(empty.unhealthy_percent).all()
    assert np.isnan(empty.violations).all()


def night_map(bad: dict[tuple[int, int], int], usual: int = 0) -> HeatMap:
    """A hundred checks in every hour of the week, with so many unhealthy ones in some."""
    unhealthy = np.full((7, 24), usual)
    for cell, count in bad.items():
        unhealthy[cell] = count
    return HeatMap(np.full((7, 24), 100), unhealthy, np.zeros((7, 24)))


def test_an_hour_of_one_weekday_stands_out() -> None:
    assert standout(night_map({(1, 2): 34}, usual=1)) == Standout(1, 2, 34.0, 1.0)


def test_an_hour_of_most_days_is_named_without_a_weekday() -> None:
    nightly = standout(night_map({(day, 3): 30 + day for day in range(6)}))
    assert nightly is not None
    assert (nightly.weekday, nightly.hour, round(nightly.percent)) == (None, 3, 28)


@pytest.mark.parametrize(
    ("bad", "usual"),
    [({}, 0), ({(1, 2): 4}, 0), ({(1, 2): 9}, 0), ({(1, 2): 30}, 11), ({}, 100)],
    ids=["no trouble", "too few to tell", "less than a tenth", "not three times the rest", "trouble everywhere"],
)
def test_nothing_stands_out_without_reason(bad: dict[tuple[int, int], int], usual: int) -> None:
    assert standout(night_map(bad, usual)) is None


def test_nothing_stands_out_of_nothing() -> None:
    assert standout(heat([], NOON, NOON + timedelta(days=7), BUDAPEST)) is None
