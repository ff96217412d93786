"""What the record answers about stretches of time and about single checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.breakdown import BreakdownEntry
from core.state.episodes import Share
from core.state.history import Attempt
from core.state.markers import Marker

MARKERS_BEFORE = timedelta(hours=1)  # how long before a stretch something may have happened that explains it


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of time, by the check in it with the lowest rate. Without `parts` it is not known what made it up."""

    start: datetime
    end: datetime
    violations: int
    parts: Sequence[BreakdownEntry] | None
    number: int | None  # of that check's row of history


@dataclass(frozen=True, slots=True)
class WhatChanged:
    """What the trouble of a stretch is made of, when it began, and what happened near it."""

    start: datetime
    end: datetime
    begun: bool  # the shares count the violations that began in it; else those of its worst check
    shares: Sequence[Share]  # most first
    began_at: datetime | None  # the check with the steepest rise; None when nothing rose
    began_in: int | None  # its row of history
    worst_in: int | None  # the row of history of the check with the lowest rate
    markers: Sequence[Marker]  # of the stretch and the hour before it

    @property
    def total(self) -> int:
        return sum(share.count for share in self.shares)


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One row of history with its neighbours in time."""

    attempt: Attempt
    parts: Sequence[BreakdownEntry] | None
    previous: int | None
    following: int | None
