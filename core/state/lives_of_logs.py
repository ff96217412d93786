"""Taking the readings of logs into the violations' lives, also those that come late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from core.lives import Key, Levels, Life, Listing, Rows, Told, retold
from core.state import readings
from core.state.bulk import insert_columns
from core.state.episodes import scope_of
from core.state.parts import in_parts
from core.state.schema import episode_changes, episodes


def take_readings(connection: sa.Connection, new: Mapping[Key, Listing], rows: Rows) -> None:
    """Tell the lives of all watched databases anew where readings were added.

    Call in the transaction that added their rows of history, which have higher numbers than all others.
    """
    if not new:
        return
    for watched in readings.checked_databases(connection):
        scope = scope_of(watched)
        told = _told(connection, watched, scope, new)
        _replace(connection, scope, told.lives, retold(told, new, rows))


def _told(connection: sa.Connection, watched: str | None, scope: str, new: Mapping[Key, Listing]) -> Told:
    first, last, below = min(new), max(new), min(key.number for key in new)
    after = readings.known_after(connection, watched, last.at, below)
    return Told(
        lives=_lives(connection, scope, first, after),
        readings=readings.known_between(connection, watched, first.at, last.at, below),
        before=readings.known_until(connection, watched, first.at, below),
        after=after,
    )


def _lives(connection: sa.Connection, scope: str, first: Key, after: Key | None) -> list[Life]:
    """Those that had begun by `after` and were not over before `first`."""
    wanted = [episodes.c.watched == scope, sa.or_(episodes.c.resolved_at.is_(None), episodes.c.resolved_at >= first.at)]
    if after is not None:
        wanted.append(episodes.c.first_seen <= after.at)
    lives = {row.id: _life(row) for row in connection.execute(sa.select(episodes).where(*wanted))}
    changes = sa.select(episode_changes).join(episodes, episodes.c.id == episode_changes.c.episode_id).where(*wanted)
    for row in connection.execute(changes.order_by(episode_changes.c.at)):
        lives[row.episode_id].changes.append((row.at, Levels(row.kind, row.progress_level, row.license_level)))
    return [life for life in lives.values() if _concerned(life, first, after)]


def _concerned(life: Life, first: Key, after: Key | None) -> bool:
    """To the reading, not only to the moment; and not a life that a clock that was set back has turned around."""
    over = life.closed is not None and life.closed <= max(first, life.opened)
    return not over and (after is None or life.opened <= after)


def _life(row: sa.Row[Any]) -> Life:
    return Life(
        pair=(row.user_text, row.specialization),
        number=row.user_number,
        opened=Key(row.first_seen, row.opened_in),
        first=Levels(row.first_kind, row.first_progress_level, row.first_license_level),
        now=Levels(row.kind, row.progress_level, row.license_level),
        closed=None if row.resolved_at is None else Key(row.resolved_at, row.resolved_in),
        last_seen=row.last_seen,
        id=row.id,
    )


def _replace(connection: sa.Connection, scope: str, before: Sequence[Life], now: Sequence[Life]) -> None:
    """Write the lives that are not as they were; the others keep their rows."""
    known = {life.id: life for life in before}
    fresh = [life for life in now if life.id is None or known.get(life.id) != life]
    gone = known.keys() - {life.id for life in now} | {life.id for life in fresh}
    ids = [{"gone": number} for number in gone if number is not None]
    if ids:
        connection.execute(sa.delete(episode_changes).where(episode_changes.c.episode_id == sa.bindparam("gone")), ids)
        connection.execute(sa.delete(episodes).where(episodes.c.id == sa.bindparam("gone")), ids)
    insert_columns(connection, episodes, _columns([life for life in fresh if not life.changes]), same={"watched": scope})
    for part in in_parts([life for life in fresh if life.changes]):
        columns = _columns(part)
        rows = [{"watched": scope, **dict(zip(columns, row, strict=True))} for row in zip(*columns.values(), strict=True)]
        numbered = sa.insert(episodes).returning(episodes.c.id, sort_by_parameter_order=True)
        numbers = connection.execute(numbered, rows).scalars().all()
        changes = [(number, at, *levels) for number, life in zip(numbers, part, strict=True) for at, levels in life.changes]
        names = ("episode_id", "at", "kind", "progress_level", "license_level")
        insert_columns(connection, episode_changes, dict(zip(names, zip(*changes, strict=True), strict=True)))


def _columns(lives: Sequence[Life]) -> Mapping[str, Sequence[Any]]:
    return {
        "user_text": [life.pair[0] for life in lives],
        "specialization": [life.pair[1] for life in lives],
        "user_number": [life.number for life in lives],
        "first_seen": [life.opened.at for life in lives],
        "opened_in": [life.opened.number for life in lives],
        "last_seen": [life.last_seen for life in lives],
        "resolved_at": [life.closed and life.closed.at for life in lives],
        "resolved_in": [life.closed and life.closed.number for life in lives],
        "first_kind": [life.first.kind for life in lives],
        "first_progress_level": [life.first.progress for life in lives],
        "first_license_level": [life.first.license for life in lives],
        "kind": [life.now.kind for life in lives],
        "progress_level": [life.now.progress for life in lives],
        "license_level": [life.now.license for life in lives],
    }
