"""What the rules would have said about a stretch of history, so that an operator can tune them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.alerts.phases import Phase, Standing, step
from core.alerts.rules import Condition, Rule, Seen, judge
from core.alerts.usual import usual_pairs
from core.model import Status, Totals
from core.record import HealthRecord
from core.state import episodes
from core.status import Schedule, Thresholds, speaks_for, status_of
from core.timeline import Timeline, moment

_TICK = timedelta(minutes=1)

Lifetime = tuple[datetime, datetime | None]  # of a violation: first seen; healed, or None


@dataclass(frozen=True, slots=True)
class Replayed:
    """An incident that there would have been."""

    rule: Rule
    began_at: datetime
    fired_at: datetime
    resolved_at: datetime | None  # None: it would still be open at the end
    most_violations: int | None
    in_maintenance: bool = False  # the newest check ran in it when the rule fired: nobody would have been told at once


def replay(
    rules: Sequence[Rule],
    timeline: Timeline,
    lifetimes: Sequence[Lifetime],
    start: datetime,
    end: datetime,
    schedule: Schedule,
    thresholds: Thresholds,
) -> Sequence[Replayed]:
    """Walk through [start, end) minute by minute; by the time at which they would have fired.

    Imported logs count as checks, but nobody can have been late with them. Cost: about a second for a month.
    """
    standing = {rule.name: Standing() for rule in rules}
    running: dict[str, Replayed] = {}
    over: list[Replayed] = []
    for seen, imported in _moments(timeline, lifetimes, start, end, schedule, thresholds):
        for rule in rules:
            if imported and rule.condition is Condition.CHECKS_LATE:
                continue
            before = standing[rule.name]
            after = standing[rule.name] = step(rule, before, judge(rule, _with_usual(rule, before, seen, timeline)), seen.at)
            if after.phase is Phase.FIRING:
                known = running.get(rule.name) or _fired(rule, after, seen)
                running[rule.name] = known if seen.in_maintenance else _followed(known, seen)
            elif before.phase is Phase.FIRING:
                over.append(replace(running.pop(rule.name), resolved_at=seen.at))
    return sorted([*over, *running.values()], key=lambda one: (one.fired_at, one.rule.name))


def replayed(record: HealthRecord, rules: Sequence[Rule], start: datetime, end: datetime) -> Sequence[Replayed]:
    """`replay` over what is kept. Raises StateDatabaseUnavailable."""
    with record.view() as view:
        timeline, lifetimes = view.timeline, episodes.lifetimes(view.connection, view.scope, start, end)
    settings = record.settings
    return replay(rules, timeline, lifetimes, start, end, settings.schedule, settings.status_thresholds)


def _fired(rule: Rule, standing: Standing, seen: Seen) -> Replayed:
    found = Replayed(rule, standing.since or seen.at, seen.at, None, None, seen.in_maintenance)
    return _followed(found, seen)


def _followed(known: Replayed, seen: Seen) -> Replayed:
    if not seen.fresh or seen.totals is None:
        return known
    return replace(known, most_violations=max(known.most_violations or 0, seen.totals.inconsistent))


def _with_usual(rule: Rule, standing: Standing, seen: Seen, timeline: Timeline) -> Seen:
    if rule.condition is not Condition.PAIRS_DROPPED or seen.completed_at is None:
        return seen
    begun = standing.since if standing.phase in (Phase.PENDING, Phase.FIRING) else None
    return replace(seen, usual_pairs=usual_pairs(timeline, begun or seen.completed_at))


def _moments(
    timeline: Timeline,
    lifetimes: Sequence[Lifetime],
    start: datetime,
    end: datetime,
    schedule: Schedule,
    thresholds: Thresholds,
) -> Iterator[tuple[Seen, bool]]:
    """What was known at every attempt, and every minute between; and whether the newest check is an imported log."""
    entries = timeline.between(start, end)
    ages = _Ages(lifetimes)
    seen, imported, place = Seen(start, schedule.interval, Status.UNKNOWN, fresh=False), False, 0
    now = start
    while now < end:
        newest = min(now + _TICK, end)
        while place < len(entries) and moment(int(entries.at[place])) <= newest:
            at = moment(int(entries.at[place]))
            total = int(entries.total[place])
            seen = replace(seen, in_maintenance=bool(entries.in_maintenance[place]))
            if total < 0:
                failing = seen.failing_since or at
                seen = replace(seen, failed_attempts=seen.failed_attempts + 1, failing_since=failing)
            else:
                totals = Totals(total, total - int(entries.consistent[place]))
                imported = bool(entries.imported[place])
                seen = replace(seen, completed_at=at, totals=totals, failed_attempts=0, failing_since=None)
                seen = replace(seen, oldest_violation=ages.oldest(at))
            place += 1
            yield _at(seen, at, schedule, thresholds), imported
        now = newest
        yield _at(seen, now, schedule, thresholds), imported


def _at(seen: Seen, now: datetime, schedule: Schedule, thresholds: Thresholds) -> Seen:
    fresh = not seen.failed_attempts and speaks_for(seen.completed_at, now, schedule)
    status = Status.UNKNOWN
    if fresh and seen.totals is not None and seen.totals.total_checked:
        status = status_of(seen.totals.consistent, seen.totals.total_checked, thresholds)
    return replace(seen, at=now, fresh=fresh, status=status)


class _Ages:
    """The oldest violation that was open at a moment; asked in the order of time."""

    def __init__(self, lifetimes: Sequence[Lifetime]) -> None:
        self._coming = sorted(lifetimes, key=lambda one: one[0], reverse=True)
        self._open: list[tuple[datetime, int, datetime | None]] = []

    def oldest(self, at: datetime) -> datetime | None:
        while self._coming and self._coming[-1][0] <= at:
            first_seen, healed = self._coming.pop()
            heapq.heappush(self._open, (first_seen, len(self._coming), healed))
        while self._open and (healed := self._open[0][2]) is not None and healed <= at:
            heapq.heappop(self._open)
        return self._open[0][0] if self._open else None
