"""The tables of repairs and of what admins did, in the state database beside those of `core.state.schema`."""

from __future__ import annotations

import sqlalchemy as sa

from core.state.schema import UtcDateTime, column, metadata

# One row for each plan and what became of it.
sync_runs = sa.Table(
    "sync_runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("watched", sa.String(16)),
    column("status", sa.String(16)),
    column("trigger", sa.String(16)),
    column("undoes", sa.Integer, nullable=True),  # the run that it takes back
    column("policy", sa.JSON),
    column("total_checked", sa.BigInteger, nullable=True),
    column("planned", sa.Integer),
    column("left_alone", sa.Integer),
    column("not_looked_at", sa.BigInteger),  # violations beyond what one plan takes
    column("planned_at", UtcDateTime),
    column("planned_by", sa.String(200)),
    column("confirmed_at", UtcDateTime, nullable=True),
    column("confirmed_by", sa.String(200), nullable=True),
    column("approved_at", UtcDateTime, nullable=True),
    column("approved_by", sa.String(200), nullable=True),
    column("started_at", UtcDateTime, nullable=True),
    column("finished_at", UtcDateTime, nullable=True),
    column("reason", sa.Text, nullable=True),  # why it waits, or ended before its end
    column("check_id", sa.String(64), nullable=True),  # the check that followed
    column("mended", sa.Integer, nullable=True),  # how many of its pairs that check did not list any more
    column("check_problem", sa.Text, nullable=True),  # why there is no such check
    column("record_file", sa.Text, nullable=True),
    sa.Index("ix_sync_runs_watched", "watched", "id"),  # the list, newest first
)

# What a run does to each pair, or why it leaves it alone.
sync_changes = sa.Table(
    "sync_changes",
    metadata,
    column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    column("position", sa.Integer, primary_key=True, autoincrement=False),
    column("user_text", sa.Text),
    column("user_number", sa.BigInteger, nullable=True),  # where the id is an integer
    column("specialization", sa.Text),
    column("kind", sa.String(32)),
    column("progress_level", sa.BigInteger, nullable=True),
    column("license_level", sa.BigInteger, nullable=True),
    column("step", sa.String(32), nullable=True),  # NULL: left alone
    column("level", sa.BigInteger, nullable=True),  # that is written
    column("outcome", sa.String(16)),
    column("reason", sa.Text, nullable=True),
    column("before", sa.JSON(none_as_null=True), nullable=True),  # see core.sync.change
    column("after", sa.JSON(none_as_null=True), nullable=True),
    column("transaction", sa.String(32), nullable=True),  # of the watched database, where it numbers them
    column("undoes", sa.Integer, nullable=True),  # the position in the run that this one takes back
    sa.Index("ix_sync_changes_outcome", "run_id", "outcome"),  # how far a run is
)

# Everything that an admin did. Rows are added, never changed.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("at", UtcDateTime),
    column("who", sa.String(200)),  # a username, "token" and its name, or who typed a command
    column("deed", sa.String(40)),
    column("subject", sa.Text),  # what it was done to, in words
    sa.Index("ix_audit_who", "who", "id"),  # what one person did, newest first
    sa.Index("ix_audit_deed", "deed", "id"),
)
