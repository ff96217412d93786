"""Reports that were made, kept as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.model import ReportFormat
from core.state.schema import reports

_LOCK = 0x5245504F5254  # an advisory lock of ours alone: two servers that keep the same report do so one after the other
_LISTED = ("id", "name", "format", "language", "period", "period_start", "period_end", "made_at", "made_by", "size")


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report without its content. `made_by` is None when it was made on schedule."""

    id: int
    name: str
    format: ReportFormat
    language: str
    period: str
    period_start: datetime
    period_end: datetime
    made_at: datetime
    made_by: str | None
    size: int


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report to be kept."""

    name: str
    format: ReportFormat
    language: str
    period: str
    period_start: datetime
    period_end: datetime
    made_at: datetime
    content: bytes


def add(connection: sa.Connection, report: NewReport, made_by: str | None) -> int:
    """Keep a report; its id."""
    values: dict[str, Any] = {name: getattr(report, name) for name in _LISTED if hasattr(report, name)}
    statement = sa.insert(reports).values(**values, made_by=made_by, size=len(report.content), content=report.content)
    return int((connection.execute(statement).inserted_primary_key or (0,))[0])


def add_scheduled(connection: sa.Connection, report: NewReport) -> int | None:
    """Keep a report that was made on schedule; its id. None when there is one about the same period, in format and language."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    same = (reports.c.period == report.period, reports.c.format == report.format.value, reports.c.language == report.language)
    if connection.execute(sa.select(reports.c.id).where(reports.c.made_by.is_(None), *same)).first() is not None:
        return None
    return add(connection, report, None)


def listed(connection: sa.Connection, limit: int = 100) -> Sequence[KeptReport]:
    """The newest reports, newest first."""
    statement = sa.select(*(reports.c[name] for name in _LISTED)).order_by(reports.c.made_at.desc(), reports.c.id.desc())
    return [_kept(row) for row in connection.execute(statement.limit(limit))]


def scheduled(connection: sa.Connection) -> Sequence[KeptReport]:
    """All that were made on schedule, the newest period first."""
    statement = sa.select(*(reports.c[name] for name in _LISTED)).where(reports.c.made_by.is_(None))
    return [_kept(row) for row in connection.execute(statement.order_by(reports.c.period_start.desc(), reports.c.id))]


def find(connection: sa.Connection, number: int) -> tuple[KeptReport, bytes] | None:
    """A report with its content."""
    row = connection.execute(sa.select(reports).where(reports.c.id == number)).one_or_none()
    return None if row is None else (_kept(row), bytes(row.content))


def _kept(row: sa.Row[Any]) -> KeptReport:
    values = {name: getattr(row, name) for name in _LISTED}
    return KeptReport(**{**values, "format": ReportFormat(row.format)})
