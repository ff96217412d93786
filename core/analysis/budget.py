"""The error budget: how many checks may be anything but healthy, how many were, and how fast that goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from core.analysis.objective import Objective
from core.model import Status
from core.status import Thresholds
from core.timeline import CODES, Timeline

PACES = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3))  # as in the SRE workbook's alerts


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the budget was used lately. 1 uses it up exactly over a window; None when no check was tried."""

    length: timedelta
    attempts: int
    bad: int
    burn_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of the window that ends at a moment. Bad are attempts that were not healthy, failed ones included.

    What ran in maintenance is not among them.
    """

    objective: Objective
    start: datetime
    end: datetime
    attempts: int
    bad: int
    no_data: timedelta  # how long of the window nothing is known that counts
    paces: Sequence[Pace]

    @property
    def allowed(self) -> Decimal:
        """How many bad ones the attempts of the window allow."""
        return self.attempts * self.objective.allowed_share

    @property
    def kept(self) -> bool | None:
        """Whether the objective is met; None when too little is known to tell."""
        return self.objective.kept(self.attempts, self.bad, self.no_data, self.end - self.start)

    @property
    def left_percent(self) -> Decimal | None:
        """What is left of the budget, in percent, rounded down to whole ones; below zero when it is overdrawn.

        None without an attempt.
        """
        if not self.attempts:
            return None
        return (100 * (self.allowed - self.bad) / self.allowed).to_integral_value(ROUND_FLOOR)


def budget_at(timeline: Timeline, end: datetime, objective: Objective, thresholds: Thresholds, no_data: timedelta) -> Budget:
    """The budget as it stood at `end`; entries at `end` or later do not count."""
    attempts, bad = _count(timeline, end - objective.window, end, thresholds)
    paces = []
    for length in PACES:
        tried, wrong = _count(timeline, end - length, end, thresholds)
        burn = (Decimal(wrong) / tried / objective.allowed_share) if tried else None
        paces.append(Pace(length, tried, wrong, burn))
    return Budget(objective, end - objective.window, end, attempts, bad, no_data, tuple(paces))


def _count(timeline: Timeline, start: datetime, end: datetime, thresholds: Thresholds) -> tuple[int, int]:
    part = timeline.between(start, end).counted
    return len(part), int(np.count_nonzero(part.codes(thresholds) != CODES.index(Status.HEALTHY)))
