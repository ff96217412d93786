"""Looking at the pairs, and once more at those that were never apart before: an application is always about to write some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from core.breakdown import Part
from core.coupling import ProgressLicenseCoupler
from core.model import Kind, Totals
from core.state import staging
from core.state.current_violations import drop
from core.state.database import StateDatabase

Wait = Callable[[float], None]  # is given seconds

_MOST_USERS = 1_000  # whose pairs are read once more by name; for more, all pairs are


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found. Its violations stand staged in the state database."""

    totals: Totals
    settled: int  # apart at the first look, in agreement at the second
    breakdown: Counter[Part]
    waited: float  # seconds between the looks, in which nothing was done

    @property
    def by_kind(self) -> Counter[Kind]:
        kinds: Counter[Kind] = Counter()
        for (_, kind, _), count in self.breakdown.items():
            kinds[kind] += count
        return kinds


def look_twice(
    state: StateDatabase,
    coupler: ProgressLicenseCoupler,
    check_id: str,
    scope: str,
    at: datetime,
    settle_seconds: float,
    wait: Wait,
) -> Found:
    """Compare all pairs, stage the violations, and read those once more that were not known to be apart.

    The second look comes `settle_seconds` after the first; 0 leaves it out. Raises CheckImpossible, StateDatabaseUnavailable.
    """
    with coupler.compare() as comparison:
        totals = comparison.totals
        position = 0
        for chunk in comparison.chunks():
            with state.write() as connection:
                staging.stage(connection, check_id, position, chunk, at)
            position += len(chunk)
    settled, waited = 0, 0.0
    if totals.inconsistent and settle_seconds:
        settled, waited = _settle(state, coupler, check_id, scope, at, settle_seconds, wait)
    staging.carry_first_seen(state, check_id, scope)
    with state.read() as connection:
        breakdown = staging.counted(connection, check_id)
    return Found(replace(totals, inconsistent=totals.inconsistent - settled), settled, breakdown, waited)


def _settle(
    state: StateDatabase,
    coupler: ProgressLicenseCoupler,
    check_id: str,
    scope: str,
    at: datetime,
    settle_seconds: float,
    wait: Wait,
) -> tuple[int, float]:
    with state.read() as connection:
        users = staging.newcomers(connection, check_id, scope, _MOST_USERS + 1)
    if not users:
        return 0, 0.0
    wait(settle_seconds)
    again, position = staging.second_look_of(check_id), 0
    for chunk in coupler.violations_of(users if len(users) <= _MOST_USERS else None):
        with state.write() as connection:
            staging.stage(connection, again, position, chunk, at)
        position += len(chunk)
    with state.write() as connection:
        settled = staging.settle(connection, check_id, scope, at)
    drop(state, again)
    return settled, settle_seconds
