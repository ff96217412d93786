"""What may come: forecasts made in the background and kept, and what becomes of the promise at the present pace."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from core.analysis.sums import TimeClass, sums_of
from core.clock import Clock
from core.forecast.model import Forecast
from core.forecast.promise import CheckCount, Promise, PromiseOutlook, promise_outlook
from core.maintenance import total_length
from core.model import Status
from core.record import HealthRecord
from core.state import forecasts, maintenance
from core.timeline import CODES, Timeline, moment

EVERY = timedelta(hours=1)

_HOUR = 3_600_000_000  # microseconds
_PACE = timedelta(days=7)
_LEAST_PACE = timedelta(days=1)


class Foresight:
    """Looks ahead from the record. Every method raises StateDatabaseUnavailable when that is away."""

    def __init__(self, record: HealthRecord, clock: Clock) -> None:
        self._record = record
        self._clock = clock

    def forecast(self) -> Forecast | None:
        """The newest forecast; None before the first."""
        with self._record.state.read() as connection:
            return forecasts.newest(connection, self._record.scope(connection))

    def make_forecast(self) -> None:
        """Make and keep a forecast; for a job: takes seconds. Nothing is made while the newest one is younger than an hour."""
        now, newest = self._clock(), self.forecast()
        if newest is not None and newest.made_at <= now < newest.made_at + EVERY:  # another replica was here
            return
        from core.forecast.making import make_forecast
        from core.forecast.series import HourlySeries

        checks = _own(self._record.timeline())
        checks = checks[checks.compared]
        series = HourlySeries.of_readings(checks.at // _HOUR, checks.violations, checks.total)
        made = make_forecast(series, self._record.settings.status_thresholds, now)
        with self._record.state.write() as connection:
            forecasts.keep(connection, self._record.scope(connection), made)

    def promise(self) -> PromiseOutlook | None:
        """What becomes of this month's promise; None while no check ran in it."""
        settings, now = self._record.settings, self._clock()
        zone = ZoneInfo(settings.report.time_zone)
        local = now.astimezone(zone)
        month = Promise(local.year, local.month, zone, settings.objective.healthy_percent, 0)
        uncounted = self._maintenance(month.start, now) + self._planned(now, month.end)
        expected = round((month.end - month.start - uncounted) / settings.schedule.interval)
        promise = Promise(local.year, local.month, zone, settings.objective.healthy_percent, expected)
        checks = _own(self._record.timeline())
        so_far, broken_since = self._count(checks, promise.start, now, promise.allowed)
        if not so_far.checks:
            return None
        return promise_outlook(promise, so_far, self._recent(checks, now), now, broken_since)

    def _maintenance(self, start: datetime, now: datetime) -> timedelta:
        """How long checks ran in maintenance."""
        settings = self._record.settings
        sums = sums_of(self._record.timeline(), start, now, settings.schedule.freshness, settings.status_thresholds)
        return sums.time(TimeClass.MAINTENANCE)

    def _planned(self, now: datetime, end: datetime) -> timedelta:
        """How long maintenance will be, from now on, as far as it is planned."""
        with self._record.state.read() as connection:
            windows = maintenance.windows(connection, now)
        return total_length(windows, now, end)

    def _recent(self, checks: Timeline, now: datetime) -> CheckCount:
        """The checks by which the pace is told; none on the first day, and when fewer than half of those due ran."""
        length = min(_PACE, now - moment(checks.at[0]))
        recent, _ = self._count(checks, now - length, now)
        few = length < _LEAST_PACE or 2 * recent.checks * self._record.settings.schedule.interval < length
        return CheckCount(0, 0) if few else recent

    def _count(
        self, checks: Timeline, start: datetime, end: datetime, allowed: int | None = None
    ) -> tuple[CheckCount, datetime | None]:
        """The checks of [start, end), and the moment of the first bad one that is not allowed any more."""
        part = checks.between(start, end)
        bad = np.flatnonzero(part.codes(self._record.settings.status_thresholds) != CODES.index(Status.HEALTHY))
        too_many = None if allowed is None or len(bad) <= allowed else moment(part.at[bad[allowed]])
        return CheckCount(len(part), len(bad)), too_many


def _own(timeline: Timeline) -> Timeline:
    """Logs of the earlier system say nothing about its healthy checks, and so nothing about a pace; nor does maintenance."""
    return timeline[~timeline.imported].counted
