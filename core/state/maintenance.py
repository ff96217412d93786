"""Planned windows of maintenance, as they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.maintenance import Repeats, Window, has_known_zone, of_all
from core.state.schema_of_alerts import maintenance_windows as table

_LONGEST_NAME = 200
_LONGEST = timedelta(days=9)  # that one may last, and a zone differ from UTC


def add(connection: sa.Connection, window: Window) -> Window:
    """Keep a window; the same with its number."""
    inserted = connection.execute(
        sa.insert(table).values(
            reason=window.reason,
            time_zone=window.time_zone,
            starts=window.starts,
            minutes=window.length // timedelta(minutes=1),
            repeats=window.repeats.value,
            weekdays="".join(str(day) for day in sorted(window.weekdays)),
            last_day=window.last_day,
            created_at=window.created_at,
            created_by=window.created_by[:_LONGEST_NAME],
        )
    ).inserted_primary_key
    return replace(window, id=int(inserted[0]) if inserted else 0, created_by=window.created_by[:_LONGEST_NAME])


def windows(connection: sa.Connection, since: datetime) -> Sequence[Window]:
    """Those that may hold at a moment or later, in the order in which they were planned; in time zones that are known here."""
    not_taken_back = sa.or_(table.c.ended_at.is_(None), table.c.ended_at > since)
    long_over = sa.and_(table.c.repeats == Repeats.ONCE, table.c.starts < (since - _LONGEST).replace(tzinfo=None))
    statement = sa.select(table).where(not_taken_back, ~long_over).order_by(table.c.id)
    return [window for window in map(_window, connection.execute(statement)) if has_known_zone(window)]


def in_unknown_zones(connection: sa.Connection) -> Sequence[Window]:
    """Those that nobody took back and that this machine cannot follow, for it does not know their time zone."""
    statement = sa.select(table).where(table.c.ended_at.is_(None)).order_by(table.c.id)
    return [window for window in map(_window, connection.execute(statement)) if not has_known_zone(window)]


def find(connection: sa.Connection, number: int) -> Window | None:
    """The window of this number, whatever became of it."""
    row = connection.execute(sa.select(table).where(table.c.id == number)).one_or_none()
    return None if row is None else _window(row)


def cut(connection: sa.Connection, number: int, now: datetime) -> bool:
    """End the time of a window that holds now; False when there is none of that number."""
    statement = sa.update(table).where(table.c.id == number, table.c.ended_at.is_(None))
    return bool(connection.execute(statement.values(cut_at=now)).rowcount)


def any_between(connection: sa.Connection, start: datetime, end: datetime) -> bool:
    """Whether maintenance that was planned by `start` holds at some moment of [start, end]."""
    planned = [window for window in windows(connection, start) if window.created_at <= start]
    return bool(of_all(planned, start, max(start, end) + timedelta(microseconds=1)))


def end(connection: sa.Connection, number: int, by: str, now: datetime) -> bool:
    """Take a window back from now on; False when there is none of that number, or it was taken back before."""
    statement = sa.update(table).where(table.c.id == number, table.c.ended_at.is_(None))
    return bool(connection.execute(statement.values(ended_at=now, ended_by=by[:_LONGEST_NAME])).rowcount)


def _window(row: sa.Row[Any]) -> Window:
    return Window(
        id=row.id,
        reason=row.reason,
        time_zone=row.time_zone,
        starts=row.starts,
        length=timedelta(minutes=row.minutes),
        repeats=Repeats(row.repeats),
        weekdays=frozenset(map(int, row.weekdays)),
        last_day=row.last_day,
        created_at=row.created_at,
        created_by=row.created_by,
        ended_at=row.ended_at,
        cut_at=row.cut_at,
    )
