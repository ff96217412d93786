"""What happened elsewhere, as thin lines over a chart."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from core.state.markers import Marker
from dashboard.components.palette import Palette
from dashboard.wording import exact
from dashboard.wording_analysis import MARKER_LABELS

_SHOWN = 100  # the newest; more would be a carpet


def draw_markers(figure: go.Figure, markers: Sequence[Marker], palette: Palette, zone: ZoneInfo, top: float) -> None:
    """A line for each marker through the whole figure, with a mark at `top` of the first axis that tells what it was."""
    shown = markers[-_SHOWN:]
    if not shown:
        return
    for marker in shown:
        at = marker.at.astimezone(zone).replace(tzinfo=None)
        line = {"color": palette.text, "width": 1, "dash": "dot"}
        figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, xref="x", yref="paper", line=line, opacity=0.55)
    figure.add_trace(
        go.Scatter(
            x=[marker.at.astimezone(zone).replace(tzinfo=None) for marker in shown],
            y=[top] * len(shown),
            mode="markers",
            name="markers",
            marker={"symbol": "triangle-down", "size": 10, "color": palette.text},
            hovertext=[_hover(marker, zone) for marker in shown],
            hoverinfo="text",
            cliponaxis=False,
        )
    )


def _hover(marker: Marker, zone: ZoneInfo) -> str:
    title = escape(marker.title, quote=False)
    when = exact(marker.at, zone).replace(" · ", "<br>")
    return f"<b>{title}</b><br>{MARKER_LABELS[marker.kind]}, by {escape(marker.created_by, quote=False)}<br>{when}"
