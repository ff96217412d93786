"""The drawn trend of a slide: nothing beside the drawing, and no line over what is not known."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from core.analysis.trend import Gap, Trend, TrendPoint
from core.status import DEFAULT_THRESHOLDS
from dashboard.presentation.picture import HEIGHT, WIDTH, picture_of
from tests.examples import examples
from tests.frozen_clock import NOON

UTC_ZONE, BUDAPEST = ZoneInfo("UTC"), ZoneInfo("Europe/Budapest")


def test_no_line_crosses_what_is_not_known() -> None:
    start = NOON - timedelta(days=30)
    points = [point(NOON - timedelta(days=days), 99.5) for days in (20, 19, 10, 9)]
    trend = Trend(
        start, NOON, points, [Gap(points[1].start, points[2].start, unknown=True)], timedelta(0), timedelta(0), 99.5, NOON
    )
    picture = picture_of(trend, DEFAULT_THRESHOLDS, UTC_ZONE)
    assert picture is not None
    assert re.sub(r"[\d. ]+", "", picture.line) == "MhLMhL"
    assert [(gap.start, gap.length) for gap in picture.gaps] == [(36.67, 30.0)]
    assert [key.name for key in picture.legend] == ["line", "gap"]


def test_nothing_is_drawn_when_nothing_was_tried() -> None:
    assert picture_of(Trend(NOON, NOON, (), (), timedelta(0), timedelta(0), None, None), DEFAULT_THRESHOLDS, UTC_ZONE) is None


def point(at: datetime, lowest: float | None, *, failed: int = 0, imported: bool = False) -> TrendPoint:
    return TrendPoint(at, at, lowest, lowest, 1, 1, failed, imported)


_MOMENTS = st.integers(0, 30 * 86_400).map(lambda second: datetime(2025, 9, 25, tzinfo=UTC) + timedelta(seconds=second))
_POINTS = st.builds(
    lambda at, rate, imported: point(at, rate, failed=int(rate is None), imported=imported),
    _MOMENTS,
    st.none() | st.floats(0, 100),
    st.booleans(),
)


@trying(max_examples=examples(100))
@given(st.lists(_POINTS, min_size=1, max_size=30), st.sampled_from([UTC_ZONE, BUDAPEST, ZoneInfo("Pacific/Apia")]))
def test_everything_drawn_lies_within_the_drawing(points: list[TrendPoint], zone: ZoneInfo) -> None:
    points.sort(key=lambda one: one.start)
    start, end = datetime(2025, 9, 25, tzinfo=UTC), datetime(2025, 10, 25, tzinfo=UTC)
    picture = picture_of(
        Trend(start, end, points, [Gap(start, end, True)], timedelta(0), timedelta(0), None, None), DEFAULT_THRESHOLDS, zone
    )
    assert picture is not None
    for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", f"{picture.line} {picture.dots} {picture.failures}"):
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT
    assert sum(band.length for band in picture.bands) == pytest.approx(100, abs=0.1)
    assert all(0 <= label.at <= 100 for label in [*picture.rates, *picture.dates])
    rates = sorted(label.at for label in picture.rates)
    assert all(later - earlier >= 10 for earlier, later in pairwise(rates)), "no label lies on another"
    assert 4 <= len(picture.dates) <= 7


def test_a_day_is_divided_by_hours() -> None:
    start = NOON - timedelta(days=1)
    picture = picture_of(
        Trend(start, NOON, [point(start, 100.0)], (), timedelta(0), timedelta(0), 100.0, start), DEFAULT_THRESHOLDS, BUDAPEST
    )
    assert picture is not None
    assert [label.text for label in picture.dates] == ["15:00", "19:00", "23:00", "03:00", "07:00", "11:00"]
