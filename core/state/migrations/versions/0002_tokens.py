"""Tokens of the HTTP API, and the class of the error with which an attempt failed."""

import sqlalchemy as sa
from alembic import op

from core.state.schema import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("start", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    in_use = sa.text("revoked_at IS NULL")
    op.create_index("ix_tokens_name", "tokens", ["name"], unique=True, sqlite_where=in_use, postgresql_where=in_use)
    op.add_column("health_check_history", sa.Column("error_type", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("health_check_history", "error_type")
    op.drop_index("ix_tokens_name", table_name="tokens")
    op.drop_table("tokens")
