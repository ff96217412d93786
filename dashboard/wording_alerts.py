"""Alerts in words, icons and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from core.alerts.phases import Phase
from core.alerts.rules import Severity
from core.durations import in_words
from core.state.incidents import Incident
from core.state.outbox import Letter, LetterState
from dashboard.viewer import Viewer
from dashboard.wording import moment, number, rate, timed

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
    parts = [] if incident.most_violations is None else [f"{number(incident.most_violations)} violations"]
    parts += [] if incident.worst_rate is None else [rate(incident.worst_rate)]
    return f"at the worst {', '.join(parts)}" if parts else ""


def told_in_words(letters: Sequence[Letter], viewer: Viewer) -> str:
    """To whom the messages about an incident went, when, and what came of each. HTML."""
    return "; ".join(_told(letter, viewer) for letter in letters)


def _told(letter: Letter, viewer: Viewer) -> str:
    at = letter.ended_at or letter.created_at
    answer = f" ({escape(letter.answer)})" if letter.answer else ""
    when = timed(moment(at, viewer.zone, viewer.now), at, viewer.zone)
    return f"{escape(letter.channel)}: {LETTER_LABELS[letter.state].lower()} {when}{answer}"
