"""Hours of the week, darker where more checks were not healthy."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.analysis.heat import HeatMap
from dashboard.components.palette import Palette
from dashboard.wording import Theme
from dashboard.wording_analysis import WEEKDAYS

_LIGHT, _DARK = ("#EDF2F7", "#1F4E79"), ("#1B2530", "#8CC0F0")


def heat_chart(heat: HeatMap, theme: Theme, height: int) -> go.Figure:
    """A figure of seven rows and 24 columns; hours without a check stay empty."""
    palette = Palette.of(theme)
    percent = heat.unhealthy_percent
    low, high = _DARK if theme is Theme.DARK else _LIGHT
    figure = go.Figure(
        go.Heatmap(
            z=[[None if np.isnan(cell) else float(cell) for cell in row] for row in percent],
            x=list(range(24)),
            y=[day[:3] for day in WEEKDAYS],
            hovertext=[[_hover(heat, day, hour) for hour in range(24)] for day in range(7)],
            hoverinfo="text",
            colorscale=[[0, low], [1, high]],
            zmin=0,
            zmax=max(float(np.nanmax(percent, initial=0.0)), 5.0),
            xgap=2,
            ygap=2,
            colorbar={"ticksuffix": " %", "thickness": 10, "outlinewidth": 0, "nticks": 6},
        )
    )
    figure.update_layout(
        height=height,
        margin={"l": 44, "r": 14, "t": 8, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": palette.font, "color": palette.quiet, "size": 12},
        dragmode=False,
        hoverlabel={"align": "left"},
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, zeroline=False)
    hours = range(0, 24, 3)
    figure.update_xaxes(fixedrange=True, showgrid=False, zeroline=False)
    figure.update_xaxes(tickvals=list(hours), ticktext=[f"{hour:02}" for hour in hours])
    return figure


def _hover(heat: HeatMap, day: int, hour: int) -> str:
    when = f"<b>{WEEKDAYS[day]} {hour:02}:00 to {(hour + 1) % 24:02}:00</b>"
    tried = int(heat.attempts[day, hour])
    if not tried:
        return f"{when}<br>no check"
    mean = heat.violations[day, hour]
    violations = "" if np.isnan(mean) else f"<br>{mean:.1f} violations on average"
    return f"{when}<br>{heat.unhealthy[day, hour]} of {tried} checks not healthy{violations}"
