"""Proof over time: episodes, settled pairs, daily figures, markers, kept reports, share links, forecasts."""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from core.state.schema import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LEVELS = ("progress_level", "license_level")


def upgrade() -> None:
    for name, kind in (("settled", sa.BigInteger()), ("breakdown", sa.JSON()), ("violations_kept", sa.Boolean())):
        op.add_column("health_check_history", sa.Column(name, kind, nullable=True))
    op.execute(
        "UPDATE health_check_history SET violations_kept = (inconsistent = 0 OR check_id IN"
        " (SELECT check_id FROM current_violations)) WHERE source = 'check' AND outcome != 'failed'"
    )
    _make_episodes()
    op.create_table(
        "settled_pairs",
        _number("id"),
        sa.Column("check_id", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        *_pair(),
        *_levels(),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_settled_pairs_at", "settled_pairs", ["at"])
    op.create_index("ix_settled_pairs_check", "settled_pairs", ["check_id"])
    op.create_table(
        "daily_figures",
        sa.Column("watched", sa.String(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("watched", "day"),
    )
    op.create_table(
        "markers",
        _number("id"),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_markers_at", "markers", ["at"])
    op.create_table(
        "reports",
        _number("id"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("period", sa.String(64), nullable=False),
        sa.Column("period_start", UtcDateTime(), nullable=False),
        sa.Column("period_end", UtcDateTime(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(200), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reports_made_at", "reports", ["made_at"])
    op.create_table(
        "share_links",
        _number("id"),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_table(
        "forecasts",
        _number("id"),
        sa.Column("watched", sa.String(16), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_forecasts_watched", "forecasts", ["watched", "id"])
    op.create_table(
        "log_folders",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("logs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path"),
    )


def downgrade() -> None:
    for table in (
        "log_folders",
        "forecasts",
        "share_links",
        "reports",
        "markers",
        "daily_figures",
        "settled_pairs",
        "episode_changes",
        "episodes",
    ):
        op.drop_table(table)
    for column in ("violations_kept", "breakdown", "settled"):
        op.drop_column("health_check_history", column)


def _make_episodes() -> None:
    op.create_table(
        "episodes",
        _number("id"),
        sa.Column("watched", sa.String(16), nullable=False),
        *_pair(),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("opened_in", sa.Integer(), nullable=False),
        sa.Column("resolved_in", sa.Integer(), nullable=True),
        sa.Column("first_kind", sa.String(32), nullable=False),
        *_levels("first_"),
        sa.Column("kind", sa.String(32), nullable=False),
        *_levels(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_episodes_pair", "episodes", ["user_text", "specialization"])
    for column in ("opened_in", "resolved_in", "first_seen", "resolved_at"):
        op.create_index(f"ix_episodes_{column}", "episodes", [column])
    still_open = sa.text("resolved_at IS NULL")
    op.create_index(
        "ix_episodes_open",
        "episodes",
        ["user_text", "specialization", "watched"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "episode_changes",
        sa.Column("episode_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        *_levels(),
        sa.PrimaryKeyConstraint("episode_id", "at"),
    )
    _begin_with_what_is_open()


def _begin_with_what_is_open() -> None:
    """The violations of the newest check of each watched database are open, since when they were first seen."""
    connection = op.get_bind()
    newest = connection.execute(
        sa.text(
            "SELECT watched, max(id) AS id FROM health_check_history"
            " WHERE source = 'check' AND outcome != 'failed' AND watched IS NOT NULL GROUP BY watched"
        )
    ).all()
    for watched, number in newest:
        connection.execute(
            sa.text(
                "INSERT INTO episodes (watched, user_text, user_number, specialization, first_seen, opened_in, first_kind,"
                " first_progress_level, first_license_level, kind, progress_level, license_level)"
                " SELECT :watched, v.user_text, v.user_number, v.specialization, min(v.first_seen), coalesce((SELECT min(b.id)"
                " FROM health_check_history b WHERE b.timestamp = min(v.first_seen) AND b.watched = h.watched), h.id),"
                " min(v.kind), min(v.progress_level), min(v.license_level),"
                " min(v.kind), min(v.progress_level), min(v.license_level)"
                " FROM health_check_history h JOIN current_violations v ON v.check_id = h.check_id WHERE h.id = :number"
                " GROUP BY v.user_text, v.user_number, v.specialization, h.id, h.watched"
            ),
            {"watched": sha256(watched.encode()).hexdigest()[:16], "number": number},
        )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), autoincrement=True, nullable=False)


def _pair() -> list[sa.Column[object]]:
    return [
        sa.Column("user_text", sa.Text(), nullable=False),
        sa.Column("user_number", sa.BigInteger(), nullable=True),
        sa.Column("specialization", sa.Text(), nullable=False),
    ]


def _levels(prefix: str = "") -> list[sa.Column[object]]:
    return [sa.Column(prefix + name, sa.BigInteger(), nullable=True) for name in _LEVELS]
