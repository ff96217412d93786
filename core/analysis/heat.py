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


def heat_map(timeline: Timeline, start: datetime, end: datetime, zone: ZoneInfo, thresholds: Thresholds) -> HeatMap:
    """The attempts of [start, end) by the hour and weekday at which they began, in `zone`."""
    import pandas as pd  # commands that draw no heat map do without

    part = timeline.between(start, end)
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
