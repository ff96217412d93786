"""Repairs: runs and what each does to every pair; and what admins did."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from core.state.schema import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    _runs()
    _changes()
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("deed", sa.String(40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_who", "audit", ["who", "id"])
    op.create_index("ix_audit_deed", "audit", ["deed", "id"])
    leases = sa.table(
        "leases",
        *(sa.column(name) for name in ("name", "holder", "check_id")),
        *(sa.column(name, UtcDateTime()) for name in ("acquired_at", "expires_at")),
    )
    nobody = {"name": "sync", "holder": "", "check_id": "", "acquired_at": _LONG_AGO, "expires_at": _LONG_AGO}
    op.bulk_insert(leases, [nobody])


def _runs() -> None:
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("watched", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("total_checked", sa.BigInteger(), nullable=True),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("left_alone", sa.Integer(), nullable=False),
        sa.Column("not_looked_at", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("planned_by", sa.String(200), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.String(200), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("approved_by", sa.String(200), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("check_id", sa.String(64), nullable=True),
        sa.Column("mended", sa.Integer(), nullable=True),
        sa.Column("check_problem", sa.Text(), nullable=True),
        sa.Column("record_file", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sync_runs_watched", "sync_runs", ["watched", "id"])


def _changes() -> None:
    op.create_table(
        "sync_changes",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_text", sa.Text(), nullable=False),
        sa.Column("user_number", sa.BigInteger(), nullable=True),
        sa.Column("specialization", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("progress_level", sa.BigInteger(), nullable=True),
        sa.Column("license_level", sa.BigInteger(), nullable=True),
        sa.Column("step", sa.String(32), nullable=True),
        sa.Column("level", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("transaction", sa.String(32), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "position"),
    )
    op.create_index("ix_sync_changes_outcome", "sync_changes", ["run_id", "outcome"])
