"""Carrying the episodes on as a check lands, by set operations in the state database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.state.episodes import is_open, same_pair_of
from core.state.schema import episode_changes, episodes, violations


def adopt(connection: sa.Connection, scope: str) -> None:
    """What logs told before any check had named a database becomes this database's."""
    connection.execute(sa.update(episodes).where(episodes.c.watched == "").values(watched=scope))


def land(connection: sa.Connection, scope: str, check_id: str, number: int, at: datetime, last_reading: datetime | None) -> None:
    """Carry the episodes on by the staged violations of a check: five statements, whatever their number.

    `number` is the check's row of history, `last_reading` the moment of the reading before it. Call inside the transaction that
    makes the check true.
    """
    still_open = is_open(scope)
    same_pair = sa.and_(
        violations.c.check_id == check_id,
        violations.c.user_text == episodes.c.user_text,
        violations.c.specialization == episodes.c.specialization,
    )
    connection.execute(
        sa.update(episodes)
        .where(still_open, ~sa.exists().where(same_pair))
        .values(resolved_at=at, resolved_in=number, last_seen=sa.func.coalesce(sa.literal(last_reading), episodes.c.first_seen))
    )
    now = ("kind", "progress_level", "license_level")

    changed = sa.or_(*(violations.c[name].is_distinct_from(episodes.c[name]) for name in now))
    pairs = sa.select(episodes.c.id, sa.literal(at, type_=episode_changes.c.at.type), *(_lowest(name) for name in now))
    differing = pairs.select_from(episodes).join(violations, same_pair).where(still_open, changed).group_by(episodes.c.id)
    if last_reading == at:  # a clock that stands still: the later of two changes holds
        ids = differing.with_only_columns(episodes.c.id)
        connection.execute(sa.delete(episode_changes).where(episode_changes.c.at == at, episode_changes.c.episode_id.in_(ids)))
    if connection.execute(sa.insert(episode_changes).from_select(["episode_id", "at", *now], differing)).rowcount:
        this_change = sa.and_(episode_changes.c.episode_id == episodes.c.id, episode_changes.c.at == at)
        newest = {name: sa.select(episode_changes.c[name]).where(this_change).scalar_subquery() for name in now}
        connection.execute(sa.update(episodes).where(still_open, sa.exists().where(this_change)).values(newest))
    pair = ("user_text", "user_number", "specialization")
    unseen = (
        sa.select(
            sa.literal(scope),
            violations.c.user_text,
            _lowest("user_number"),
            violations.c.specialization,
            sa.literal(at, type_=episodes.c.first_seen.type),
            sa.literal(number),
            *(_lowest(name) for name in now),
            *(_lowest(name) for name in now),
        )
        .where(violations.c.check_id == check_id, ~sa.exists().where(still_open, same_pair_of(violations)))
        .group_by(violations.c.user_text, violations.c.specialization)
    )
    connection.execute(
        sa.insert(episodes).from_select(
            ["watched", *pair, "first_seen", "opened_in", *(f"first_{name}" for name in now), *now], unseen
        )
    )


def _lowest(name: str) -> sa.ColumnElement[Any]:
    """SQLite keeps 7 and "7" apart, and both are written as 7: they share a life."""
    return sa.func.min(violations.c[name])
