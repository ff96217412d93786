"""What is left of single checks whose time is over: the sums of each day (UTC)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from core.analysis.sums import Sums
from core.state.schema import daily_figures

_DAY = timedelta(days=1)


def dropped_sums(connection: sa.Connection, scope: str, start: datetime, end: datetime) -> Sums:
    """The sums of the dropped days that lie wholly in [start, end)."""
    first = (start - timedelta(microseconds=1)).date() + _DAY
    statement = sa.select(daily_figures.c.figures).where(
        daily_figures.c.watched == scope, daily_figures.c.day >= first, daily_figures.c.day < end.date()
    )
    return sum((Sums.from_json(figures) for figures in connection.execute(statement).scalars()), Sums())
