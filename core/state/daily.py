"""What is left of single checks whose time is over: the figures of each day (UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from core.analysis.period import DAY, Day, Days, EpisodeFigures
from core.analysis.sums import Sums
from core.state.schema import daily_figures
from core.timeline import Timeline, microseconds, moment


def days(connection: sa.Connection, scope: str, start: datetime, end: datetime) -> Days:
    """The dropped days that begin in [start - 1 day, end), in order."""
    found = connection.execute(
        sa.select(daily_figures.c.day, daily_figures.c.figures)
        .where(
            daily_figures.c.watched == scope,
            daily_figures.c.day >= (max(start, _EARLIEST) - DAY).date(),
            daily_figures.c.day <= end.date(),
        )
        .order_by(daily_figures.c.day)
    )
    return {day: from_json(figures) for day, figures in found}


def extent(connection: sa.Connection, scope: str) -> tuple[int, date | None]:
    """How many days were dropped, and the first of them."""
    count, first = connection.execute(
        sa.select(sa.func.count(), sa.func.min(daily_figures.c.day)).where(daily_figures.c.watched == scope)
    ).one()
    return count, first


def dropped_in_all(connection: sa.Connection) -> int:
    """How many days were dropped, of all watched databases: grows whenever rows of history go."""
    return connection.execute(sa.select(sa.func.count()).select_from(daily_figures)).scalar_one()


def find(connection: sa.Connection, scope: str, day: date) -> Day | None:
    """A dropped day."""
    figures = connection.execute(
        sa.select(daily_figures.c.figures).where(daily_figures.c.watched == scope, daily_figures.c.day == day)
    ).scalar()
    return None if figures is None else from_json(figures)


def put(connection: sa.Connection, scope: str, day: date, figures: Day) -> None:
    """Write a day's figures, or write them anew."""
    connection.execute(sa.delete(daily_figures).where(daily_figures.c.watched == scope, daily_figures.c.day == day))
    connection.execute(sa.insert(daily_figures).values(watched=scope, day=day, figures=as_json(figures)))


def forget_before(connection: sa.Connection, day: date) -> int:
    """Let the figures of earlier days go; how many days those were."""
    return connection.execute(sa.delete(daily_figures).where(daily_figures.c.day < day)).rowcount


def as_json(day: Day) -> dict[str, Any]:
    """The column `figures`: exact, and read by `from_json`."""
    oldest = day.episodes.oldest_open
    return {
        **day.sums.as_json(),
        "episodes": {**asdict(day.episodes), "oldest_open": None if oldest is None else microseconds(oldest)},
        "last": [getattr(day.last, column.name).tolist() for column in fields(Timeline)],
    }


def from_json(document: Mapping[str, Any]) -> Day:
    """A day as `as_json` wrote it."""
    lives = dict(document["episodes"])
    oldest = lives.pop("oldest_open")
    number, at, total, consistent, duration = (np.array(column, np.int64) for column in document["last"][:5])
    imported, *later = (np.array(column, np.bool_) for column in document["last"][5:])
    in_maintenance = later[0] if later else np.zeros(len(at), np.bool_)  # days that an older version summed up know of none
    return Day(
        Sums.from_json(document),
        EpisodeFigures(**lives, oldest_open=None if oldest is None else moment(oldest)),
        Timeline(number, at, total, consistent, duration, imported, in_maintenance),
    )


_EARLIEST = datetime.min.replace(tzinfo=moment(0).tzinfo) + DAY
