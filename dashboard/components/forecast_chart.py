"""The last two days and what may follow: the expected line in its interval, and the thresholds that it may cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from core.forecast.model import INTERVAL_PERCENT, Forecast, Horizon, agreeing_percent
from core.status import Thresholds, shown_rate
from dashboard.components.palette import Palette
from dashboard.wording import Theme, rate
from dashboard.wording_forecast import amount

_SMALLEST_SPAN = 0.2  # percent: a flat line is not drawn as a storm


class Measure(StrEnum):
    """What is drawn."""

    VIOLATIONS = "violations"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The hours to come, or the last one known before them; `low` and `high` as they are drawn."""

    at: datetime
    expected: float
    low: float
    high: float
    hover: str


def forecast_chart(
    forecast: Forecast, horizon: Horizon, measure: Measure, thresholds: Thresholds, theme: Theme, zone: ZoneInfo, *, height: int
) -> go.Figure:
    """A figure of a useful outlook. Times are drawn in the viewer's zone; no line crosses an hour that was not read."""
    palette = Palette.of(theme)
    past = _past(forecast, measure)
    ahead = _ahead(forecast, horizon, measure, thresholds, zone)
    figure = go.Figure()
    _band(figure, ahead, palette, zone)
    figure.add_trace(
        go.Scatter(
            x=[at.astimezone(zone).replace(tzinfo=None) for at, _ in past],
            y=[value for _, value in past],
            mode="lines",
            name="read",
            line={"color": palette.accent, "width": 2},
            hovertext=["" if value is None else _spot(at, value, measure, thresholds, zone) for at, value in past],
            hoverinfo="text",
            connectgaps=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[hour.at.astimezone(zone).replace(tzinfo=None) for hour in ahead],
            y=[hour.expected for hour in ahead],
            mode="lines",
            name="expected",
            line={"color": palette.accent, "width": 2, "dash": "dot"},
            hovertext=[hour.hover for hour in ahead],
            hoverinfo="text",
        )
    )
    if ahead:
        now = ahead[0].at.astimezone(zone).replace(tzinfo=None)
        figure.add_vline(x=now, line={"color": palette.quiet, "width": 1}, layer="below")
    _layout(figure, palette, horizon, height)
    values = [value for _, value in past if value is not None] + [end for hour in ahead for end in (hour.low, hour.high)]
    _axis(figure, measure, values, thresholds, palette)
    return figure


def _past(forecast: Forecast, measure: Measure) -> Sequence[tuple[datetime, float | None]]:
    pairs = forecast.known.pairs
    if measure is Measure.VIOLATIONS:
        return [(hour.start, hour.violations) for hour in forecast.known.newest]
    return [
        (hour.start, None if hour.violations is None else agreeing_percent(hour.violations, pairs))
        for hour in forecast.known.newest
    ]


def _ahead(forecast: Forecast, horizon: Horizon, measure: Measure, thresholds: Thresholds, zone: ZoneInfo) -> Sequence[_Ahead]:
    hours = forecast.outlook(horizon).hours
    values = (
        [(hour.start, hour.violations, hour.lower, hour.upper) for hour in hours]
        if measure is Measure.VIOLATIONS
        else [(hour.start, hour.rate, hour.lower, hour.upper) for hour in forecast.rates(horizon)]
    )
    return [
        _Ahead(
            at,
            expected,
            low,
            high,
            f"{_spot(at, expected, measure, thresholds, zone)}<br>{INTERVAL_PERCENT} %: "
            f"{_figure(low, measure, thresholds)} to {_figure(high, measure, thresholds)}",
        )
        for at, expected, low, high in values
    ]


def _spot(at: datetime, value: float, measure: Measure, thresholds: Thresholds, zone: ZoneInfo) -> str:
    unit = " violations" if measure is Measure.VIOLATIONS else ""
    return f"<b>{_figure(value, measure, thresholds)}</b>{unit}<br>{at.astimezone(zone):%a %d %b %H:%M}"


def _figure(value: float, measure: Measure, thresholds: Thresholds) -> str:
    return amount(value) if measure is Measure.VIOLATIONS else rate(shown_rate(value, thresholds))


def _band(figure: go.Figure, ahead: Sequence[_Ahead], palette: Palette, zone: ZoneInfo) -> None:
    at = [hour.at.astimezone(zone).replace(tzinfo=None) for hour in ahead]
    figure.add_trace(
        go.Scatter(
            x=[*at, *reversed(at)],
            y=[*(hour.high for hour in ahead), *(hour.low for hour in reversed(ahead))],
            mode="lines",
            name="interval",
            fill="toself",
            fillcolor=palette.accent,
            opacity=0.18,
            line={"width": 0},
            hoverinfo="skip",
        )
    )


def _layout(figure: go.Figure, palette: Palette, horizon: Horizon, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 44, "r": 14, "t": 8, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": palette.font, "color": palette.quiet, "size": 12},
        showlegend=False,
        hovermode="closest",
        uirevision=f"forecast-{horizon:d}",
        dragmode=False,
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(
        showgrid=False, zeroline=False, linecolor=palette.line, tickangle=0, nticks=8, automargin=True, fixedrange=True
    )
    figure.update_yaxes(gridcolor=palette.line, zeroline=False, fixedrange=True, automargin=True, nticks=6)


def _axis(figure: go.Figure, measure: Measure, values: Sequence[float], thresholds: Thresholds, palette: Palette) -> None:
    if measure is Measure.VIOLATIONS:
        figure.update_yaxes(range=[0, max(values, default=0.0) * 1.08 or 1.0])
        return
    floor = max(min(values, default=100.0) - _SMALLEST_SPAN, 0.0)
    figure.update_yaxes(range=[floor, 100 + (100 - floor) * 0.04], ticksuffix=" %")
    for threshold in (thresholds.healthy, thresholds.degraded):
        if threshold > floor:
            figure.add_hline(y=float(threshold), line={"color": palette.quiet, "width": 1, "dash": "dot"}, layer="below")
