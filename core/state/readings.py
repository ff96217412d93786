"""Readings: the rows of history that tell which pairs agree. Completed checks, and logs that list all that they count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from core.lives import Key
from core.model import Outcome, Source
from core.state.schema import history


def is_reading(watched: str | None) -> sa.ColumnElement[bool]:
    """Whether a row of history is a reading of a watched database. An emptied table tells nothing of any pair."""
    whole = sa.or_(history.c.inconsistent == 0, history.c.breakdown.is_not(None))
    log = sa.and_(history.c.source == Source.IMPORT, whole)
    return sa.and_(history.c.total_checked > 0, sa.or_(log, history.c.watched == watched))


def newest_reading(connection: sa.Connection, watched: str) -> datetime | None:
    """When pairs were last compared, by a check or by a log."""
    statement = sa.select(history.c.timestamp).where(is_reading(watched))
    return connection.execute(statement.order_by(history.c.timestamp.desc(), history.c.id.desc()).limit(1)).scalar()


def checked_databases(connection: sa.Connection) -> Sequence[str | None]:
    """The databases of which there is a completed check; None, for one that will be named later, when there is none."""
    checks = history.c.source == Source.CHECK, history.c.outcome != Outcome.FAILED
    return connection.execute(sa.select(history.c.watched).where(*checks).distinct()).scalars().all() or [None]


def known_between(connection: sa.Connection, watched: str | None, start: datetime, end: datetime, below: int) -> Sequence[Key]:
    """The readings of (start, end], oldest first, of those whose number is below one."""
    within = history.c.timestamp > start, history.c.timestamp <= end
    statement = sa.select(history.c.timestamp, history.c.id).where(is_reading(watched), history.c.id < below, *within)
    return [Key(*row) for row in connection.execute(statement.order_by(history.c.timestamp, history.c.id))]


def known_until(connection: sa.Connection, watched: str | None, moment: datetime, below: int) -> datetime | None:
    """When the last reading up to a moment was, of those whose number is below one."""
    earlier = history.c.id < below, history.c.timestamp <= moment
    return connection.execute(sa.select(sa.func.max(history.c.timestamp)).where(is_reading(watched), *earlier)).scalar()


def known_after(connection: sa.Connection, watched: str | None, moment: datetime, below: int) -> Key | None:
    """The first reading after a moment, of those whose number is below one."""
    later = history.c.id < below, history.c.timestamp > moment
    statement = sa.select(history.c.timestamp, history.c.id).where(is_reading(watched), *later)
    row = connection.execute(statement.order_by(history.c.timestamp, history.c.id).limit(1)).one_or_none()
    return None if row is None else Key(*row)
