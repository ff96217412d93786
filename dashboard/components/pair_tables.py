"""Pairs of users and specializations in small tables, each linked to its details."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.durations import in_words
from core.model import UserId
from core.state.episodes import Episode, Returning
from dashboard.viewer import Viewer
from dashboard.violation_query import ViolationQuery
from dashboard.wording import KIND_LABELS, moment, number, timed


def oldest_open(found: Sequence[Episode], viewer: Viewer) -> None:
    """The violations that have been open for longest."""
    rows = [
        [
            _pair(episode.user_id, episode.specialization),
            KIND_LABELS[episode.kind],
            timed(in_words(viewer.now - episode.first_seen), episode.first_seen, viewer.zone, role="for"),
        ]
        for episode in found
    ]
    _table("Oldest open violations", ["Pair", "Problem", "Open for"], rows, "No violation is open.")


def most_returning(found: Sequence[Returning], viewer: Viewer) -> None:
    """The pairs that came apart most often."""
    rows = [
        [
            _pair(pair.user_id, pair.specialization),
            number(pair.times),
            timed(moment(pair.last_seen_first, viewer.zone, viewer.now), pair.last_seen_first, viewer.zone)
            + (", still open" if pair.open else ""),
        ]
        for pair in found
    ]
    _table("Most often returning pairs", ["Pair", "Times", "Last time"], rows, "No pair came apart twice in this time.")


def _pair(user: UserId, specialization: str) -> str:
    query = urlencode(ViolationQuery(selected=(str(user), specialization)).to_params())
    return f'<a href="/violations?{query}" target="_self">{escape(str(user))} · {escape(specialization)}</a>'


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    st.html(f'<h2 class="card">{title}</h2>')
    if not rows:
        st.html(f'<p class="empty">{empty}</p>')
        return
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    st.html(f'<table class="twosome"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')
