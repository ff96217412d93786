"""The statements that compare both sides, and their result as it streams.

Every comparison is exact and comes from one snapshot. Two shapes give it:

- the full statement stacks both sides and groups them by pair. It needs no index, finds duplicates in the same pass, and works
  on every engine. (A FULL OUTER JOIN would be quadratic on SQLite without a composite index.)
- the fast statement, where the engine can hash-join in parallel, looks only for suspects, and knows whether that was exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Self

import sqlalchemy as sa

from core.errors import ComparisonContradictory
from core.model import Kind, Totals, UserId, Violation

MOST_SUSPECTS = 50_000

_CHUNK = 5_000
_ONE = sa.literal_column("1", sa.Integer)
_JOINS_IN_PARALLEL = ("postgresql",)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the coupling as expressions over its table."""

    table: sa.Table
    user: sa.ColumnElement[Any]
    raw_specialization: sa.ColumnElement[Any]
    specialization: sa.ColumnElement[str]  # in its normal form
    level: sa.ColumnElement[Any]

    @property
    def identified(self) -> sa.ColumnElement[bool]:
        """Whether a row has a user and a specialization; asked of the bare columns, which costs nothing."""
        return sa.and_(self.user.is_not(None), self.raw_specialization.is_not(None))


class Comparison:
    """The result of comparing all pairs in one snapshot. Valid as long as that snapshot is open."""

    def __init__(self, totals: Totals, rows: Iterator[Sequence[sa.Row[Any]]]) -> None:
        self.totals = totals
        self._rows = rows

    def chunks(self) -> Iterator[Sequence[Violation]]:
        """The violations, ordered by user, then specialization, some thousand at a time. Can be read once.

        Raises ComparisonContradictory when they are not as many as the totals say.
        """
        listed = 0
        for rows in self._rows if self.totals.inconsistent else ():
            found = [violation_of(row) for row in rows]
            listed += len(found)
            yield found
        if listed != self.totals.inconsistent:
            raise ComparisonContradictory(f"The database counted {self.totals.inconsistent} violations and listed {listed}.")


@dataclass(frozen=True, slots=True)
class Statements:
    """What a pair of sides is compared with; built once, because building takes longer than a small comparison."""

    full: sa.Select[Any]
    fast: sa.Select[Any] | None

    @classmethod
    def of(cls, dialect: str, progress: Side, license: Side) -> Self:
        """The statements for an engine."""
        joins_in_parallel = dialect in _JOINS_IN_PARALLEL
        fast = suspects_statement(dialect, progress, license) if joins_in_parallel else None
        return cls(full_statement(dialect, progress, license), fast)


def compare_fast(connection: sa.Connection, statements: Statements) -> Comparison | None:
    """Compare in the snapshot that `connection` is in, with the fast statement; None when it was not exact, or there is none."""
    if statements.fast is None:
        return None
    # Not streamed: at most MOST_SUSPECTS rows, and a server-side cursor would lose the parallel plan.
    rows = connection.execute(statements.fast).all()
    return _comparison(rows[0], iter([rows])) if rows[0].exact else None


def compare_fully(connection: sa.Connection, statements: Statements) -> Comparison:
    """Compare in the snapshot that `connection` is in; violations stream from the engine."""
    result = connection.execution_options(yield_per=_CHUNK).execute(statements.full)
    partitions = result.partitions()
    first = next(partitions)
    return _comparison(first[0], chain([first], partitions))


def full_statement(dialect: str, progress: Side, license: Side) -> sa.Select[Any]:
    """Totals beside each pair that does not agree, or the totals alone. Always exact.

    Agreeing pairs are dropped while grouping. Each of them has exactly two rows, so their number follows from the row counts of
    both tables. Rows without a user or specialization fall into groups of their own and are counted there.
    """
    everything = _stacked(progress, license)
    grouped = _grouped(everything)
    rest = grouped.having(_agrees(dialect, everything).is_not(sa.true())).cte("rest").prefix_with("MATERIALIZED")
    identified = sa.and_(rest.c.user.is_not(None), rest.c.specialization.is_not(None))
    bad = sa.func.count(sa.case((identified, _ONE)))
    all_rows = sa.select(sa.func.count()).select_from(progress.table).scalar_subquery() + (
        sa.select(sa.func.count()).select_from(license.table).scalar_subquery()
    )
    rows_of_rest = _sum(rest.c.progress_rows + rest.c.license_rows)
    totals = (
        sa.select(
            sa.cast((all_rows - rows_of_rest) / 2 + bad, sa.BigInteger).label("total"),
            bad.label("bad"),
            _sum(sa.case((sa.not_(identified), rest.c.progress_rows))).label("unidentified_progress"),
            _sum(sa.case((sa.not_(identified), rest.c.license_rows))).label("unidentified_license"),
        )
        .select_from(rest)
        .subquery("totals")
    )
    return _beside(dialect, totals, rest, identified)


