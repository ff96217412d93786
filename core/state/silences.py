"""Times in which nobody is told, with who wanted that, why, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.state.schema_of_alerts import silences

LONGEST_REASON = 500
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Silence:
    """Of one rule, or of all when `rule` is None."""

    id: int
    rule: str | None
    reason: str
    created_at: datetime
    created_by: str
    until: datetime
    until_resolved: bool

    def covers(self, rule: str) -> bool:
        return self.rule is None or self.rule == rule


def add(
    connection: sa.Connection, rule: str | None, reason: str, by: str, until: datetime, now: datetime, *, until_resolved: bool
) -> Silence:
    """Silence a rule, or all. The reason has 1 to 500 characters."""
    values = {"rule": rule, "reason": reason, "created_at": now, "created_by": by[:_LONGEST_NAME], "until": until}
    inserted = connection.execute(sa.insert(silences).values(until_resolved=until_resolved, **values)).inserted_primary_key
    return Silence(int(inserted[0]) if inserted else 0, rule, reason, now, by[:_LONGEST_NAME], until, until_resolved)


def holding(connection: sa.Connection, now: datetime) -> Sequence[Silence]:
    """The silences that hold, oldest first."""
    statement = sa.select(silences).where(silences.c.until > now, silences.c.ended_at.is_(None)).order_by(silences.c.id)
    return [_silence(row) for row in connection.execute(statement)]


def between(connection: sa.Connection, start: datetime, end: datetime) -> Sequence[Silence]:
    """Those that held at some time of [start, end], oldest first; `until` is when each really ended."""
    over = sa.func.coalesce(silences.c.ended_at, silences.c.until)
    statement = sa.select(silences).where(silences.c.created_at <= end, over > start).order_by(silences.c.id)
    rows = connection.execute(statement)
    return [replace(_silence(row), until=min(row.until, row.ended_at or row.until)) for row in rows]


def end(connection: sa.Connection, number: int, now: datetime) -> bool:
    """End a silence; False when it does not hold."""
    statement = sa.update(silences).where(silences.c.id == number, silences.c.until > now, silences.c.ended_at.is_(None))
    return bool(connection.execute(statement.values(ended_at=now)).rowcount)


def _silence(row: sa.Row[Any]) -> Silence:
    return Silence(row.id, row.rule, row.reason, row.created_at, row.created_by, row.until, row.until_resolved)
