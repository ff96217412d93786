"""What came of the daily drills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.state.schema_of_alerts import drills

_LONGEST_ANSWER = 500


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill. Seconds from the planting until its message had arrived; None when it did not."""

    at: datetime
    channel: str
    delivered_seconds: float | None
    answer: str  # the channel's, or why it did not come so far

    @property
    def arrived(self) -> bool:
        return self.delivered_seconds is not None


def keep(connection: sa.Connection, scope: str, drill: Drill) -> None:
    """Keep what came of one."""
    values = {"channel": drill.channel, "delivered_seconds": drill.delivered_seconds, "answer": drill.answer[:_LONGEST_ANSWER]}
    connection.execute(sa.insert(drills).values(watched=scope, at=drill.at, **values))


def newest(connection: sa.Connection, scope: str) -> Drill | None:
    """The last one; None before the first."""
    statement = sa.select(drills).where(drills.c.watched == scope).order_by(drills.c.id.desc()).limit(1)
    row = connection.execute(statement).one_or_none()
    return None if row is None else Drill(row.at, row.channel, row.delivered_seconds, row.answer)


def drop_old(connection: sa.Connection, before: datetime) -> None:
    """Let those go that were before a moment."""
    connection.execute(sa.delete(drills).where(drills.c.at < before))
