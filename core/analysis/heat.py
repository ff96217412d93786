"""Hour of the day by day of the week: is it the nightly batch?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from core.model import Status
from core.status import Thresholds
from core.timeline import CODES, Timeline

_FEWEST = 5  # checks: fewer are chance
_MOST_DAYS = 5


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Seven rows, Monday first, of 24 hours each, in one time zone."""

    attempts: npt.NDArray[np.int64]
    unhealthy: npt.NDArray[np.int64]  # attempts that were not healthy
    violations: npt.NDArray[np.float64]  # mean over the checks that compared something; NaN where there was none

    @property
    def unhealthy_percent(self) -> npt.NDArray[np.float64]:
        """NaN where no check was tried."""
        percent: npt.NDArray[np.float64] = np.where(
            self.attempts > 0, 100 * self.unhealthy / np.maximum(self.attempts, 1), np.nan
        )
        return percent


@dataclass(frozen=True, slots=True)
class Standout:
    """An hour in which trouble gathers. `weekday` is None when it does so on most days; 0 is Monday."""

    weekday: int | None
    hour: int
    percent: float  # of the checks in it that were not healthy
    usual_percent: float  # of those at all other times


def standout(heat: HeatMap) -> Standout | None:
    """The hour that stands out; None when none does.

    It has at least five checks that were not healthy, a tenth of its checks, and three times the share of all other times. An
    hour of every day is named before an hour of one weekday when at least five weekdays share in it.
    """
    percent = heat.unhealthy_percent
    by_hour = heat.unhealthy.sum(axis=0) / np.maximum(heat.attempts.sum(axis=0), 1)
    hour = int(np.argmax(by_hour))
    shared = np.count_nonzero(np.nan_to_num(percent[:, hour]) >= 50 * by_hour[hour]) if by_hour[hour] else 0
    if shared >= _MOST_DAYS:
        daily = _compared(heat, None, hour)
        if daily is not None:
            return daily
    weekday, hour = divmod(int(np.argmax(np.nan_to_num(percent))), 24)
    return _compared(heat, weekday, hour)


def _compared(heat: HeatMap, weekday: int | None, hour: int) -> Standout | None:
    chosen = np.zeros((7, 24), np.bool_)
    chosen[slice(None) if weekday is None else weekday, hour] = True
    bad, tried = int(heat.unhealthy[chosen].sum()), int(heat.attempts[chosen].sum())
    other_bad, other_tried = int(heat.unhealthy[~chosen].sum()), int(heat.attempts[~chosen].sum())
    if not other_tried or bad < _FEWEST or 10 * bad < tried or bad * other_tried < 3 * other_bad * tried:
        return None
    return Standout(weekday, hour, 100 * bad / tried, 100 * other_bad / max(other_tried, 1))


def heat_map(timeline: Timeline, start: datetime, end: datetime, zone: ZoneInfo, thresholds: Thresholds) -> HeatMap:
    """The attempts of [start, end) by the hour and weekday at which they began, in `zone`; those in maintenance left out."""
    import pandas as pd  # commands that draw no heat map do without

    part = timeline.between(start, end).counted
    local = pd.DatetimeIndex(part.at.astype("datetime64[us]")).tz_localize("UTC").tz_convert(zone)
    cell = np.asarray(local.day_of_week, np.int64) * 24 + np.asarray(local.hour, np.int64)
    bad = part.codes(thresholds) != CODES.index(Status.HEALTHY)
    compared = part.compared
    counted = np.bincount(cell[compared], minlength=168)
    summed = np.bincount(cell[compared], weights=part.violations[compared], minlength=168)
    return HeatMap(
        attempts=np.bincount(cell, minlength=168).reshape(7, 24),
        unhealthy=np.bincount(cell[bad], minlength=168).reshape(7, 24),
        violations=np.where(counted > 0, summed / np.maximum(counted, 1), np.nan).reshape(7, 24),
    )
