"""What can be added up: the same whether a month is summed from its checks or from its days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self

import numpy as np

from core.model import Status
from core.status import Thresholds, consistency_rate
from core.timeline import CODES, Timeline, microseconds, moment


class TimeClass(StrEnum):
    """What a moment counts as."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    CRITICAL = "critical"
    MAINTENANCE = "maintenance"  # the newest check ran in a planned window
    LOGS_ONLY = "logs_only"  # between two logs of the earlier system, which wrote none when all pairs agreed
    NO_DATA = "no_data"  # no check in time, or none that gave a result


_ADDED = ("healthy", "degraded", "critical", "empty", "failed", "imported", "agreeing", "compared", "in_maintenance")


@dataclass(frozen=True, slots=True)
class Worst:
    """The reading with the lowest rate; the first of several."""

    number: int  # of its row of history
    at: datetime
    consistent: int
    total: int

    @property
    def share(self) -> float:
        return self.consistent / self.total


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of a stretch of time. `a + b` is the sums of both.

    Every attempt counts once: by its status, as empty (it found no pair), or as failed; one that ran in maintenance only as
    that, whatever it found. The times add up to the length.
    """

    healthy: int = 0
    degraded: int = 0
    critical: int = 0
    empty: int = 0
    failed: int = 0
    imported: int = 0  # of the attempts above, how many are logs of the earlier system
    agreeing: int = 0  # pairs that agreed, summed over all checks
    compared: int = 0  # pairs, summed over all checks
    in_maintenance: int = 0  # attempts that count in nothing else here
    most_violations: int = 0
    worst: Worst | None = None
    microseconds: Mapping[TimeClass, int] = field(default_factory=dict)

    @property
    def attempts(self) -> int:
        """Those that count: outside of maintenance."""
        return self.healthy + self.unhealthy

    @property
    def ran(self) -> int:
        """All of them."""
        return self.attempts + self.in_maintenance

    @property
    def uncounted_time(self) -> timedelta:
        """How long nothing is known that counts."""
        return self.time(TimeClass.NO_DATA) + self.time(TimeClass.MAINTENANCE)

    @property
    def unhealthy(self) -> int:
        """Every attempt that was not healthy, whatever it was."""
        return self.degraded + self.critical + self.empty + self.failed

    @property
    def completed(self) -> int:
        return self.attempts - self.failed

    @property
    def healthy_share(self) -> Decimal | None:
        """Percentage of the attempts that were healthy, cut to two decimals, never rounded up; None without an attempt."""
        return None if not self.attempts else Decimal(self.healthy * 10_000 // self.attempts) / 100

    def mean_rate(self, thresholds: Thresholds) -> Decimal | None:
        """The rate over all comparisons: agreeing / compared, rounded as every rate is."""
        return consistency_rate(self.agreeing, self.compared, thresholds)

    def worst_rate(self, thresholds: Thresholds) -> Decimal | None:
        return None if self.worst is None else consistency_rate(self.worst.consistent, self.worst.total, thresholds)

    def time(self, kind: TimeClass) -> timedelta:
        return timedelta(microseconds=self.microseconds.get(kind, 0))

    def __add__(self, other: Sums) -> Sums:
        worst = [sums.worst for sums in (self, other) if sums.worst is not None]
        return Sums(
            **{name: getattr(self, name) + getattr(other, name) for name in _ADDED},
            most_violations=max(self.most_violations, other.most_violations),
            worst=min(worst, key=_order, default=None),
            microseconds={
                kind: both for kind in TimeClass if (both := self.microseconds.get(kind, 0) + other.microseconds.get(kind, 0)) > 0
            },
        )

    def as_json(self) -> dict[str, Any]:
        """For the daily figures: exact, and read by `from_json`."""
        worst = self.worst
        return {
            **{name: getattr(self, name) for name in (*_ADDED, "most_violations")},
            "worst": [worst.number, microseconds(worst.at), worst.consistent, worst.total] if worst else None,
            "microseconds": {kind.value: length for kind, length in self.microseconds.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        worst = document["worst"]
        return cls(
            **{name: int(document.get(name, 0)) for name in (*_ADDED, "most_violations")},
            worst=Worst(worst[0], moment(worst[1]), worst[2], worst[3]) if worst else None,
            microseconds={TimeClass(kind): int(length) for kind, length in document["microseconds"].items()},
        )


def sums_of(
    timeline: Timeline,
    start: datetime,
    end: datetime,
    freshness: timedelta,
    thresholds: Thresholds,
    until: datetime | None = None,
) -> Sums:
    """The sums of [start, end). `timeline` is the whole one: the entries before and after tell about it too.

    Nothing came after the newest entry until `until`, which is `end` unless it is told, and never before it.
    """
    ran = timeline.between(start, end)
    part = ran.counted
    codes = part.codes(thresholds)
    by_status = {status: int(np.count_nonzero(codes == code)) for code, status in enumerate(CODES)}
    failed = int(np.count_nonzero(part.failed))
    compared = part.compared
    return Sums(
        healthy=by_status[Status.HEALTHY],
        degraded=by_status[Status.DEGRADED],
        critical=by_status[Status.CRITICAL],
        empty=by_status[Status.UNKNOWN] - failed,
        failed=failed,
        imported=int(np.count_nonzero(part.imported)),
        agreeing=int(part.consistent[compared].sum()),
        compared=int(part.total[compared].sum()),
        in_maintenance=len(ran) - len(part),
        most_violations=int(part.violations.max(initial=0)),
        worst=worst_of(part[compared]) if np.any(compared) else None,
        microseconds=_time_by_class(timeline, start, end, freshness, thresholds, max(until or end, end)),
    )


def worst_of(left: Timeline) -> Worst:
    """The reading with the lowest rate, compared exactly; the first of several. Every one must have compared something."""
    rates = left.consistent / left.total
    left = left[rates <= rates.min() + 1e-12]  # equal as floats; told apart by the integers
    while True:
        number, at, total, consistent = (int(column[0]) for column in (left.number, left.at, left.total, left.consistent))
        lower = left.consistent * total < consistent * left.total
        if not np.any(lower):
            return Worst(number, moment(at), consistent, total)
        left = left[lower]


def _order(worst: Worst) -> tuple[Any, ...]:
    """Lowest rate first, compared exactly; then the earliest."""
    return Fraction(worst.consistent, worst.total), worst.at, worst.number


def _time_by_class(
    timeline: Timeline, start: datetime, end: datetime, freshness: timedelta, thresholds: Thresholds, until: datetime
) -> dict[TimeClass, int]:
    """Each entry's status holds until the next entry, provided that it comes while the status is fresh; else nothing is known."""
    first, last = timeline.position(start), timeline.position(end)
    begin, finish = microseconds(start), microseconds(end)
    part = timeline[max(first - 1, 0) : last]
    following = timeline.at[max(first - 1, 0) + 1 : last + 1]
    if len(following) < len(part):  # the newest entry of all
        following = np.append(following, max(microseconds(until), int(part.at[-1])))
    held = np.clip(following, begin, finish) - np.clip(part.at, begin, finish)
    fresh = following - part.at <= freshness // timedelta(microseconds=1)
    codes = part.codes(thresholds)
    codes[part.in_maintenance] = -1
    lengths = {}
    for kind, chosen in (
        (TimeClass.HEALTHY, (codes == CODES.index(Status.HEALTHY)) & ~part.imported),
        (TimeClass.DEGRADED, (codes == CODES.index(Status.DEGRADED)) & ~part.imported),
        (TimeClass.CRITICAL, (codes == CODES.index(Status.CRITICAL)) & ~part.imported),
        (TimeClass.MAINTENANCE, part.in_maintenance),
        (TimeClass.LOGS_ONLY, part.compared & part.imported & ~part.in_maintenance),
    ):
        lengths[kind] = int(held[fresh & chosen].sum())
    lengths[TimeClass.NO_DATA] = max(finish - begin, 0) - sum(lengths.values())
    return {kind: length for kind, length in lengths.items() if length > 0}
