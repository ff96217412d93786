"""The consistency rate on a scale on which both thresholds can be told apart."""

from __future__ import annotations

from decimal import Decimal

import plotly.graph_objects as go

from core.model import Status
from core.status import Thresholds
from dashboard.components.palette import Palette
from dashboard.wording import NONE, STATUS_LOOKS, Theme

_ZOOMED_FROM = 90


def gauge(rate: Decimal | None, status: Status, thresholds: Thresholds, theme: Theme) -> go.Figure:
    """A half circle from 90 to 100 percent, or from 0 when the rate is below 90. An unknown status is drawn grey."""
    palette = Palette.of(theme)
    low = scale_start(rate, thresholds)
    degraded, healthy = float(thresholds.degraded), float(thresholds.healthy)
    zones = [(low, degraded, Status.CRITICAL), (degraded, healthy, Status.DEGRADED), (healthy, 100, Status.HEALTHY)]
    colour = STATUS_LOOKS[status].text[theme]
    figure = go.Figure(
        go.Indicator(
            mode="gauge",
            value=None if rate is None else float(rate),
            domain={"x": [0.04, 0.96], "y": [0, 0.92]},
            gauge={
                "axis": {
                    "range": [low, 100],
                    # on the long scale the label of the end would stand on that of the healthy threshold
                    "tickvals": [low, degraded, healthy, 100] if low else [0, 50, degraded, healthy],
                    "tickfont": {"size": 13 if low else 11, "color": palette.quiet},
                    "tickcolor": palette.quiet,
                    "ticklen": 6,
                },
                "bar": {"color": colour if rate is not None else "rgba(0,0,0,0)", "thickness": 0.42},
                "bgcolor": "rgba(0,0,0,0)",
                "borderwidth": 0,
                "steps": [
                    {
                        "range": [start, end],
                        "color": STATUS_LOOKS[zone].tint[theme] if status is not Status.UNKNOWN else palette.line,
                    }
                    for start, end, zone in zones
                ],
            },
        )
    )
    figure.add_annotation(
        x=0.5,
        y=0.2,
        xref="paper",
        yref="paper",
        showarrow=False,
        text=f"<b>{NONE if rate is None else f'{rate:.2f} %'}</b>",
        font={"size": 34, "color": colour},
    )
    figure.update_layout(
        height=210,
        margin={"l": 26, "r": 26, "t": 26, "b": 6},
        paper_bgcolor="rgba(0,0,0,0)",
        font={"family": palette.font, "color": palette.text},
        uirevision="gauge",
    )
    return figure


def scale_start(rate: Decimal | None, thresholds: Thresholds) -> float:
    """Where the scale begins: at 90 as long as rate and thresholds lie above it, else at 0."""
    return 0.0 if (rate is not None and rate < _ZOOMED_FROM) or thresholds.degraded <= _ZOOMED_FROM else float(_ZOOMED_FROM)
