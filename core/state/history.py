"""Every attempt to check, and every log that was read: one row each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from core.breakdown import BreakdownEntry, as_json, from_json
from core.logs.parsing import ParsedLog
from core.model import Kind, Outcome, Report, Request, Source, Status, Totals, Trigger
from core.state.bulk import insert_columns
from core.state.parts import is_one_of
from core.state.schema import history
from core.status import Evidence, Thresholds, rate_of

_LONGEST_ERROR, _LONGEST_NAME = 2_000, 200
_FIGURES = (
    *("total_checked", "consistent", "inconsistent", "consistency_rate", "outcome"),
    *("unidentified_progress_rows", "unidentified_license_rows"),
)
_FIRST_SPAN = 2_000  # rows: a week of checks, in which the status usually changed


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of history, as read."""

    id: int
    check_id: str | None
    timestamp: datetime
    outcome: Outcome
    source: Source
    totals: Totals | None
    consistency_rate: Decimal | None
    by_kind: Mapping[Kind, int]
    duration_ms: int | None
    trigger: Trigger | None
    requested_by: str | None
    log_file: str | None
    error: str | None
    settled: int = 0
    error_type: str | None = None  # the class of the error
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt that gave no result: when it began, why it failed, in words."""

    check_id: str
    timestamp: datetime
    request: Request
    error: str
    duration_ms: int
    error_type: str | None = None  # the class of the error


def record_completed(connection: sa.Connection, report: Report, watched: str) -> int:
    """Add the row of a completed check whose violations stand staged; its number."""
    return _insert(
        connection,
        watched=watched,
        source=Source.CHECK,
        check_id=report.check_id,
        timestamp=report.timestamp,
        outcome=report.totals.outcome,
        duration_ms=report.duration_ms,
        trigger=report.trigger,
        requested_by=report.requested_by,
        log_file=report.log_file,
        settled=report.settled,
        breakdown=as_json(report.breakdown.items()),
        violations_kept=True,
        in_maintenance=report.in_maintenance,
        **_figures(report.totals, report.consistency_rate, report.by_kind),
    )


def record_failed(connection: sa.Connection, attempt: FailedAttempt, watched: str, *, in_maintenance: bool = False) -> None:
    """Add the row of a failed attempt; its figures stay NULL."""
    _insert(
        connection,
        watched=watched,
        source=Source.CHECK,
        check_id=attempt.check_id,
        timestamp=attempt.timestamp,
        outcome=Outcome.FAILED,
        error=attempt.error[:_LONGEST_ERROR],
        error_type=attempt.error_type,
        duration_ms=attempt.duration_ms,
        trigger=attempt.request.trigger,
        requested_by=attempt.request.requested_by,
        in_maintenance=in_maintenance,
    )


def record_imported(connection: sa.Connection, logs: Sequence[ParsedLog], thresholds: Thresholds) -> Sequence[int]:
    """Add the rows of logs that somebody else wrote, each with its file's name; their numbers. One at a time may do that."""
    newest = latest_id(connection)
    derived = {figures: _derived(*figures, thresholds=thresholds) for figures in {log.figures for log in logs}}
    columns: dict[str, Sequence[Any]] = {
        "timestamp": [log.timestamp for log in logs],
        "check_id": [log.check_id for log in logs],
        "log_file": [log.name for log in logs],
        "by_kind": [log.by_kind for log in logs],
        "breakdown": [log.breakdown for log in logs],
        "in_maintenance": [log.in_maintenance for log in logs],
        **dict(zip(_FIGURES, zip(*(derived[log.figures] for log in logs), strict=True), strict=False)),
    }
    same = {"source": Source.IMPORT.value}
    insert_columns(connection, history, columns, same=same, written=("by_kind", "breakdown", "in_maintenance"))
    if latest_id(connection) == newest + len(logs):  # nobody else's among them
        return range(newest + 1, newest + 1 + len(logs))
    added = sa.select(history.c.id).where(history.c.id > newest, history.c.source == Source.IMPORT).order_by(history.c.id)
    return connection.execute(added).scalars().all()


