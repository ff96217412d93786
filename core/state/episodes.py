"""The violations' lives, as they are asked for.

An episode begins with the first reading (a completed check, or a log) that lists the pair, and ends with the first one after it
that does not. That a pair was apart before is not stored: it shows in the episodes that it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from core.analysis.period import EpisodeFigures
from core.model import Direction, Kind, UserId, direction_of
from core.state.history import seconds
from core.state.schema import episode_changes, episodes, history

_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Seen:
    """How a pair disagreed, from a moment on."""

    at: datetime
    kind: Kind
    progress_level: int | None
    license_level: int | None


@dataclass(frozen=True, slots=True)
class Episode:
    """One violation's life. While it is open, `resolved_at` is None, and `last_seen` is the newest reading's."""

    id: int
    user_id: UserId
    specialization: str
    first_seen: datetime
    last_seen: datetime | None
    resolved_at: datetime | None
    first: Seen
    kind: Kind
    progress_level: int | None
    license_level: int | None
    earlier: int  # how many lives the pair had before this one
    opened_in: int  # rows of history
    resolved_in: int | None

    @property
    def direction(self) -> Direction:
        return direction_of(self.kind, self.progress_level, self.license_level)


@dataclass(frozen=True, slots=True)
class Life:
    """An episode, and how its kind and levels were at its first reading and at each change after it, oldest first."""

    episode: Episode
    seen: Sequence[Seen]


@dataclass(frozen=True, slots=True)
class Changes:
    """What one check found against the one before it. `new` includes `returned`."""

    new: int = 0
    returned: int = 0  # of the new ones, pairs that had been apart and healed before
    still_open: int = 0
    healed: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """How many violations have something in common."""

    specialization: str
    kind: Kind
    direction: Direction
    count: int


@dataclass(frozen=True, slots=True)
class Returning:
    """A pair that came apart again and again."""

    user_id: UserId
    specialization: str
    times: int
    last_seen_first: datetime  # when its newest life began
    open: bool


def scope_of(watched: str | None) -> str:
    """The short name under which episodes of a watched database are kept; empty when none was named yet."""
    return sha256(watched.encode()).hexdigest()[:16] if watched else ""


def same_pair_of(other: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether an episode is about the pair of a row of another table."""
    return sa.and_(episodes.c.user_text == other.c.user_text, episodes.c.specialization == other.c.specialization)


def is_open(scope: str) -> sa.ColumnElement[bool]:
    """Whether an episode of a watched database is not over."""
    return sa.and_(episodes.c.watched == scope, episodes.c.resolved_at.is_(None))


def changes_in(connection: sa.Connection, scope: str, number: int, at: datetime) -> Changes:
    """What the check with this row of history and this time found against the one before it, as long as it is the newest."""
    earlier = episodes.alias("earlier")
    before = sa.exists().where(_is_earlier(earlier))
    new, returned = connection.execute(
        sa.select(sa.func.count(), sa.func.count().filter(before)).where(
            episodes.c.first_seen == at, episodes.c.opened_in == number, episodes.c.watched == scope
        )
    ).one()
    healed = connection.execute(
        sa.select(sa.func.count()).where(
            episodes.c.resolved_at == at, episodes.c.resolved_in == number, episodes.c.watched == scope
        )
    ).scalar_one()
    now_open = connection.execute(sa.select(sa.func.count()).where(is_open(scope))).scalar_one()
    return Changes(new, returned, now_open - new, healed)


