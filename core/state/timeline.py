"""Reading the timeline: once as a whole, then what is new."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from core.model import Source
from core.state import daily, history
from core.state.schema import history as _history
from core.timeline import Integers, Timeline

_AT_ONCE = 1_000  # rows


class TimelineKeeper:
    """Holds the timeline of one watched database in memory, about 50 bytes an entry, and adds what is new. Thread-safe."""

    def __init__(self) -> None:
        self._kept = _Kept(None, 0, 0, 0, Timeline.empty())
        self._reading = threading.Lock()

    def up_to_now(self, connection: sa.Connection, watched: str | None) -> Timeline:
        """The timeline with everything that was recorded meanwhile. The same object as long as nothing was.

        Costs one look at an index when nothing is new, and a quarter of a second for a year of checks the first time.
        """
        with self._reading:
            kept = self._kept
            newest, dropped = history.latest_id(connection), daily.dropped_in_all(connection)
            if (kept.watched, kept.newest, kept.dropped) == (watched, newest, dropped):
                return kept.timeline
            rows, added = _rows(connection, 0), _rows(connection, kept.newest)
            if kept.watched == watched and kept.rows + added == rows:
                timeline = kept.timeline.joined(read(connection, watched, kept.newest))
            else:  # the first time; or some went, or came late: another transaction's numbers were lower than those known
                timeline = read(connection, watched, 0)
            self._kept = _Kept(watched, newest, dropped, rows, timeline)
            return timeline


@dataclass(frozen=True, slots=True)
class _Kept:
    """A timeline, and what the state database held when it was read."""

    watched: str | None
    newest: int  # number of the newest row
    dropped: int  # how many days of daily figures
    rows: int  # of all watched databases
    timeline: Timeline


def about(watched: str | None) -> sa.ColumnElement[bool]:
    """Rows that say something about a watched database. Logs name none; checks of another one are somebody else's history."""
    if watched is None:
        return sa.true()
    return sa.or_(_history.c.source == Source.IMPORT, _history.c.watched == watched)


def read(connection: sa.Connection, watched: str | None, after: int) -> Timeline:
    """The entries whose number is above `after`."""
    statement = sa.select(
        _history.c.id,
        _moment(connection.dialect.name),
        sa.func.coalesce(_history.c.total_checked, -1),
        sa.func.coalesce(_history.c.consistent, 0),
        sa.func.coalesce(_history.c.duration_ms, 0),
        sa.case((_history.c.source == Source.IMPORT, 1), else_=0),
        sa.case((_history.c.in_maintenance, 1), else_=0),
    ).where(about(watched), _history.c.id > after)
    parts = [_columns(rows) for rows in connection.execute(statement).partitions(_AT_ONCE)]
    if not parts:
        return Timeline.empty()
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort(columns[:2])  # faster than to have the engine look up each row in the order of an index
    number, at, total, consistent, duration, imported, in_maintenance = (column[order] for column in columns)
    return Timeline(number, at, total, consistent, duration, imported > 0, in_maintenance > 0)


def _rows(connection: sa.Connection, after: int) -> int:
    """How many rows of history are above a number. An index alone tells."""
    return connection.execute(sa.select(sa.func.count()).select_from(_history).where(_history.c.id > after)).scalar_one()


def _moment(dialect: str) -> sa.ColumnElement[Any]:
    """A timestamp as the engine gives it fastest without losing a microsecond."""
    if dialect == "sqlite":
        return sa.type_coerce(_history.c.timestamp, sa.Text)
    return sa.cast(sa.extract("epoch", _history.c.timestamp) * 1_000_000, sa.BigInteger)


def _columns(rows: Sequence[Sequence[Any]]) -> list[Integers]:
    """Rows as columns of plain numbers. Few at a time: many tuples at once keep Python's garbage collection busy."""
    return [_numbers(column) for column in zip(*rows, strict=True)]


def _numbers(given: Sequence[Any]) -> Integers:
    if isinstance(given[0], str):
        return np.array(given, "datetime64[us]").astype(np.int64)
    return np.array(given, np.int64)
