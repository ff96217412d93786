"""Overview: is it in sync right now, and is the checker alive?"""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.durations import in_words
from core.health_monitor import HealthSummary
from core.model import Status
from dashboard.components import charts, incidents, sync_waiting
from dashboard.components.banner import banner
from dashboard.components.tiles import Tile, tiles
from dashboard.components.violations_table import violations_table
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.violation_query import ViolationQuery
from dashboard.wording import NONE, ago, counted, moment, number, timed, until

_FIRST_ROWS = 8


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """The answer, what it rests on, and the first violations."""
    banner(runtime, viewer, summary)
    incidents.strip(runtime, viewer)
    sync_waiting.strip(runtime)
    left, right = st.columns([3, 7], gap="small")
    with left, st.container(border=True, key="gauge-card"):
        charts.gauge(runtime, viewer, summary)
    with right, st.container(border=True, key="trend-card"):
        st.html('<h2 class="card">Last 24 hours</h2>')
        charts.last_day(runtime, viewer, summary)
    tiles(_tiles(runtime, viewer, summary), last_known=summary.status is Status.UNKNOWN)
    with st.container(border=True, key="violations-card"):
        _first_violations(runtime, viewer, summary)


def _tiles(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> list[Tile]:
    totals, last = summary.totals, summary.last
    midnight = viewer.now.astimezone(viewer.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    completed, tried = runtime.monitor.checks_since(midnight)
    last_check = timed(ago(last.timestamp, viewer.now), last.timestamp, viewer.zone, role="ago") if last else NONE
    took = f"last check, took {in_words(timedelta(milliseconds=last.duration_ms or 0))}" if last else "last check"
    next_check = until(summary.next_check, viewer.now, viewer.zone) if summary.next_check else NONE
    oldest = summary.oldest_violation
    return [
        Tile(number(totals.total_checked) if totals else NONE, "pairs checked", "pairs"),
        Tile(number(totals.inconsistent) if totals else NONE, "violations", "violations"),
        Tile(number(summary.changes.new if summary.changes else None), "new since the check before", "new"),
        Tile(last_check, took, "last-check"),
        Tile("running" if summary.running else next_check, "next check", "next-check"),
        Tile(f"{number(completed)} of {number(tried)}", "checks completed today", "today"),
        Tile(
            timed(in_words(viewer.now - oldest), oldest, viewer.zone, role="for") if oldest else NONE,
            "oldest violation",
            "oldest",
        ),
    ]


def _first_violations(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    if summary.last is None or summary.totals is None:
        st.html(f'<h2 class="card">Violations</h2><p class="empty">{_nothing_yet(viewer, summary)}</p>')
        return
    title = "Violations" if summary.status is not Status.UNKNOWN else "Last known violations"
    if not summary.totals.inconsistent:
        since = summary.assessment.since
        lasting = f" Since {timed(moment(since, viewer.zone, viewer.now), since, viewer.zone)}." if since else ""
        agree = (
            "Nothing was there to compare."
            if not summary.totals.total_checked
            else (f"All {number(summary.totals.total_checked)} pairs agree.{lasting if summary.status is Status.HEALTHY else ''}")
        )
        st.html(f'<h2 class="card">{title}</h2><p class="empty">{agree}</p>')
        return
    first, count = runtime.monitor.violations_page(limit=_FIRST_ROWS)
    st.html(f'<h2 class="card">{title} ({number(count)})</h2>')
    violations_table(first, ViolationQuery(), viewer, key="first-violations", new_since=summary.new_since)
    if count > len(first):
        st.html(f'<a class="more" href="/violations" target="_self">Show all {counted(count, "violation", "violations")}</a>')


def _nothing_yet(viewer: Viewer, summary: HealthSummary) -> str:
    if summary.running:
        return "The first check is running."
    if summary.next_check is None:
        return "No check has completed yet. Press Run now."
    return f"No check has completed yet. The next one starts in {until(summary.next_check, viewer.now, viewer.zone)}."
