"""Pairs that were caught in flight, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.model import Violation
from core.state.current_violations import violation_of
from core.state.schema import history, settled_pairs


@dataclass(frozen=True, slots=True)
class Settled:
    """A pair that was apart at the first look of a check, as it was then, and agreed at the second."""

    at: datetime
    violation: Violation


def newest(connection: sa.Connection, watched: str | None, *, offset: int = 0, limit: int = 100) -> tuple[Sequence[Settled], int]:
    """A page of the settled pairs of completed checks, newest first, and how many are kept in all."""
    rows = settled_pairs.join(history, history.c.check_id == settled_pairs.c.check_id)
    ours = sa.true() if watched is None else history.c.watched == watched
    count = connection.execute(sa.select(sa.func.count()).select_from(rows).where(ours)).scalar_one()
    no_moment = sa.literal(None, type_=settled_pairs.c.at.type).label("first_seen")
    statement = sa.select(settled_pairs, no_moment).select_from(rows).where(ours)
    page = statement.order_by(settled_pairs.c.at.desc(), settled_pairs.c.id).offset(offset).limit(limit)
    return [Settled(row.at, violation_of(row)) for row in connection.execute(page)], count
