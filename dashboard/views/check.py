"""One check: its report, as long as anything of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from html import escape

import streamlit as st

from core.breakdown import BreakdownEntry
from core.durations import in_words
from core.errors import hint_of
from core.health_monitor import HealthSummary
from core.listed_violations import Listed, ListedIn
from core.model import Outcome, Source, Status, Trigger
from core.over_time import CheckRecord
from core.state.episodes import Share
from core.state.history import Attempt
from core.status import status_of
from dashboard.components.opening import open_check
from dashboard.components.tiles import Tile, tiles
from dashboard.components.violations_table import violations_table
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.violation_query import ViolationQuery
from dashboard.wording import NONE, STATUS_LOOKS, TRIGGER_LABELS, ago, counted, exact, kinds_in_words, number, rate, timed
from dashboard.wording_analysis import part_in_words

_SHOWN = 200


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """When it was and how it ended; its figures, its violations, and the checks beside it."""
    asked = st.query_params.get("number", "")
    found = runtime.monitor.record.check(int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    if found is None:
        st.html('<h1 class="page">Check</h1>')
        st.html(f'<p class="empty">{_missing(asked)} <a href="/trend" target="_self">Back to the trend.</a></p>')
        return
    attempt = found.attempt
    _title(viewer, attempt, _status(runtime, attempt))
    _neighbours(found)
    if attempt.outcome is Outcome.FAILED:
        st.error(attempt.error or "No reason was kept.", icon=":material/error:")
        st.info(hint_of(attempt.error_type), icon=":material/build:")
    tiles(_tiles(attempt))
    if attempt.totals is not None and attempt.totals.inconsistent:
        with st.container(border=True, key="parts-card"):
            st.html('<h2 class="card">Made up of</h2>')
            _parts(found.parts, attempt)
        with st.container(border=True, key="violations-card"):
            _violations(viewer, attempt, runtime.monitor.record.listed_by(attempt, _SHOWN))
    elif attempt.totals is not None:
        agree = f"All {number(attempt.totals.total_checked)} pairs agreed." if attempt.totals.total_checked else _EMPTY
        st.html(f'<p class="empty">{agree}</p>')


_NOT_COUNTED = '<p class="detail quiet">It ran in planned maintenance, and counts neither as healthy nor as bad.</p>'
_EMPTY = "Neither table held a pair: nothing was compared."


def _missing(asked: str) -> str:
    if not asked:
        return "Choose a check by a click on a point of the trend or the analysis."
    return f"There is no check {escape(asked[:20])}, or it is older than single checks are kept."


def _status(runtime: Runtime, attempt: Attempt) -> Status:
    if attempt.totals is None:
        return Status.UNKNOWN
    return status_of(attempt.totals.consistent, attempt.totals.total_checked, runtime.settings.status_thresholds)


def _title(viewer: Viewer, attempt: Attempt, status: Status) -> None:
    what = "Log of the earlier system" if attempt.source is Source.IMPORT else "Check"
    at = attempt.timestamp
    planned = ' <span class="pill unknown" data-testid="in-maintenance">In maintenance</span>' if attempt.in_maintenance else ""
    label = "Failed" if attempt.outcome is Outcome.FAILED else STATUS_LOOKS[status].label
    when = timed(ago(at, viewer.now), at, viewer.zone, role="ago")
    st.html(
        f'<h1 class="page">{what} <span class="pill {status}" data-testid="outcome">{label}</span>{planned} '
        f'<span class="note">{when}</span></h1>'
        f'<p class="sentence" data-testid="check-at">{escape(exact(at, viewer.zone))}</p>'
        f"{_NOT_COUNTED if attempt.in_maintenance else ''}"
    )


def _neighbours(found: CheckRecord) -> None:
    with st.container(horizontal=True, gap="small", key="neighbours"):
        for label, icon, neighbour in (
            ("Previous check", ":material/chevron_left:", found.previous),
            ("Next check", ":material/chevron_right:", found.following),
        ):
            if st.button(label, icon=icon, key=label.lower().replace(" ", "-"), disabled=neighbour is None) and neighbour:
                open_check(neighbour)


def _tiles(attempt: Attempt) -> list[Tile]:
    totals = attempt.totals
    took = NONE if attempt.duration_ms is None else in_words(timedelta(milliseconds=attempt.duration_ms))
    who = escape(attempt.requested_by or "")
    asked = TRIGGER_LABELS[attempt.trigger] if isinstance(attempt.trigger, Trigger) else NONE
    row = [
        Tile(rate(attempt.consistency_rate), "of the pairs agreed", "rate"),
        Tile(number(totals.total_checked if totals else None), "pairs compared", "pairs"),
        Tile(number(totals.inconsistent if totals else None), "violations", "violations"),
        Tile(took, "it took", "took"),
        Tile(asked, f"asked for by {who}" if who else "how it was started", "asked"),
    ]
    if attempt.source is Source.CHECK and totals is not None:
        row.append(Tile(number(attempt.settled), "pairs in flight that settled", "settled"))
    if attempt.log_file is not None:
        row.append(Tile(f'<span class="file">{escape(attempt.log_file)}</span>', "its violation log", "log"))
    return row


def _parts(parts: Sequence[BreakdownEntry] | None, attempt: Attempt) -> None:
    if parts is None:
        made_up_of = kinds_in_words(attempt.by_kind) or "What it was made up of was not kept."
        st.html(f'<p class="detail">{made_up_of}</p>')
        return
    rows = "".join(
        f'<tr><td class="number">{number(part.count)}</td><td>'
        f"{escape(part_in_words(Share(part.specialization, part.kind, part.direction, part.count)))}</td></tr>"
        for part in parts
    )
    st.html(f'<table class="parts">{rows}</table>')


def _violations(viewer: Viewer, attempt: Attempt, listed: Listed) -> None:
    count = attempt.totals.inconsistent if attempt.totals else 0
    st.html(f'<h2 class="card">Violations ({number(count)})</h2>')
    if listed.where is ListedIn.NOWHERE:
        st.html(f'<p class="empty" data-testid="not-kept">{_not_kept(attempt, listed)}</p>')
        return
    violations_table(listed.violations, ViolationQuery(), viewer, key="check-violations")
    if count > len(listed.violations):
        log = f"; {escape(attempt.log_file)} lists all of them" if attempt.log_file else ""
        st.html(f'<p class="detail quiet">The first {counted(len(listed.violations), "violation", "violations")}{log}.</p>')


def _not_kept(attempt: Attempt, listed: Listed) -> str:
    rows = "Its rows are kept for the two newest checks only"
    if listed.problem:
        return f"{rows}, and its log cannot be read: {escape(listed.problem)}"
    if attempt.log_file is None:
        return f"{rows}, and it has no log."
    return f"{rows}, and its log {escape(attempt.log_file)} is not where it was written."
