"""From what was read hour by hour to an unbroken series: sorted, one value an hour, gaps filled and remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from core.forecast.model import HourRead, Known

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LONGEST_HISTORY = 8 * 168  # hours: older ones tell of another time, and cost
SHORT_GAP = 3  # hours that are bridged by a straight line
LONG_GAP = 24  # hours; what lies before a longer gap is left out
_NEWEST = 48  # hours that are kept with the forecast
_MOST_PAIRS = 1e12  # more is a broken figure


@dataclass(frozen=True, slots=True, eq=False)
class HourlySeries:
    """What was read of one watched database: one entry an hour, in any order; NaN where nothing was read.

    `hours` are counted from 1970 (UTC), `violations` and `total` are means of the checks in that hour. Entries that cannot be
    (negative, infinite, no pairs) count as not read; of two entries for one hour the later one counts.
    """

    hours: npt.NDArray[np.int64]
    violations: Floats
    total: Floats

    @classmethod
    def of_readings(
        cls, hours: npt.NDArray[np.int64], violations: npt.NDArray[np.int64], total: npt.NDArray[np.int64]
    ) -> HourlySeries:
        """The hourly means of single readings: the hour in which each was made, and its counts.

        Leave out what was read from logs: there is none of a healthy check, and so the rest says nothing about an hour.
        """
        each_hour, hour, readings = np.unique(hours, return_inverse=True, return_counts=True)
        return cls(each_hour, np.bincount(hour, violations) / readings, np.bincount(hour, total) / readings)


@dataclass(frozen=True, slots=True, eq=False)
class Unbroken:
    """One value for every hour. Gaps up to a day are filled, so that models can pass; what was filled proves nothing."""

    first_hour: int
    values: Floats
    read: Flags
    pairs: float
    after_gap: bool

    @property
    def known(self) -> Known:
        """The facts about it in words of the model."""
        if not self.values.size:
            return Known()
        return Known(
            first=moment_of(self.first_hour),
            last=moment_of(self.first_hour + self.values.size - 1),
            hours=self.values.size,
            unread=int((~self.read).sum()),
            after_gap=self.after_gap,
            last_violations=float(self.values[-1]),
            pairs=self.pairs,
            newest=tuple(
                HourRead(moment_of(self.first_hour + position), float(self.values[position]) if self.read[position] else None)
                for position in range(max(self.values.size - _NEWEST, 0), self.values.size)
            ),
        )


def moment_of(hour: int) -> datetime:
    """The beginning of an hour that is counted from 1970."""
    return datetime.fromtimestamp(hour * 3600, UTC)


def hour_of(moment: datetime) -> int:
    """The hour in which a moment lies, counted from 1970."""
    return int(moment.timestamp() // 3600)


def unbroken(series: HourlySeries, made_at: datetime) -> Unbroken:
    """The newest stretch without a gap longer than `LONG_GAP`, at most `LONGEST_HISTORY`, ending with an hour that was read.

    A gap up to `SHORT_GAP` becomes a straight line; a longer one repeats the same hours of the day before it.
    Hours after `made_at` come from a clock that was set back, and are left out.
    """
    hours, violations, total = _believable(series, made_at)
    if not hours.size:
        return Unbroken(0, np.empty(0), np.empty(0, dtype=bool), 0.0, after_gap=False)
    breaks = np.flatnonzero(np.diff(hours) > LONG_GAP + 1)
    begin = int(breaks[-1]) + 1 if breaks.size else 0
    first_hour = max(int(hours[begin]), int(hours[-1]) - LONGEST_HISTORY + 1)
    inside = hours >= first_hour
    first_hour = int(hours[inside][0])
    values = np.full(int(hours[-1]) - first_hour + 1, np.nan)
    values[hours[inside] - first_hour] = violations[inside]
    read = ~np.isnan(values)
    return Unbroken(first_hour, _filled(values), read, float(total[-1]), after_gap=begin > 0 and first_hour == int(hours[begin]))


def _believable(series: HourlySeries, made_at: datetime) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    hours = np.asarray(series.hours, dtype=np.int64)
    violations = np.asarray(series.violations, dtype=np.float64)
    total = np.asarray(series.total, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        possible = (violations >= 0) & (total > 0) & (violations <= total) & (total <= _MOST_PAIRS) & (hours <= hour_of(made_at))
    hours, violations, total = hours[possible], violations[possible], total[possible]
    # the last entry of each hour: unique() gives the first, so it looks from the end
    unique, from_end = np.unique(hours[::-1], return_index=True)
    chosen = hours.size - 1 - from_end
    return unique, violations[chosen], total[chosen]


def _filled(values: Floats) -> Floats:
    filled = values.copy()
    unread = np.isnan(values)
    positions = np.arange(values.size)
    filled[unread] = np.interp(positions[unread], positions[~unread], values[~unread])
    edges = np.flatnonzero(np.diff(np.concatenate(([False], unread, [False])).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start > SHORT_GAP and start >= LONG_GAP:
            filled[start:end] = filled[start - LONG_GAP : end - LONG_GAP]
    return filled
