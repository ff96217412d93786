"""Whether anything about alerts has changed, by a few small counts."""

from __future__ import annotations

import sqlalchemy as sa

from core.state.outbox import LetterState
from core.state.schema_of_alerts import alert_states, drills, incidents, maintenance_windows, outbox, silences


def read(connection: sa.Connection, scope: str) -> str:
    """Changes when a rule moves on, an incident opens, is acknowledged or ends, a message is written or has an end, and when a
    silence or maintenance is made or ended."""
    phases = sa.select(alert_states.c.rule, alert_states.c.phase, alert_states.c.since, alert_states.c.clear_since)
    stand = connection.execute(phases.where(alert_states.c.watched == scope).order_by(alert_states.c.rule)).all()
    of_incidents = sa.select(
        sa.func.max(incidents.c.id), sa.func.count(incidents.c.resolved_at), sa.func.count(incidents.c.acknowledged_at)
    ).where(incidents.c.watched == scope)
    peaks = sa.select(sa.func.sum(incidents.c.most_violations)).where(
        incidents.c.watched == scope, incidents.c.resolved_at.is_(None)
    )
    waiting = sa.select(sa.func.count(), sa.func.sum(outbox.c.tries)).where(outbox.c.state == LetterState.WAITING)
    given_up = sa.select(sa.func.count()).where(outbox.c.state == LetterState.GIVEN_UP)
    counts = [
        *connection.execute(of_incidents).one(),
        connection.execute(sa.select(sa.func.max(outbox.c.id))).scalar(),
        connection.execute(sa.select(sa.func.max(drills.c.id))).scalar(),
        *connection.execute(waiting).one(),
        connection.execute(peaks).scalar(),
        connection.execute(given_up).scalar(),
    ]
    counts.append(connection.execute(sa.select(sa.func.max(maintenance_windows.c.cut_at))).scalar())
    for table in (silences, maintenance_windows):
        counts += connection.execute(sa.select(sa.func.max(table.c.id), sa.func.count(table.c.ended_at))).one()
    return repr((stand, counts))
