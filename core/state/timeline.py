"""Reading the timeline: once as a whole, then what is new."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from core.model import Source
from core.state.schema import history
from core.timeline import Integers, Timeline


class TimelineKeeper:
    """Holds the timeline of one watched database in memory, about 50 bytes an entry, and adds what is new. Thread-safe."""

    def __init__(self) -> None:
        self._kept: tuple[str | None, int, Timeline] = (None, 0, Timeline.empty())
        self._reading = threading.Lock()

    def up_to_now(self, connection: sa.Connection, watched: str | None) -> Timeline:
        """The timeline with everything that was recorded meanwhile. The same object as long as nothing was.

        Costs one look at an index when nothing is new, and about a quarter of a second for a year of checks the first time.
        """
        with self._reading:
            of, newest, timeline = self._kept
            if of != watched:
                newest, timeline = 0, Timeline.empty()
            last, rows = _extent(connection, watched)
            if last == newest and rows == len(timeline):
                return timeline
            added = read(connection, watched, newest)
            if len(added) + len(timeline) != rows:  # some went: their time was over
                added, timeline = read(connection, watched, 0), Timeline.empty()
            timeline = timeline.joined(added)
            self._kept = (watched, last, timeline)
            return timeline


def about(watched: str | None) -> sa.ColumnElement[bool]:
    """Rows that say something about a watched database. Logs name none; checks of another one are somebody else's history."""
    if watched is None:
        return sa.true()
    return sa.or_(history.c.source == Source.IMPORT, history.c.watched == watched)


def read(connection: sa.Connection, watched: str | None, after: int) -> Timeline:
    """The entries whose number is above `after`."""
    statement = sa.select(
        history.c.id,
        _moment(connection.dialect.name),
        sa.func.coalesce(history.c.total_checked, -1),
        sa.func.coalesce(history.c.consistent, 0),
        sa.func.coalesce(history.c.duration_ms, 0),
        sa.case((history.c.source == Source.IMPORT, 1), else_=0),
    ).where(about(watched), history.c.id > after)
    rows = connection.execute(statement.order_by(history.c.timestamp, history.c.id)).all()
    if not rows:
        return Timeline.empty()
    number, at, total, consistent, duration, imported = zip(*rows, strict=True)
    return Timeline(
        _integers(number), _times(at), _integers(total), _integers(consistent), _integers(duration), np.array(imported, np.bool_)
    )


def _extent(connection: sa.Connection, watched: str | None) -> tuple[int, int]:
    last, rows = connection.execute(sa.select(sa.func.max(history.c.id), sa.func.count()).where(about(watched))).one()
    return last or 0, rows


def _moment(dialect: str) -> sa.ColumnElement[Any]:
    """A timestamp as the engine gives it fastest without losing a microsecond."""
    if dialect == "sqlite":
        return sa.type_coerce(history.c.timestamp, sa.Text)
    return sa.cast(sa.extract("epoch", history.c.timestamp) * 1_000_000, sa.BigInteger)


def _times(given: Sequence[Any]) -> Integers:
    if isinstance(given[0], str):
        return np.array(given, "datetime64[us]").astype(np.int64)
    return _integers(given)


def _integers(given: Sequence[Any]) -> Integers:
    return np.array(given, np.int64)
