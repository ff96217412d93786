"""All readings of one watched database as columns, oldest first: what every figure over time is computed from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from core.model import Status
from core.status import Thresholds

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# How an attempt counts, as small integers: the statuses in the order of the enum, which ends with unknown.
CODES = tuple(Status)
_HEALTHY, _DEGRADED, _CRITICAL, _UNKNOWN = range(len(CODES))


def microseconds(moment: datetime) -> int:
    """A moment as microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """Microseconds since 1970 as an aware UTC moment."""
    return _EPOCH + timedelta(microseconds=int(at))


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """One entry for each attempt and each log, ordered by time, then by number. All columns have the same length.

    An attempt that failed has a `total` of -1, one that found nothing to compare has 0.
    """

    number: Integers  # of the row of history
    at: Integers  # microseconds since 1970
    total: Integers
    consistent: Integers
    duration_ms: Integers
    imported: Flags
    in_maintenance: Flags  # ran in a planned window: shown, and counted neither as healthy nor as bad

    @classmethod
    def empty(cls) -> Timeline:
        nothing = np.zeros(0, np.int64)
        no = np.zeros(0, np.bool_)
        return cls(nothing, nothing, nothing, nothing, nothing, no, no)

    def __len__(self) -> int:
        return len(self.at)

    @property
    def failed(self) -> Flags:
        return self.total < 0

    @property
    def compared(self) -> Flags:
        """Which entries compared at least one pair: only these say anything about the pairs."""
        return self.total > 0

    @property
    def counted(self) -> Timeline:
        """The entries that figures count: those outside of maintenance."""
        return self[~self.in_maintenance] if np.any(self.in_maintenance) else self

    @property
    def violations(self) -> Integers:
        return np.where(self.total > 0, self.total - self.consistent, 0)

    def position(self, at: datetime) -> int:
        """The first entry at or after a moment."""
        return int(np.searchsorted(self.at, microseconds(at), side="left"))

    def between(self, start: datetime, end: datetime) -> Timeline:
        """The entries from `start` on, before `end`."""
        return self[self.position(start) : self.position(end)]

    def __getitem__(self, part: slice | Flags) -> Timeline:
        return Timeline(*(getattr(self, column.name)[part] for column in fields(self)))

    def joined(self, newer: Timeline) -> Timeline:
        """These entries and others, in order."""
        together = [np.concatenate([getattr(self, column.name), getattr(newer, column.name)]) for column in fields(self)]
        order = np.lexsort((together[0], together[1]))
        return Timeline(*(column[order] for column in together))

    def codes(self, thresholds: Thresholds) -> npt.NDArray[np.int8]:
        """For each entry the position of its status in `CODES`, from the integers; what failed or compared nothing is unknown."""
        codes = np.full(len(self), _CRITICAL, np.int8)
        codes[_reached(self, thresholds.degraded)] = _DEGRADED
        codes[_reached(self, thresholds.healthy)] = _HEALTHY
        codes[~self.compared] = _UNKNOWN
        return codes


def _reached(timeline: Timeline, threshold: Any) -> Flags:
    numerator, denominator = threshold.as_integer_ratio()
    reached: Flags = timeline.consistent * (100 * denominator) >= numerator * timeline.total
    return reached
