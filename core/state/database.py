"""Opening the state database, and the two ways to use it: read and write."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core.errors import StateDatabaseLocked, StateDatabaseTooNew, StateDatabaseUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x48454C5448  # an advisory lock of ours alone: two servers that start at once migrate one after the other
_BUSY_SECONDS = 10
_PRAGMAS: Mapping[str, int | str] = {
    "synchronous": "FULL",
    "cache_size": -2_000,  # KB, when negative
    "wal_autocheckpoint": 1_000,  # pages
    "journal_size_limit": 16_000_000,  # bytes
}
# Where an index is written all over, its pages stay in memory, and reach the file once instead of with every batch. A kill loses
# nothing, a power failure maybe the newest batches.
_PRAGMAS_FOR_MUCH: Mapping[str, int | str] = {"synchronous": "NORMAL", "cache_size": -32_000, "wal_autocheckpoint": 20_000}

logging.getLogger("alembic").setLevel(logging.WARNING)


class StateDatabase:
    """The state database behind an engine. Safe to share between threads.

    SQLite runs in WAL mode, so that pages can read while a check writes.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        if url.get_backend_name() == "sqlite":
            self.engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, pool_size=20, max_overflow=40)
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(
                url,
                pool_pre_ping=True,
                pool_size=10,
                max_overflow=20,
                connect_args={
                    "connect_timeout": _BUSY_SECONDS,
                    "application_name": "coupling-health state",
                    "options": f"-c lock_timeout={_BUSY_SECONDS}s",
                },
            )

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view. Raises StateDatabaseUnavailable."""
        with _in_words(), self.engine.connect() as plain:
            isolation = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
            connection = plain.execution_options(**isolation)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, longest_wait: float | None = None, *, much: bool = False) -> Iterator[sa.Connection]:
        """One transaction, committed at the end or not at all. Raises StateDatabaseUnavailable, StateDatabaseLocked.

        `longest_wait` is how long others are waited for, in seconds: at the beginning, and on PostgreSQL for each lock. None: as
        long as usual. `much` is for rows by the ten thousand that can be made again.
        """
        special = dict(_PRAGMAS_FOR_MUCH if much else {})
        if longest_wait is not None:
            special["busy_timeout"] = round(longest_wait * 1000)
        with _in_words(), self.engine.connect() as plain:
            connection = plain.execution_options(begin="IMMEDIATE")
            with _with_pragmas(plain, special), connection.begin():
                if longest_wait is not None and connection.dialect.name == "postgresql":
                    wait = f"{round(longest_wait * 1000)}ms"
                    connection.execute(sa.select(sa.func.set_config("lock_timeout", wait, True)))
                yield connection

    def upgrade(self, revision: str = "head") -> None:
        """Make or migrate the tables, by default to the newest revision. Raises StateDatabaseUnavailable, StateDatabaseTooNew."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        if self.url.get_backend_name() == "sqlite":
            self._make_folder()
        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            if _revision(connection) == ScriptDirectory.from_config(config).get_current_head():
                return
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, revision)
            except CommandError as unknown_revision:
                raise StateDatabaseTooNew from unknown_revision

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def _make_folder(self) -> None:
        folder = Path(str(self.url.database)).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            raise StateDatabaseUnavailable(
                f"The folder {folder} for the state database cannot be made: {refused.strerror}."
            ) from refused


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    versions = sa.table("alembic_version", sa.column("version_num"))
    return connection.execute(sa.select(versions.c.version_num)).scalar()


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as refused:
        cause = str(refused.orig).strip().splitlines()[0] if str(refused.orig).strip() else type(refused.orig).__name__
        if "locked" in cause or "lock timeout" in cause:
            raise StateDatabaseLocked from refused
        raise StateDatabaseUnavailable(f"The state database cannot be used: {cause}.") from refused
    except SQLAlchemyError as failed:
        raise StateDatabaseUnavailable(f"The state database cannot be used: {failed}.") from failed


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves: see _begin_sqlite
    cursor = connection.cursor()
    _use_wal(cursor)
    for name, value in _PRAGMAS.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Switch to WAL; when another process switches at this very moment, SQLite refuses at once instead of waiting."""
    for _ in range(max(round(_BUSY_SECONDS * 20), 1)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as busy:
            if busy.sqlite_errorname != "SQLITE_BUSY":
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def _with_pragmas(connection: sa.Connection, special: Mapping[str, int | str]) -> Iterator[None]:
    """Matters of SQLite's connection, not of a transaction, for a while."""
    raw: Any = connection.connection.driver_connection
    usual = {**_PRAGMAS, "busy_timeout": round(_BUSY_SECONDS * 1000)}
    ours = special if connection.dialect.name == "sqlite" else {}
    for name, value in ours.items():
        raw.execute(f"PRAGMA {name}={value}")
    try:
        yield
    finally:
        for name in ours:
            raw.execute(f"PRAGMA {name}={usual[name]}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once and waits for it; one that read first and then writes could only fail.
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")
