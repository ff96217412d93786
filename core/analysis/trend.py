"""History between two moments, reduced so that a chart stays small and no minimum is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from core.analysis.period import DAY, midnight
from core.analysis.sums import Sums, TimeClass
from core.model import Status
from core.status import Thresholds
from core.timeline import CODES, Flags, Integers, Timeline, microseconds, moment

MOST_POINTS = 900  # a chart draws the lowest and the usual rate of each: below 2,000 in all

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A stretch of time with at least one attempt. Rates in percent, unrounded; None when every attempt failed."""

    start: datetime
    end: datetime
    lowest: float | None
    usual: float | None
    violations: int | None  # the most that any check found
    attempts: int
    failed: int  # outside of maintenance
    imported: bool  # at least one row comes from a log, so nothing is known about the time beside it
    number: int | None = None  # of the row of history of its lowest rate, else of its first attempt; None once single checks went
    in_maintenance: int = 0  # of the attempts: they say something only where nothing else does


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that no line may cross."""

    start: datetime
    end: datetime
    unknown: bool  # after a failed check, or longer than a check stays fresh; else between two logs, or failed in maintenance

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A stretch whose checks ran in maintenance."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Trend:
    """History between two moments."""

    start: datetime
    end: datetime
    points: Sequence[TrendPoint]
    gaps: Sequence[Gap]
    below_healthy: timedelta  # how long the rate is known to have been below the healthy threshold
    unknown: timedelta  # how long nothing is known, also in gaps too short to be seen
    worst: float | None  # outside of maintenance
    worst_at: datetime | None
    maintenance: Sequence[Maintenance] = ()

    @property
    def failed(self) -> int:
        return sum(point.failed for point in self.points)


def trend(
    timeline: Timeline,
    start: datetime,
    end: datetime,
    freshness: timedelta,
    thresholds: Thresholds,
    most_points: int = MOST_POINTS,
    dropped: Mapping[date, Sums] | None = None,
) -> Trend:
    """History from `start` to `end`, both included, in at most `most_points` stretches of equal length.

    A stretch keeps its lowest rate and its most violations. `dropped` are the sums of days (UTC) whose single checks are gone:
    a point each, before everything that the timeline holds.
    """
    days = {day: sums for day, sums in sorted((dropped or {}).items()) if start <= midnight(day) and midnight(day) + DAY <= end}
    since = midnight(max(days)) + DAY if days else start
    part = timeline.between(since, end + timedelta(microseconds=1))
    rates = np.where(part.compared, part.consistent * 100.0 / np.maximum(part.total, 1), np.nan)
    following = np.append(part.at[1:], microseconds(end))[: len(part)]
    lengths = following - part.at
    held = lengths <= freshness // timedelta(microseconds=1)
    fresh = (part.compared | part.in_maintenance) & held
    below = fresh & ~part.imported & ~part.in_maintenance & (part.codes(thresholds) != CODES.index(Status.HEALTHY))
    before = Gap(since, moment(part.at[0]) if len(part) else end, unknown=True)
    edge = [before] if before.length > freshness or (not len(part) and not days) else []
    known = timedelta(microseconds=int(lengths[fresh].sum())) + (timedelta(0) if edge else before.length)
    worst = _worst_of(part, rates, days)
    return Trend(
        start=start,
        end=end,
        points=[*(_day(day, sums) for day, sums in days.items()), *_points(part, rates, since, end, most_points - len(days))],
        gaps=edge + _gaps(part, following, end, freshness, (end - start) / (2 * most_points)),
        below_healthy=timedelta(microseconds=int(lengths[below].sum()))
        + _time(days, TimeClass.DEGRADED)
        + _time(days, TimeClass.CRITICAL),
        unknown=max((end - since) - known, timedelta(0)) + _unknown_in(days, start, since),
        worst=None if worst is None else worst[0],
        worst_at=None if worst is None else worst[1],
        maintenance=_maintenance(part, np.where(held, following, part.at)),
    )


def _maintenance(part: Timeline, until: Integers) -> list[Maintenance]:
    """The stretches of unbroken maintenance, each up to where its last check was followed by one outside, or by none in time."""
    goes_on = part.in_maintenance & np.append(part.in_maintenance[1:], False)[: len(part)] & (until > part.at)
    firsts = np.flatnonzero(part.in_maintenance & ~np.concatenate([[False], goes_on[:-1]])[: len(part)])
    lasts = np.flatnonzero(part.in_maintenance & ~goes_on)
    return [
        Maintenance(moment(start), moment(end))
        for start, end in zip(part.at[firsts].tolist(), until[lasts].tolist(), strict=True)
    ]


def _worst_of(part: Timeline, rates: npt.NDArray[np.float64], days: Mapping[date, Sums]) -> tuple[float, datetime] | None:
    """The lowest rate that counts and its moment; the first recorded of several."""
    worst = [(sums.worst.share * 100, sums.worst.at) for sums in days.values() if sums.worst is not None]
    rates = np.where(part.in_maintenance, np.nan, rates)
    if np.any(part.compared & ~part.in_maintenance):
        lowest = int(np.lexsort((part.number, rates))[0])  # what has no rate is sorted behind
        worst.append((float(rates[lowest]), moment(part.at[lowest])))
    return min(worst, key=lambda found: found[0], default=None)


def _points(part: Timeline, rates: npt.NDArray[np.float64], start: datetime, end: datetime, most_points: int) -> list[TrendPoint]:
    if not len(part):
        return []
    stretch = np.arange(len(part))
    if len(part) > max(most_points, 1):
        first_second, last_second = (microseconds(edge) // _SECOND for edge in (start, end))
        stretch = (part.at // _SECOND - first_second) // -(-(last_second - first_second + 1) // max(most_points, 1))
    firsts = np.flatnonzero(np.diff(stretch, prepend=stretch[0] - 1))
    lasts = np.append(firsts[1:], len(part)) - 1
    sizes = lasts - firsts + 1
    planned = np.add.reduceat(part.in_maintenance.astype(np.int64), firsts)
    told = ~part.in_maintenance | np.repeat(planned == sizes, sizes)  # beside what counts, maintenance says nothing
    answers = part.compared & told
    compared = np.add.reduceat(answers.astype(np.int64), firsts)
    worst = np.lexsort((~told, np.where(answers, rates, np.inf), stretch))[firsts]
    summed = np.add.reduceat(np.where(answers, rates, 0.0), firsts)
    most = np.maximum.reduceat(np.where(part.failed | ~told, -1, part.violations), firsts)
    columns: tuple[npt.NDArray[Any], ...] = (
        part.at[firsts],
        part.at[lasts],
        rates[worst],
        summed / np.maximum(compared, 1),
        compared,
        most,
        sizes,
        np.add.reduceat((part.failed & ~part.in_maintenance).astype(np.int64), firsts),
        np.logical_or.reduceat(part.imported, firsts),
        part.number[worst],
        planned,
    )
    return [
        TrendPoint(
            moment(first),
            moment(last),
            lowest if answered else None,
            usual if answered else None,
            None if violations < 0 else violations,
            attempts,
            failed,
            imported,
            number,
            in_maintenance,
        )
        for first, last, lowest, usual, answered, violations, attempts, failed, imported, number, in_maintenance in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def _gaps(part: Timeline, following: Integers, end: datetime, freshness: timedelta, visible: timedelta) -> list[Gap]:
    """Silences, longer than a check stays fresh or between two logs, and the time from a failed attempt to the next answer.

    Those no longer than `visible` are left out. One that compared nothing has not answered.
    """
    answered, lengths = part.compared, following - part.at
    shortest = visible // timedelta(microseconds=1)
    long = lengths > freshness // timedelta(microseconds=1)
    from_logs = part.imported & np.append(part.imported[1:], False)[: len(part)]
    silent = answered & (long | from_logs) & (lengths > shortest)
    gaps = _spans(part.at[silent], following[silent], long[silent])
    state = 2 * answered + part.in_maintenance
    changes = np.flatnonzero(np.diff(state, prepend=-1))
    until = np.append(part.at[changes[1:]], microseconds(end))[: len(changes)]
    silent_in = np.logical_or.reduceat(long, changes) if len(changes) else long
    unknown = ~part.in_maintenance[changes] | silent_in
    failing = ~answered[changes] & (until - part.at[changes] > shortest)
    failures = _spans(part.at[changes][failing], until[failing], unknown[failing])
    return sorted(gaps + failures, key=lambda gap: gap.start)


def _spans(starts: Integers, ends: Integers, unknown: Flags) -> list[Gap]:
    return [
        Gap(moment(start), moment(end), flag)
        for start, end, flag in zip(starts.tolist(), ends.tolist(), unknown.tolist(), strict=True)
    ]


def _day(day: date, sums: Sums) -> TrendPoint:
    """All that is left of a day."""
    return TrendPoint(
        start=midnight(day),
        end=midnight(day) + DAY - timedelta(microseconds=1),
        lowest=sums.worst.share * 100 if sums.worst else None,
        usual=100 * sums.agreeing / sums.compared if sums.compared else None,
        violations=None if sums.failed == sums.attempts else sums.most_violations,
        attempts=sums.ran,
        failed=sums.failed,
        imported=sums.imported > 0,
        in_maintenance=sums.in_maintenance,
    )


def _time(days: Mapping[date, Sums], kind: TimeClass) -> timedelta:
    return sum((sums.time(kind) for sums in days.values()), timedelta(0))


def _unknown_in(days: Mapping[date, Sums], start: datetime, since: datetime) -> timedelta:
    """How long nothing is known between `start` and the end of the last of the days."""
    return (since - start) - len(days) * DAY + _time(days, TimeClass.NO_DATA)
