"""When alerts fired, as bars at the top of a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from core.durations import in_words
from core.model import Status
from core.state.incidents import Incident
from dashboard.wording import STATUS_LOOKS, Theme, exact
from dashboard.wording_alerts import worst

_SHOWN = 200  # the newest; more would be a carpet


def draw_incidents(
    figure: go.Figure,
    incidents: Sequence[Incident],
    titles: Mapping[str, str],
    theme: Theme,
    zone: ZoneInfo,
    start: datetime,
    end: datetime,
) -> None:
    """A bar from where each incident began to where it was over, within [start, end], with a mark that tells what it was."""
    color = STATUS_LOOKS[Status.CRITICAL].text[theme]
    shown = incidents[:_SHOWN]
    if not shown:
        return
    begins = [max(one.began_at, start).astimezone(zone).replace(tzinfo=None) for one in shown]
    for one, begin in zip(shown, begins, strict=True):
        over = min(one.resolved_at or end, end).astimezone(zone).replace(tzinfo=None)
        line = {"color": color, "width": 4}
        figure.add_shape(type="line", x0=begin, x1=over, y0=1, y1=1, xref="x", yref="paper", line=line)
    figure.add_trace(
        go.Scatter(
            x=begins,
            y=[100] * len(shown),
            mode="markers",
            name="alerts",
            marker={"symbol": "diamond", "size": 9, "color": color},
            hovertext=[_hover(one, titles.get(one.rule, one.rule), end, zone) for one in shown],
            hoverinfo="text",
            cliponaxis=False,
        )
    )


def _hover(one: Incident, title: str, end: datetime, zone: ZoneInfo) -> str:
    length = in_words(one.duration(end))
    lasted = f"lasted {length}" if one.resolved_at else f"firing for {length}"
    facts = "<br>".join(filter(None, [lasted, worst(one), exact(one.began_at, zone).replace(" · ", "<br>")]))
    return f"<b>{escape(title, quote=False)}</b><br>{facts}"
