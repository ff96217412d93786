"""Alerts in words, icons and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from core.alerts.phases import Phase
from core.alerts.rules import Severity
from core.alerts.story import Entry, Happened
from core.durations import in_words
from core.state.incidents import Incident
from core.state.outbox import Letter, LetterState
from dashboard.viewer import Viewer
from dashboard.wording import counted, moment, rate, timed
from dashboard.wording_maintenance import when_in_words

INCIDENT_PATH = "incident"

# Word, and the status whose colours it takes.
PHASE_LOOKS: Mapping[Phase, tuple[str, str]] = {
    Phase.FIRING: ("Firing", "critical"),
    Phase.PENDING: ("Pending", "degraded"),
    Phase.RESOLVED: ("Resolved", "healthy"),
    Phase.INACTIVE: ("Inactive", "unknown"),
}
SEVERITY_LABELS: Mapping[Severity, str] = {
    Severity.PAGE: "Page: now, also at night",
    Severity.WARNING: "Warning: today",
    Severity.INFO: "Info: when there is time",
}
LETTER_LABELS: Mapping[LetterState, str] = {
    LetterState.SENT: "Sent",
    LetterState.WAITING: "Waiting",
    LetterState.GIVEN_UP: "Given up",
}


def lasting(incident: Incident, viewer: Viewer) -> str:
    """How long an incident has lasted; it counts on by itself while it is open. HTML."""
    length = in_words(incident.duration(viewer.now))
    if incident.resolved_at is not None:
        return f"lasted {length}"
    return f"for {timed(length, incident.began_at, viewer.zone, role='for')}"


def worst(incident: Incident) -> str:
    """The worst that was seen while it was open; empty when nothing was known."""
    values = worst_values(incident)
    return f"at the worst {values}" if values else ""


def worst_values(incident: Incident) -> str:
    """The same as values alone."""
    parts = [] if incident.most_violations is None else [counted(incident.most_violations, "violation", "violations")]
    parts += [] if incident.worst_rate is None else [rate(incident.worst_rate)]
    return ", ".join(parts)


def state_of(incident: Incident) -> tuple[str, str]:
    """The word for where an incident stands, and the status whose colours it takes."""
    if incident.closed is not None:
        return "Closed", "unknown"
    if incident.resolved_at is not None:
        return "Resolved", "healthy"
    return ("Acknowledged", "degraded") if incident.acknowledged_at is not None else ("Firing", "critical")


def incident_address(number: int) -> str:
    """Where the page of an incident stands."""
    return f"/{INCIDENT_PATH}?number={number}"


def entry_in_words(entry: Entry, incident: Incident, viewer: Viewer) -> str:
    """One line of an incident's story. HTML."""
    at = timed(moment(entry.at, viewer.zone, viewer.now), entry.at, viewer.zone)
    return f'<li class="{entry.what}"><span class="at">{at}</span> <span>{_said(entry, incident, viewer)}</span></li>'


def _said(entry: Entry, incident: Incident, viewer: Viewer) -> str:
    match entry.what:
        case Happened.BEGAN:
            return "The condition began to hold."
        case Happened.FIRED:
            found = "" if incident.violations is None else f", with {counted(incident.violations, 'violation', 'violations')}"
            return f"<b>The alert fired</b>{found}."
        case Happened.ACKNOWLEDGED:
            note = f": {escape(incident.note)}" if incident.note else "."
            return f"<b>Acknowledged</b> by {escape(incident.acknowledged_by or '')}{note}"
        case Happened.RESOLVED:
            after = in_words(incident.duration(viewer.now))
            if incident.closed is not None:
                return f"<b>Closed</b>, after {after}: {escape(incident.closed)}."
            return f"<b>Resolved</b>, after {after}."
    if entry.silence is not None:
        until = timed(moment(entry.silence.until, viewer.zone, viewer.now), entry.silence.until, viewer.zone)
        return f"Silenced until {until} by {escape(entry.silence.created_by)}: {escape(entry.silence.reason)}"
    if entry.window is not None:
        return f"Maintenance {when_in_words(entry.window, viewer)}: {escape(entry.window.window.reason)}"
    return _of_letter(entry.letter) if entry.letter is not None else ""


def _of_letter(letter: Letter) -> str:
    tries = f", after {counted(letter.tries, 'try', 'tries')}" if letter.tries > 1 else ""
    answer = f" ({escape(letter.answer)})" if letter.answer else ""
    return f"{LETTER_LABELS[letter.state]} through <b>{escape(letter.channel)}</b>: {escape(letter.subject)}{tries}{answer}"


def told_in_words(letters: Sequence[Letter], viewer: Viewer) -> str:
    """To whom the messages about an incident went, when, and what came of each. HTML."""
    return "; ".join(_told(letter, viewer) for letter in letters)


def _told(letter: Letter, viewer: Viewer) -> str:
    at = letter.ended_at or letter.created_at
    answer = f" ({escape(letter.answer)})" if letter.answer else ""
    when = timed(moment(at, viewer.zone, viewer.now), at, viewer.zone)
    return f"{escape(letter.channel)}: {LETTER_LABELS[letter.state].lower()} {when}{answer}"
