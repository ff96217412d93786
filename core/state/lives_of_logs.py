"""Taking the readings of logs into the violations' lives, also those that come late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import sqlalchemy as sa

from core.lives import Key, Levels, Life, Rows, Told, retold
from core.state import readings
from core.state.bulk import insert_rows
from core.state.episodes import scope_of
from core.state.parts import in_parts
from core.state.schema import episode_changes, episodes

_COLUMNS = (
    *("watched", "user_text", "specialization", "user_number"),
    *("first_seen", "opened_in", "last_seen", "resolved_at", "resolved_in"),
    *("first_kind", "first_progress_level", "first_license_level", "kind", "progress_level", "license_level"),
)


def take_readings(connection: sa.Connection, new: Mapping[Key, Set[int]], rows: Rows) -> None:
    """Tell the lives of all watched databases anew where readings were added; each lists places in `rows`.

    Call in the transaction that added their rows of history, which have higher numbers than all others.
    """
    if not new:
        return
    for watched in readings.checked_databases(connection):
        scope = scope_of(watched)
        told = _told(connection, watched, scope, new)
        _replace(connection, scope, told.lives, retold(told, new, rows))


def _told(connection: sa.Connection, watched: str | None, scope: str, new: Mapping[Key, Set[int]]) -> Told:
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
    insert_rows(connection, episodes, list(_COLUMNS), (_values(scope, life) for life in fresh if not life.changes))
    for part in in_parts([life for life in fresh if life.changes]):
        rows = [dict(zip(_COLUMNS, _values(scope, life), strict=True)) for life in part]
        numbered = sa.insert(episodes).returning(episodes.c.id, sort_by_parameter_order=True)
        numbers = connection.execute(numbered, rows).scalars().all()
        changes = ((number, at, *levels) for number, life in zip(numbers, part, strict=True) for at, levels in life.changes)
        insert_rows(connection, episode_changes, ["episode_id", "at", "kind", "progress_level", "license_level"], changes)


def _values(scope: str, life: Life) -> tuple[Any, ...]:
    closed_at, closed_in = life.closed or (None, None)
    return (scope, *life.pair, life.number, *life.opened, life.last_seen, closed_at, closed_in, *life.first, *life.now)
