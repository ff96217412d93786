"""The tables of the state database. A change here needs a migration in `migrations/versions`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; engines without zones keep it as plain UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, **{"nullable": False, **options})


# One row for every attempt (source "check") and every log that was read (source "import").
# The figures of a failed attempt are NULL.
history = sa.Table(
    "health_check_history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _column("timestamp", UtcDateTime),
    _column("total_checked", sa.BigInteger, nullable=True),
    _column("consistent", sa.BigInteger, nullable=True),
    _column("inconsistent", sa.BigInteger, nullable=True),
    _column("consistency_rate", sa.Numeric(5, 2), nullable=True),
    _column("outcome", sa.String(16)),
    _column("error", sa.Text, nullable=True),
    _column("error_type", sa.String(64), nullable=True),  # the class in core/errors.py, so that failures can be counted by it
    _column("duration_ms", sa.BigInteger, nullable=True),
    _column("trigger", sa.String(16), nullable=True),
    _column("requested_by", sa.String(200), nullable=True),
    _column("source", sa.String(16)),
    _column("check_id", sa.String(64), nullable=True, unique=True),  # unique: finds the row of a log, and of a joined check
    _column("log_file", sa.Text, nullable=True),
    _column("watched", sa.Text, nullable=True),  # which database and tables; NULL for imported rows
    _column("by_kind", sa.JSON, nullable=True),
    _column("unidentified_progress_rows", sa.BigInteger, nullable=True),
    _column("unidentified_license_rows", sa.BigInteger, nullable=True),
    sa.Index("ix_health_check_history_source_id", "source", "id"),  # newest attempts of this product
    sa.Index("ix_health_check_history_timestamp", "timestamp"),  # the trend between two moments
)

# The violations of the newest completed check; rows of a running check stand beside them until its history row
# makes them current. `position` is their order in the report. `user_number` is set where the id is an integer.
violations = sa.Table(
    "current_violations",
    metadata,
    _column("check_id", sa.String(64), primary_key=True),
    _column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    _column("user_text", sa.Text),
    _column("user_number", sa.BigInteger, nullable=True),
    _column("specialization", sa.Text),
    _column("progress_level", sa.BigInteger, nullable=True),
    _column("license_level", sa.BigInteger, nullable=True),
    _column("kind", sa.String(32)),
    _column("first_seen", UtcDateTime),
    # carries `first_seen` over from check to check, and finds a user's violations
    sa.Index("ix_current_violations_pair", "check_id", "user_text", "specialization"),
)

# Who may run the check now. A holder that dies stops renewing, and the lease expires.
leases = sa.Table(
    "leases",
    metadata,
    _column("name", sa.String(64), primary_key=True),
    _column("holder", sa.String(200)),
    _column("check_id", sa.String(64)),
    _column("acquired_at", UtcDateTime),
    _column("expires_at", UtcDateTime),
)

# Every violation log that was looked at, so that none is read twice.
known_logs = sa.Table(
    "known_logs",
    metadata,
    _column("path", sa.Text, primary_key=True),
    _column("size", sa.BigInteger),
    _column("mtime_ns", sa.BigInteger),
    _column("digest", sa.String(64), nullable=True),
    _column("outcome", sa.String(16)),
    _column("problem", sa.Text, nullable=True),
    sa.Index("ix_known_logs_digest", "digest"),  # the same log under another name
)

accounts = sa.Table(
    "accounts",
    metadata,
    _column("username", sa.String(100), primary_key=True),
    _column("password_hash", sa.String(200)),
    _column("created_at", UtcDateTime),
)

# Wrong passwords by name, also names that do not exist.
login_failures = sa.Table(
    "login_failures",
    metadata,
    _column("username", sa.String(100), primary_key=True),
    _column("failures", sa.Integer),
    _column("failed_at", UtcDateTime),
)

# A login begins as a ticket of a few seconds, which the browser turns into a session. Both are kept as hashes only.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _column("username", sa.String(100)),
    _column("ticket_hash", sa.String(64), nullable=True, unique=True),
    _column("token_hash", sa.String(64), nullable=True, unique=True),
    _column("created_at", UtcDateTime),
    _column("used_at", UtcDateTime),
    sa.Index("ix_sessions_username", "username"),  # end all sessions of a name
)

# Who may use the HTTP API. A token is kept as a hash only; `start` is its beginning, by which a person recognises it.
tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _column("name", sa.String(100)),
    _column("token_hash", sa.String(64), unique=True),
    _column("start", sa.String(16)),
    _column("scope", sa.String(16)),
    _column("created_at", UtcDateTime),
    _column("created_by", sa.String(200), nullable=True),
    _column("expires_at", UtcDateTime, nullable=True),
    _column("revoked_at", UtcDateTime, nullable=True),
    _column("used_at", UtcDateTime, nullable=True),  # to the minute
)
# A name stands for one token at a time, also when two people make one at once.
sa.Index(
    "ix_tokens_name",
    tokens.c.name,
    unique=True,
    sqlite_where=tokens.c.revoked_at.is_(None),
    postgresql_where=tokens.c.revoked_at.is_(None),
)