def figures(connection: sa.Connection, scope: str, start: datetime, end: datetime) -> EpisodeFigures:
    """The lives of [start, end), as they stood at its end. What maintenance began, or ended, has not opened, or healed."""
    earlier = episodes.alias("earlier")
    opened, returned = connection.execute(
        sa.select(sa.func.count(), sa.func.count().filter(sa.exists().where(_is_earlier(earlier)))).where(
            episodes.c.watched == scope,
            episodes.c.first_seen >= start,
            episodes.c.first_seen < end,
            ~_in_maintenance(episodes.c.opened_in),
        )
    ).one()
    length = seconds(episodes.c.resolved_at) - seconds(episodes.c.first_seen)
    length = sa.case((length > 0, length), else_=0)  # a clock that was set back
    healed, summed, longest, quick = connection.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(length), 0),
            sa.func.coalesce(sa.func.max(length), 0),
            sa.func.count().filter(length <= _HOUR),
        ).where(
            episodes.c.watched == scope,
            episodes.c.resolved_at >= start,
            episodes.c.resolved_at < end,
            ~_in_maintenance(episodes.c.opened_in),
            ~_in_maintenance(episodes.c.resolved_in),
        )
    ).one()
    open_at_end, oldest = connection.execute(
        sa.select(sa.func.count(), sa.func.min(episodes.c.first_seen)).where(
            episodes.c.watched == scope,
            episodes.c.first_seen < end,
            sa.or_(episodes.c.resolved_at.is_(None), episodes.c.resolved_at >= end),
        )
    ).one()
    return EpisodeFigures(opened, returned, healed, open_at_end, int(summed), int(longest), quick, oldest)


def of_pair(connection: sa.Connection, scope: str, user_text: str, specialization: str) -> Sequence[Episode]:
    """All lives of one pair, newest first."""
    wanted = episodes.c.user_text == user_text, episodes.c.specialization == specialization
    return _read(connection, scope, *wanted, order=(episodes.c.first_seen.desc(), episodes.c.id.desc()))


def changes_of(connection: sa.Connection, episode: Episode) -> Sequence[Seen]:
    """How the kind and levels of an episode were at its first reading, and each change after it, oldest first."""
    statement = sa.select(episode_changes).where(episode_changes.c.episode_id == episode.id).order_by(episode_changes.c.at)
    later = [Seen(row.at, Kind(row.kind), row.progress_level, row.license_level) for row in connection.execute(statement)]
    return [episode.first, *later]


def oldest_open(connection: sa.Connection, scope: str, limit: int) -> Sequence[Episode]:
    """The violations that have been open for longest."""
    return _read(connection, scope, is_open(scope), order=(episodes.c.first_seen, episodes.c.id), limit=limit)


def open_at(connection: sa.Connection, scope: str, moment: datetime, limit: int) -> Sequence[Episode]:
    """The violations that were open at a moment, those that began first before the others."""
    not_over = sa.or_(episodes.c.resolved_at.is_(None), episodes.c.resolved_at >= moment)
    order = episodes.c.first_seen, episodes.c.user_text, episodes.c.specialization
    return _read(connection, scope, episodes.c.first_seen < moment, not_over, order=order, limit=limit)


def lifetimes(
    connection: sa.Connection, scope: str, start: datetime, end: datetime
) -> Sequence[tuple[datetime, datetime | None]]:
    """When each violation that was open at some time of [start, end) was first seen, and when it had healed."""
    still = sa.or_(episodes.c.resolved_at.is_(None), episodes.c.resolved_at > start)
    columns = sa.select(episodes.c.first_seen, episodes.c.resolved_at)
    statement = columns.where(episodes.c.watched == scope, episodes.c.first_seen < end, still)
    return [(first_seen, resolved_at) for first_seen, resolved_at in connection.execute(statement)]


def healed(connection: sa.Connection, scope: str, *, offset: int = 0, limit: int = 100) -> tuple[Sequence[Episode], int]:
    """A page of the episodes that are over, newest end first, and how many there are in all."""
    over = episodes.c.resolved_at.is_not(None)
    count = connection.execute(sa.select(sa.func.count()).where(episodes.c.watched == scope, over)).scalar_one()
    order = episodes.c.resolved_at.desc(), episodes.c.id.desc()
    return _read(connection, scope, over, order=order, limit=limit, offset=offset), count


