"""The charts of the pages, drawn from what the monitor says and kept until it says something new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

import pandas  # noqa: F401 - Plotly would load it at the first figure
import streamlit as st

from core.alerts.wording import title
from core.analysis.heat import HeatMap
from core.analysis.trend import Trend
from core.clock import utc_now
from core.health_monitor import HealthSummary
from core.model import Status
from core.over_time import Bucket
from core.state.markers import Marker
from core.status import DEFAULT_THRESHOLDS
from dashboard.components import gauge as gauge_component
from dashboard.components.heat_chart import heat_chart
from dashboard.components.incident_lines import draw_incidents
from dashboard.components.opening import open_chosen, remember_chosen
from dashboard.components.trend_chart import trend_chart
from dashboard.components.violations_over_time import Measure, violations_over_time
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import Theme, ago, rate, timed

_STILL = {"displayModeBar": False, "staticPlot": True}
_LIVE = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}
_DAY_HEIGHT, _PAGE_HEIGHT, _RATE_HEIGHT = 210, 460, 280


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
    if not trend.points:
        _say_empty(_DAY_HEIGHT)
        return
    thresholds = runtime.settings.status_thresholds
    figure = trend_chart(trend, thresholds, viewer.theme, viewer.zone, height=_DAY_HEIGHT, with_violations=False)
    st.plotly_chart(figure, key="day", theme=None, config=_LIVE, alt="Consistency rate over time")


def whole(runtime: Runtime, viewer: Viewer, trend: Trend) -> None:
    """The rate and the violations over the time that the viewer chose; a click on a point opens its check."""
    markers = runtime.monitor.record.markers(trend.start, trend.end)
    _clickable(runtime, viewer, trend, markers, key="trend", height=_PAGE_HEIGHT, with_violations=True)


def rates(runtime: Runtime, viewer: Viewer, trend: Trend, markers: Sequence[Marker]) -> None:
    """The rate alone; a click on a point opens its check."""
    _clickable(runtime, viewer, trend, markers, key="analysis-chart", height=_RATE_HEIGHT, with_violations=False)


def _clickable(
    runtime: Runtime,
    viewer: Viewer,
    trend: Trend,
    markers: Sequence[Marker],
    *,
    key: str,
    height: int,
    with_violations: bool,
) -> None:
    open_chosen()
    if not trend.points:
        _say_empty(height)
        return
    figure = trend_chart(
        trend,
        runtime.settings.status_thresholds,
        viewer.theme,
        viewer.zone,
        height=height,
        with_violations=with_violations,
        markers=markers,
    )
    titles = {rule.name: title(rule) for rule in runtime.alerts.rules}
    fired = runtime.alert_book.incidents_between(trend.start, trend.end)
    draw_incidents(figure, fired, titles, viewer.theme, viewer.zone, trend.start, trend.end)
    figure.update_layout(dragmode="zoom")
    figure.update_xaxes(fixedrange=False)
    st.plotly_chart(
        figure,
        key=key,
        theme=None,
        config=_LIVE,
        alt="Consistency rate over time",
        on_select=partial(remember_chosen, key),
        selection_mode="points",
    )


def made_of(
    viewer: Viewer, buckets: Sequence[Bucket], measure: Measure, on_stretch: Callable[[datetime, datetime], None]
) -> None:
    """What violations were made of over a time; a stretch that is dragged over is handed on."""

    if not buckets:
        _say_empty(_RATE_HEIGHT, "No check compared anything in this time.")
        return

    def chosen() -> None:
        box = st.session_state["made-of-chart"]["selection"].get("box") or ()
        times = box[0].get("x", ()) if box else ()
        if len(times) == 2:
            on_stretch(*sorted(_moment(at, viewer.zone) for at in times))

    st.plotly_chart(
        violations_over_time(buckets, measure, viewer.theme, viewer.zone, _RATE_HEIGHT),
        key="made-of-chart",
        theme=None,
        config=_LIVE,
        alt="Violations over time",
        on_select=chosen,
        selection_mode="box",
    )


def heat(viewer: Viewer, found: HeatMap) -> None:
    """The hours of the week."""
    alt = "Share of checks that were not healthy, by weekday and hour"
    st.plotly_chart(heat_chart(found, viewer.theme, _RATE_HEIGHT), key="heat", theme=None, config=_LIVE, alt=alt)


def read_trend(runtime: Runtime, start: datetime | None, end: datetime, version: str) -> Trend:
    """A trend; asked for once a minute and version, whoever looks."""
    minute = end.replace(second=0, microsecond=0) + timedelta(minutes=1)
    beginning = None if start is None else start.replace(second=0, microsecond=0)
    return _cached_trend(runtime, beginning, minute, version)


@lru_cache(maxsize=64)
def _cached_trend(runtime: Runtime, start: datetime | None, end: datetime, version: str) -> Trend:
    return runtime.monitor.trend(start, end)


def _moment(at: object, zone: ZoneInfo) -> datetime:
    """A moment as a chart names it, in the viewer's wall clock."""
    return datetime.fromisoformat(str(at).replace(" ", "T")[:26]).replace(tzinfo=zone).astimezone(UTC)


def _say_empty(height: int, nothing: str = "No check was tried in this time. Every check adds a point.") -> None:
    st.html(f'<div class="empty chart" style="height:{height}px">{nothing}</div>')
