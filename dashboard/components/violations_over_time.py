"""What the violations were made of over time, as parts that stand on each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from core.breakdown import REST, BreakdownEntry
from core.over_time import Bucket
from dashboard.components.palette import Palette
from dashboard.wording import KIND_LABELS, Theme, exact, number

_MILLISECOND = timedelta(milliseconds=1)  # Plotly's unit along an axis of time
_OTHERS, _NOT_KEPT = "Others", "Parts not kept"


class Measure(StrEnum):
    """By what violations are told apart."""

    KIND = "By kind"
    SPECIALIZATION = "By specialization"


def violations_over_time(buckets: Sequence[Bucket], measure: Measure, theme: Theme, zone: ZoneInfo, height: int) -> go.Figure:
    """A figure of stacked bars, one for the worst check of each stretch, in which a stretch can be selected."""
    palette = Palette.of(theme)
    figure = go.Figure()
    at = [_local(bucket.start, zone) for bucket in buckets]
    widths = _widths(buckets)
    for stack in _stacks(buckets, measure, palette):
        figure.add_trace(
            go.Bar(
                x=at,
                y=stack.counts,
                width=widths,
                offset=0,
                name=stack.name,
                marker={"color": stack.color, "line": {"width": 0}, "pattern": {"shape": stack.pattern}},
                hovertext=[_hover(b, stack.name, count, zone) for b, count in zip(buckets, stack.counts, strict=True)],
                hoverinfo="text",
            )
        )
    _layout(figure, buckets, palette, zone, height)
    return figure


def _widths(buckets: Sequence[Bucket]) -> list[float]:
    """How wide each bar is, in milliseconds: up to the next one, at most as wide as usual.

    Without it Plotly makes all of them as thin as the two that are closest ask for.
    """
    lengths = [(later.start - earlier.start) / _MILLISECOND for earlier, later in pairwise(buckets)]
    usual = median(lengths) if lengths else timedelta(hours=1) / _MILLISECOND
    return [min(length, usual) or usual for length in lengths] + [usual] * bool(buckets)


@dataclass(frozen=True, slots=True)
class _Stack:
    """One part of all bars."""

    name: str
    color: str
    counts: Sequence[int]
    pattern: str = ""


def _stacks(buckets: Sequence[Bucket], measure: Measure, palette: Palette) -> Iterator[_Stack]:
    """The largest parts, largest first, then the others together, and what was not kept."""
    columns = [_column(bucket, measure) for bucket in buckets]
    summed: Counter[str] = Counter()
    for column in columns:
        summed.update(column)
    named = [name for name, _ in summed.most_common() if name not in (_OTHERS, _NOT_KEPT)][: len(palette.series) - 1]
    for name, color in zip(named, palette.series, strict=False):
        yield _Stack(name, color, [column[name] for column in columns])
    others = [column.total() - column[_NOT_KEPT] - sum(column[name] for name in named) for column in columns]
    if any(others):
        yield _Stack(_OTHERS, palette.series[-1], others)
    if summed[_NOT_KEPT]:
        yield _Stack(_NOT_KEPT, palette.bar, [column[_NOT_KEPT] for column in columns], pattern="/")


def _column(bucket: Bucket, measure: Measure) -> Counter[str]:
    if bucket.parts is None:
        return Counter({_NOT_KEPT: bucket.violations})
    column: Counter[str] = Counter()
    for part in bucket.parts:
        column[_name(part, measure)] += part.count
    return column


def _name(part: BreakdownEntry, measure: Measure) -> str:
    if measure is Measure.KIND:
        return KIND_LABELS[part.kind]
    return _OTHERS if part.specialization == REST else part.specialization


def _hover(bucket: Bucket, name: str, count: int, zone: ZoneInfo) -> str:
    when = exact(bucket.start, zone).replace(" · ", "<br>")
    return f"<b>{name}: {number(count)}</b><br>of {number(bucket.violations)} violations<br>{when}"


def _layout(figure: go.Figure, buckets: Sequence[Bucket], palette: Palette, zone: ZoneInfo, height: int) -> None:
    figure.update_layout(
        barmode="stack",
        bargap=0,
        height=height,
        margin={"l": 44, "r": 14, "t": 8, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": palette.font, "color": palette.quiet, "size": 12},
        hovermode="closest",
        hoverlabel={"align": "left"},
        dragmode="select",
        selectdirection="h",
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "itemclick": False, "itemdoubleclick": False},
        uirevision=f"{buckets[0].start:%Y%m%d}" if buckets else "",
    )
    figure.update_yaxes(gridcolor=palette.line, zeroline=False, rangemode="tozero", nticks=4, fixedrange=True, automargin=True)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
