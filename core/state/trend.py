"""History over time, reduced in the database so that a chart stays small and no minimum is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.model import Outcome, Source
from core.state.history import reaches_expression, seconds
from core.state.schema import history
from core.status import Thresholds

MOST_POINTS = 900  # a chart draws the lowest and the usual rate of each: below 2,000 in all


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A stretch of time with at least one attempt. Rates in percent, unrounded; None when every attempt failed."""

    start: datetime
    end: datetime
    lowest: float | None
    usual: float | None
    violations: int | None  # the most that any check found
    attempts: int
    failed: int
    imported: bool  # at least one row comes from a log, so nothing is known about the time beside it


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that no line may cross."""

    start: datetime
    end: datetime
    unknown: bool  # longer than a check stays fresh; a shorter one lies between two logs


@dataclass(frozen=True, slots=True)
class Trend:
    """History between two moments."""

    start: datetime
    end: datetime
    points: Sequence[TrendPoint]
    gaps: Sequence[Gap]
    below_healthy: timedelta  # how long the rate is known to have been below the healthy threshold
    worst: float | None
    worst_at: datetime | None

    @property
    def failed(self) -> int:
        return sum(point.failed for point in self.points)


def beginning(connection: sa.Connection) -> datetime | None:
    """The moment of the oldest row."""
    return connection.execute(sa.select(sa.func.min(history.c.timestamp))).scalar()


def trend(
    connection: sa.Connection,
    watched: str | None,
    start: datetime,
    end: datetime,
    freshness: timedelta,
    thresholds: Thresholds,
    most_points: int = MOST_POINTS,
) -> Trend:
    """History from `start` to `end` in at most `most_points` stretches of equal length.

    The reduction is one grouped statement over the index on timestamp; a stretch keeps its lowest rate and its most violations.
    """
    known = [history.c.timestamp >= start, history.c.timestamp <= end, _about(watched)]
    worst = connection.execute(
        sa.select(_rate, history.c.timestamp).where(*known, _rate.is_not(None)).order_by(_rate, history.c.id).limit(1)
    ).one_or_none()
    rows = _with_next(known, thresholds)
    below = connection.execute(
        sa.select(sa.func.sum(rows.c.following - rows.c.at)).where(
            rows.c.total_checked > 0,
            rows.c.healthy.is_(False),
            rows.c.following - rows.c.at <= freshness.total_seconds(),
            rows.c.source == Source.CHECK,
        )
    ).scalar()
    return Trend(
        start=start,
        end=end,
        points=_points(connection, known, start, end, most_points),
        gaps=_gaps(connection, rows, start, end, freshness, most_points),
        below_healthy=timedelta(seconds=int(below or 0)),
        worst=None if worst is None else float(worst[0]),
        worst_at=None if worst is None else worst[1],
    )


_rate = sa.case((history.c.total_checked > 0, history.c.consistent * sa.literal(100.0, sa.Float) / history.c.total_checked))


def _about(watched: str | None) -> sa.ColumnElement[bool]:
    """Imported logs name no database; checks of another one are somebody else's history."""
    if watched is None:
        return sa.true()
    return sa.or_(history.c.source == Source.IMPORT, history.c.watched == watched)


def _points(
    connection: sa.Connection, known: list[sa.ColumnElement[bool]], start: datetime, end: datetime, most_points: int
) -> list[TrendPoint]:
    at = seconds(history.c.timestamp)
    width = -(-(int(end.timestamp()) - int(start.timestamp()) + 1) // most_points)
    if connection.execute(sa.select(sa.func.count()).where(*known)).scalar_one() <= most_points:
        bucket: sa.ColumnElement[Any] = history.c.id
    else:
        bucket = (at - int(start.timestamp())) // width
    failed = sa.case((history.c.outcome == Outcome.FAILED, 1), else_=0)
    imported = sa.case((history.c.source == Source.IMPORT, 1), else_=0)
    statement = (
        sa.select(
            sa.func.min(history.c.timestamp),
            sa.func.max(history.c.timestamp),
            sa.func.min(_rate),
            sa.func.avg(_rate),
            sa.func.max(history.c.inconsistent),
            sa.func.count(),
            sa.func.sum(failed),
            sa.func.max(imported),
        )
        .where(*known)
        .group_by(bucket)
        .order_by(sa.func.min(history.c.timestamp))
    )
    return [
        TrendPoint(first, last, _float(lowest), _float(usual), most, attempts, int(failures), bool(from_logs))
        for first, last, lowest, usual, most, attempts, failures, from_logs in connection.execute(statement)
    ]


def _with_next(known: list[sa.ColumnElement[bool]], thresholds: Thresholds) -> sa.Subquery:
    order = (history.c.timestamp, history.c.id)
    return (
        sa.select(
            seconds(history.c.timestamp).label("at"),
            seconds(sa.func.lead(history.c.timestamp).over(order_by=order)).label("following"),
            history.c.source,
            sa.func.lead(history.c.source).over(order_by=order).label("next_source"),
            history.c.total_checked,
            sa.func.coalesce(reaches_expression(thresholds.healthy), sa.true()).label("healthy"),
        )
        .where(*known)
        .subquery()
    )


def _gaps(
    connection: sa.Connection, rows: sa.Subquery, start: datetime, end: datetime, freshness: timedelta, most_points: int
) -> list[Gap]:
    """Stretches longer than a check stays fresh, or between two imported logs; those too short to be seen are left out."""
    visible = (end - start).total_seconds() / (2 * most_points)
    limit = freshness.total_seconds()
    length = rows.c.following - rows.c.at
    from_logs = sa.and_(rows.c.source == Source.IMPORT, rows.c.next_source == Source.IMPORT)
    statement = (
        sa.select(rows.c.at, rows.c.following).where(sa.or_(length > limit, from_logs), length > visible).order_by(rows.c.at)
    )
    within = [Gap(_moment(first), _moment(last), last - first > limit) for first, last in connection.execute(statement)]
    first, last = connection.execute(sa.select(sa.func.min(rows.c.at), sa.func.max(rows.c.at))).one()
    if first is None:
        return [Gap(start, end, unknown=True)]
    edges = [Gap(start, _moment(first), unknown=True), Gap(_moment(last), end, unknown=True)]
    return [edge for edge in edges if edge.end - edge.start > freshness] + within


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
