"""The one answer of a page: the status in word, icon and colour, since when and why."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.durations import in_words
from core.health_monitor import HealthSummary
from core.model import Request, Status, Trigger
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import (
    STATUS_LOOKS,
    ago,
    changes_in_words,
    counted,
    kinds_in_words,
    moment,
    number,
    rate,
    timed,
    until,
)

_ASKED = "_asked_for_check"


def banner(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """The status, and the button that checks now."""
    look = STATUS_LOOKS[summary.status]
    with st.container(key=f"banner-{summary.status}", horizontal=True, vertical_alignment="center", gap="medium"):
        st.html(
            f'<div class="answer" role="status" data-testid="status-badge" data-status="{summary.status}">'
            f'<div class="verdict"><span class="icon" aria-hidden="true">{look.icon}</span>'
            f"<strong>{look.label}</strong>{_since(viewer, summary)}</div>"
            f"{''.join(f'<div>{line}</div>' for line in _lines(viewer, summary))}</div>"
        )
        _run_now(runtime, viewer, summary)
    _tell_result(summary)


def _since(viewer: Viewer, summary: HealthSummary) -> str:
    since = summary.assessment.since
    if since is None:
        return ""
    lasting = timed(in_words(summary.at - since), since, viewer.zone, role="for")
    return f'<span class="since">since {timed(moment(since, viewer.zone, viewer.now), since, viewer.zone)} · {lasting}</span>'


def _lines(viewer: Viewer, summary: HealthSummary) -> list[str]:
    if summary.status is Status.UNKNOWN:
        return _unknown_lines(viewer, summary)
    totals = summary.totals
    if totals is None:
        return []
    agree = f"<b>{rate(summary.consistency_rate)}</b> of {number(totals.total_checked)} pairs agree"
    since_last = changes_in_words(summary.changes, summary.last.settled if summary.last else 0)
    lines = [f'<span data-testid="since-last-check">{since_last}</span>'] if since_last else []
    if not totals.inconsistent:
        return [f"All {number(totals.total_checked)} pairs agree.", *lines, *_warnings(summary)]
    by_kind = kinds_in_words(summary.last.by_kind) if summary.last else ""
    violations = f"{counted(totals.inconsistent, 'violation', 'violations')}: {by_kind}."
    return [agree, violations, *lines, *_warnings(summary)]


def _unknown_lines(viewer: Viewer, summary: HealthSummary) -> list[str]:
    reason = escape(_sentence(summary.assessment.reason))
    lines = [reason]
    if summary.next_check is not None:
        lines.append(f"Next attempt: {until(summary.next_check, viewer.now, viewer.zone)}.")
    if summary.last is not None and summary.totals is not None:
        known = f"{rate(summary.consistency_rate)} of {number(summary.totals.total_checked)} pairs"
        at = summary.last.timestamp
        lines.append(f"Last known: {known}, {timed(ago(at, viewer.now), at, viewer.zone, role='ago')}.")
    return lines


def _warnings(summary: HealthSummary) -> list[str]:
    totals = summary.totals
    if totals is None or not totals.unidentified_progress_rows + totals.unidentified_license_rows:
        return []
    rows = totals.unidentified_progress_rows + totals.unidentified_license_rows
    return [f"{counted(rows, 'row has', 'rows have')} no user or specialization and cannot be compared."]


def _run_now(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    if summary.running:
        st.button("Checking …", icon=":material/progress_activity:", key="run-now", disabled=True, type="primary")
        return
    if st.button("Run now", icon=":material/play_arrow:", key="run-now", type="primary"):
        st.session_state[_ASKED] = summary.version
        runtime.monitor.start_check(Request(Trigger.MANUAL, viewer.username))
        st.rerun()


def _tell_result(summary: HealthSummary) -> None:
    """Say once what came of the check that this viewer asked for."""
    if _ASKED not in st.session_state or summary.running:
        return
    if st.session_state.pop(_ASKED) == summary.version:
        return
    if summary.status is Status.UNKNOWN or summary.totals is None:
        st.toast(f"The check gave no result: {summary.assessment.reason}.", icon=":material/error:")
        return
    found = counted(summary.totals.inconsistent, "violation", "violations")
    since_last = changes_in_words(summary.changes, summary.last.settled if summary.last else 0)
    st.toast(f"Check complete: {found}. {since_last}".strip(), icon=":material/check:")


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
