"""The violations of the newest completed check, kept so that nobody parses a log to know what is wrong now.

A running check adds its rows in short transactions, under its own check_id; they become current the moment its history row is
committed. Readers name the check whose rows they want, so they never see a mixture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.errors import ViolationsSuperseded
from core.model import Action, Kind, Violation
from core.state.database import StateDatabase
from core.state.schema import history, violations

_CHUNK = 5_000
_GENERATIONS = 2


class SortKey(StrEnum):
    """What a table of violations can be sorted by."""

    USER = "user"
    SPECIALIZATION = "specialization"
    PROGRESS_LEVEL = "progress_level"
    LICENSE_LEVEL = "license_level"
    KIND = "kind"
    FIRST_SEEN = "first_seen"


@dataclass(frozen=True, slots=True)
class ViolationFilter:
    """Which violations are wanted; None wants all. `user` is the beginning of a user id, `user_id` a whole one."""

    kind: Kind | None = None
    specialization: str | None = None
    user: str | None = None
    action: Action | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Figures over all violations of a check."""

    new: int  # first seen by this very check
    oldest: datetime | None
    specializations: Sequence[str]


EVERYTHING = ViolationFilter()
NONE = Overview(0, None, ())

_SORT_COLUMNS = {
    SortKey.USER: violations.c.position,  # the report's own order is by user
    SortKey.SPECIALIZATION: violations.c.specialization,
    SortKey.PROGRESS_LEVEL: violations.c.progress_level,
    SortKey.LICENSE_LEVEL: violations.c.license_level,
    SortKey.KIND: violations.c.kind,
    SortKey.FIRST_SEEN: violations.c.first_seen,
}


def stage(
    connection: sa.Connection,
    check_id: str,
    position: int,
    found: Sequence[Violation],
    now: datetime,
    previous_check_id: str | None,
) -> None:
    """Add rows of a running check, the first at `position`; what the previous check saw already keeps its first_seen."""
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
    if previous_check_id is None:
        return
    earlier = violations.alias("earlier")
    same_pair = (
        sa.select(sa.func.min(earlier.c.first_seen))
        .where(
            earlier.c.check_id == previous_check_id,
            earlier.c.user_text == violations.c.user_text,
            earlier.c.specialization == violations.c.specialization,
        )
        .scalar_subquery()
    )
    connection.execute(
        sa.update(violations)
        .where(violations.c.check_id == check_id, violations.c.position >= position)
        .values(first_seen=sa.func.coalesce(same_pair, violations.c.first_seen))
    )


def drop_superseded(state: StateDatabase) -> None:
    """Remove the rows of crashed checks, and of all but the two newest of each watched database.

    The one before the newest stays for readers who are still at it. Removes a few thousand rows a transaction, so that nobody
    waits for long. Call while holding the check's lease: the rows of a running check look like those of a crashed one.
    """
    with state.read() as connection:
        found = connection.execute(
            sa.select(violations.c.check_id, sa.func.max(violations.c.position), history.c.watched)
            .outerjoin(history, history.c.check_id == violations.c.check_id)
            .group_by(violations.c.check_id, history.c.watched, history.c.id)
            .order_by(history.c.id.desc())
        ).all()
    kept: Counter[str] = Counter()
    for check_id, last, watched in found:
        if watched is not None and kept[watched] < _GENERATIONS:
            kept[watched] += 1
            continue
        for position in range(_CHUNK, last + _CHUNK + 1, _CHUNK):
            with state.write() as connection:
                connection.execute(
                    sa.delete(violations).where(violations.c.check_id == check_id, violations.c.position < position)
                )


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
    """A page of the violations of a check, sorted by `sort`, then in the report's order."""
    column = _SORT_COLUMNS[sort]
    statement = (
        sa.select(violations)
        .where(*_matching(check_id, wanted))
        .order_by(sa.nulls_last(column.desc() if descending else column.asc()), violations.c.position)
        .offset(offset)
        .limit(limit)
    )
    return [_violation(row) for row in connection.execute(statement)]


def count(connection: sa.Connection, check_id: str, wanted: ViolationFilter = EVERYTHING) -> int:
    """How many violations of a check are wanted."""
    return connection.execute(sa.select(sa.func.count()).where(*_matching(check_id, wanted))).scalar_one()


def find(connection: sa.Connection, check_id: str, user_id: str, specialization: str) -> Violation | None:
    """The violation of one pair, by the text of its user id."""
    statement = sa.select(violations).where(
        violations.c.check_id == check_id, violations.c.user_text == user_id, violations.c.specialization == specialization
    )
    row = connection.execute(statement.limit(1)).one_or_none()
    return None if row is None else _violation(row)


def overview(connection: sa.Connection, check_id: str, checked_at: datetime) -> Overview:
    """Figures over all violations of the check that ran at `checked_at`."""
    new, oldest = connection.execute(
        sa.select(sa.func.count().filter(violations.c.first_seen == checked_at), sa.func.min(violations.c.first_seen)).where(
            violations.c.check_id == check_id
        )
    ).one()
    names = sa.select(violations.c.specialization).where(violations.c.check_id == check_id).distinct()
    return Overview(new, oldest, sorted(connection.execute(names).scalars()))


def following(
    connection: sa.Connection, check_id: str, wanted: ViolationFilter = EVERYTHING, *, after: int = -1, limit: int = _CHUNK
) -> Sequence[tuple[int, Violation]]:
    """The next wanted violations behind a position, in the report's order, each with its position.

    Raises ViolationsSuperseded when the rows of this check are not all kept any more: a part is never given for the whole.
    """
    statement = (
        sa.select(violations)
        .where(*_matching(check_id, wanted), violations.c.position > after)
        .order_by(violations.c.position)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    # Rows are dropped from the first on, and all rows stood there when the check was recorded.
    kept = sa.select(sa.func.min(violations.c.position)).where(violations.c.check_id == check_id, violations.c.position > after)
    total = sa.select(sa.func.coalesce(history.c.inconsistent, 0)).where(history.c.check_id == check_id)
    first, inconsistent = connection.execute(sa.select(kept.scalar_subquery(), total.scalar_subquery())).one()
    if inconsistent is None or (first != after + 1 if after + 1 < inconsistent else first is not None):
        raise ViolationsSuperseded
    return [(row.position, _violation(row)) for row in rows]


def stream(state: StateDatabase, check_id: str, wanted: ViolationFilter = EVERYTHING, after: int = -1) -> Iterator[Violation]:
    """Every wanted violation in the report's order; memory does not grow with their number. Raises ViolationsSuperseded."""
    while True:
        with state.read() as connection:
            found = following(connection, check_id, wanted, after=after)
        yield from (violation for _, violation in found)
        if len(found) < _CHUNK:
            return
        after = found[-1][0]


def _matching(check_id: str, wanted: ViolationFilter) -> list[sa.ColumnElement[bool]]:
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
    return conditions


def _violation(row: sa.Row[Any]) -> Violation:
    return Violation(
        user_id=row.user_text if row.user_number is None else row.user_number,
        specialization=row.specialization,
        progress_level=row.progress_level,
        license_level=row.license_level,
        kind=Kind(row.kind),
        first_seen=row.first_seen,
    )
