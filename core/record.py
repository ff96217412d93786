"""HealthRecord: the door to everything over time, beside the HealthMonitor's door to now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from core.analysis.heat import HeatMap, heat_map
from core.analysis.objective import Objective
from core.analysis.period import Days, EpisodeFigures, PeriodFigures, between_days, midnight, period_figures, within
from core.analysis.stretches import Stretch, began_at, present_stretch
from core.analysis.sums import worst_of
from core.analysis.trend import MOST_POINTS, Trend, trend
from core.clock import Clock
from core.listed_violations import Listed, listed_by
from core.model import MarkerKind
from core.over_time import MARKERS_BEFORE, Bucket, CheckRecord, WhatChanged
from core.settings import Settings
from core.state import audit, daily, episodes, history, markers, settled
from core.state.audit import Deed
from core.state.database import StateDatabase
from core.state.episodes import Episode, Life, Returning, Share
from core.state.history import Attempt
from core.state.markers import Marker
from core.state.settled import Settled
from core.state.timeline import TimelineKeeper
from core.timeline import Timeline, moment

_MOST_MARKERS = 200


@dataclass(frozen=True, slots=True)
class RecordView:
    """One consistent look at everything that is kept about the watched database."""

    connection: sa.Connection
    scope: str  # under which its episodes are kept
    timeline: Timeline


class HealthRecord:
    """What was, over days and months. Everything comes from the state database. Safe to share between threads.

    Every method raises StateDatabaseUnavailable when that is away.
    """

    def __init__(
        self, settings: Settings, state: StateDatabase, watched: Callable[[sa.Connection], str | None], clock: Clock
    ) -> None:
        """`watched` tells whose history to read."""
        self.settings = settings
        self.state = state
        self._watched = watched
        self._clock = clock
        self._keeper = TimelineKeeper()

    @property
    def objective(self) -> Objective:
        return self.settings.promised

    def scope(self, connection: sa.Connection) -> str:
        """The short name of the watched database."""
        return episodes.scope_of(self._watched(connection))

    def timeline(self) -> Timeline:
        """All readings; the same object as long as nothing was added."""
        with self.state.read() as connection:
            return self._keeper.up_to_now(connection, self._watched(connection))

    @contextmanager
    def view(self) -> Iterator[RecordView]:
        """Everything as it is at one moment, for figures that must fit together."""
        with self.state.read() as connection:
            watched = self._watched(connection)
            yield RecordView(connection, episodes.scope_of(watched), self._keeper.up_to_now(connection, watched))

    def period(self, start: datetime, end: datetime) -> PeriodFigures:
        """The figures of [start, end), or up to now when it is not over."""
        now = self._clock()
        end = min(end, max(now, start))
        with self.state.read() as connection:
            watched = self._watched(connection)
            dropped = daily.days(connection, episodes.scope_of(watched), start, end)
            return period_figures(
                self._keeper.up_to_now(connection, watched),
                start,
                end,
                schedule=self.settings.schedule,
                thresholds=self.settings.status_thresholds,
                objective=self.objective,
                episodes=lives_between(connection, episodes.scope_of(watched), dropped, start, end),
                dropped=dropped,
                until=now,
            )

    # --- over time ----------------------------------------------------------------------------------------------------

    def trend(self, start: datetime | None, end: datetime | None = None, most_points: int = MOST_POINTS) -> Trend:
        """History from `start` (None: from the first reading) to `end` (None: now), reduced for drawing."""
        end = end or self._clock()
        with self.state.read() as connection:
            watched = self._watched(connection)
            timeline = self._keeper.up_to_now(connection, watched)
            scope = episodes.scope_of(watched)
            if start is None:
                _, first = daily.extent(connection, scope)
                begun = [*([midnight(first)] if first else []), *([moment(timeline.at[0])] if len(timeline) else [])]
                start = min(begun, default=end - timedelta(days=1))
            days = daily.days(connection, scope, start, end)
        return trend(
            timeline,
            start,
            end,
            self.settings.schedule.freshness,
            self.settings.status_thresholds,
            most_points,
            {day: figures.sums for day, figures in days.items()},
        )

    def checks_since(self, start: datetime) -> tuple[int, int]:
        """How many checks completed since `start`, and how many were tried."""
        timeline = self.timeline()
        checks = timeline[timeline.position(start) :]
        checks = checks[~checks.imported]
        return len(checks) - int(checks.failed.sum()), len(checks)

    def newest_failures(self, limit: int) -> Sequence[Attempt]:
        """The newest failed attempts, newest first."""
        with self.state.read() as connection:
            timeline = self._keeper.up_to_now(connection, self._watched(connection))
            numbers = sorted(timeline.number[timeline.failed & ~timeline.imported].tolist())[-limit:]
            return history.numbered(connection, numbers)

    def heat_map(self, start: datetime, end: datetime, zone: ZoneInfo) -> HeatMap:
        """The attempts of [start, end) by hour and weekday in a zone; of dropped days nothing is known by the hour."""
        return heat_map(self.timeline(), start, end, zone, self.settings.status_thresholds)

    def violations_over_time(self, start: datetime, end: datetime, most_buckets: int = 200) -> Sequence[Bucket]:
        """The violations between two moments in at most so many stretches, each with what they were made of at its worst."""
        points = self.trend(start, end, most_buckets).points
        with self.state.read() as connection:
            parts = history.breakdowns(connection, [point.number for point in points if point.number is not None])
        return [
            Bucket(point.start, point.end, point.violations, parts.get(point.number or 0), point.number)
            for point in points
            if point.violations is not None
        ]

    def present_stretch(self, start: datetime, end: datetime) -> Stretch | None:
        """The time below healthy that the newest reading of [start, end) belongs to; None when that one was healthy."""
        settings = self.settings
        return present_stretch(self.timeline(), start, end, settings.schedule.freshness, settings.status_thresholds)

    def what_changed(self, start: datetime, end: datetime) -> WhatChanged:
        """What the violations that began in [start, end] have in common, when they began, and what happened near."""
        with self.state.read() as connection:
            watched = self._watched(connection)
            timeline = self._keeper.up_to_now(connection, watched)
            part = timeline.between(start, end + timedelta(microseconds=1))
            worst = worst_of(part[part.compared]).number if np.any(part.compared) else None
            began = began_at(timeline, start, end)
            shares = episodes.begun_between(connection, episodes.scope_of(watched), start, end)
            if not shares and worst is not None:
                parts = history.breakdowns(connection, [worst]).get(worst, ())
                shares = [Share(part.specialization, part.kind, part.direction, part.count) for part in parts]
                begun = False
            else:
                begun = True
            return WhatChanged(
                start=start,
                end=end,
                begun=begun,
                shares=shares,
                began_at=began,
                began_in=None if began is None else _compared_at(timeline, began),
                worst_in=worst,
                markers=markers.between(connection, start - MARKERS_BEFORE, end, _MOST_MARKERS),
            )

    def check(self, number: int) -> CheckRecord | None:
        """The check or log with this row of history, and its neighbours in time; None when it is not kept, or another's."""
        with self.state.read() as connection:
            timeline = self._keeper.up_to_now(connection, self._watched(connection))
            found = np.flatnonzero(timeline.number == number)
            attempts = history.numbered(connection, [number]) if len(found) else ()
            if not attempts:
                return None
            position = int(found[0])
            return CheckRecord(
                attempts[0],
                history.breakdowns(connection, [number]).get(number),
                int(timeline.number[position - 1]) if position else None,
                int(timeline.number[position + 1]) if position + 1 < len(timeline) else None,
            )

    def listed_by(self, attempt: Attempt, most: int) -> Listed:
        """The first violations of a check or log, from wherever they are still kept."""
        return listed_by(attempt, self.state, self.settings, most)

    # --- markers ------------------------------------------------------------------------------------------------------

    def markers(self, start: datetime, end: datetime, most: int = _MOST_MARKERS) -> Sequence[Marker]:
        """The markers of [start, end], oldest first; of too many the newest."""
        with self.state.read() as connection:
            return markers.between(connection, start, end, most)

    def add_marker(self, title: str, kind: MarkerKind, at: datetime | None, by: str) -> Marker:
        """Mark a moment, by default this one. The title has 1 to 200 characters."""
        now = self._clock()
        with self.state.write() as connection:
            audit.note(connection, now, by, Deed.MARKER_ADDED, _told(kind, title))
            return markers.add(connection, at or now, kind, title, by, now)

    def remove_marker(self, number: int, by: str) -> bool:
        """Take one's own marker away; False when there is none of that number and person."""
        with self.state.write() as connection:
            gone = markers.remove(connection, number, by)
            if gone is not None:
                audit.note(connection, self._clock(), by, Deed.MARKER_REMOVED, _told(gone.kind, gone.title))
            return gone is not None

    # --- the violations' lives ----------------------------------------------------------------------------------------

    def lives(self, user_id: str, specialization: str) -> Sequence[Life]:
        """All lives of one pair, newest first, each with how it changed."""
        with self.state.read() as connection:
            scope = episodes.scope_of(self._watched(connection))
            found = episodes.of_pair(connection, scope, user_id, specialization)
            return [Life(episode, episodes.changes_of(connection, episode)) for episode in found]

    def oldest_open(self, limit: int) -> Sequence[Episode]:
        """The violations that have been open for longest."""
        with self.state.read() as connection:
            return episodes.oldest_open(connection, episodes.scope_of(self._watched(connection)), limit)

    def most_returning(self, start: datetime, end: datetime, limit: int) -> Sequence[Returning]:
        """The pairs that came apart most often in [start, end), at least twice."""
        with self.state.read() as connection:
            return episodes.most_returning(connection, episodes.scope_of(self._watched(connection)), start, end, limit)

    def healed(self, *, offset: int = 0, limit: int = 100) -> tuple[Sequence[Episode], int]:
        """A page of the violations that are over, the newest end first, and how many there are in all."""
        with self.state.read() as connection:
            return episodes.healed(connection, episodes.scope_of(self._watched(connection)), offset=offset, limit=limit)

    def settled(self, *, offset: int = 0, limit: int = 100) -> tuple[Sequence[Settled], int]:
        """A page of the pairs that were caught in flight, newest first, and how many are kept in all."""
        with self.state.read() as connection:
            return settled.newest(connection, self._watched(connection), offset=offset, limit=limit)


def _told(kind: MarkerKind, title: str) -> str:
    return title if kind is MarkerKind.OTHER else f"{title} ({kind})"


def _compared_at(timeline: Timeline, at: datetime) -> int:
    """The row of history of the first reading at a moment that compared something."""
    found = timeline.between(at, at + timedelta(microseconds=1))
    return int(found[found.compared].number[0])


def lives_between(connection: sa.Connection, scope: str, dropped: Days, start: datetime, end: datetime) -> EpisodeFigures:
    """The violations' lives in [start, end), in order: from the days that were dropped, and from what is left beside them."""
    days = within(dropped, start, end)
    parts = [(midnight(day), figures.episodes) for day, figures in days.items()]
    parts += [
        (first, episodes.figures(connection, scope, first, last))
        for first, last in between_days(days, start, end)
        if first < last or not parts
    ]
    return reduce(add, (figures for _, figures in sorted(parts, key=lambda part: part[0])))
