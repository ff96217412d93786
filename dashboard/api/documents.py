"""From what is known to what is answered: the documents of the API, whole or piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice

from core.analysis.trend import Trend
from core.health_monitor import HealthMonitor, Known
from core.model import Kind, Source, Status, Violation
from core.settings import Settings
from core.state.current_violations import EVERYTHING, ViolationFilter
from core.state.history import Attempt
from core.status import Thresholds, shown_rate
from dashboard.api import models

_as_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_AT_ONCE = 5_000  # violations that are read in one transaction


def status_head(known: Known, settings: Settings) -> models.StatusHead:
    """`HealthStatus` without its violations."""
    last, totals = known.last, known.last.totals if known.last else None
    return models.StatusHead(
        status=known.status,
        last_check=last.timestamp if last else None,
        consistency_rate=_number(last.consistency_rate) if last else None,
        total_violations=totals.inconsistent if totals else 0,
        requires_attention=known.requires_attention,
        reason=known.assessment.reason,
        since=known.assessment.since,
        total_checked=totals.total_checked if totals else None,
        last_known=_last_known(known),
        since_last_check=_changes(known),
        settled=last.settled if last else 0,
        in_maintenance=last.in_maintenance if last else False,
        demo=settings.demo,
    )


def _changes(known: Known) -> models.Changes | None:
    found = known.facts.changes
    if found is None:
        return None
    return models.Changes(new=found.new, returned=found.returned, still_open=found.still_open, healed=found.healed)


def metrics(known: Known, settings: Settings) -> models.Metrics:
    """The figures alone."""
    last, totals = known.last, known.last.totals if known.last else None
    return models.Metrics(
        consistency_rate=_number(last.consistency_rate) if last else None,
        violations_count=totals.inconsistent if totals else 0,
        status=known.status,
        last_check=last.timestamp if last else None,
        requires_attention=known.requires_attention,
        total_users_monitored=totals.total_checked if totals else 0,
        violations_by_kind={kind: last.by_kind.get(kind, 0) if last else 0 for kind in Kind},
        last_known=_last_known(known),
        demo=settings.demo,
    )


def check_head(attempt: Attempt) -> models.CheckHead:
    """`Check` without its violations, of an attempt that has ended."""
    totals = attempt.totals
    return models.CheckHead(
        check_id=attempt.check_id or "",
        outcome=models.CheckOutcome(attempt.outcome.value),
        timestamp=attempt.timestamp,
        source=attempt.source,
        total_checked=totals.total_checked if totals else None,
        consistent=totals.consistent if totals else None,
        inconsistent=totals.inconsistent if totals else None,
        consistency_rate=_number(attempt.consistency_rate),
        by_kind=dict(attempt.by_kind),
        duration_ms=attempt.duration_ms,
        trigger=attempt.trigger,
        requested_by=attempt.requested_by,
        error=attempt.error,
        log_file=attempt.log_file,
        settled=attempt.settled,
        in_maintenance=attempt.in_maintenance,
    )


def running_head(check_id: str, since: datetime) -> models.CheckHead:
    """The same of one that still runs."""
    return models.CheckHead(check_id=check_id, outcome=models.CheckOutcome.RUNNING, timestamp=since, source=Source.CHECK)


def history(trend: Trend, thresholds: Thresholds) -> models.History:
    """A trend as programs read it."""

    def rate(percent: float | None) -> float | None:
        return None if percent is None else float(shown_rate(percent, thresholds))

    return models.History(
        start=trend.start,
        end=trend.end,
        points=[
            models.HistoryPoint(
                start=point.start,
                end=point.end,
                lowest_rate=rate(point.lowest),
                usual_rate=rate(point.usual),
                violations=point.violations,
                attempts=point.attempts,
                failed=point.failed,
                in_maintenance=point.in_maintenance,
                imported=point.imported,
            )
            for point in trend.points
        ],
        gaps=[models.HistoryGap(start=gap.start, end=gap.end, unknown=gap.unknown) for gap in trend.gaps],
        below_healthy_seconds=trend.below_healthy.total_seconds(),
        unknown_seconds=trend.unknown.total_seconds(),
        lowest_rate=rate(trend.worst),
        lowest_at=trend.worst_at,
    )


def newest_violations(monitor: HealthMonitor, known: Known, limit: int | None) -> Iterator[Violation]:
    """The violations of the newest completed check, in the report's order; none while they cannot be read."""
    last = known.last if known.readable else None
    if last is None or last.check_id is None or last.totals is None or not last.totals.inconsistent:
        return iter(())
    return islice(followed(monitor, last.check_id, EVERYTHING, at_once=min(limit or _AT_ONCE, _AT_ONCE)), limit)


def followed(
    monitor: HealthMonitor, check_id: str, wanted: ViolationFilter, after: int = -1, at_once: int = _AT_ONCE
) -> Iterator[Violation]:
    """Every wanted violation behind a position. Raises ViolationsSuperseded."""
    while True:
        found = monitor.violations_following(check_id, wanted, after, at_once)
        yield from (violation for _, violation in found)
        if len(found) < at_once:
            return
        after = found[-1][0]


def with_violations(head: models.StatusHead | models.CheckHead, violations: Iterator[Violation]) -> Iterator[str]:
    """A document that ends with an array of violations, in pieces."""
    yield head.model_dump_json()[:-1] + ',"violations":'
    yield from array(violations)
    yield "}"


def without_violations(head: models.CheckHead) -> Iterator[str]:
    """The document of a check whose violations are not kept."""
    yield head.model_dump_json()[:-1] + ',"violations":null}'


def array(violations: Iterable[Violation]) -> Iterator[str]:
    """A JSON array of violations, in pieces."""
    opening = "["
    for violation in violations:
        yield opening + _violation(violation)
        opening = ","
    yield "[]" if opening == "[" else "]"


def _violation(violation: Violation) -> str:
    seen = violation.first_seen
    return _as_text({**violation.as_json(), "first_seen": None if seen is None else seen.isoformat()})


def _last_known(known: Known) -> bool:
    compared = known.last is not None and known.last.totals is not None and known.last.totals.total_checked > 0
    return known.status is Status.UNKNOWN and compared


def _number(rate: Decimal | None) -> float | None:
    return None if rate is None else float(rate)
