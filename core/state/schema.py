"""The tables of the state database but those of alerts: see `core.state.schema_of_alerts`.

A change here needs a migration in `migrations/versions`.
"""

from __future__ import annotations

from collections.abc import Callable
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
        return None if value is None else _aware(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return _TEXTS.__getitem__ if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive datetime: {value!r}")
    return value.astimezone(UTC)


class _Texts(dict[datetime | None, str | None]):
    """Moments as SQLAlchemy writes them for SQLite, each made once: that of a reading stands in many rows of an import."""

    _MOST = 50_000

    def __missing__(self, value: datetime | None) -> str | None:
        if len(self) >= self._MOST:
            self.clear()
        text = self[value] = None if value is None else _as_text(_aware(value))
        return text


def _as_text(value: datetime) -> str:
    day, time = (value.year, value.month, value.day), (value.hour, value.minute, value.second, value.microsecond)
    return "%04d-%02d-%02d %02d:%02d:%02d.%06d" % (*day, *time)  # noqa: UP031 - half the time of isoformat, or of an f-string


_TEXTS = _Texts()


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


metadata = sa.MetaData()


def column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    """A column that is not NULL, unless it is said."""
    return sa.Column(name, kind, **{"nullable": False, **options})


def _pair() -> list[sa.Column[Any]]:
    """Whose row it is. `user_number` is set where the id is an integer."""
    number = column("user_number", sa.BigInteger, nullable=True)
    return [column("user_text", sa.Text), number, column("specialization", sa.Text)]


def _levels(prefix: str = "") -> list[sa.Column[Any]]:
    return [column(f"{prefix}{side}_level", sa.BigInteger, nullable=True) for side in ("progress", "license")]


# One row for every attempt (source "check") and every log that was read (source "import").
# The figures of a failed attempt are NULL.
history = sa.Table(
    "health_check_history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("timestamp", UtcDateTime),
    column("total_checked", sa.BigInteger, nullable=True),
    column("consistent", sa.BigInteger, nullable=True),
    column("inconsistent", sa.BigInteger, nullable=True),
    column("consistency_rate", sa.Numeric(5, 2), nullable=True),
    column("outcome", sa.String(16)),
    column("error", sa.Text, nullable=True),
    column("error_type", sa.String(64), nullable=True),  # the class in core/errors.py, so that failures can be counted by it
    column("duration_ms", sa.BigInteger, nullable=True),
    column("trigger", sa.String(16), nullable=True),
    column("requested_by", sa.String(200), nullable=True),
    column("source", sa.String(16)),
    column("check_id", sa.String(64), nullable=True, unique=True),  # unique: finds the row of a log, and of a joined check
    column("log_file", sa.Text, nullable=True),
    column("watched", sa.Text, nullable=True),  # which database and tables; NULL for imported rows
    column("by_kind", sa.JSON, nullable=True),
    column("unidentified_progress_rows", sa.BigInteger, nullable=True),
    column("unidentified_license_rows", sa.BigInteger, nullable=True),
    column("settled", sa.BigInteger, nullable=True),  # pairs that agreed again when they were read once more
    column("breakdown", sa.JSON(none_as_null=True), nullable=True),  # see core.breakdown
    column("violations_kept", sa.Boolean, nullable=True),  # whether all its rows still stand in current_violations
    column("in_maintenance", sa.Boolean, nullable=True),  # whether it ran in a planned window; NULL: it did not
    sa.Index("ix_health_check_history_source_id", "source", "id"),  # newest attempts of this product
    sa.Index("ix_health_check_history_timestamp", "timestamp"),  # the trend between two moments
)

# The violations of the newest completed check; rows of a running check stand beside them until its history row
# makes them current. `position` is their order in the report.
violations = sa.Table(
    "current_violations",
    metadata,
    column("check_id", sa.String(64), primary_key=True),
    column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    *_pair(),
    *_levels(),
    column("kind", sa.String(32)),
    column("first_seen", UtcDateTime),
    # carries `first_seen` over from check to check, and finds a user's violations
    sa.Index("ix_current_violations_pair", "check_id", "user_text", "specialization"),
)

# Who may run the check now. A holder that dies stops renewing, and the lease expires.
leases = sa.Table(
    "leases",
    metadata,
    column("name", sa.String(64), primary_key=True),
    column("holder", sa.String(200)),
    column("check_id", sa.String(64)),
    column("acquired_at", UtcDateTime),
    column("expires_at", UtcDateTime),
)

# Every violation log that was looked at and is not in `log_lists`, so that none is read twice.
known_logs = sa.Table(
    "known_logs",
    metadata,
    column("path", sa.Text, primary_key=True),
    column("size", sa.BigInteger),
    column("mtime_ns", sa.BigInteger),
    column("digest", sa.String(64), nullable=True),
    column("outcome", sa.String(16)),
    column("problem", sa.Text, nullable=True),
    column("dated", UtcDateTime, nullable=True),  # the moment that it says
    sa.Index("ix_known_logs_dated", "dated"),  # the same log under another name: a digest's own index would be written all over
)

# Logs that became rows of history, as many as were taken at once: a row for each would take as long as that row of history.
log_lists = sa.Table(
    "log_lists",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("place", sa.Text),  # a folder or an archive
    column("first_dated", UtcDateTime),
    column("last_dated", UtcDateTime),
    column("names", sa.JSON),  # within the place
    column("digests", sa.JSON),  # of each
)

accounts = sa.Table(
    "accounts",
    metadata,
    column("username", sa.String(100), primary_key=True),
    column("password_hash", sa.String(200)),
    column("created_at", UtcDateTime),
)

# Wrong passwords by name, also names that do not exist.
login_failures = sa.Table(
    "login_failures",
    metadata,
    column("username", sa.String(100), primary_key=True),
    column("failures", sa.Integer),
    column("failed_at", UtcDateTime),
)

# A login begins as a ticket of a few seconds, which the browser turns into a session. Both are kept as hashes only.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("username", sa.String(100)),
    column("ticket_hash", sa.String(64), nullable=True, unique=True),
    column("token_hash", sa.String(64), nullable=True, unique=True),
    column("created_at", UtcDateTime),
    column("used_at", UtcDateTime),
    sa.Index("ix_sessions_username", "username"),  # end all sessions of a name
)

