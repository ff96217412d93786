"""Alert rules and what they make of what is known. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from core.model import Status, Totals
from core.status import reaches


class Severity(StrEnum):
    """How soon somebody should look, least first."""

    INFO = "info"  # when there is time
    WARNING = "warning"  # today
    PAGE = "page"  # now, also at night


class Condition(StrEnum):
    """What a rule watches for. Each compares with the rule's `than`."""

    RATE_BELOW = "rate_below"  # fewer than `than` percent of the pairs agree, and at least `at_least` do not
    STATUS_IS = "status_is"  # the status is the rule's `status`
    VIOLATIONS_ABOVE = "violations_above"  # more than `than` pairs disagree
    FAILED_CHECKS = "failed_checks"  # the last `than` checks failed, or more
    CHECKS_LATE = "checks_late"  # no check has completed for more than `than` intervals
    PAIRS_DROPPED = "pairs_dropped"  # more than `than` percent of the pairs are gone, compared with the last day's median
    VIOLATION_OLDER = "violation_older"  # a pair has disagreed for more than `than` hours
    DRILL_FAILED = "drill_failed"  # the last daily drill did not arrive
    SYNC_WAITS = "sync_waits"  # a sync is held until a person looks at it, or waits for a second admin

    @property
    def about_pairs(self) -> bool:
        """Whether what checks find decides it."""
        return self.about_checks and self not in (Condition.FAILED_CHECKS, Condition.CHECKS_LATE)

    @property
    def about_checks(self) -> bool:
        """Whether checks decide it, by what they find or by coming through; else it has nothing to do with any violation."""
        return self not in (Condition.DRILL_FAILED, Condition.SYNC_WAITS)


class Verdict(StrEnum):
    """Whether a condition holds, as far as that can be told."""

    HOLDS = "holds"
    CLEAR = "clear"
    UNKNOWN = "unknown"  # no data, or none that is new enough: never a reason to call anything resolved


@dataclass(frozen=True, slots=True)
class Rule:
    """When to tell somebody, and whom."""

    name: str
    condition: Condition
    severity: Severity
    than: Decimal = Decimal(0)
    status: Status = Status.CRITICAL
    at_least: int = 1
    lasting: timedelta = timedelta(0)  # how long the condition must hold before anybody hears
    quiet: timedelta = timedelta(minutes=10)  # how long it must be gone before that counts as resolved
    repeat: timedelta | None = timedelta(hours=4)  # how often to tell again while it lasts and nobody has acknowledged it
    channels: Sequence[str] | None = None  # None: all that there are
    text: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known at a moment, as far as rules ask for it."""

    at: datetime
    interval: timedelta
    status: Status
    fresh: bool  # whether the newest completed check still speaks for now: it is young enough, and none failed after it
    completed_at: datetime | None = None  # the newest completed check
    totals: Totals | None = None  # what it found
    failed_attempts: int = 0  # after it
    failing_since: datetime | None = None
    unknown_since: datetime | None = None  # while the status is unknown
    oldest_violation: datetime | None = None
    usual_pairs: int | None = None  # the median of the day before; None when nothing was compared then
    in_maintenance: bool = False  # whether the newest attempt ran in it
    drilled_at: datetime | None = None  # the last daily drill
    drill_arrived: bool = False
    syncs_known: bool = False  # whether it is known that one waits, or that none does
    sync_waits_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and the moment from which on it is known: that of the check that says so."""

    verdict: Verdict
    since: datetime


def judge(rule: Rule, seen: Seen) -> Judged:
    """Whether the rule's condition holds."""
    verdict = _JUDGES[rule.condition](rule, seen)
    if verdict is Verdict.CLEAR and seen.in_maintenance and rule.condition.about_pairs:
        verdict = Verdict.UNKNOWN  # what maintenance shows for a while has healed nothing
    since = seen.at
    if rule.condition is Condition.FAILED_CHECKS and verdict is Verdict.HOLDS:
        since = seen.failing_since or seen.at
    elif rule.condition is Condition.STATUS_IS and seen.status is Status.UNKNOWN:
        since = seen.unknown_since or seen.at
    elif rule.condition is Condition.DRILL_FAILED:
        since = seen.drilled_at or seen.at
    elif rule.condition is Condition.SYNC_WAITS:
        since = seen.sync_waits_since or seen.at
    elif rule.condition is not Condition.CHECKS_LATE and verdict is not Verdict.UNKNOWN:
        since = seen.completed_at or seen.at
    return Judged(verdict, min(since, seen.at))


_DRILL_SPEAKS = timedelta(days=2)  # twice as long as drills are apart


