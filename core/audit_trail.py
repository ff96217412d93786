"""The door to the audit trail: who reads it, and deeds that change nothing else in the state database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.clock import Clock
from core.state import audit
from core.state.audit import Deed, Entry
from core.state.database import StateDatabase

_BATCH = 1_000  # entries that are read at once for a download


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries are wanted; None: all of them."""

    who: str | None = None
    deed: Deed | None = None


EVERYTHING = Choice()


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Some entries, newest first, and whether there are others beside them."""

    entries: Sequence[Entry]
    newer: bool
    older: bool
    count: int  # of all that are wanted


class AuditTrail:
    """Safe to share between threads. Every method raises StateDatabaseUnavailable when that is away."""

    def __init__(self, state: StateDatabase, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def note(self, who: str, deed: Deed, subject: str = "") -> None:
        """Write down a deed that changes nothing in the state database. Call it before it is done: then none is missing."""
        with self._state.write() as connection:
            audit.note(connection, self._clock(), who, deed, subject)

    def page(self, wanted: Choice, *, before: int | None = None, after: int | None = None, limit: int = 100) -> TrailPage:
        """The newest entries, those `before` an entry's number, or those `after` one and as many older ones as fill the page."""
        with self._state.read() as connection:
            count = audit.count(connection, who=wanted.who, deed=wanted.deed)
            if after is not None:
                newer = audit.page(connection, who=wanted.who, deed=wanted.deed, after=after, limit=limit)
                before = newer[0].id + 1 if len(newer) == limit else None  # at the newest end the page is filled up
            found = audit.page(connection, who=wanted.who, deed=wanted.deed, before=before, limit=limit + 1)
            entries, first = found[:limit], found[0].id if found else (before or 1) - 1
            ahead = before is not None and audit.page(connection, who=wanted.who, deed=wanted.deed, after=first, limit=1)
        return TrailPage(entries, bool(ahead), len(found) > limit, count)

    def everyone(self) -> Sequence[str]:
        """Who did anything, by name."""
        with self._state.read() as connection:
            return audit.everyone(connection)

    def done(self) -> Sequence[Deed]:
        """Which deeds were done at all."""
        with self._state.read() as connection:
            return audit.done(connection)

    def stream(self, wanted: Choice) -> Iterator[Entry]:
        """Every wanted entry up to now, newest first."""
        before = None
        while True:
            with self._state.read() as connection:
                found = audit.page(connection, who=wanted.who, deed=wanted.deed, before=before, limit=_BATCH)
            yield from found
            if len(found) < _BATCH:
                return
            before = found[-1].id
