"""Choosing a stretch of time, kept in the page's address so that a view can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import streamlit as st

from dashboard.viewer import Viewer

CUSTOM = "Custom"

Ranges = Mapping[str, timedelta | None]  # None: since the beginning


def choose_range(ranges: Ranges, usual: str, key: str) -> str:
    """Buttons for the ranges and one for days of one's own; what is chosen."""

    def remember() -> None:
        st.query_params["range"] = st.session_state[key]

    asked = st.query_params.get("range", usual)
    if key not in st.session_state:
        st.session_state[key] = asked if asked in (*ranges, CUSTOM) else usual
    chosen = st.segmented_control(
        "Range", [*ranges, CUSTOM], key=key, required=True, label_visibility="collapsed", on_change=remember
    )
    return chosen or usual


def in_the_last(chosen: str) -> str:
    """A range as it stands in a sentence: "the last 30 d"."""
    return {"1 y": "the last year", CUSTOM: "these days"}.get(chosen, f"the last {chosen}")


def bounds(ranges: Ranges, chosen: str, viewer: Viewer, key: str) -> tuple[datetime | None, datetime]:
    """The beginning (None: the first reading) and the end of what was chosen; asks for the days when they are one's own."""
    if chosen != CUSTOM:
        length = ranges[chosen]
        return (None if length is None else viewer.now - length), viewer.now
    today = viewer.now.astimezone(viewer.zone).date()
    days = st.date_input("From and to", value=(today - timedelta(days=7), today), max_value=today, key=key, width=280)
    first, last = (days[0], days[-1]) if isinstance(days, tuple) and days else (today - timedelta(days=7), today)
    start = datetime.combine(first, time(), viewer.zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), viewer.zone).astimezone(UTC)
    return start, min(end, viewer.now)