# Who may use the HTTP API. A token is kept as a hash only; `start` is its beginning, by which a person recognises it.
tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("name", sa.String(100)),
    column("token_hash", sa.String(64), unique=True),
    column("start", sa.String(16)),
    column("scope", sa.String(16)),
    column("created_at", UtcDateTime),
    column("created_by", sa.String(200), nullable=True),
    column("expires_at", UtcDateTime, nullable=True),
    column("revoked_at", UtcDateTime, nullable=True),
    column("used_at", UtcDateTime, nullable=True),  # to the minute
)
# A name stands for one token at a time, also when two people make one at once.
sa.Index(
    "ix_tokens_name",
    tokens.c.name,
    unique=True,
    sqlite_where=tokens.c.revoked_at.is_(None),
    postgresql_where=tokens.c.revoked_at.is_(None),
)

# One violation's life: it begins with the first reading (a completed check or a log) that lists the pair, and ends with the
# first one after it that does not. `watched` is a short name of database and tables; empty where a log does not tell.
# While it is open, `last_seen` is the newest reading's and is not written down.
episodes = sa.Table(
    "episodes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("watched", sa.String(16)),
    *_pair(),
    column("first_seen", UtcDateTime),
    column("last_seen", UtcDateTime, nullable=True),
    column("resolved_at", UtcDateTime, nullable=True),
    column("opened_in", sa.Integer),  # the row of history of its first reading
    column("resolved_in", sa.Integer, nullable=True),
    column("first_kind", sa.String(32)),
    *_levels("first_"),
    column("kind", sa.String(32)),
    *_levels(),
    sa.Index("ix_episodes_pair", "user_text", "specialization"),  # the earlier lives of a pair
    sa.Index("ix_episodes_first_seen", "first_seen"),  # what began with a check, or in a stretch of time
    sa.Index("ix_episodes_resolved_at", "resolved_at"),  # what healed with a check, or in a stretch, and what is still open
)
# A landing check looks for the open life of each of its pairs; two at once cannot be.
sa.Index(
    "ix_episodes_open",
    episodes.c.user_text,
    episodes.c.specialization,
    episodes.c.watched,
    unique=True,
    sqlite_where=episodes.c.resolved_at.is_(None),
    postgresql_where=episodes.c.resolved_at.is_(None),
)