def most_returning(connection: sa.Connection, scope: str, start: datetime, end: datetime, limit: int) -> Sequence[Returning]:
    """The pairs that came apart most often in [start, end), at least twice. What began in maintenance does not count."""
    times = sa.func.count()
    statement = (
        sa.select(
            episodes.c.user_text,
            sa.func.max(episodes.c.user_number),
            episodes.c.specialization,
            times,
            sa.func.max(episodes.c.first_seen),
            sa.func.count().filter(episodes.c.resolved_at.is_(None)),
        )
        .where(
            episodes.c.watched == scope,
            episodes.c.first_seen >= start,
            episodes.c.first_seen < end,
            ~_in_maintenance(episodes.c.opened_in),
        )
        .group_by(episodes.c.user_text, episodes.c.specialization)
        .having(times > 1)
        .order_by(times.desc(), sa.func.max(episodes.c.first_seen).desc(), episodes.c.user_text, episodes.c.specialization)
        .limit(limit)
    )
    return [
        Returning(text if number is None else number, name, count, newest, bool(still))
        for text, number, name, count, newest, still in connection.execute(statement)
    ]


def begun_between(
    connection: sa.Connection, scope: str, start: datetime, end: datetime, *, counted: bool = False
) -> Sequence[Share]:
    """What the violations that began in [start, end] have in common, most first; `counted`: without those of maintenance."""
    outside = (~_in_maintenance(episodes.c.opened_in),) if counted else ()
    ahead = episodes.c.first_progress_level > episodes.c.first_license_level
    behind = episodes.c.first_progress_level < episodes.c.first_license_level
    direction = sa.case(
        (episodes.c.first_kind == Kind.MISSING_LICENSE.value, Direction.PROGRESS_AHEAD.value),
        (episodes.c.first_kind == Kind.MISSING_PROGRESS.value, Direction.LICENSE_AHEAD.value),
        (ahead, Direction.PROGRESS_AHEAD.value),
        (behind, Direction.LICENSE_AHEAD.value),
        else_=Direction.NEITHER.value,
    )
    alike = (episodes.c.specialization, episodes.c.first_kind, direction)
    statement = (
        sa.select(*alike, sa.func.count())
        .where(episodes.c.watched == scope, episodes.c.first_seen >= start, episodes.c.first_seen <= end, *outside)
        .group_by(*alike)
        .order_by(sa.func.count().desc(), *alike)
    )
    return [Share(name, Kind(kind), Direction(way), count) for name, kind, way, count in connection.execute(statement)]


def _in_maintenance(number: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the reading with that row of history ran in maintenance."""
    return sa.exists().where(history.c.id == number, history.c.in_maintenance.is_(True))


def _is_earlier(earlier: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether another episode is an earlier life of the same pair."""
    return sa.and_(
        same_pair_of(earlier),
        earlier.c.watched == episodes.c.watched,
        sa.or_(
            earlier.c.first_seen < episodes.c.first_seen,
            sa.and_(earlier.c.first_seen == episodes.c.first_seen, earlier.c.id < episodes.c.id),
        ),
    )


def _read(
    connection: sa.Connection,
    scope: str,
    *wanted: sa.ColumnElement[bool],
    order: Sequence[sa.ColumnElement[Any]],
    limit: int | None = None,
    offset: int = 0,
) -> Sequence[Episode]:
    earlier = episodes.alias("earlier")
    lives_before = sa.select(sa.func.count()).where(_is_earlier(earlier)).correlate(episodes).scalar_subquery()
    statement = sa.select(episodes, lives_before.label("earlier")).where(episodes.c.watched == scope, *wanted)
    return [_episode(row) for row in connection.execute(statement.order_by(*order).limit(limit).offset(offset))]


def _episode(row: sa.Row[Any]) -> Episode:
    return Episode(
        id=row.id,
        user_id=row.user_text if row.user_number is None else row.user_number,
        specialization=row.specialization,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        resolved_at=row.resolved_at,
        first=Seen(row.first_seen, Kind(row.first_kind), row.first_progress_level, row.first_license_level),
        kind=Kind(row.kind),
        progress_level=row.progress_level,
        license_level=row.license_level,
        earlier=row.earlier,
        opened_in=row.opened_in,
        resolved_in=row.resolved_in,
    )
