"""Trend: does it stay in sync, over days and months?"""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.analysis.trend import Trend
from core.durations import in_words
from core.health_monitor import HealthSummary
from core.status import shown_rate
from dashboard.components import charts
from dashboard.components.forecast_panel import forecast_panel
from dashboard.components.time_range import bounds, choose_range, in_the_last
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import counted, moment, rate, timed

_RANGES: dict[str, timedelta | None] = {
    "24 h": timedelta(days=1),
    "7 d": timedelta(days=7),
    "30 d": timedelta(days=30),
    "90 d": timedelta(days=90),
    "1 y": timedelta(days=365),
    "All": None,
}
_USUAL = "7 d"
_SHOWN_FAILURES = 10


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """The range, the sentence, the chart, and the checks that failed."""
    st.html('<h1 class="page">Trend</h1>')
    chosen = choose_range(_RANGES, _USUAL, "trend-range")
    start, end = bounds(_RANGES, chosen, viewer, "trend-days")
    trend = charts.read_trend(runtime, start, end, summary.version)
    st.html(f'<p class="sentence" data-testid="trend-sentence">{_sentence(trend, chosen, runtime, viewer)}</p>')
    with st.container(border=True, key="trend-card"):
        charts.whole(runtime, viewer, trend)
        st.html(
            '<p class="legend"><span class="key line"></span> lowest rate of each stretch '
            '<span class="key dot"></span> read from a log <span class="key gap"></span> nothing is known '
            '<span class="key fail"></span> check failed <span class="key alert"></span> alert fired '
            '<span class="key maintenance"></span> maintenance '
            '<span class="key bars"></span> violations. '
            "Drag to zoom, double-click to go back.</p>"
        )
    foresight = runtime.monitor.foresight
    forecast_panel(foresight.forecast(), foresight.promise(), runtime.settings.status_thresholds, viewer)
    _failures(runtime, viewer, trend)


def _sentence(trend: Trend, chosen: str, runtime: Runtime, viewer: Viewer) -> str:
    """What the eye should find in the chart."""
    if not trend.points:
        return "Nothing is known about this time yet."
    stretch = "since the beginning" if chosen == "All" else f"in {in_the_last(chosen)}"
    thresholds = runtime.settings.status_thresholds
    healthy = f"{thresholds.healthy:f} %"
    parts = []
    if trend.worst is None:
        parts.append(f"No check completed {stretch}")
    elif trend.below_healthy:
        parts.append(f"Below {healthy} for <b>{in_words(trend.below_healthy)}</b> {stretch}")
    elif trend.worst < float(thresholds.healthy):
        parts.append(f"Below {healthy} at some checks {stretch}")
    else:
        parts.append(f"Never seen below {healthy} {stretch}")
    if trend.worst is not None and trend.worst_at is not None:
        at = moment(trend.worst_at, viewer.zone, viewer.now)
        when = timed(f"at {at}" if len(at) == len("00:00") else f"on {at}", trend.worst_at, viewer.zone)
        parts.append(f"lowest <b>{rate(shown_rate(trend.worst, thresholds))}</b> {when}")
    if trend.failed:
        parts.append(f"{counted(trend.failed, 'check', 'checks')} failed")
    return f"{', '.join(parts)}.{_how_much_is_known(trend, runtime)}"


def _how_much_is_known(trend: Trend, runtime: Runtime) -> str:
    if trend.worst is None or trend.unknown <= runtime.settings.schedule.freshness:
        return ""
    known = trend.end - trend.start - trend.unknown
    if known >= trend.unknown:
        return f" Nothing is known about <b>{in_words(trend.unknown)}</b> of it."
    if known < timedelta(seconds=1):
        return " Nearly nothing of it is known."
    return f" Only <b>{in_words(known)}</b> of it is known."


def _failures(runtime: Runtime, viewer: Viewer, trend: Trend) -> None:
    failed = [
        attempt for attempt in runtime.monitor.recent_failures(_SHOWN_FAILURES) if trend.start <= attempt.timestamp <= trend.end
    ]
    broken = runtime.monitor.broken_logs()
    if failed:
        with st.expander(f"The newest failed checks ({len(failed)})", icon=":material/error:"):
            for attempt in failed:
                at = moment(attempt.timestamp, viewer.zone, viewer.now)
                st.text(f"{at}  {attempt.error}")
    if broken:
        with st.expander(f"{counted(len(broken), 'log', 'logs')} could not be read", icon=":material/description:"):
            st.caption("They were left as they are and do not appear in the chart.")
            for log in broken:
                st.text(f"{log.path}: {log.problem}")
