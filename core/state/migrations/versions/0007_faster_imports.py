"""Less for an import to write: lists of logs, and indexes of times instead of digests and of history's numbers."""

from collections import defaultdict
from datetime import datetime

import sqlalchemy as sa
from alembic import op

from core.state.schema import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_lists",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("first_dated", UtcDateTime(), nullable=False),
        sa.Column("last_dated", UtcDateTime(), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("digests", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("known_logs", sa.Column("dated", UtcDateTime(), nullable=True))
    _date_known_logs(op.get_bind())
    op.drop_index("ix_known_logs_digest", table_name="known_logs")
    op.create_index("ix_known_logs_dated", "known_logs", ["dated"])
    for column in ("opened_in", "resolved_in"):
        op.drop_index(f"ix_episodes_{column}", table_name="episodes")


def _date_known_logs(connection: sa.Connection) -> None:
    """As history is dated by the logs of their names; where it has two of a name, that stays open."""
    history = sa.table("health_check_history", sa.column("timestamp", UtcDateTime()), sa.column("log_file"))
    known_logs = sa.table("known_logs", sa.column("path"), sa.column("digest"), sa.column("dated", UtcDateTime()))
    dates: dict[str, set[datetime]] = defaultdict(set)
    named = sa.select(history.c.log_file, history.c.timestamp).where(history.c.log_file.is_not(None))
    for name, moment in connection.execute(named):
        dates[name].add(moment)
    dated = [
        {"known": path, "moment": next(iter(moments))}
        for path in connection.execute(sa.select(known_logs.c.path).where(known_logs.c.digest.is_not(None))).scalars()
        if len(moments := dates.get(path.rsplit("/", 1)[-1], ())) == 1
    ]
    if dated:
        here = known_logs.c.path == sa.bindparam("known")
        connection.execute(sa.update(known_logs).where(here).values(dated=sa.bindparam("moment")), dated)
