"""The rate over time, the violations below it, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.analysis.trend import Gap, Maintenance, Trend, TrendPoint
from core.model import Status
from core.state.markers import Marker
from core.status import Thresholds, shown_rate
from dashboard.components.marker_lines import draw_markers
from dashboard.components.palette import Palette
from dashboard.wording import STATUS_LOOKS, Theme, exact, number
from dashboard.wording import rate as rate_text

_UNCHANGED = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}  # a click opens, it marks nothing
_SMALLEST_SPAN = 2.0  # percent: a quiet day does not look like a storm


@dataclass(frozen=True, slots=True)
class _Line:
    """Points to be joined, with None where nothing may be joined."""

    at: list[datetime | None]
    rate: list[float | None]
    hover: list[str]
    numbers: list[int | None]


def trend_chart(
    trend: Trend,
    thresholds: Thresholds,
    theme: Theme,
    zone: ZoneInfo,
    *,
    height: int,
    with_violations: bool,
    markers: Sequence[Marker] = (),
) -> go.Figure:
    """A figure of a trend. Times are drawn in the viewer's zone; no line crosses a gap, and the lowest rate always shows.

    Each point carries the number of its worst reading's row of history, by which that can be opened.
    """
    palette = Palette.of(theme)
    rows = 2 if with_violations else 1
    figure = make_subplots(
        rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.72, 0.28] if with_violations else [1.0]
    )
    floor = _floor(trend, thresholds)
    _bands(figure, thresholds, theme, floor)
    _hatch_gaps(figure, trend.gaps, palette, zone)
    _shade_maintenance(figure, trend.maintenance, palette, zone)
    checks = [point for point in trend.points if not point.imported and point.lowest is not None]
    logs = [point for point in trend.points if point.imported and point.lowest is not None]
    if any(point.usual != point.lowest for point in checks):
        line = _line(checks, trend.gaps, thresholds, zone, lowest=False)
        figure.add_trace(
            go.Scatter(
                x=line.at,
                y=line.rate,
                mode="lines",
                line={"color": palette.accent, "width": 1},
                opacity=0.5,
                name="usual",
                hoverinfo="skip",
                connectgaps=False,
            ),
            row=1,
            col=1,
        )
    line = _line(checks, trend.gaps, thresholds, zone, lowest=True)
    opacity = 1 if len(checks) < 60 else 0  # a line without markers could not be clicked
    figure.add_trace(
        go.Scatter(
            x=line.at,
            y=line.rate,
            mode="lines+markers",
            name="rate",
            line={"color": palette.accent, "width": 2},
            marker={"size": 5, "opacity": opacity},
            hovertext=line.hover,
            hoverinfo="text",
            customdata=line.numbers,
            connectgaps=False,
            selected={"marker": {"opacity": opacity}},
            unselected={"marker": {"opacity": opacity}},
        ),
        row=1,
        col=1,
    )
    figure.add_trace(
        go.Scatter(
            x=[_local(p.start, zone) for p in logs],
            y=[p.lowest for p in logs],
            mode="markers",
            name="from logs",
            marker={"color": palette.accent, "size": 3, "opacity": 0.75},
            hovertext=[_hover(p, thresholds, zone) for p in logs],
            hoverinfo="text",
            customdata=[p.number for p in logs],
            **_UNCHANGED,
        ),
        row=1,
        col=1,
    )
    _failures(figure, trend.points, theme, zone, floor)
    if with_violations:
        figure.add_trace(
            go.Bar(
                x=[_local(p.start, zone) for p in trend.points],
                y=[p.violations for p in trend.points],
                marker={"color": palette.bar, "line": {"width": 0}},
                name="violations",
                hovertext=[_hover(p, thresholds, zone) for p in trend.points],
                hoverinfo="text",
                customdata=[p.number for p in trend.points],
                **_UNCHANGED,
            ),
            row=2,
            col=1,
        )
    _layout(figure, trend, thresholds, palette, zone, floor, height, with_violations=with_violations)
    draw_markers(figure, markers, palette, zone, 100)
    return figure


def _line(points: Sequence[TrendPoint], gaps: Sequence[Gap], thresholds: Thresholds, zone: ZoneInfo, *, lowest: bool) -> _Line:
    line = _Line([], [], [], [])
    previous: TrendPoint | None = None
    coming = iter(sorted(gaps, key=lambda gap: gap.start))
    gap = next(coming, None)
    for point in points:
        while gap is not None and previous is not None and gap.end <= previous.start:
            gap = next(coming, None)
        if previous is not None and gap is not None and gap.start < point.start and gap.end > previous.start:
            line.at.append(_local(point.start, zone))
            line.rate.append(None)
            line.hover.append("")
            line.numbers.append(None)
        line.at.append(_local(point.start, zone))
        line.rate.append(point.lowest if lowest else point.usual)
        line.hover.append(_hover(point, thresholds, zone) if lowest else "")  # the usual rate tells nothing of its own
        line.numbers.append(point.number)
        previous = point
    return line


def _hover(point: TrendPoint, thresholds: Thresholds, zone: ZoneInfo) -> str:
    rate = "could not check" if point.lowest is None else f"<b>{rate_text(shown_rate(point.lowest, thresholds))}</b>"
    several = f"lowest of {point.attempts} checks<br>" if point.attempts > 1 else ""
    violations = "" if point.violations is None else f"{number(point.violations)} violations<br>"
    failed = f"{point.failed} failed<br>" if point.failed and point.lowest is not None else ""
    source = "read from a log<br>" if point.imported else ""
    if point.in_maintenance:
        of = "" if point.in_maintenance == point.attempts else f"{point.in_maintenance} of {point.attempts} "
        source += f"{of}in maintenance: not counted<br>"
    return f"{rate}<br>{several}{violations}{failed}{source}{exact(point.start, zone).replace(' · ', '<br>')}"


def _bands(figure: go.Figure, thresholds: Thresholds, theme: Theme, floor: float) -> None:
    degraded, healthy = float(thresholds.degraded), float(thresholds.healthy)
    for low, high, status in (
        (healthy, 100.5, Status.HEALTHY),
        (degraded, healthy, Status.DEGRADED),
        (0, degraded, Status.CRITICAL),
    ):
        if high > floor:
            figure.add_hrect(
                y0=max(low, floor),
                y1=high,
                fillcolor=STATUS_LOOKS[status].tint[theme],
                line_width=0,
                layer="below",
                row=1,
                col=1,
                opacity=0.75,
                exclude_empty_subplots=False,
            )


def _hatch_gaps(figure: go.Figure, gaps: Sequence[Gap], palette: Palette, zone: ZoneInfo) -> None:
    for gap in _merged(gaps):
        _field(figure, gap, zone, yref="y domain", fillcolor=palette.unknown)


def _shade_maintenance(figure: go.Figure, stretches: Sequence[Maintenance], palette: Palette, zone: ZoneInfo) -> None:
    for stretch in stretches:
        _field(figure, stretch, zone, yref="paper", fillcolor=palette.accent, opacity=0.16)


def _field(figure: go.Figure, stretch: Gap | Maintenance, zone: ZoneInfo, **looks: Any) -> None:
    """A field behind everything, over a stretch of time."""
    edges = {"x0": _local(stretch.start, zone), "x1": _local(stretch.end, zone), "y0": 0, "y1": 1}
    figure.add_shape(type="rect", **edges, xref="x", line={"width": 0}, layer="below", **looks)


def _merged(gaps: Sequence[Gap]) -> Iterator[Gap]:
    """Gaps with nothing but a single point between them are one stretch."""
    current: Gap | None = None
    for gap in sorted((gap for gap in gaps if gap.unknown), key=lambda gap: gap.start):
        if current is not None and gap.start <= current.end:
            current = Gap(current.start, max(current.end, gap.end), unknown=True)
        else:
            if current is not None:
                yield current
            current = gap
    if current is not None:
        yield current


def _failures(figure: go.Figure, points: Sequence[TrendPoint], theme: Theme, zone: ZoneInfo, floor: float) -> None:
    failed = [point for point in points if point.failed]
    figure.add_trace(
        go.Scatter(
            x=[_local(p.start, zone) for p in failed],
            y=[floor] * len(failed),
            mode="markers",
            name="failed checks",
            marker={"symbol": "line-ns", "size": 11, "line": {"width": 2, "color": STATUS_LOOKS[Status.CRITICAL].text[theme]}},
            hovertext=[f"{p.failed} failed<br>{exact(p.start, zone).replace(' · ', '<br>')}" for p in failed],
            hoverinfo="text",
            customdata=[p.number for p in failed],
            cliponaxis=False,
            **_UNCHANGED,
        ),
        row=1,
        col=1,
    )


def _floor(trend: Trend, thresholds: Thresholds) -> float:
    lowest = min((point.lowest for point in trend.points if point.lowest is not None), default=100.0)
    return max(min(lowest - 0.15 * (100 - lowest), float(thresholds.healthy) - _SMALLEST_SPAN + 1), 0.0)


def _layout(
    figure: go.Figure,
    trend: Trend,
    thresholds: Thresholds,
    palette: Palette,
    zone: ZoneInfo,
    floor: float,
    height: int,
    *,
    with_violations: bool,
) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 44, "r": 14, "t": 8, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": palette.font, "color": palette.quiet, "size": 12},
        showlegend=False,
        hovermode="closest",
        clickmode="event+select",
        bargap=0,
        uirevision=f"{trend.start:%Y%m%d}",
        dragmode="zoom" if with_violations else False,
        hoverlabel={"align": "left"},
    )
    visible = [_local(trend.start, zone), _local(trend.end, zone)]
    figure.update_xaxes(
        range=visible,
        showgrid=False,
        zeroline=False,
        linecolor=palette.line,
        ticks="outside",
        ticklen=7,  # the marks of failed checks stand out below the axis: its labels keep clear of them
        tickcolor="rgba(0,0,0,0)",
        tickangle=0,
        nticks=6,
        automargin=True,
        fixedrange=not with_violations,
    )
    figure.update_yaxes(gridcolor=palette.line, zeroline=False, fixedrange=True, automargin=True)
    figure.update_yaxes(range=[floor, 100 + (100 - floor) * 0.04], nticks=6, row=1, col=1)
    for threshold in (thresholds.healthy, thresholds.degraded):
        if threshold > floor:
            figure.add_hline(
                y=float(threshold), line={"color": palette.quiet, "width": 1, "dash": "dot"}, row=1, col=1, layer="below"
            )
    if with_violations:
        figure.update_yaxes(rangemode="tozero", nticks=3, row=2, col=1)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    """Plotly knows no zones: it is given the viewer's wall clock."""
    return at.astimezone(zone).replace(tzinfo=None)