def some_statement(dialect: str, progress: Side, license: Side, users: Sequence[UserId]) -> sa.Select[Any]:
    """The pairs of some users that do not agree, in the report's order."""
    everything = _stacked(progress, license, users)
    pairs = _grouped(everything).having(_agrees(dialect, everything).is_not(sa.true())).subquery("pairs")
    return sa.select(pairs).order_by(*(_by_code_point(column, dialect) for column in (pairs.c.user, pairs.c.specialization)))


def can_be_named(dialect: str, user: sa.ColumnElement[Any], users: Sequence[UserId]) -> bool:
    """Whether `user IN (...)` surely finds all rows of users as reports spell them.

    Integers are found by their value, however they are stored; text only where the column holds nothing but text.
    """
    if all(isinstance(user_id, int) and abs(user_id) < 2**63 for user_id in users):
        return dialect == "sqlite" or isinstance(user.type, sa.Integer | sa.Numeric)
    return dialect == "postgresql" and isinstance(user.type, sa.String) and all(isinstance(user_id, str) for user_id in users)


def suspects_statement(dialect: str, progress: Side, license: Side) -> sa.Select[Any]:
    """As `full_statement`, with a column `exact`; when that is false the answer means nothing.

    Joins both sides without grouping, and groups only the rows of users with a row that did not agree. Let the other pairs have
    p rows on the one side and l on the other: all their joined rows agree, so p, l >= 1. When the number of their joined rows,
    the sum of p*l, equals the sum of p and the sum of l, then every p = l = 1, and they all agree. Only then is `exact` true:
    duplicates that agree with each other make it false, and so do more than MOST_SUSPECTS suspicious rows.

    The join compares bare specializations, for normal forms would cost as much as the join. So `exact` also demands that every
    name that occurs is in its normal form: then names are equal where their normal forms are.
    """
    left, right = _for_join(progress, "progress_side"), _for_join(license, "license_side")
    apart = (left.c.level == right.c.level).is_not(sa.true())
    few = sa.func.count().filter(apart) <= MOST_SUSPECTS
    same_pair = sa.and_(left.c.user == right.c.user, left.c.specialization == right.c.specialization)
    joined = (
        sa.select(
            sa.func.count().label("rows"),
            few.label("few"),
            sa.case((few, sa.func.array_agg(sa.func.coalesce(left.c.user, right.c.user)).filter(apart))).label("users"),
        )
        .select_from(left.outerjoin(right, same_pair, full=True))
        .cte("joined")
        .prefix_with("MATERIALIZED")
    )
    suspects = sa.select(sa.func.unnest(joined.c.users)).distinct()
    pairs = _grouped(_stacked(progress, license, suspects)).cte("pairs").prefix_with("MATERIALIZED")
    bad = sa.and_(pairs.c.progress_rows == 1, pairs.c.license_rows == 1, pairs.c.progress_level == pairs.c.license_level).is_not(
        sa.true()
    )
    joined_rows = sa.func.greatest(pairs.c.progress_rows, 1) * sa.func.greatest(pairs.c.license_rows, 1)
    suspected = (
        sa.select(
            sa.func.count().label("pairs"),
            sa.func.count().filter(bad).label("bad"),
            _sum(joined_rows).label("joined_rows"),
            _sum(pairs.c.progress_rows).label("progress_rows"),
            _sum(pairs.c.license_rows).label("license_rows"),
        )
        .select_from(pairs)
        .cte("suspected")
    )
    of_progress, of_license = _counts(progress, "of_progress"), _counts(license, "of_license")
    others = joined.c.rows - suspected.c.joined_rows
    totals = (
        sa.select(
            sa.cast(others + suspected.c.pairs, sa.BigInteger).label("total"),
            suspected.c.bad.label("bad"),
            (of_progress.c.rows - of_progress.c.identified).label("unidentified_progress"),
            (of_license.c.rows - of_license.c.identified).label("unidentified_license"),
            sa.and_(
                joined.c.few,
                of_progress.c.normal,
                of_license.c.normal,
                others == of_progress.c.identified - suspected.c.progress_rows,
                others == of_license.c.identified - suspected.c.license_rows,
            ).label("exact"),
        )
        .select_from(suspected.join(joined, sa.true()).join(of_progress, sa.true()).join(of_license, sa.true()))
        .subquery("totals")
    )
    return _beside(dialect, totals, pairs, bad)


def _stacked(progress: Side, license: Side, users: sa.Select[Any] | Sequence[UserId] | None = None) -> sa.Subquery:
    """The rows of both sides on one another, each level in its side's column; only those of `users`, when given."""

    def rows(side: Side, other: Side, *, first: bool) -> sa.Select[Any]:
        level, no_level = side.level, sa.type_coerce(sa.null(), other.level.type)
        statement = sa.select(
            side.user.label("user"),
            side.specialization.label("specialization"),
            (level if first else no_level).label("progress_level"),
            (no_level if first else level).label("license_level"),
            (_ONE if first else sa.type_coerce(sa.null(), sa.Integer)).label("is_progress"),
        ).select_from(side.table)
        return statement if users is None else statement.where(side.user.in_(users), side.identified)

    return sa.union_all(rows(progress, license, first=True), rows(license, progress, first=False)).subquery("stacked")


