"""Unbroken times of trouble: how long, how bad, and whether they ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.analysis.sums import Worst, worst_of
from core.model import Status
from core.status import Thresholds
from core.timeline import CODES, Timeline, microseconds, moment


@dataclass(frozen=True, slots=True)
class Stretch:
    """From the first reading below healthy to the next healthy one, or to where nothing more is known.

    Readings that come later than a status stays fresh end it; attempts that failed in between do not.
    """

    start: datetime
    end: datetime
    healed: bool  # a healthy reading ended it; else the end is the last that was seen of it
    worst: Worst
    critical: bool  # at least one reading was critical

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def unhealthy_stretches(
    timeline: Timeline, start: datetime, end: datetime, freshness: timedelta, thresholds: Thresholds, most: int | None = None
) -> Sequence[Stretch]:
    """The stretches of [start, end), longest first; at most `most`.

    What ran in maintenance is left out, and ends one like a time without readings. What lies outside does not count: one that
    began before begins with the first reading in it, and one that goes on after it has not healed.
    """
    ran = timeline.between(start, end)
    chosen = ran.compared & ~ran.in_maintenance
    part = ran[chosen]
    if not len(part):
        return []
    skipped = np.cumsum(ran.in_maintenance)[chosen]
    bad = part.codes(thresholds) != CODES.index(Status.HEALTHY)
    late = np.diff(part.at, prepend=part.at[0]) > freshness // timedelta(microseconds=1)
    late |= np.diff(skipped, prepend=skipped[0]) > 0
    begins = bad & (np.roll(~bad, 1) | late)
    begins[0] = bad[0]
    firsts = np.flatnonzero(begins)
    lasts = _last_of_each(firsts, bad, late)
    nexts = np.minimum(lasts + 1, len(part) - 1)
    healed = (nexts > lasts) & ~bad[nexts] & ~late[nexts]
    ends = np.where(healed, part.at[nexts], part.at[lasts])
    longest = np.lexsort((part.at[firsts], part.at[firsts] - ends))[:most]
    return [
        _stretch(part[int(firsts[i]) : int(lasts[i]) + 1], int(ends[i]), bool(healed[i]), thresholds) for i in longest.tolist()
    ]


def present_stretch(
    timeline: Timeline, start: datetime, end: datetime, freshness: timedelta, thresholds: Thresholds
) -> Stretch | None:
    """The stretch of [start, end) that its newest reading belongs to; None when that one was healthy, or there is none."""
    part = timeline.between(start, end).counted
    part = part[part.compared]
    if not len(part) or part[-1:].codes(thresholds)[0] == CODES.index(Status.HEALTHY):
        return None
    return max(unhealthy_stretches(timeline, start, end, freshness, thresholds), key=lambda stretch: stretch.start)


def time_unhealthy(stretches: Sequence[Stretch]) -> timedelta:
    """How long all of them were."""
    return sum((stretch.length for stretch in stretches), timedelta(0))


def _last_of_each(firsts: np.ndarray, bad: np.ndarray, late: np.ndarray) -> np.ndarray:
    """The last reading of each run: before the next one that is good, or late."""
    stops = np.append(np.flatnonzero(~bad | late), len(bad))
    lasts: np.ndarray = stops[np.searchsorted(stops, firsts, side="right")] - 1
    return lasts


def _stretch(run: Timeline, end: int, healed: bool, thresholds: Thresholds) -> Stretch:
    critical = bool(np.any(run.codes(thresholds) == CODES.index(Status.CRITICAL)))
    return Stretch(moment(run.at[0]), moment(end), healed, worst_of(run), critical)


def began_at(timeline: Timeline, start: datetime, end: datetime) -> datetime | None:
    """When the violations of [start, end], both included, began: the reading with the steepest rise against the one before it.

    None when nothing rose. The first reading of all has none before it.
    """
    compared = timeline[timeline.compared]
    first = int(np.searchsorted(compared.at, microseconds(start), side="left"))
    last = int(np.searchsorted(compared.at, microseconds(end), side="right"))
    rises = np.diff(compared.violations[max(first - 1, 0) : last])
    if not len(rises) or rises.max() <= 0:
        return None
    return moment(compared.at[max(first - 1, 0) + 1 + int(np.argmax(rises))])
