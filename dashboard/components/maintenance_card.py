"""Planned maintenance as a list, and the form to plan more."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from html import escape

import streamlit as st

from core.durations import in_words
from core.maintenance import Occurrence, Repeats, time_zones
from core.maintenance_plan import LONGEST_REASON
from dashboard.components.refusals import Place, asking, guarded, say_refusal
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording_analysis import WEEKDAYS
from dashboard.wording_maintenance import REPEATS_LABELS, repeats_in_words, when_in_words

_LENGTHS = [15, 30, 60, 120, 240, 480, 720, 1440]  # minutes
_REASON, _STARTS, _MINUTES, _REPEATS, _DAYS, _ZONE, _LAST = (
    f"maintenance-{name}" for name in ("reason", "starts", "minutes", "repeats", "days", "zone", "last")
)


def maintenance_card(runtime: Runtime, viewer: Viewer) -> None:
    """What is planned, the soonest first, each with a button that takes it back, and the form."""
    st.html('<h2 class="card">Maintenance <span class="note">planned, once or again and again</span></h2>')
    planned = runtime.maintenance.next_of_each()
    if not planned:
        st.html(
            '<p class="detail quiet">None is planned. In maintenance checks go on, are marked and count neither as healthy nor '
            "as bad; nobody is told of alerts until a check after its end.</p>"
        )
    for one in planned:
        _row(runtime, viewer, one)
    _form(runtime, viewer)


def _row(runtime: Runtime, viewer: Viewer, one: Occurrence) -> None:
    window = one.window
    holds = '<span class="pill degraded">Now</span> ' if one.holds(viewer.now) else ""
    when = when_in_words(one, viewer)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(
            f'<div data-maintenance="{window.id}">{holds}<b>{escape(window.reason)}</b> {when}'
            f'<p class="detail note">{repeats_in_words(window)} · by {escape(window.created_by)}</p></div>'
        )
        repeats = window.repeats is not Repeats.ONCE
        if repeats and one.holds(viewer.now):
            cut = asking(Place.MAINTENANCE, lambda: runtime.maintenance.end(window.id, viewer.username, only_this_time=True))
            st.button("End it this time", key=f"cut-maintenance-{window.id}", on_click=cut)
        label = "Take all of it back" if repeats else "End it" if one.holds(viewer.now) else "Take it back"
        end = asking(Place.MAINTENANCE, lambda: runtime.maintenance.end(window.id, viewer.username))
        st.button(label, key=f"end-maintenance-{window.id}", on_click=end)


def _form(runtime: Runtime, viewer: Viewer) -> None:
    def plan() -> None:
        state = st.session_state
        starts: datetime | None = state[_STARTS]
        last: date | None = state.get(_LAST)
        repeats = Repeats(state[_REPEATS])
        planned = guarded(
            Place.MAINTENANCE,
            lambda: runtime.maintenance.plan(
                str(state[_REASON]),
                viewer.username,
                starts,
                int(state[_MINUTES]),
                time_zone=str(state[_ZONE]),
                repeats=repeats,
                weekdays=frozenset(WEEKDAYS.index(day) for day in state.get(_DAYS) or ()),
                last_day=last,
            ),
        )
        if planned:
            state[_REASON], state[_STARTS] = "", None

    with st.container(key="maintenance-form"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input("What is done", key=_REASON, placeholder="app 3.0 to production", max_chars=LONGEST_REASON)
            st.datetime_input("From", value=None, key=_STARTS, width=210, help="Empty: now. By the clock of the time zone.")
            st.selectbox(
                "For",
                _LENGTHS,
                index=_LENGTHS.index(60),
                key=_MINUTES,
                width=110,
                format_func=lambda minutes: in_words(timedelta(minutes=minutes)),
            )
            repeats = st.selectbox(
                "Repeats", list(Repeats), key=_REPEATS, width=150, format_func=lambda one: REPEATS_LABELS[Repeats(one)]
            )
            zones = time_zones()
            usual = viewer.zone.key if viewer.zone.key in zones else "UTC"
            st.selectbox("Time zone", zones, index=zones.index(usual), key=_ZONE, width=210)
        if repeats is not Repeats.ONCE:
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                if repeats is Repeats.WEEKLY:
                    st.pills("On", WEEKDAYS, selection_mode="multi", key=_DAYS, help="None: on the weekday of its beginning.")
                st.date_input("Until", value=None, key=_LAST, width=160, help="The last day on which one begins.")
        say_refusal(Place.MAINTENANCE)
        st.button("Plan it", key="add-maintenance", type="primary", on_click=plan)
