"""The one statement that compares both sides, and its result as it streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from core.errors import ComparisonContradictory
from core.model import Kind, Totals, UserId, Violation

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the coupling as expressions over its table."""

    table: sa.Table
    user: sa.ColumnElement[Any]
    specialization: sa.ColumnElement[str]  # in its normal form
    level: sa.ColumnElement[Any]


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
        for rows in self._rows:
            found = [_violation(row) for row in rows]
            listed += len(found)
            yield found
        if listed != self.totals.inconsistent:
            raise ComparisonContradictory(f"The database counted {self.totals.inconsistent} violations and listed {listed}.")


def compare(connection: sa.Connection, progress: Side, license: Side, *, expect_duplicates: bool = False) -> Comparison:  # noqa: A002
    """Compare both sides in the snapshot that `connection` is in."""
    result = connection.execution_options(yield_per=_CHUNK).execute(full_statement(progress, license))
    partitions = result.partitions()
    first = next(partitions)
    head = first[0]
    totals = Totals(head.total, head.bad, head.unidentified_progress, head.unidentified_license)
    return Comparison(totals, _with_rows(first, partitions, totals))


def full_statement(progress: Side, license: Side) -> sa.Select[Any]:  # noqa: A002
    """Both sides stacked and grouped by pair: one row for each violation beside the totals, or the totals alone.

    The grouping needs no index and finds duplicates in the same pass. Both halves of the answer read the same materialized
    groups, so totals and violations cannot contradict each other.
    """
    no_level = sa.null()
    stacked = sa.union_all(
        _columns(progress, progress.level, no_level, 1),
        _columns(license, no_level, license.level, 0),
    ).subquery("stacked")
    pairs = (
        sa.select(
            stacked.c.user,
            stacked.c.specialization,
            sa.func.count().label("rows"),
            sa.func.sum(stacked.c.is_progress).label("progress_rows"),
            sa.func.max(stacked.c.progress_level).label("progress_level"),
            sa.func.max(stacked.c.license_level).label("license_level"),
        )
        .group_by(stacked.c.user, stacked.c.specialization)
        .cte("pairs")
        .prefix_with("MATERIALIZED")
    )
    # One row on each side with equal levels: with two rows in all and a level from either side, there is one of each.
    agrees = sa.and_(pairs.c.rows == 2, pairs.c.progress_level == pairs.c.license_level)
    identified = sa.and_(pairs.c.user.is_not(None), pairs.c.specialization.is_not(None))
    bad = sa.and_(identified, sa.not_(sa.func.coalesce(agrees, sa.false())))
    totals = (
        sa.select(
            _count_if(identified).label("total"),
            _count_if(bad).label("bad"),
            _sum_if(sa.not_(identified), pairs.c.progress_rows).label("unidentified_progress"),
            _sum_if(sa.not_(identified), pairs.c.rows - pairs.c.progress_rows).label("unidentified_license"),
        )
        .select_from(pairs)
        .subquery("totals")
    )
    violations = sa.select(pairs).where(bad).subquery("violations")
    return (
        sa.select(totals, violations)
        .select_from(totals.outerjoin(violations, sa.true()))
        .order_by(violations.c.user, violations.c.specialization)
    )


def as_level(value: object) -> int | None:
    """A level as an integer; what is no number is no level."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return int(value)


def _columns(side: Side, progress_level: Any, license_level: Any, is_progress: int) -> sa.Select[Any]:
    return sa.select(
        side.user.label("user"),
        side.specialization.label("specialization"),
        progress_level.label("progress_level"),
        license_level.label("license_level"),
        sa.literal(is_progress, literal_execute=True).label("is_progress"),
    ).select_from(side.table)


def _count_if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return _sum_if(condition, sa.literal(1, literal_execute=True))


def _sum_if(condition: sa.ColumnElement[bool], value: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(sa.case((condition, value), else_=0)), 0), sa.BigInteger)


def _with_rows(
    first: Sequence[sa.Row[Any]], rest: Iterator[Sequence[sa.Row[Any]]], totals: Totals
) -> Iterator[Sequence[sa.Row[Any]]]:
    if totals.inconsistent or first[0].rows is not None:
        yield first
        yield from rest


def _violation(row: sa.Row[Any]) -> Violation:
    progress, license_ = as_level(row.progress_level), as_level(row.license_level)
    return Violation(as_user_id(row.user), row.specialization, progress, license_, _kind(row, progress, license_))


def as_user_id(value: object) -> UserId:
    """A user id as reports spell it: an integer, or text for everything else (a UUID)."""
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal) and value == int(value):
        return int(value)
    return str(value)


def _kind(row: sa.Row[Any], progress: int | None, license_: int | None) -> Kind:
    """The gravest fault of a pair that does not agree."""
    progress_rows = int(row.progress_rows)
    license_rows = int(row.rows) - progress_rows
    if progress_rows > 1 or license_rows > 1:
        return Kind.DUPLICATE_ROWS
    if license_rows == 0:
        return Kind.MISSING_LICENSE
    if progress_rows == 0:
        return Kind.MISSING_PROGRESS
    return Kind.LEVEL_NOT_SET if progress is None or license_ is None else Kind.LEVEL_MISMATCH
