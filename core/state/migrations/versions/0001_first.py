"""The first state database: history, current violations, lease, known logs, accounts and sessions."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from core.state.schema import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("username"),
    )
    op.create_table(
        "current_violations",
        sa.Column("check_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_text", sa.Text(), nullable=False),
        sa.Column("user_number", sa.BigInteger(), nullable=True),
        sa.Column("specialization", sa.Text(), nullable=False),
        sa.Column("progress_level", sa.BigInteger(), nullable=True),
        sa.Column("license_level", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", "position"),
    )
    op.create_index("ix_current_violations_pair", "current_violations", ["check_id", "user_text", "specialization"], unique=False)
    op.create_table(
        "health_check_history",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("timestamp", UtcDateTime(), nullable=False),
        sa.Column("total_checked", sa.BigInteger(), nullable=True),
        sa.Column("consistent", sa.BigInteger(), nullable=True),
        sa.Column("inconsistent", sa.BigInteger(), nullable=True),
        sa.Column("consistency_rate", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("trigger", sa.String(length=16), nullable=True),
        sa.Column("requested_by", sa.String(length=200), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("check_id", sa.String(length=64), nullable=True),
        sa.Column("log_file", sa.Text(), nullable=True),
        sa.Column("watched", sa.Text(), nullable=True),
        sa.Column("by_kind", sa.JSON(), nullable=True),
        sa.Column("unidentified_progress_rows", sa.BigInteger(), nullable=True),
        sa.Column("unidentified_license_rows", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("check_id"),
    )
    op.create_index("ix_health_check_history_source_id", "health_check_history", ["source", "id"], unique=False)
    op.create_index("ix_health_check_history_timestamp", "health_check_history", ["timestamp"], unique=False)
    op.create_table(
        "known_logs",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("path"),
    )
    op.create_index("ix_known_logs_digest", "known_logs", ["digest"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("check_id", sa.String(length=64), nullable=False),
        sa.Column("acquired_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "login_failures",
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("username"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("ticket_hash", sa.String(length=64), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket_hash"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_sessions_username", "sessions", ["username"], unique=False)
    # The one row that everybody who wants to check locks; long expired.
    leases = sa.table(
        "leases",
        sa.column("name", sa.String),
        sa.column("holder", sa.String),
        sa.column("check_id", sa.String),
        sa.column("acquired_at", UtcDateTime()),
        sa.column("expires_at", UtcDateTime()),
    )
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    op.bulk_insert(
        leases, [{"name": "check", "holder": "nobody", "check_id": "none", "acquired_at": long_ago, "expires_at": long_ago}]
    )


def downgrade() -> None:
    op.drop_index("ix_sessions_username", table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("login_failures")
    op.drop_table("leases")
    op.drop_index("ix_known_logs_digest", table_name="known_logs")
    op.drop_table("known_logs")
    op.drop_index("ix_health_check_history_timestamp", table_name="health_check_history")
    op.drop_index("ix_health_check_history_source_id", table_name="health_check_history")
    op.drop_table("health_check_history")
    op.drop_index("ix_current_violations_pair", table_name="current_violations")
    op.drop_table("current_violations")
    op.drop_table("accounts")
