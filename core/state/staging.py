"""The violations of a running check, before they become true: taken down, looked at once more, counted.

They stand in `current_violations` under the check's own id, where nobody looks before its row of history is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from core.breakdown import Part
from core.model import Kind, UserId, Violation, direction_of
from core.state.current_violations import CHUNK, violation_of
from core.state.database import StateDatabase
from core.state.episodes import is_open, same_pair_of
from core.state.schema import episodes, settled_pairs, violations

_CARRIED_AT_ONCE = 50_000
_AGAIN = "~again"
_LEVELS = ("kind", "progress_level", "license_level")
_PAIR = ("user_text", "user_number", "specialization")


def stage(connection: sa.Connection, check_id: str, position: int, found: Sequence[Violation], now: datetime) -> None:
    """Add rows of a running check, the first at `position`."""
    if found:
        connection.execute(
            sa.insert(violations),
            [
                {
                    "check_id": check_id,
                    "position": position + offset,
                    "user_text": str(violation.user_id),
                    "user_number": violation.user_id if isinstance(violation.user_id, int) else None,
                    "specialization": violation.specialization,
                    "progress_level": violation.progress_level,
                    "license_level": violation.license_level,
                    "kind": violation.kind.value,
                    "first_seen": now,
                }
                for offset, violation in enumerate(found)
            ],
        )


def staged(state: StateDatabase, check_id: str) -> Iterator[Sequence[Violation]]:
    """All rows of a running check, in the report's order, some thousand at a time."""
    after = -1
    while True:
        statement = (
            sa.select(violations)
            .where(violations.c.check_id == check_id, violations.c.position > after)
            .order_by(violations.c.position)
            .limit(CHUNK)
        )
        with state.read() as connection:
            rows = connection.execute(statement).all()
        if not rows:
            return
        yield [violation_of(row) for row in rows]
        after = rows[-1].position


def newcomers(connection: sa.Connection, check_id: str, scope: str, limit: int) -> Sequence[UserId]:
    """The users of staged pairs that are not known to be apart, at most `limit` of them."""
    statement = sa.select(violations.c.user_text, violations.c.user_number).where(_is_new(check_id, scope)).distinct()
    return [text if number is None else number for text, number in connection.execute(statement.limit(limit))]


def second_look_of(check_id: str) -> str:
    """Under which id the rows of a check's second look are staged."""
    return check_id + _AGAIN


def settle(connection: sa.Connection, check_id: str, scope: str, at: datetime) -> int:
    """Take what a second look saw for the newcomers: those in agreement by then are no violation; how many they are.

    Pairs that were known to be apart stay as the first look saw them, and so does the number of pairs.
    """
    again = violations.alias("again")
    seen_again = sa.and_(
        again.c.check_id == second_look_of(check_id),
        again.c.user_text == violations.c.user_text,
        again.c.specialization == violations.c.specialization,
    )
    gone = sa.and_(_is_new(check_id, scope), ~sa.exists().where(seen_again))
    rows = sa.select(violations.c.check_id, sa.literal(at, type_=settled_pairs.c.at.type), *_columns(*_PAIR, *_LEVELS))
    names = ["check_id", "at", *_PAIR, *_LEVELS]
    settled = connection.execute(sa.insert(settled_pairs).from_select(names, rows.where(gone))).rowcount
    if settled:
        connection.execute(sa.delete(violations).where(gone))
    differs = sa.or_(*(again.c[name].is_distinct_from(violations.c[name]) for name in _LEVELS))
    newest = {name: sa.select(again.c[name]).where(seen_again).limit(1).scalar_subquery() for name in _LEVELS}
    changed = sa.and_(_is_new(check_id, scope), sa.exists().where(seen_again, differs))
    connection.execute(sa.update(violations).where(changed).values(newest))
    return settled


def forget_settled(connection: sa.Connection, check_id: str) -> None:
    """A dry run saw pairs in flight; nobody shall know."""
    connection.execute(sa.delete(settled_pairs).where(settled_pairs.c.check_id == check_id))


def carry_first_seen(state: StateDatabase, check_id: str, scope: str) -> None:
    """Pairs that are known to be apart keep the moment at which that was first seen."""
    open_episode = sa.and_(is_open(scope), same_pair_of(violations))
    first_seen = sa.select(episodes.c.first_seen).where(open_episode).scalar_subquery()
    rows = violations.c.check_id == check_id
    with state.read() as connection:
        last = connection.execute(sa.select(sa.func.max(violations.c.position)).where(rows)).scalar()
    for start in range(0, 0 if last is None else last + 1, _CARRIED_AT_ONCE):
        part = violations.c.position.between(start, start + _CARRIED_AT_ONCE - 1)
        with state.write() as connection:
            connection.execute(
                sa.update(violations).where(rows, part, sa.exists().where(open_episode)).values(first_seen=first_seen)
            )


def counted(connection: sa.Connection, check_id: str) -> Counter[Part]:
    """How many staged violations there are of each specialization, kind and direction."""
    sign = sa.func.sign(violations.c.progress_level - violations.c.license_level)
    alike = (violations.c.specialization, violations.c.kind, sign)
    statement = sa.select(*alike, sa.func.count()).where(violations.c.check_id == check_id).group_by(*alike)
    counts: Counter[Part] = Counter()
    for specialization, kind, ahead, count in connection.execute(statement):
        levels = (None, None) if ahead is None else (int(ahead), 0)
        counts[specialization, Kind(kind), direction_of(Kind(kind), *levels)] += count
    return counts


def _is_new(check_id: str, scope: str) -> sa.ColumnElement[bool]:
    return sa.and_(violations.c.check_id == check_id, ~sa.exists().where(is_open(scope), same_pair_of(violations)))


def _columns(*names: str) -> list[sa.Column[object]]:
    return [violations.c[name] for name in names]
