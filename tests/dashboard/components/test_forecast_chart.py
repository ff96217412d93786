"""What the forecast chart shows of the past, of the hours to come, and of the thresholds."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from core.forecast.model import Horizon
from core.status import DEFAULT_THRESHOLDS
from dashboard.components.forecast_chart import Measure, forecast_chart
from dashboard.wording import Theme
from tests.forecast.outlooks import USEFUL
from tests.frozen_clock import NOON

BUDAPEST = ZoneInfo("Europe/Budapest")


def drawn(measure: Measure, horizon: Horizon = Horizon.DAY, theme: Theme = Theme.LIGHT) -> go.Figure:
    return forecast_chart(USEFUL, horizon, measure, DEFAULT_THRESHOLDS, theme, BUDAPEST, height=300)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def test_the_expected_line_follows_what_was_read_in_the_viewers_zone() -> None:
    figure = drawn(Measure.VIOLATIONS)
    read, expected = trace(figure, "read"), trace(figure, "expected")
    assert read.x[-1] == NOON.astimezone(BUDAPEST).replace(tzinfo=None)
    assert expected.x[0] - read.x[-1] == timedelta(hours=1)
    assert list(expected.y) == [hour.violations for hour in USEFUL.day.hours]
    assert len(trace(drawn(Measure.VIOLATIONS, Horizon.WEEK), "expected").x) == 168


def test_no_line_crosses_an_hour_that_was_not_read() -> None:
    read = trace(drawn(Measure.VIOLATIONS), "read")
    assert read.y[10] is None
    assert read.connectgaps is False


def test_the_interval_is_drawn_around_the_line() -> None:
    band = trace(drawn(Measure.VIOLATIONS), "interval")
    half = len(band.y) // 2
    assert band.fill == "toself"
    assert list(band.y[:half]) == [hour.upper for hour in USEFUL.day.hours]
    assert list(reversed(band.y[half:])) == [hour.lower for hour in USEFUL.day.hours]


def test_a_rate_shows_the_thresholds_that_lie_in_sight() -> None:
    heights = [shape.y0 for shape in drawn(Measure.RATE).layout.shapes if shape.y0 == shape.y1]
    assert heights == [99.0], "95 lies far below everything"
    assert not [shape for shape in drawn(Measure.VIOLATIONS).layout.shapes if shape.y0 == shape.y1 and shape.y0]
    assert trace(drawn(Measure.RATE), "expected").hovertext[0].startswith("<b>99.")


@pytest.mark.parametrize("theme", Theme)
def test_it_is_drawn_in_both_themes(theme: Theme) -> None:
    assert drawn(Measure.RATE, theme=theme).to_json()
