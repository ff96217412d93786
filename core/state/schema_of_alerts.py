"""The tables of alerts and of what quiets them, in the state database beside those of `core.state.schema`."""

from __future__ import annotations

import sqlalchemy as sa

from core.state.schema import UtcDateTime, column, metadata

# Where each alert rule stands.
alert_states = sa.Table(
    "alert_states",
    metadata,
    column("watched", sa.String(16), primary_key=True),
    column("rule", sa.String(100), primary_key=True),
    column("phase", sa.String(16)),
    column("since", UtcDateTime, nullable=True),
    column("clear_since", UtcDateTime, nullable=True),
    column("returns", sa.Integer),
)

# One row for each time that a rule fired.
incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("watched", sa.String(16)),
    column("rule", sa.String(100)),
    column("severity", sa.String(16)),
    column("began_at", UtcDateTime),  # when the condition began to hold
    column("opened_at", UtcDateTime),  # when the rule fired
    column("resolved_at", UtcDateTime, nullable=True),  # when that was known
    column("violations", sa.BigInteger, nullable=True),  # when it fired
    column("most_violations", sa.BigInteger, nullable=True),
    column("worst_rate", sa.Numeric(5, 2), nullable=True),
    column("returns", sa.Integer),
    column("told_at", UtcDateTime, nullable=True),  # when a message about it was last put into the outbox
    column("acknowledged_at", UtcDateTime, nullable=True),
    column("acknowledged_by", sa.String(200), nullable=True),
    column("note", sa.Text, nullable=True),
    column("closed", sa.String(200), nullable=True),  # why it ended, when nobody saw its condition go
    sa.Index("ix_incidents_opened_at", "watched", "opened_at"),  # the list, newest first, and those of a stretch of time
)
# A rule has one open incident at most.
sa.Index(
    "ix_incidents_open",
    incidents.c.watched,
    incidents.c.rule,
    unique=True,
    sqlite_where=incidents.c.resolved_at.is_(None),
    postgresql_where=incidents.c.resolved_at.is_(None),
)

# Messages on their way out. Written in the transaction that changes the state they tell of.
outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("key", sa.String(64), unique=True),  # by which a receiver knows a message that comes twice
    column("channel", sa.String(100)),
    column("incidents", sa.JSON),  # their numbers
    column("message", sa.JSON),
    column("created_at", UtcDateTime),
    column("due_at", UtcDateTime),  # not tried before
    column("tries", sa.Integer),
    column("state", sa.String(16)),
    column("answer", sa.Text, nullable=True),  # what the last try said
    column("ended_at", UtcDateTime, nullable=True),  # sent, or given up
    column("claimed_until", UtcDateTime, nullable=True),  # somebody is sending it
    sa.Index("ix_outbox_state", "state", "id"),  # what waits, in order, and what was given up
)

# Times in which nobody is told.
silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("rule", sa.String(100), nullable=True),  # NULL: all of them
    column("reason", sa.String(500)),
    column("created_at", UtcDateTime),
    column("created_by", sa.String(200)),
    column("until", UtcDateTime),
    column("until_resolved", sa.Boolean),  # it ends when the rule resolves, if that is earlier
    column("ended_at", UtcDateTime, nullable=True),
    sa.Index("ix_silences_until", "until"),  # those that hold
)

signing_keys = sa.Table(
    "signing_keys", metadata, column("purpose", sa.String(50), primary_key=True), column("secret", sa.String(64))
)

# Planned windows of maintenance. Which checks ran in one is written down with each check.
maintenance_windows = sa.Table(
    "maintenance_windows",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("reason", sa.String(500)),
    column("time_zone", sa.String(100)),
    column("starts", sa.DateTime),  # the first one, by the clock on the wall of that zone
    column("minutes", sa.Integer),  # that each lasts
    column("repeats", sa.String(16)),
    column("weekdays", sa.String(16)),  # of weekly ones, as digits: 0 is Monday
    column("last_day", sa.Date, nullable=True),  # on which one may begin
    column("created_at", UtcDateTime),
    column("created_by", sa.String(200)),
    column("ended_at", UtcDateTime, nullable=True),  # somebody took it back
    column("ended_by", sa.String(200), nullable=True),
    column("cut_at", UtcDateTime, nullable=True),  # somebody ended the one time of it that held then
)

# What came of the daily drills.
drills = sa.Table(
    "drills",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("watched", sa.String(16)),
    column("at", UtcDateTime),
    column("channel", sa.String(100)),
    column("delivered_seconds", sa.Float, nullable=True),  # from the planting; NULL: it did not arrive
    column("answer", sa.Text),
)
