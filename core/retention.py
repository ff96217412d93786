"""Letting single checks go when their time is over; what they say in sum is kept, day by day."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta

import sqlalchemy as sa

from core.analysis.period import DAY, Day, midnight
from core.analysis.sums import sums_of
from core.clock import Clock
from core.model import Outcome, Source
from core.settings import Settings
from core.state import daily, drills, episodes, outbox
from core.state.database import StateDatabase
from core.state.schema import episode_changes, history, settled_pairs
from core.state.schema import episodes as lives
from core.state.timeline import read
from core.timeline import Timeline, moment

EVERY = timedelta(days=1)

_SETTLED_KEPT = timedelta(days=30)

log = logging.getLogger(__name__)


class _ChangedMeanwhile(Exception):
    """Somebody else let checks of the day go, or added some."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a run let go."""

    checks: int = 0
    days: int = 0
    settled: int = 0


def drop_old(state: StateDatabase, settings: Settings, clock: Clock) -> Dropped:
    """Add up the days whose single checks are older than the retention, then let the checks and the healed episodes go.

    One transaction a day: killed at any point, every check stands either singly or in its day's sums. The day of the newest
    completed check, and what came after it, always stays. Raises StateDatabaseUnavailable.
    """
    now = clock()
    checks = days = 0
    with state.read() as connection:
        labels = _labels(connection)
        kept_days = [(now - timedelta(days=settings.retention.checks_days)).date(), *_newest_days(connection, labels)]
        first_kept = min(kept_days)
        oldest = connection.execute(sa.select(sa.func.min(history.c.timestamp))).scalar()
        nothing_due = oldest is None or oldest >= midnight(first_kept)  # as on nearly every day, and at every start
        timelines = {} if nothing_due else {label: read(connection, label, 0) for label in labels}
    for day in _days_before(timelines, first_kept):
        try:
            dropped = _drop_day(state, settings, day, timelines)
        except _ChangedMeanwhile:  # nothing of it was done
            log.info("Retention: %s changed meanwhile and is left to the next run", day)
            continue
        checks, days = checks + dropped, days + (dropped > 0)
    with state.write() as connection:
        settled = connection.execute(sa.delete(settled_pairs).where(settled_pairs.c.at < now - _SETTLED_KEPT)).rowcount
        outbox.drop_ended(connection, now - timedelta(days=settings.retention.checks_days))
        drills.drop_old(connection, now - timedelta(days=settings.retention.checks_days))
        if settings.retention.daily_days is not None:
            daily.forget_before(connection, (now - timedelta(days=settings.retention.daily_days)).date())
    if checks:
        log.info("Retention: %d checks of %d days were added to the daily figures and let go", checks, days)
    return Dropped(checks, days, settled)


def _labels(connection: sa.Connection) -> Sequence[str | None]:
    """The watched databases; None stands for one that no check has named yet."""
    found = connection.execute(sa.select(history.c.watched).where(history.c.watched.is_not(None)).distinct()).scalars().all()
    return list(found) or [None]


def _newest_days(connection: sa.Connection, labels: Sequence[str | None]) -> list[date]:
    """For each watched database the day of its newest completed check, on which its status rests."""
    days = []
    for label in labels:
        ours = history.c.source == Source.CHECK, history.c.watched == label, history.c.outcome != Outcome.FAILED
        newest = connection.execute(sa.select(history.c.timestamp).where(*ours).order_by(history.c.id.desc()).limit(1)).scalar()
        if newest is not None:
            days.append(newest.astimezone(UTC).date())
    return days


def _days_before(timelines: dict[str | None, Timeline], first_kept: date) -> Sequence[date]:
    """The days with entries before a day, oldest first."""
    found = {
        moment(at).date() for timeline in timelines.values() for at in timeline.at[: timeline.position(midnight(first_kept))]
    }
    return sorted(found)


def _drop_day(state: StateDatabase, settings: Settings, day: date, timelines: dict[str | None, Timeline]) -> int:
    """Add a day up and let its checks go; how many they were. Raises _ChangedMeanwhile, which undoes all of it."""
    start, end = midnight(day), midnight(day) + DAY
    numbers = {int(number) for timeline in timelines.values() for number in timeline.between(start, end).number}
    with state.write() as connection:
        for label, timeline in timelines.items():
            _add_up(connection, settings, day, label, timeline)
        within = sa.and_(history.c.timestamp >= start, history.c.timestamp < end, history.c.id <= max(numbers))
        gone = connection.execute(sa.delete(history).where(within)).rowcount
        if gone != len(numbers):
            raise _ChangedMeanwhile
        over = sa.select(lives.c.id).where(lives.c.resolved_at < end)
        connection.execute(sa.delete(episode_changes).where(episode_changes.c.episode_id.in_(over)))
        connection.execute(sa.delete(lives).where(lives.c.resolved_at < end))
    return gone


def _add_up(connection: sa.Connection, settings: Settings, day: date, label: str | None, timeline: Timeline) -> None:
    """Write the figures of a day, and see that they read back as they are."""
    scope, start, end = episodes.scope_of(label), midnight(day), midnight(day) + DAY
    before = daily.find(connection, scope, day - DAY)
    whole = timeline if before is None else before.last.joined(timeline)
    sums = sums_of(whole, start, end, settings.schedule.freshness, settings.status_thresholds, end)
    known = daily.find(connection, scope, day)
    if known is None:
        part = timeline.between(start, end)
        figures = Day(sums, episodes.figures(connection, scope, start, end), part[max(len(part) - 1, 0) :])
    else:  # logs of a day that was dropped before: they count, and the day's time is told already
        figures = replace(known, sums=known.sums + replace(sums, microseconds={}))
    daily.put(connection, scope, day, figures)
    kept = daily.find(connection, scope, day)
    if kept is None or daily.as_json(kept) != daily.as_json(figures):
        raise RuntimeError(f"the figures of {day} do not read back as they were written")
