"""Opening the watched database so that it can only be read, and turning its errors into words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from core.errors import (
    CheckImpossible,
    WatchedDatabaseFailed,
    WatchedDatabaseTooSlow,
    WatchedDatabaseUnreachable,
    WatchedPermissionDenied,
    WatchedSchemaUnsuitable,
)
from core.normal_form import register_unicode_upper


class WatchedDatabase:
    """The application's database. Every transaction is one snapshot, read only at the engine's own level, with a time limit.

    Connections are opened for each use and closed after it, so that a database that went away and came back needs no care.
    """

    def __init__(self, url: URL, statement_timeout: int = 120, connect_timeout: int = 10) -> None:
        """Time limits in seconds."""
        self.url = url
        self._statement_timeout = statement_timeout
        self._lock_timeout = min(connect_timeout, statement_timeout)
        if url.get_backend_name() == "sqlite":
            self._engine = sa.create_engine(
                "sqlite://", creator=lambda: _open_sqlite(url, self._lock_timeout), poolclass=NullPool
            )
            sa.event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        else:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            self._engine = sa.create_engine(
                url, poolclass=NullPool, execution_options=options, connect_args=_postgresql_arguments(connect_timeout)
            )

    @property
    def dialect(self) -> str:
        """The engine's name, as SQLAlchemy spells it."""
        return self._engine.dialect.name

    @property
    def label(self) -> str:
        """Which database this is, without user or password: "postgresql://db.example:5432/app"."""
        if self.dialect == "sqlite":
            return f"sqlite:///{Path(str(self.url.database)).absolute()}"
        port = f":{self.url.port}" if self.url.port else ""
        host = self.url.host or str(self.url.query.get("host", "localhost"))
        return f"{self.dialect}://{host}{port}/{self.url.database or ''}"

    @property
    def writers_wait(self) -> bool:
        """Whether the application's writers wait while a snapshot is open: on SQLite, unless it runs in WAL mode."""
        if self.dialect != "sqlite":
            return False
        with self._in_words(), self._engine.connect() as connection:
            return bool(connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal")

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A read-only transaction that sees one moment. Raises CheckImpossible for everything that the database refuses."""
        with self._in_words(), self._engine.connect() as connection, connection.begin(), self._limited(connection):
            yield connection

    @contextmanager
    def _limited(self, connection: sa.Connection) -> Iterator[None]:
        if self.dialect == "postgresql":
            limits = {
                "statement_timeout": self._statement_timeout * 1000,
                "idle_in_transaction_session_timeout": self._statement_timeout * 1000,
                "lock_timeout": self._lock_timeout * 1000 - 50,  # so that a lock is named where both limits are equal
            }
            settings = [sa.func.set_config(name, f"{milliseconds}ms", True) for name, milliseconds in limits.items()]
            connection.execute(sa.select(*settings))
            yield
            return
        raw: Any = connection.connection.driver_connection
        timer = threading.Timer(self._statement_timeout, raw.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except NoSuchTableError as missing:
            raise WatchedSchemaUnsuitable(f"The table {missing} does not exist in {self.label}.") from missing
        except DBAPIError as refused:
            raise self._translate(refused) from refused
        except SQLAlchemyError as failed:
            raise WatchedDatabaseFailed(f"{self.label} could not be used: {failed}.") from failed
        except UnicodeDecodeError as foreign:
            raise WatchedDatabaseFailed(f"{self.label} holds text that is not in its own encoding: {foreign}.") from foreign

    def _translate(self, refused: DBAPIError) -> CheckImpossible:
        lines = str(refused.orig).strip().splitlines()
        cause = lines[0].rstrip(". ") if lines else type(refused.orig).__name__
        match getattr(refused.orig, "sqlstate", None) or getattr(refused.orig, "sqlite_errorname", None):
            case "57014" | "SQLITE_INTERRUPT":
                return WatchedDatabaseTooSlow(f"{self.label} did not finish within {self._statement_timeout} s.")
            case "55P03" | "SQLITE_BUSY" | "SQLITE_LOCKED":
                return WatchedDatabaseTooSlow(f"{self.label} stayed locked by the application for {self._lock_timeout} s.")
            case "42501":
                return WatchedPermissionDenied(f"{self.label} refuses to be read: {cause}.")
            case str(code) if code[:2] in ("42", "22"):
                return WatchedSchemaUnsuitable(f"{self.label} does not fit the settings: {cause}.")
        if cause.startswith(("no such table", "no such column")):
            return WatchedSchemaUnsuitable(f"{self.label} does not fit the settings: {cause}.")
        if isinstance(refused, sa.exc.OperationalError):
            return WatchedDatabaseUnreachable(f"Could not read {self.label}: {cause}.")
        return WatchedDatabaseFailed(f"{self.label} answered with an error: {cause}.")


def case_mapping(connection: sa.Connection) -> str | None:
    """The collation under which upper-casing knows every alphabet, whatever the database's own locale; None: its own."""
    if connection.dialect.name != "postgresql":
        return None
    raw: Any = connection.connection.driver_connection
    version = connection.dialect.server_version_info or (0,)
    if raw.info.parameter_status("server_encoding") != "UTF8" or version < (17,):
        return None
    return "pg_unicode_fast" if version >= (18,) else "pg_c_utf8"


def _open_sqlite(url: URL, busy_timeout: int) -> sqlite3.Connection:
    path = Path(str(url.database)).absolute()
    if not path.exists():
        raise sqlite3.OperationalError(f"there is no file {path}")
    # check_same_thread: the timer that ends an overlong statement interrupts from its own thread
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro", uri=True, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    with suppress(sqlite3.Error):  # a matter of speed alone
        connection.execute("PRAGMA threads=2")  # sorts in a second thread
    register_unicode_upper(connection)
    return connection


def _postgresql_arguments(connect_timeout: int) -> dict[str, Any]:
    return {
        "connect_timeout": connect_timeout,
        "application_name": "coupling-health check",
        "keepalives_idle": 10,  # a server that vanished while we wait is noticed within half a minute
        "keepalives_interval": 5,
        "keepalives_count": 4,
    }
