"""Readings as rows, and histories of them to try properties with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from core.model import Status
from core.status import DEFAULT_THRESHOLDS, Schedule, status_of
from core.timeline import Timeline, microseconds
from tests.frozen_clock import NOON

SCHEDULE = Schedule()
FRESH_FOR = SCHEDULE.freshness  # eleven minutes
MINUTE = timedelta(minutes=1)
MIDNIGHT = NOON.replace(hour=0)


class Reading(NamedTuple):
    """One row of history; a failed attempt has a total of -1."""

    at: datetime
    number: int
    total: int
    bad: int = 0
    imported: bool = False
    in_maintenance: bool = False

    @property
    def compared(self) -> bool:
        return self.total > 0

    @property
    def status(self) -> Status:
        return status_of(self.total - self.bad, self.total, DEFAULT_THRESHOLDS) if self.compared else Status.UNKNOWN

    @property
    def share(self) -> Fraction:
        return Fraction(self.total - self.bad, self.total)


def timeline_of(readings: Sequence[Reading]) -> Timeline:
    rows = sorted(readings)
    return Timeline(
        number=np.array([row.number for row in rows], np.int64),
        at=np.array([microseconds(row.at) for row in rows], np.int64),
        total=np.array([row.total for row in rows], np.int64),
        consistent=np.array([max(row.total - row.bad, 0) for row in rows], np.int64),
        duration_ms=np.zeros(len(rows), np.int64),
        imported=np.array([row.imported for row in rows], np.bool_),
        in_maintenance=np.array([row.in_maintenance for row in rows], np.bool_),
    )


def every(step: timedelta, bads: Sequence[int | None], start: datetime = NOON) -> list[Reading]:
    """A check of 100 pairs at each step; None is one that failed."""
    return [Reading(start + number * step, number + 1, -1 if bad is None else 100, bad or 0) for number, bad in enumerate(bads)]


_steps = st.one_of(
    st.just(timedelta(0)),  # two at one moment
    st.just(5 * MINUTE),
    st.sampled_from([FRESH_FOR - timedelta(microseconds=1), FRESH_FOR, FRESH_FOR + timedelta(microseconds=1)]),
    st.timedeltas(timedelta(0), timedelta(hours=20)),
)
_outcomes = st.one_of(
    st.just((-1, 0, False)),
    st.just((0, 0, False)),
    st.tuples(st.just(100), st.sampled_from([0, 0, 1, 2, 5, 6, 100]), st.booleans()),
    st.integers(1, 10**9).flatmap(lambda total: st.tuples(st.just(total), st.integers(0, min(total, 50)), st.booleans())),
)


@st.composite
def histories(draw: st.DrawFn, most: int = 30) -> list[Reading]:
    """Rows in any order of recording: the clock jumped, attempts failed, found nothing, ran in maintenance, or are old logs."""
    planned = st.sampled_from([False, False, False, True])
    rows = draw(st.lists(st.tuples(_steps, _outcomes, planned), max_size=most))
    numbers = draw(st.permutations(range(1, len(rows) + 1)))
    at, made = MIDNIGHT, []
    for (step, (total, bad, imported), in_maintenance), number in zip(rows, numbers, strict=True):
        at += step
        made.append(Reading(at, number, total, bad, imported, in_maintenance))
    return sorted(made)


moments = st.one_of(
    st.integers(-1, 6).map(lambda days: MIDNIGHT + timedelta(days=days)),
    st.datetimes(MIDNIGHT.replace(tzinfo=None), MIDNIGHT.replace(tzinfo=None) + timedelta(days=8)).map(
        lambda at: at.replace(tzinfo=NOON.tzinfo)
    ),
)