def _told(holds: bool) -> Verdict:
    return Verdict.HOLDS if holds else Verdict.CLEAR


def _compared(seen: Seen) -> Totals | None:
    return seen.totals if seen.fresh and seen.totals is not None and seen.totals.total_checked else None


def _rate_below(rule: Rule, seen: Seen) -> Verdict:
    totals = _compared(seen)
    if totals is None:
        return Verdict.UNKNOWN
    below = not reaches(rule.than, totals.consistent, totals.total_checked)
    return _told(below and totals.inconsistent >= rule.at_least)


def _status_is(rule: Rule, seen: Seen) -> Verdict:
    if seen.status is Status.UNKNOWN and rule.status is not Status.UNKNOWN:
        return Verdict.UNKNOWN
    return _told(seen.status is rule.status)


def _violations_above(rule: Rule, seen: Seen) -> Verdict:
    totals = _compared(seen)
    return Verdict.UNKNOWN if totals is None else _told(totals.inconsistent > rule.than)


def _failed_checks(rule: Rule, seen: Seen) -> Verdict:
    if seen.failed_attempts >= rule.than:
        return Verdict.HOLDS
    return Verdict.CLEAR if seen.fresh or (seen.failed_attempts and seen.completed_at) else Verdict.UNKNOWN


def _checks_late(rule: Rule, seen: Seen) -> Verdict:
    if seen.completed_at is None or seen.completed_at > seen.at + seen.interval:  # the clock was set back
        return Verdict.UNKNOWN
    return _told(seen.at - seen.completed_at > float(rule.than) * seen.interval)


def _pairs_dropped(rule: Rule, seen: Seen) -> Verdict:
    if not seen.fresh or seen.totals is None or not seen.usual_pairs:
        return Verdict.UNKNOWN
    return _told(seen.totals.total_checked * 100 < (100 - rule.than) * seen.usual_pairs)


def _violation_older(rule: Rule, seen: Seen) -> Verdict:
    if _compared(seen) is None:  # an emptied table holds no old violation either
        return Verdict.UNKNOWN
    oldest = seen.oldest_violation
    return _told(oldest is not None and seen.at - oldest > timedelta(hours=float(rule.than)))


def _drill_failed(_rule: Rule, seen: Seen) -> Verdict:
    """A drill of long ago says nothing about today."""
    known = seen.drilled_at is not None and seen.at - seen.drilled_at <= _DRILL_SPEAKS
    return _told(not seen.drill_arrived) if known else Verdict.UNKNOWN


def _sync_waits(_rule: Rule, seen: Seen) -> Verdict:
    return _told(seen.sync_waits_since is not None) if seen.syncs_known else Verdict.UNKNOWN


_JUDGES: Mapping[Condition, Callable[[Rule, Seen], Verdict]] = {
    Condition.RATE_BELOW: _rate_below,
    Condition.STATUS_IS: _status_is,
    Condition.VIOLATIONS_ABOVE: _violations_above,
    Condition.FAILED_CHECKS: _failed_checks,
    Condition.CHECKS_LATE: _checks_late,
    Condition.PAIRS_DROPPED: _pairs_dropped,
    Condition.VIOLATION_OLDER: _violation_older,
    Condition.DRILL_FAILED: _drill_failed,
    Condition.SYNC_WAITS: _sync_waits,
}

DRILL_RULE = "drill_failed"

DEFAULT_RULES: Sequence[Rule] = (
    Rule("rate_low", Condition.RATE_BELOW, Severity.WARNING, Decimal(95), at_least=3, lasting=timedelta(minutes=15)),
    Rule("status_critical", Condition.STATUS_IS, Severity.PAGE, lasting=timedelta(minutes=30)),
    Rule("many_violations", Condition.VIOLATIONS_ABOVE, Severity.WARNING, Decimal(10)),
    Rule("checks_fail", Condition.FAILED_CHECKS, Severity.PAGE, Decimal(2)),
    Rule("checks_late", Condition.CHECKS_LATE, Severity.PAGE, Decimal(3)),
    Rule("pairs_dropped", Condition.PAIRS_DROPPED, Severity.PAGE, Decimal(20)),
    Rule("violation_old", Condition.VIOLATION_OLDER, Severity.WARNING, Decimal(24)),
    Rule("sync_waits", Condition.SYNC_WAITS, Severity.WARNING, quiet=timedelta(0)),
    Rule(DRILL_RULE, Condition.DRILL_FAILED, Severity.PAGE, quiet=timedelta(0)),  # only where there is a daily drill
)
