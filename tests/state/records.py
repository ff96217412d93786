"""Rows of history as checks and imports leave them."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from core.logs.parsing import ParsedLog
from core.model import Kind, Report, Request, Totals, Trigger, Violation
from core.state import episodes, history, readings, staging
from core.state.database import StateDatabase
from core.state.history import FailedAttempt
from core.state.landing import adopt, land
from core.status import DEFAULT_THRESHOLDS, rate_of

HERE = "sqlite:////srv/app.db progress = license"


def report(moment: datetime, totals: Totals, check_id: str | None = None) -> Report:
    return Report(
        check_id=check_id or uuid4().hex,
        timestamp=moment,
        totals=totals,
        duration_ms=5,
        trigger=Trigger.SCHEDULED,
        requested_by=None,
        by_kind={Kind.LEVEL_MISMATCH: totals.inconsistent},
        violations=(),
        consistency_rate=rate_of(totals),
    )


def completed(state: StateDatabase, moment: datetime, total: int = 100, bad: int = 0, watched: str = HERE) -> str:
    """A completed check; its check_id."""
    made = report(moment, Totals(total, bad))
    with state.write() as connection:
        history.record_completed(connection, made, watched)
    return made.check_id


def failed(state: StateDatabase, moment: datetime, error: str = "refused", watched: str = HERE) -> None:
    with state.write() as connection:
        history.record_failed(connection, FailedAttempt(uuid4().hex, moment, Request(Trigger.SCHEDULED), error, 5), watched)


def imported(state: StateDatabase, moment: datetime, total: int = 100, bad: int = 1) -> None:
    name = "20251025_120000_violations.json"
    log = ParsedLog(name, 0, 0, "", moment, (total, bad, 0, 0), None, "{}", None, None)
    with state.write() as connection:
        history.record_imported(connection, [log], DEFAULT_THRESHOLDS)


def staged(state: StateDatabase, moment: datetime, found: list[Violation], chunk: int = 1_000) -> str:
    """The violations of a check that has not been recorded; its check_id."""
    check_id = uuid4().hex
    for start in range(0, len(found), chunk):
        with state.write() as connection:
            staging.stage(connection, check_id, start, found[start : start + chunk], moment)
    return check_id


def recorded(state: StateDatabase, moment: datetime, found: list[Violation], watched: str = HERE, chunk: int = 1_000) -> str:
    """A completed check with its violations and their episodes; its check_id."""
    check_id, scope = staged(state, moment, found, chunk=chunk), episodes.scope_of(watched)
    staging.carry_first_seen(state, check_id, scope)
    with state.write() as connection:
        before = readings.newest_reading(connection, watched)
        if not history.newest_check_ids(connection, watched, 1):
            adopt(connection, scope)
        made = report(moment, Totals(len(found) + 10, len(found)), check_id)
        land(connection, scope, check_id, history.record_completed(connection, made, watched), moment, before)
    return check_id