# How the kind and levels of an open violation changed after its first reading.
episode_changes = sa.Table(
    "episode_changes",
    metadata,
    column("episode_id", sa.Integer, primary_key=True, autoincrement=False),
    column("at", UtcDateTime, primary_key=True),
    column("kind", sa.String(32)),
    *_levels(),
)

# Pairs that were caught in flight: apart at a check's first look, in agreement at its second.
settled_pairs = sa.Table(
    "settled_pairs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("check_id", sa.String(64)),
    column("at", UtcDateTime),
    *_pair(),
    *_levels(),
    column("kind", sa.String(32)),
    sa.Index("ix_settled_pairs_at", "at"),  # the newest, and those that are old enough to go
    sa.Index("ix_settled_pairs_check", "check_id"),
)

# What is left of single checks that are older than the retention: one row a day (UTC), counts that can be added up.
daily_figures = sa.Table(
    "daily_figures",
    metadata,
    column("watched", sa.String(16), primary_key=True),
    column("day", sa.Date, primary_key=True),
    column("figures", sa.JSON),
)

# What happened elsewhere and may explain a change: deploys, migrations.
markers = sa.Table(
    "markers",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("at", UtcDateTime),
    column("kind", sa.String(16)),
    column("title", sa.String(200)),
    column("created_at", UtcDateTime),
    column("created_by", sa.String(200)),
    sa.Index("ix_markers_at", "at"),  # those of a stretch of time
)

# Reports that were made, on schedule or by button, as files.
reports = sa.Table(
    "reports",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("name", sa.String(200)),  # of the file
    column("format", sa.String(8)),
    column("language", sa.String(16)),
    column("period", sa.String(64)),  # as it is asked for: 2026-10, 2026-W41, 2026-10-01..2026-10-15
    column("period_start", UtcDateTime),
    column("period_end", UtcDateTime),
    column("made_at", UtcDateTime),
    column("made_by", sa.String(200), nullable=True),  # NULL: the schedule
    column("size", sa.BigInteger),
    column("content", sa.LargeBinary),
    sa.Index("ix_reports_made_at", "made_at"),  # the list, newest first
)

# Links that show the presentation and nothing else, without a login. Kept as a hash only.
share_links = sa.Table(
    "share_links",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("name", sa.String(100)),
    column("token_hash", sa.String(64), unique=True),
    column("created_at", UtcDateTime),
    column("created_by", sa.String(200)),
    column("expires_at", UtcDateTime),
    column("revoked_at", UtcDateTime, nullable=True),
)

# The newest forecasts, made in the background after checks.
forecasts = sa.Table(
    "forecasts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    column("watched", sa.String(16)),
    column("made_at", UtcDateTime),
    column("document", sa.JSON),
    sa.Index("ix_forecasts_watched", "watched", "id"),
)

# Folders of logs as they were when they were read to the end: one that did not change since needs no second look.
log_folders = sa.Table(
    "log_folders",
    metadata,
    column("path", sa.Text, primary_key=True),
    column("mtime_ns", sa.BigInteger),
    column("logs", sa.BigInteger),
)
