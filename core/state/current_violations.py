"""The violations of the newest completed check, kept so that nobody parses a log to know what is wrong now.

A running check adds its rows in short transactions, under its own check_id; they become current the moment its history row is
committed. Readers name the check whose rows they want, so they never see a mixture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.errors import ViolationsSuperseded
from core.model import Action, Kind, Violation
from core.state.database import StateDatabase
from core.state.episodes import scope_of
from core.state.schema import episodes, history, violations

CHUNK = 5_000
_GENERATIONS = 2


class SortKey(StrEnum):
    """What a table of violations can be sorted by."""

    USER = "user"
    SPECIALIZATION = "specialization"
    PROGRESS_LEVEL = "progress_level"
    LICENSE_LEVEL = "license_level"
    KIND = "kind"
    FIRST_SEEN = "first_seen"


class Life(StrEnum):
    """Where in its life a violation stands."""

    NEW = "new"  # the check before did not list the pair
    RETURNING = "returning"  # it was apart before and healed in between


@dataclass(frozen=True, slots=True)
class ViolationFilter:
    """Which violations are wanted; None wants all. `user` is the beginning of a user id, `user_id` a whole one."""

    kind: Kind | None = None
    specialization: str | None = None
    user: str | None = None
    action: Action | None = None
    user_id: str | None = None
    life: Life | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Figures over all violations of a check."""

    oldest: datetime | None
    specializations: Sequence[str]


EVERYTHING = ViolationFilter()
NONE = Overview(None, ())

_SORT_COLUMNS = {
    SortKey.USER: violations.c.position,  # the report's own order is by user
    SortKey.SPECIALIZATION: violations.c.specialization,
    SortKey.PROGRESS_LEVEL: violations.c.progress_level,
    SortKey.LICENSE_LEVEL: violations.c.license_level,
    SortKey.KIND: violations.c.kind,
    SortKey.FIRST_SEEN: violations.c.first_seen,
}


def drop_superseded(state: StateDatabase) -> None:
    """Remove the rows of crashed checks, and of all but the two newest of each watched database.

    The one before the newest stays for readers who are still at it. Removes a few thousand rows a transaction, so that nobody
    waits for long. Call while holding the check's lease: the rows of a running check look like those of a crashed one.
    """
    with state.read() as connection:
        found = connection.execute(
            sa.select(violations.c.check_id, history.c.watched)
            .outerjoin(history, history.c.check_id == violations.c.check_id)
            .group_by(violations.c.check_id, history.c.watched, history.c.id)
            .order_by(history.c.id.desc())
        ).all()
    kept: Counter[str] = Counter()
    for check_id, watched in found:
        if watched is not None and kept[watched] < _GENERATIONS:
            kept[watched] += 1
            continue
        with state.write() as connection:  # first of all: from now on nobody takes what is left for the whole
            connection.execute(sa.update(history).where(history.c.check_id == check_id).values(violations_kept=False))
        drop(state, check_id)


def drop(state: StateDatabase, check_id: str) -> None:
    """Remove the rows of a check, a few thousand a transaction, so that nobody waits for long."""
    with state.read() as connection:
        last = connection.execute(sa.select(sa.func.max(violations.c.position)).where(violations.c.check_id == check_id)).scalar()
    for position in range(CHUNK, 0 if last is None else last + CHUNK + 1, CHUNK):
        with state.write() as connection:
            connection.execute(sa.delete(violations).where(violations.c.check_id == check_id, violations.c.position < position))


