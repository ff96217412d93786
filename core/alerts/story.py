"""The story of an incident: what happened to it, in order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.maintenance import Occurrence
from core.state.incidents import Incident
from core.state.outbox import Letter
from core.state.silences import Silence


class Happened(StrEnum):
    """What one entry of a story tells, in the order in which it is told of one moment."""

    BEGAN = "began"  # the condition began to hold
    MAINTENANCE = "maintenance"  # planned: nobody is told
    SILENCED = "silenced"
    FIRED = "fired"
    RESOLVED = "resolved"
    WRITTEN = "written"  # a message that has not arrived: it waits, or was given up
    TOLD = "told"  # a message that arrived
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; beside its moment what there is to say about it."""

    at: datetime
    what: Happened
    letter: Letter | None = None
    silence: Silence | None = None
    window: Occurrence | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """An incident and all that happened to it."""

    incident: Incident
    entries: Sequence[Entry]

    @property
    def told_at(self) -> datetime | None:
        """When the first message about it had arrived."""
        return next((entry.at for entry in self.entries if entry.what is Happened.TOLD), None)


def story_of(incident: Incident, letters: Sequence[Letter], silences: Sequence[Silence], windows: Sequence[Occurrence]) -> Story:
    """The story of an incident, from the messages about it and from what kept it quiet."""
    entries = _entries(incident, letters, silences, windows)
    order = list(Happened)
    return Story(incident, sorted(entries, key=lambda entry: (entry.at, order.index(entry.what))))


def _entries(
    incident: Incident, letters: Sequence[Letter], silences: Sequence[Silence], windows: Sequence[Occurrence]
) -> Iterator[Entry]:
    yield Entry(incident.began_at, Happened.BEGAN)
    yield Entry(incident.opened_at, Happened.FIRED)
    for window in windows:
        yield Entry(max(window.start, incident.began_at), Happened.MAINTENANCE, window=window)
    for silence in silences:
        yield Entry(max(silence.created_at, incident.began_at), Happened.SILENCED, silence=silence)
    for letter in letters:
        told = letter.arrived_at
        yield Entry(told or letter.ended_at or letter.created_at, Happened.TOLD if told else Happened.WRITTEN, letter=letter)
    if incident.acknowledged_at is not None:
        yield Entry(incident.acknowledged_at, Happened.ACKNOWLEDGED)
    if incident.resolved_at is not None:
        yield Entry(incident.resolved_at, Happened.RESOLVED)
