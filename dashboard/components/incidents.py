"""Incidents: those that go on, on the overview, and what can be done about one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import escape

import streamlit as st

from core.alerts.links import Deed
from core.alerts.wording import advice, title
from core.errors import AlertProblem
from core.maintenance import Occurrence
from core.state.incidents import Incident
from core.state.outbox import Letter, LetterState
from dashboard.components.refusals import Place, asking, at_incident, guarded
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import counted, moment, timed
from dashboard.wording_alerts import incident_address, lasting, told_in_words, worst
from dashboard.wording_maintenance import when_in_words

_SOON = timedelta(days=1)
_MEANS = ". Checks go on, and count neither as healthy nor as bad; nobody is told of alerts."


def strip(runtime: Runtime, viewer: Viewer) -> None:
    """What fires, what keeps it quiet, and maintenance of the next day, in a few lines; nothing when there is none."""
    planned = runtime.maintenance.between(viewer.now, viewer.now + _SOON)
    now = [_planned(one, viewer) for one in planned if one.holds(viewer.now)]
    lines = [
        *_firing(runtime, viewer),
        *now[:-1],
        *(f"{last}{_MEANS}" for last in now[-1:]),
        *_silenced(runtime, viewer),
        *(_planned(one, viewer) for one in planned if not one.holds(viewer.now)),
    ]
    if lines:
        rows = "".join(f"<li>{line}</li>" for line in lines)
        st.html(
            f'<div class="alerts-strip" data-testid="alerts-strip"><ul>{rows}</ul>'
            '<a class="more" href="/alerts" target="_self">Open alerts</a></div>'
        )


def _firing(runtime: Runtime, viewer: Viewer) -> Iterator[str]:
    rules = {rule.name: rule for rule in runtime.alerts.rules}
    if problem := runtime.alerts.problem:
        yield f'<span class="pill critical">Alerts</span> It is not known what fires: {escape(problem)}.'
    for incident in runtime.alert_book.open_incidents():
        name = title(rules[incident.rule]) if incident.rule in rules else incident.rule
        by = f" · acknowledged by {escape(incident.acknowledged_by)}" if incident.acknowledged_by else ""
        yield f'<span class="pill critical">Firing</span> {_named(name, incident)} {lasting(incident, viewer)}{by}'


def _planned(one: Occurrence, viewer: Viewer) -> str:
    who = escape(one.window.created_by)
    return f'<span class="pill unknown">Maintenance</span> {when_in_words(one, viewer)}: {escape(one.window.reason)} ({who})'


def _silenced(runtime: Runtime, viewer: Viewer) -> Iterator[str]:
    for silence in runtime.alert_book.silences():
        what = "All alerts are" if silence.rule is None else f"{escape(silence.rule)} is"
        until = timed(moment(silence.until, viewer.zone, viewer.now), silence.until, viewer.zone)
        reason, who = escape(silence.reason), escape(silence.created_by)
        yield f'<span class="pill unknown">Quiet</span> {what} silenced until {until}: {reason} ({who})'


def from_message(runtime: Runtime, viewer: Viewer) -> None:
    """What the link of a message asks for: one click does it."""
    if "do" not in st.query_params:
        return
    try:
        link, incident = runtime.alert_book.opened(st.query_params.to_dict())
    except AlertProblem as problem:
        st.warning(problem.advice, icon=":material/link_off:")
        return
    rules = {rule.name: rule for rule in runtime.alerts.rules}
    name = title(rules[incident.rule]) if incident.rule in rules else incident.rule

    def do() -> None:
        note = str(st.session_state.get("asked-note", ""))
        if link.deed is Deed.ACKNOWLEDGE:
            guarded(Place.TOP, lambda: runtime.alert_book.acknowledge(incident.id, viewer.username, note))
        else:
            guarded(Place.TOP, lambda: runtime.alert_book.snooze(incident, viewer.username, note))
        for part in ("do", "expires", "signature"):
            st.query_params.pop(part, None)

    words = {Deed.ACKNOWLEDGE: "Acknowledge", Deed.SNOOZE: "Snooze for an hour"}[link.deed]
    with st.container(border=True, key="asked"):
        st.html(f'<h2 class="card">From the message</h2><p class="sentence">{words}: <b>{escape(name)}</b></p>')
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input("Reason", key="asked-note", placeholder="who does what about it", max_chars=500)
            st.button(words, key="asked-do", type="primary", on_click=do)


def going_on(runtime: Runtime, viewer: Viewer, incident: Incident, letters: Sequence[Letter]) -> None:
    """One open incident: what it is, who was told, what to do, and the two things that can be done here."""
    rule = next((rule for rule in runtime.alerts.rules if rule.name == incident.rule), None)
    name = title(rule) if rule else incident.rule
    since = timed(moment(incident.began_at, viewer.zone, viewer.now), incident.began_at, viewer.zone)
    returns = f"came back {counted(incident.returns, 'time', 'times')}" if incident.returns else ""
    facts = [f"since {since}", lasting(incident, viewer), worst(incident), returns, _told(incident, letters, viewer)]
    told = f'<p class="detail note">{told_in_words(letters, viewer)}</p>' if letters else ""
    todo = f'<p class="detail">What to do: {escape(advice(rule))}</p>' if rule else ""
    with st.container(border=True, key=f"incident-{incident.id}"):
        st.html(
            f'<div class="incident" data-incident="{incident.id}" data-rule="{escape(incident.rule)}">'
            f'<span class="pill critical">Firing</span> {_named(name, incident)}'
            f'<p class="detail note">{" · ".join(filter(None, facts))}</p>{told}{todo}</div>'
        )
        if incident.acknowledged_at is None:
            actions(runtime, viewer, incident)


def _named(name: str, incident: Incident) -> str:
    return f'<a class="named" href="{incident_address(incident.id)}" target="_self">{escape(name)}</a>'


def _told(incident: Incident, letters: Sequence[Letter], viewer: Viewer) -> str:
    if incident.acknowledged_at is not None:
        note = f": {escape(incident.note)}" if incident.note else ""
        at = timed(moment(incident.acknowledged_at, viewer.zone, viewer.now), incident.acknowledged_at, viewer.zone)
        return f"acknowledged by {escape(incident.acknowledged_by or '')} {at}{note}"
    # a message that waits has told nobody; the line of messages says who has heard
    return "" if any(letter.state is LetterState.SENT for letter in letters) else "nobody has been told yet"


def actions(runtime: Runtime, viewer: Viewer, incident: Incident) -> None:
    """Acknowledge it, or snooze it for an hour."""
    note_key = f"note-{incident.id}"

    def note() -> str:
        return str(st.session_state.get(note_key, ""))

    acknowledge = asking(at_incident(incident.id), lambda: runtime.alert_book.acknowledge(incident.id, viewer.username, note()))
    snooze = asking(at_incident(incident.id), lambda: runtime.alert_book.snooze(incident, viewer.username, note()))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"actions-{incident.id}"):
        st.text_input("Note", key=note_key, placeholder="who does what about it", max_chars=500)
        st.button("Acknowledge", key=f"acknowledge-{incident.id}", type="primary", on_click=acknowledge)
        st.button("Snooze 1 h", key=f"snooze-{incident.id}", on_click=snooze)