def page(
    connection: sa.Connection,
    check_id: str,
    wanted: ViolationFilter = EVERYTHING,
    *,
    sort: SortKey = SortKey.USER,
    descending: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> Sequence[Violation]:
    """A page of the violations of a check, sorted by `sort`, then in the report's order; with how often each healed before."""
    column = _SORT_COLUMNS[sort]
    before = _healed_before(_scope(connection, check_id))
    earlier_lives = sa.select(sa.func.count()).where(before).scalar_subquery().label("earlier")
    statement = (
        sa.select(violations, earlier_lives)
        .where(*_matching(connection, check_id, wanted))
        .order_by(sa.nulls_last(column.desc() if descending else column.asc()), violations.c.position)
        .offset(offset)
        .limit(limit)
    )
    return [replace(violation_of(row), earlier=row.earlier) for row in connection.execute(statement)]


def count(connection: sa.Connection, check_id: str, wanted: ViolationFilter = EVERYTHING) -> int:
    """How many violations of a check are wanted."""
    return connection.execute(sa.select(sa.func.count()).where(*_matching(connection, check_id, wanted))).scalar_one()


def find(connection: sa.Connection, check_id: str, user_id: str, specialization: str) -> Violation | None:
    """The violation of one pair, by the text of its user id."""
    statement = sa.select(violations).where(
        violations.c.check_id == check_id, violations.c.user_text == user_id, violations.c.specialization == specialization
    )
    row = connection.execute(statement.limit(1)).one_or_none()
    return None if row is None else violation_of(row)


def overview(connection: sa.Connection, check_id: str) -> Overview:
    """Figures over all violations of a check."""
    of_check = violations.c.check_id == check_id
    oldest = connection.execute(sa.select(sa.func.min(violations.c.first_seen)).where(of_check)).scalar()
    names = sa.select(violations.c.specialization).where(of_check).distinct()
    return Overview(oldest, sorted(connection.execute(names).scalars()))


def following(
    connection: sa.Connection, check_id: str, wanted: ViolationFilter = EVERYTHING, *, after: int = -1, limit: int = CHUNK
) -> Sequence[tuple[int, Violation]]:
    """The next wanted violations behind a position, in the report's order, each with its position.

    Raises ViolationsSuperseded when the rows of this check are not all kept any more: a part is never given for the whole.
    """
    statement = (
        sa.select(violations)
        .where(*_matching(connection, check_id, wanted), violations.c.position > after)
        .order_by(violations.c.position)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    kept = connection.execute(sa.select(history.c.violations_kept).where(history.c.check_id == check_id)).scalar()
    if not kept:
        raise ViolationsSuperseded
    return [(row.position, violation_of(row)) for row in rows]


def stream(state: StateDatabase, check_id: str, wanted: ViolationFilter = EVERYTHING, after: int = -1) -> Iterator[Violation]:
    """Every wanted violation in the report's order; memory does not grow with their number. Raises ViolationsSuperseded."""
    while True:
        with state.read() as connection:
            found = following(connection, check_id, wanted, after=after)
        yield from (violation for _, violation in found)
        if len(found) < CHUNK:
            return
        after = found[-1][0]


def _matching(connection: sa.Connection, check_id: str, wanted: ViolationFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [violations.c.check_id == check_id]
    if wanted.kind:
        conditions.append(violations.c.kind == wanted.kind.value)
    if wanted.specialization is not None:
        conditions.append(violations.c.specialization == wanted.specialization)
    if wanted.user:
        beginning = sa.func.substr(violations.c.user_text, 1, len(wanted.user))  # LIKE would ignore case on SQLite
        conditions.append(beginning == wanted.user)
    if wanted.user_id is not None:
        conditions.append(violations.c.user_text == wanted.user_id)
    if wanted.action:
        conditions.append(violations.c.kind.in_([kind.value for kind in Kind if kind.action is wanted.action]))
    if wanted.life is Life.NEW:
        checked_at = sa.select(history.c.timestamp).where(history.c.check_id == check_id).scalar_subquery()
        conditions.append(violations.c.first_seen == checked_at)
    if wanted.life is Life.RETURNING:
        conditions.append(sa.exists().where(_healed_before(_scope(connection, check_id))))
    return conditions


def _healed_before(scope: str) -> sa.ColumnElement[bool]:
    """Whether an episode is an earlier, healed life of a row's pair."""
    return sa.and_(
        episodes.c.watched == scope,
        episodes.c.user_text == violations.c.user_text,
        episodes.c.specialization == violations.c.specialization,
        episodes.c.resolved_at.is_not(None),
    )


def _scope(connection: sa.Connection, check_id: str) -> str:
    return scope_of(connection.execute(sa.select(history.c.watched).where(history.c.check_id == check_id)).scalar())


def violation_of(row: sa.Row[Any]) -> Violation:
    """A row of `current_violations`, read."""
    return Violation(
        user_id=row.user_text if row.user_number is None else row.user_number,
        specialization=row.specialization,
        progress_level=row.progress_level,
        license_level=row.license_level,
        kind=Kind(row.kind),
        first_seen=row.first_seen,
    )