def _grouped(stacked: sa.Subquery) -> sa.Select[Any]:
    progress_rows = sa.func.count(stacked.c.is_progress)
    return sa.select(
        stacked.c.user,
        stacked.c.specialization,
        progress_rows.label("progress_rows"),
        (sa.func.count() - progress_rows).label("license_rows"),
        sa.func.max(stacked.c.progress_level).label("progress_level"),
        sa.func.max(stacked.c.license_level).label("license_level"),
    ).group_by(stacked.c.user, stacked.c.specialization)


def _agrees(dialect: str, stacked: sa.Subquery) -> sa.ColumnElement[bool]:
    """Two rows in all and a level from either side: so one row on each, with equal levels. NULL where a level is NULL."""
    progress, license_ = sa.func.max(stacked.c.progress_level), sa.func.max(stacked.c.license_level)
    # SQLite takes text into a number's column; every text is greater than every number, and no level
    is_number = progress < sa.literal_column("''") if dialect == "sqlite" else sa.true()
    identified = sa.and_(stacked.c.user.is_not(None), stacked.c.specialization.is_not(None))
    return sa.and_(sa.func.count() == 2, progress == license_, is_number, identified)


def _for_join(side: Side, name: str) -> sa.Subquery:
    return (
        sa.select(side.user.label("user"), side.raw_specialization.label("specialization"), side.level.label("level"))
        .select_from(side.table)
        .where(side.identified)
        .subquery(name)
    )


def _counts(side: Side, name: str) -> sa.CTE:
    """The rows of a side, those of them that are identified, and whether every name is in its normal form; names are few."""
    names = (
        sa.select(
            side.raw_specialization.label("raw"),
            side.specialization.label("normal"),
            sa.func.count().label("rows"),
            sa.func.count(side.user).label("with_user"),
        )
        .select_from(side.table)
        .group_by(side.raw_specialization)
        .subquery(f"names_{name}")
    )
    return sa.select(
        _sum(names.c.rows).label("rows"),
        _sum(sa.case((names.c.raw.is_not(None), names.c.with_user))).label("identified"),
        sa.func.coalesce(sa.func.bool_and(names.c.normal == names.c.raw), sa.true()).label("normal"),
    ).cte(name)


def _beside(dialect: str, totals: sa.Subquery, pairs: sa.CTE, wanted: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The totals beside each wanted pair, ordered; the totals alone when there is none."""
    order = (_by_code_point(column, dialect) for column in (pairs.c.user, pairs.c.specialization))
    return sa.select(totals, pairs).select_from(totals.outerjoin(pairs, wanted)).order_by(*order)


def _by_code_point(column: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[Any]:
    """Text in an order that does not depend on the database's locale."""
    return sa.collate(column, "C") if dialect == "postgresql" and isinstance(column.type, sa.String) else column


def _sum(value: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(value), 0), sa.BigInteger)


def _comparison(head: sa.Row[Any], rows: Iterator[Sequence[sa.Row[Any]]]) -> Comparison:
    return Comparison(Totals(head.total, head.bad, head.unidentified_progress, head.unidentified_license), rows)


def violation_of(row: sa.Row[Any]) -> Violation:
    """A row of a comparison. It ends with the columns of `_grouped`; by position, because this runs once for every violation."""
    user, specialization, progress_rows, license_rows, progress_level, license_level = tuple(row)[-6:]
    progress, license_ = as_level(progress_level), as_level(license_level)
    kind = _kind(progress_rows, license_rows, progress, license_)
    return Violation(as_user_id(user), specialization, progress, license_, kind)


def _kind(progress_rows: int, license_rows: int, progress: int | None, license_: int | None) -> Kind:
    """The gravest fault of a pair that does not agree."""
    if progress_rows > 1 or license_rows > 1:
        return Kind.DUPLICATE_ROWS
    if license_rows == 0:
        return Kind.MISSING_LICENSE
    if progress_rows == 0:
        return Kind.MISSING_PROGRESS
    return Kind.LEVEL_NOT_SET if progress is None or license_ is None else Kind.LEVEL_MISMATCH


def as_level(value: object) -> int | None:
    """A level as an integer; what is no number is no level."""
    if type(value) is int:
        return value
    return int(value) if isinstance(value, float | Decimal) and math.isfinite(value) else None


def as_user_id(value: object) -> UserId:
    """A user id as reports spell it: an integer, or text for everything else (a UUID)."""
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return int(value)
    return str(value)
