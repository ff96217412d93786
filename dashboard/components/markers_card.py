"""The markers of a time as a list, and the form to add one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import streamlit as st

from core.model import MarkerKind
from core.state.markers import LONGEST_TITLE, Marker
from core.words import one_line
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import moment, timed
from dashboard.wording_analysis import MARKER_LABELS

_SHOWN = 8
_TITLE, _KIND, _AT, _PROBLEM = "marker-title", "marker-kind", "marker-at", "marker-problem"


def markers_card(runtime: Runtime, viewer: Viewer, markers: Sequence[Marker]) -> None:
    """What was marked, newest first, with a button on one's own, and the form."""
    st.html('<h2 class="card">Markers <span class="note">what happened elsewhere and may explain a change</span></h2>')
    if not markers:
        st.html('<p class="empty">No marker in this time. Add one here, or let your deployment add them by the API.</p>')
    for marker in markers[: -_SHOWN - 1 : -1]:
        _row(runtime, viewer, marker)
    if len(markers) > _SHOWN:
        st.html(f'<p class="detail quiet">The newest {_SHOWN} of {len(markers)}.</p>')
    _form(runtime, viewer)


def _row(runtime: Runtime, viewer: Viewer, marker: Marker) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"marker-row-{marker.id}", gap="small"):
        at = timed(moment(marker.at, viewer.zone, viewer.now), marker.at, viewer.zone)
        st.html(
            f'<p class="detail" data-testid="marker"><b>{escape(marker.title)}</b> '
            f'<span class="quiet">{MARKER_LABELS[marker.kind]}, {at}, by {escape(marker.created_by)}</span></p>'
        )
        if marker.created_by == viewer.username:
            st.button(
                "Delete",
                key=f"delete-marker-{marker.id}",
                type="tertiary",
                on_click=_remove,
                args=(runtime, viewer, marker),
            )


def _remove(runtime: Runtime, viewer: Viewer, marker: Marker) -> None:
    runtime.monitor.record.remove_marker(marker.id, viewer.username)


def _form(runtime: Runtime, viewer: Viewer) -> None:
    def add() -> None:
        state = st.session_state
        title = one_line(str(state[_TITLE]))
        if not title:
            state[_PROBLEM] = "A marker needs a title."
            return
        at: datetime | None = state[_AT]
        when = None if at is None else at.replace(tzinfo=viewer.zone).astimezone(UTC)
        runtime.monitor.record.add_marker(title, MarkerKind(state[_KIND]), when, viewer.username)
        state[_TITLE] = ""
        state[_AT] = None

    choices = st.form("add-marker", border=False)
    with choices, st.container(key="marker-form", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("What happened", key=_TITLE, max_chars=LONGEST_TITLE, placeholder="app 2.14 to production")
        st.selectbox("Kind", list(MarkerKind), key=_KIND, format_func=lambda kind: MARKER_LABELS[MarkerKind(kind)], width=140)
        st.datetime_input("When", value=None, key=_AT, width=220, help="Empty: now.")
        st.form_submit_button("Add marker", icon=":material/add:", on_click=add)
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        st.error(problem, icon=":material/error:")
