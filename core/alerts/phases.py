"""The life of an alert: inactive, pending, firing, resolved. Pure: no clock, no database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from core.alerts.rules import Judged, Rule, Verdict

FLAPPING = 3  # returns within one incident from which on it is called flapping


class Phase(StrEnum):
    """Where a rule stands."""

    INACTIVE = "inactive"  # its condition does not hold, or nothing is known yet
    PENDING = "pending"  # it holds, and not yet long enough
    FIRING = "firing"  # somebody is told
    RESOLVED = "resolved"  # as inactive, after it fired


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule's phase, as it is kept from evaluation to evaluation."""

    phase: Phase = Phase.INACTIVE
    since: datetime | None = None  # pending and firing: when the condition began to hold; resolved: when it was gone
    clear_since: datetime | None = None  # firing: from when on it has been known to be gone, without a break
    returns: int = 0  # firing: how often it came back before it counted as resolved

    @property
    def flapping(self) -> bool:
        return self.phase is Phase.FIRING and self.returns >= FLAPPING


def step(rule: Rule, now: Standing, judged: Judged, at: datetime) -> Standing:
    """Where the rule stands after a verdict at the moment `at`.

    What is unknown changes nothing, except that the time in which a condition is known to be gone begins anew. Durations are
    counted from the checks that told, not from the evaluations. A clock that was set back makes no duration negative.
    """
    match judged.verdict:
        case Verdict.HOLDS:
            return _held(rule, now, judged.since, at)
        case Verdict.CLEAR:
            return _cleared(rule, now, judged.since, at)
        case Verdict.UNKNOWN:
            return replace(now, clear_since=None) if now.phase is Phase.FIRING else now


def _held(rule: Rule, now: Standing, since: datetime, at: datetime) -> Standing:
    if now.phase is Phase.FIRING:
        return replace(now, clear_since=None, returns=now.returns + (now.clear_since is not None))
    begun = min(now.since, since) if now.phase is Phase.PENDING and now.since else since
    phase = Phase.FIRING if at - begun >= rule.lasting else Phase.PENDING
    return Standing(phase, begun)


def _cleared(rule: Rule, now: Standing, since: datetime, at: datetime) -> Standing:
    if now.phase is Phase.PENDING:
        return Standing()
    if now.phase is not Phase.FIRING:
        return now
    clear_since = min(now.clear_since, at) if now.clear_since else since
    if at - clear_since >= rule.quiet:
        return Standing(Phase.RESOLVED, clear_since)
    return replace(now, clear_since=clear_since)
