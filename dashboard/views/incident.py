"""One incident: how it went, who heard of it and when, and what can be done."""

from __future__ import annotations

from datetime import timedelta
from html import escape

import streamlit as st

from core.alerts.story import Story
from core.alerts.wording import advice, described, title
from core.durations import in_words
from core.health_monitor import HealthSummary
from core.state.incidents import Incident
from dashboard.components import charts
from dashboard.components.incidents import actions
from dashboard.components.refusals import at_incident, say_refusal
from dashboard.components.tiles import Tile, tiles
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import NONE, number, rate, timed
from dashboard.wording_alerts import SEVERITY_LABELS, entry_in_words, state_of

_LEAST_AROUND = timedelta(hours=1)  # that the chart shows before and after it


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """What it was and whether it is over; its figures, its timeline, and the rate around it."""
    asked = st.query_params.get("number", "")
    known = asked.isascii() and asked.isdigit() and len(asked) < 10
    story = runtime.alert_book.story(int(asked)) if known else None
    if story is None:
        st.html('<h1 class="page">Incident</h1>')
        said = f"There is no incident {escape(asked[:20])}." if asked else "Choose an incident on the page Alerts."
        st.html(f'<p class="empty">{said} <a href="/alerts" target="_self">Back to the alerts.</a></p>')
        return
    incident = story.incident
    _head(runtime, incident)
    say_refusal(at_incident(incident.id))
    tiles(_tiles(viewer, story))
    if incident.resolved_at is None and incident.acknowledged_at is None:
        with st.container(border=True, key="incident-actions"):
            actions(runtime, viewer, incident)
    with st.container(border=True, key="story-card"):
        rows = "".join(entry_in_words(entry, incident, viewer) for entry in story.entries)
        st.html(f'<h2 class="card">What happened</h2><ol class="story" data-testid="story">{rows}</ol>')
    with st.container(border=True, key="around-card"):
        end = incident.resolved_at or viewer.now
        around = max(_LEAST_AROUND, (end - incident.began_at) / 4)
        start, until = incident.began_at - around, min(end + around, viewer.now)
        st.html('<h2 class="card">Rate around it <span class="note">click a point to open its check, drag to zoom</span></h2>')
        charts.rates(
            runtime,
            viewer,
            charts.read_trend(runtime, start, until, summary.version),
            runtime.monitor.record.markers(start, until),
        )


def _head(runtime: Runtime, incident: Incident) -> None:
    rule = next((rule for rule in runtime.alerts.rules if rule.name == incident.rule), None)
    word, look = state_of(incident)
    name = title(rule) if rule else incident.rule
    st.html(
        f'<h1 class="page">{escape(name)} <span class="pill {look}" data-testid="incident-state">{word}</span> '
        f'<span class="note">incident {incident.id} · {SEVERITY_LABELS[incident.severity]}</span></h1>'
    )
    if rule is None:
        st.html('<p class="sentence">The rule is not in the settings any more.</p>')
        return
    todo = f'<p class="detail">What to do: {escape(advice(rule))}</p>' if incident.resolved_at is None else ""
    st.html(f'<p class="sentence">{escape(described(rule))}</p>{todo}')


def _tiles(viewer: Viewer, story: Story) -> list[Tile]:
    incident, told, most = story.incident, story.told_at, story.incident.most_violations
    return [
        Tile(_length(incident, viewer), "from when the condition began to hold", "length"),
        Tile(number(most), f"{'violation' if most == 1 else 'violations'} at the worst", "most"),
        Tile(NONE if incident.worst_rate is None else rate(incident.worst_rate), "lowest rate", "worst"),
        Tile(in_words(incident.opened_at - incident.began_at), "until the alert", "detected"),
        Tile(NONE if told is None else in_words(told - incident.began_at), "until the first message arrived", "told"),
        Tile(number(incident.returns), f"{'time' if incident.returns == 1 else 'times'} it was gone and came back", "returns"),
    ]


def _length(incident: Incident, viewer: Viewer) -> str:
    length = in_words(incident.duration(viewer.now))
    return length if incident.resolved_at else timed(length, incident.began_at, viewer.zone, role="for")