def known_check_ids(connection: sa.Connection, check_ids: Iterable[str]) -> set[str]:
    """Which of these have a row already."""
    statement = sa.select(history.c.check_id).where(is_one_of(history.c.check_id, check_ids, connection.dialect))
    return {str(check_id) for check_id in connection.execute(statement).scalars()}


def find(connection: sa.Connection, check_id: str) -> Attempt | None:
    """The attempt with this check_id."""
    row = connection.execute(sa.select(history).where(history.c.check_id == check_id)).one_or_none()
    return None if row is None else _attempt(row)


def unrecorded(attempt: FailedAttempt) -> Attempt:
    """A failed attempt that has no row yet, as if it had one."""
    return Attempt(
        id=0,
        check_id=attempt.check_id,
        timestamp=attempt.timestamp,
        outcome=Outcome.FAILED,
        source=Source.CHECK,
        totals=None,
        consistency_rate=None,
        by_kind={},
        duration_ms=attempt.duration_ms,
        trigger=attempt.request.trigger,
        requested_by=attempt.request.requested_by,
        log_file=None,
        error=attempt.error,
    )


def newest_completed(connection: sa.Connection, watched: str | None) -> Attempt | None:
    """The newest completed check of this product; newest by order of recording, whatever the clock said."""
    statement = (
        sa.select(history).where(*_checks_of(watched), history.c.outcome != Outcome.FAILED).order_by(history.c.id.desc()).limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _attempt(row)


def newest_watched(connection: sa.Connection) -> str | None:
    """What the newest check looked at: for commands that know only the state database."""
    statement = sa.select(history.c.watched).where(history.c.source == Source.CHECK).order_by(history.c.id.desc()).limit(1)
    return connection.execute(statement).scalar()


def newest_check_ids(connection: sa.Connection, watched: str | None, count: int) -> Sequence[str]:
    """The ids of the newest completed checks."""
    statement = (
        sa.select(history.c.check_id)
        .where(*_checks_of(watched), history.c.outcome != Outcome.FAILED)
        .order_by(history.c.id.desc())
        .limit(count)
    )
    return [check_id for check_id in connection.execute(statement).scalars() if check_id]


def latest_id(connection: sa.Connection) -> int:
    """The newest row's id: changes with every attempt and import."""
    return connection.execute(sa.select(sa.func.max(history.c.id))).scalar() or 0


def evidence(
    connection: sa.Connection,
    watched: str | None,
    newest: Attempt | None,
    freshness: timedelta,
    thresholds: Thresholds,
    earlier: tuple[Attempt, datetime] | None = None,
) -> Evidence:
    """What history says about now, given the newest completed check: see `core.status.assess`.

    `earlier` is an earlier completed check with the beginning of its status: then only what came after it is read.
    """
    failed = _failed_since(watched, newest)
    failures = connection.execute(
        sa.select(sa.func.count(), sa.func.min(history.c.timestamp), sa.func.max(history.c.id)).where(*failed)
    ).one()
    error = connection.execute(sa.select(history.c.error).where(history.c.id == failures[2])).scalar() if failures[0] else None
    return Evidence(
        completed_at=newest.timestamp if newest else None,
        totals=newest.totals if newest else None,
        status_since=_status_since(connection, watched, newest.id, freshness, thresholds, earlier) if newest else None,
        failed_attempts=failures[0],
        failing_since=failures[1],
        last_error=error,
    )


def attempts_after(
    connection: sa.Connection, watched: str | None, after: int
) -> Sequence[tuple[int, int | None, str | None, int]]:
    """This product's attempts whose id is above `after`, grouped: id of the newest, duration of the completed ones in
    milliseconds (None for failed ones), class of the error, and how many there were."""
    duration = sa.case((history.c.outcome != Outcome.FAILED, sa.func.coalesce(history.c.duration_ms, 0)))
    error = sa.case((history.c.outcome == Outcome.FAILED, sa.func.coalesce(history.c.error_type, "")))
    statement = (
        sa.select(sa.func.max(history.c.id), duration, error, sa.func.count())
        .where(*_checks_of(watched), history.c.id > after)
        .group_by(duration, error)
    )
    return [(newest, milliseconds, kind, count) for newest, milliseconds, kind, count in connection.execute(statement)]


def logged_files(connection: sa.Connection) -> Sequence[str]:
    """The log files that this product's checks say they wrote, oldest first."""
    statement = sa.select(history.c.log_file).where(history.c.source == Source.CHECK, history.c.log_file.is_not(None))
    return [str(name) for name in connection.execute(statement.order_by(history.c.id)).scalars()]


def numbered(connection: sa.Connection, numbers: Sequence[int]) -> Sequence[Attempt]:
    """The rows with these numbers that are still there, newest first."""
    statement = sa.select(history).where(history.c.id.in_(numbers)).order_by(history.c.id.desc())
    return [_attempt(row) for row in connection.execute(statement)]


def breakdowns(connection: sa.Connection, numbers: Sequence[int]) -> Mapping[int, Sequence[BreakdownEntry]]:
    """What the violations of these rows are made of; rows of which that was not kept are left out."""
    statement = sa.select(history.c.id, history.c.breakdown).where(history.c.id.in_(numbers))
    return {number: from_json(parts) for number, parts in connection.execute(statement) if parts is not None}


def reaches_expression(threshold: Decimal) -> sa.ColumnElement[bool]:
    """`core.status.reaches` for a row of history, in SQL, from the integers as well."""
    numerator, denominator = threshold.as_integer_ratio()
    return history.c.consistent * (100 * denominator) >= numerator * history.c.total_checked


class seconds(FunctionElement[int]):  # noqa: N801 - used as a function
    """A timestamp as whole seconds since 1970, cut, never rounded, on every engine."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(seconds)
def _seconds(element: seconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(floor(EXTRACT(epoch FROM {compiler.process(element.clauses, **options)})) AS BIGINT)"


@compiles(seconds, "sqlite")
def _seconds_on_sqlite(element: seconds, compiler: SQLCompiler, **options: Any) -> str:
    # strftime rounds to the millisecond first: 59.9995 would be the next minute
    return f"CAST(strftime('%s', substr({compiler.process(element.clauses, **options)}, 1, 19)) AS INTEGER)"


def _status_since(
    connection: sa.Connection,
    watched: str | None,
    newest_id: int,
    freshness: timedelta,
    thresholds: Thresholds,
    earlier: tuple[Attempt, datetime] | None,
) -> datetime | None:
    """The start of the newest unbroken run of one status: a failure or a stretch without checks ends a run.

    Looks back over ever more rows, or only to the earlier check, whose run goes on unless another one began after it.
    """
    if earlier is not None and earlier[0].id <= newest_id:
        return _run_since(connection, watched, earlier[0].id, newest_id, freshness, thresholds) or earlier[1]
    span = _FIRST_SPAN
    while span < newest_id:
        since = _run_since(connection, watched, newest_id - span, newest_id, freshness, thresholds)
        if since is not None:
            return since
        span *= 8
    first = sa.select(sa.func.min(history.c.timestamp)).where(history.c.id == _first_id(watched))
    return _run_since(connection, watched, 0, newest_id, freshness, thresholds) or connection.execute(first).scalar()


def _first_id(watched: str | None) -> sa.ScalarSelect[Any]:
    return sa.select(sa.func.min(history.c.id)).where(*_checks_of(watched)).scalar_subquery()


def _run_since(
    connection: sa.Connection, watched: str | None, first_id: int, newest_id: int, freshness: timedelta, thresholds: Thresholds
) -> datetime | None:
    """The start of the newest run that begins after the first of some attempts; None when all of them are one run."""
    status = sa.case(
        (history.c.outcome.in_([Outcome.FAILED, Outcome.EMPTY]), Status.UNKNOWN.value),
        (reaches_expression(thresholds.healthy), Status.HEALTHY.value),
        (reaches_expression(thresholds.degraded), Status.DEGRADED.value),
        else_=Status.CRITICAL.value,
    )
    before = sa.func.lag(status).over(order_by=history.c.id)
    gap = seconds(history.c.timestamp) - seconds(sa.func.lag(history.c.timestamp).over(order_by=history.c.id))
    runs = (
        sa.select(history.c.id, history.c.timestamp, status.label("status"), before.label("before"), gap.label("gap"))
        .where(*_checks_of(watched), history.c.id.between(first_id, newest_id))
        .subquery()
    )
    beginning = sa.or_(runs.c.before != runs.c.status, runs.c.gap > freshness.total_seconds())
    statement = sa.select(runs.c.timestamp).where(beginning).order_by(runs.c.id.desc()).limit(1)
    return connection.execute(statement).scalar()


def _checks_of(watched: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    """This product's attempts on one watched database: those on another one say nothing about it."""
    ours = history.c.source == Source.CHECK
    return (ours,) if watched is None else (ours, history.c.watched == watched)


def _failed_since(watched: str | None, newest: Attempt | None) -> tuple[sa.ColumnElement[bool], ...]:
    return *_checks_of(watched), history.c.outcome == Outcome.FAILED, history.c.id > (newest.id if newest else 0)


def _derived(total: int, inconsistent: int, *unidentified: int, thresholds: Thresholds) -> tuple[Any, ...]:
    """The columns _FIGURES."""
    totals = Totals(total, inconsistent)
    return total, totals.consistent, inconsistent, rate_of(totals, thresholds), totals.outcome.value, *unidentified


def _figures(totals: Totals, rate: Decimal | None, by_kind: Mapping[Kind, int]) -> dict[str, Any]:
    return {
        "total_checked": totals.total_checked,
        "consistent": totals.consistent,
        "inconsistent": totals.inconsistent,
        "consistency_rate": rate,
        "by_kind": {kind.value: count for kind, count in by_kind.items() if count},
        "unidentified_progress_rows": totals.unidentified_progress_rows,
        "unidentified_license_rows": totals.unidentified_license_rows,
    }


def _insert(connection: sa.Connection, *, requested_by: str | None = None, **values: Any) -> int:
    values["requested_by"] = requested_by and requested_by[:_LONGEST_NAME]
    inserted = connection.execute(sa.insert(history).values(**values)).inserted_primary_key
    return int(inserted[0]) if inserted else 0


def _by_kind(row: sa.Row[Any]) -> Mapping[Kind, int]:
    """Imported rows leave it to their breakdown."""
    if row.by_kind is not None:
        return {Kind(kind): count for kind, count in row.by_kind.items()}
    counts: Counter[Kind] = Counter()
    for entry in from_json(row.breakdown):
        counts[entry.kind] += entry.count
    return counts


def _attempt(row: sa.Row[Any]) -> Attempt:
    totals = None
    if row.total_checked is not None:
        totals = Totals(
            row.total_checked, row.inconsistent, row.unidentified_progress_rows or 0, row.unidentified_license_rows or 0
        )
    return Attempt(
        id=row.id,
        check_id=row.check_id,
        timestamp=row.timestamp,
        outcome=Outcome(row.outcome),
        source=Source(row.source),
        totals=totals,
        consistency_rate=row.consistency_rate,
        by_kind=_by_kind(row),
        duration_ms=row.duration_ms,
        trigger=Trigger(row.trigger) if row.trigger else None,
        requested_by=row.requested_by,
        log_file=row.log_file,
        error=row.error,
        settled=row.settled or 0,
        error_type=row.error_type,
        in_maintenance=bool(row.in_maintenance),
    )
