"""The charts of the pages, drawn from what the monitor says and kept until it says something new."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pandas  # noqa: F401 - Plotly would load it at the first figure
import streamlit as st

from core.analysis.trend import Trend
from core.clock import utc_now
from core.health_monitor import HealthSummary
from core.model import Status
from core.status import DEFAULT_THRESHOLDS
from dashboard.components import gauge as gauge_component
from dashboard.components.trend_chart import trend_chart
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import Theme, ago, rate, timed

_STILL = {"displayModeBar": False, "staticPlot": True}
_LIVE = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}
_DAY_HEIGHT, _PAGE_HEIGHT = 210, 460


def load_libraries() -> None:
    """Draw once, for nobody: Plotly loads its parts when they are first needed, and two pages at once would trip over that."""
    now = utc_now()
    nothing = Trend(now - timedelta(days=1), now, (), (), timedelta(0), timedelta(days=1), None, None)
    gauge_component.gauge(None, Status.UNKNOWN, DEFAULT_THRESHOLDS, Theme.LIGHT).to_json()
    trend_chart(nothing, DEFAULT_THRESHOLDS, Theme.LIGHT, ZoneInfo("UTC"), height=_DAY_HEIGHT, with_violations=True).to_json()


def gauge(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """The consistency gauge with its scale explained; grey and dated when the rate is only the last known one."""
    thresholds = runtime.settings.status_thresholds
    figure = gauge_component.gauge(summary.consistency_rate, summary.status, thresholds, viewer.theme)
    start = gauge_component.scale_start(summary.consistency_rate, thresholds)
    note = "scale from 0" if not start else f"scale from {start:g}"
    if summary.status is Status.UNKNOWN and summary.last is not None:
        at = summary.last.timestamp
        note = f"last known, {timed(ago(at, viewer.now), at, viewer.zone, role='ago')}"
    st.html(f'<h2 class="card">Consistency <span class="note">{note}</span></h2>')
    st.plotly_chart(
        figure,
        key="gauge",
        theme=None,
        config=_STILL,
        alt=f"{rate(summary.consistency_rate)}; healthy from {thresholds.healthy:f}, degraded from {thresholds.degraded:f}",
    )


def last_day(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """The rate over the last 24 hours."""
    trend = read_trend(runtime, viewer.now - timedelta(days=1), viewer.now, summary.version)
    _draw(runtime, viewer, trend, key="day", height=_DAY_HEIGHT, with_violations=False)


def whole(runtime: Runtime, viewer: Viewer, trend: Trend) -> None:
    """The rate and the violations over the time that the viewer chose."""
    _draw(runtime, viewer, trend, key="trend", height=_PAGE_HEIGHT, with_violations=True)


def read_trend(runtime: Runtime, start: datetime | None, end: datetime, version: str) -> Trend:
    """A trend; asked for once a minute and version, whoever looks."""
    minute = end.replace(second=0, microsecond=0) + timedelta(minutes=1)
    beginning = None if start is None else start.replace(second=0, microsecond=0)
    return _cached_trend(runtime, beginning, minute, version)


@lru_cache(maxsize=64)
def _cached_trend(runtime: Runtime, start: datetime | None, end: datetime, version: str) -> Trend:
    return runtime.monitor.trend(start, end)


def _draw(runtime: Runtime, viewer: Viewer, trend: Trend, *, key: str, height: int, with_violations: bool) -> None:
    if not trend.points:
        nothing = "No check was tried in this time. Every check adds a point."
        st.html(f'<div class="empty chart" style="height:{height}px">{nothing}</div>')
        return
    figure = trend_chart(
        trend, runtime.settings.status_thresholds, viewer.theme, viewer.zone, height=height, with_violations=with_violations
    )
    st.plotly_chart(figure, key=key, theme=None, config=_LIVE, alt="Consistency rate over time")
