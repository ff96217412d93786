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
    unknown: bool  # after a failed check, or longer than a check stays fresh; else it lies between two logs

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Trend:
    """History between two moments."""

    start: datetime
    end: datetime
    points: Sequence[TrendPoint]
    gaps: Sequence[Gap]
    below_healthy: timedelta  # how long the rate is known to have been below the healthy threshold
    unknown: timedelta  # how long nothing is known, also in gaps too short to be seen
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
    rows = _stretches(known, end, thresholds)
    fresh = sa.and_(rows.c.answered, rows.c.length <= freshness.total_seconds())
    below_healthy = sa.and_(fresh, rows.c.healthy.is_(False), rows.c.source == Source.CHECK)
    seconds_known, seconds_below, first = connection.execute(
        sa.select(
            sa.func.sum(sa.case((fresh, rows.c.length), else_=0)),
            sa.func.sum(sa.case((below_healthy, rows.c.length), else_=0)),
            sa.func.min(rows.c.at),
        )
    ).one()
    before = Gap(start, end if first is None else _moment(first), unknown=True)
    edge = [before] if before.length > freshness or first is None else []
    unknown = (end - start) - timedelta(seconds=int(seconds_known or 0)) - (timedelta(0) if edge else before.length)
    return Trend(
        start=start,
        end=end,
        points=_points(connection, known, start, end, most_points),
        gaps=edge + _gaps(connection, rows, end, freshness, (end - start) / (2 * most_points)),
        below_healthy=timedelta(seconds=int(seconds_below or 0)),
        unknown=max(unknown, timedelta(0)),
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


def _stretches(known: list[sa.ColumnElement[bool]], end: datetime, thresholds: Thresholds) -> sa.CTE:
    """Each attempt with the time until the next one, or until the end. One that compared nothing has not answered."""
    order = (history.c.timestamp, history.c.id)
    answered = sa.func.coalesce(history.c.total_checked, 0) > 0
    at = seconds(history.c.timestamp)
    following = sa.func.coalesce(sa.func.lead(at).over(order_by=order), int(end.timestamp()))
    return (
        sa.select(
            at.label("at"),
            history.c.id,
            following.label("following"),
            (following - at).label("length"),
            history.c.source,
            sa.func.lead(history.c.source).over(order_by=order).label("next_source"),
            answered.label("answered"),
            sa.func.lag(answered).over(order_by=order).label("answered_before"),
            sa.func.coalesce(reaches_expression(thresholds.healthy), sa.true()).label("healthy"),
        )
        .where(*known)
        .cte("stretches")
    )


def _gaps(connection: sa.Connection, rows: sa.CTE, end: datetime, freshness: timedelta, visible: timedelta) -> list[Gap]:
    """Silences, longer than a check stays fresh or between two logs, and the time from a failed attempt to the next answer.

    Those no longer than `visible` are left out.
    """
    limit, shortest = freshness.total_seconds(), visible.total_seconds()
    from_logs = sa.and_(rows.c.source == Source.IMPORT, rows.c.next_source == Source.IMPORT)
    silences = sa.select(rows.c.at, rows.c.following, (rows.c.length > limit).label("unknown")).where(
        rows.c.answered, sa.or_(rows.c.length > limit, from_logs), rows.c.length > shortest
    )
    changes = (
        sa.select(
            rows.c.at,
            sa.func.lead(rows.c.at).over(order_by=(rows.c.at, rows.c.id)).label("answered_at"),
            rows.c.answered,
        )
        .where(rows.c.answered.is_distinct_from(rows.c.answered_before))
        .subquery()
    )
    until = sa.func.coalesce(changes.c.answered_at, int(end.timestamp()))
    failures = sa.select(changes.c.at, until, sa.true()).where(sa.not_(changes.c.answered), until - changes.c.at > shortest)
    statement = sa.union_all(silences, failures).order_by("at")
    return [Gap(_moment(first), _moment(last), bool(unknown)) for first, last, unknown in connection.execute(statement)]


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
