"""What happened elsewhere and may explain a change: kept, listed, taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.model import MarkerKind
from core.state.schema import markers

LONGEST_TITLE = 200
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened at a moment, in the words of whoever added it."""

    id: int
    at: datetime
    kind: MarkerKind
    title: str
    created_at: datetime
    created_by: str  # a username, or "token" and its name


def add(connection: sa.Connection, at: datetime, kind: MarkerKind, title: str, by: str, now: datetime) -> Marker:
    """Keep a marker. The title has 1 to 200 characters."""
    values = {"at": at, "kind": kind.value, "title": title, "created_at": now, "created_by": by[:_LONGEST_NAME]}
    inserted = connection.execute(sa.insert(markers).values(**values)).inserted_primary_key
    return Marker(int(inserted[0]) if inserted else 0, at, kind, title, now, by[:_LONGEST_NAME])


def between(connection: sa.Connection, start: datetime, end: datetime, most: int) -> Sequence[Marker]:
    """The markers of [start, end], oldest first; of too many the newest."""
    statement = sa.select(markers).where(markers.c.at >= start, markers.c.at <= end)
    found = connection.execute(statement.order_by(markers.c.at.desc(), markers.c.id.desc()).limit(most))
    return [_marker(row) for row in found][::-1]


def remove(connection: sa.Connection, number: int, by: str) -> Marker | None:
    """Take one's own marker away and give it; None when there is none of that number and person."""
    own = markers.c.id == number, markers.c.created_by == by
    row = connection.execute(sa.select(markers).where(*own)).one_or_none()
    gone = connection.execute(sa.delete(markers).where(*own)).rowcount
    return _marker(row) if row is not None and gone else None


def _marker(row: sa.Row[Any]) -> Marker:
    return Marker(row.id, row.at, MarkerKind(row.kind), row.title, row.created_at, row.created_by)
