"""Where alert rules stand, and the incidents that came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from core.alerts.phases import Phase, Standing
from core.alerts.rules import Severity
from core.state.schema_of_alerts import alert_states, incidents

_ALERTS_LOCK = 0x414C4552  # an advisory lock of ours alone
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Incident:
    """One stretch of time in which a rule fired."""

    id: int
    watched: str  # the short name of the watched database
    rule: str
    severity: Severity
    began_at: datetime
    opened_at: datetime
    resolved_at: datetime | None
    violations: int | None  # when it fired; None when nothing was known
    most_violations: int | None
    worst_rate: Decimal | None
    returns: int  # how often the condition came back before it counted as resolved
    told_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    closed: str | None  # why it ended, when nobody saw its condition go

    def duration(self, now: datetime) -> timedelta:
        """From when the condition began to hold; up to now while it is open."""
        return max((self.resolved_at or now) - self.began_at, timedelta(0))


def lock(connection: sa.Connection) -> None:
    """Nobody else changes alerts until this transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ALERTS_LOCK)))


def standings(connection: sa.Connection, scope: str) -> Mapping[str, Standing]:
    """Where each rule stands that was evaluated before, by name."""
    rows = connection.execute(sa.select(alert_states).where(alert_states.c.watched == scope))
    return {row.rule: Standing(Phase(row.phase), row.since, row.clear_since, row.returns) for row in rows}


def keep_standing(connection: sa.Connection, scope: str, rule: str, standing: Standing) -> None:
    """Keep where a rule stands, in place of where it stood."""
    connection.execute(sa.delete(alert_states).where(alert_states.c.watched == scope, alert_states.c.rule == rule))
    values = {"phase": standing.phase.value, "since": standing.since, "clear_since": standing.clear_since}
    connection.execute(sa.insert(alert_states).values(watched=scope, rule=rule, returns=standing.returns, **values))


def open_incident(
    connection: sa.Connection,
    scope: str,
    rule: str,
    severity: Severity,
    began_at: datetime,
    now: datetime,
    violations: int | None,
    rate: Decimal | None,
) -> None:
    """A rule has fired."""
    connection.execute(
        sa.insert(incidents).values(
            watched=scope,
            rule=rule,
            severity=severity.value,
            began_at=began_at,
            opened_at=now,
            violations=violations,
            most_violations=violations,
            worst_rate=rate,
            returns=0,
        )
    )


def change(connection: sa.Connection, number: int, **values: Any) -> None:
    """Write something about an incident."""
    connection.execute(sa.update(incidents).where(incidents.c.id == number).values(**values))


def acknowledge(connection: sa.Connection, number: int, by: str, note: str, now: datetime) -> bool:
    """Somebody cares for it: it is not told again. False when it is not open, or somebody has acknowledged it already."""
    unclaimed = incidents.c.resolved_at.is_(None), incidents.c.acknowledged_at.is_(None)
    statement = sa.update(incidents).where(incidents.c.id == number, *unclaimed)
    values = {"acknowledged_at": now, "acknowledged_by": by[:_LONGEST_NAME], "note": note}
    return bool(connection.execute(statement.values(**values)).rowcount)


def find(connection: sa.Connection, number: int) -> Incident | None:
    """The incident of this number."""
    row = connection.execute(sa.select(incidents).where(incidents.c.id == number)).one_or_none()
    return None if row is None else _incident(row)


def still_open(connection: sa.Connection, scope: str) -> Sequence[Incident]:
    """The incidents that go on, oldest first."""
    statement = sa.select(incidents).where(incidents.c.watched == scope, incidents.c.resolved_at.is_(None))
    return [_incident(row) for row in connection.execute(statement.order_by(incidents.c.id))]


def newest(connection: sa.Connection, scope: str, limit: int) -> Sequence[Incident]:
    """The newest incidents, newest first."""
    statement = sa.select(incidents).where(incidents.c.watched == scope).order_by(incidents.c.id.desc()).limit(limit)
    return [_incident(row) for row in connection.execute(statement)]


def between(connection: sa.Connection, scope: str, start: datetime, end: datetime) -> Sequence[Incident]:
    """Those that were open at some time of [start, end], newest first."""
    still = sa.or_(incidents.c.resolved_at.is_(None), incidents.c.resolved_at >= start)
    statement = sa.select(incidents).where(incidents.c.watched == scope, incidents.c.began_at <= end, still)
    return [_incident(row) for row in connection.execute(statement.order_by(incidents.c.id.desc()))]


def _incident(row: sa.Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        watched=row.watched,
        rule=row.rule,
        severity=Severity(row.severity),
        began_at=row.began_at,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        violations=row.violations,
        most_violations=row.most_violations,
        worst_rate=row.worst_rate,
        returns=row.returns,
        told_at=row.told_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        note=row.note,
        closed=row.closed,
    )
