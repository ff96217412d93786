"""The watched database with the right to write: short transactions, and its refusals in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core.errors import CouplingHealthError, SyncDatabaseLost, SyncWriteDenied
from core.normal_form import register_unicode_upper
from core.sync.tables import write_texts_alike

_IDLE_SECONDS = 2  # a transaction of ours that is silent for so long is ended by the server: the application waits no longer
_PART_AT_FIRST, _PART_OF_QUICK = 2, 12  # of the time until a server looks for a deadlock; we wait some times for more, at most


class PairBusy(CouplingHealthError):
    """The application holds the pair, or something in whose way we were."""


class PairRefused(CouplingHealthError):
    """The database does not take what would be written."""


class WritableDatabase:
    """Opened for repairs alone. One connection is kept for a run; `close` ends it.

    On PostgreSQL a lock is waited for less long than the server waits before it looks for a deadlock, and far less once something
    is locked: so it is always we who give way, and never the application.
    """

    def __init__(self, url: URL, connect_timeout: int, lock_timeout_ms: int, statement_timeout: int) -> None:
        """Time limits in seconds, but that for locks in milliseconds."""
        self.url = url
        self._lock_timeout_ms = lock_timeout_ms
        self._statement_timeout = statement_timeout
        if url.get_backend_name() == "sqlite":
            self._engine = sa.create_engine(
                "sqlite://", creator=lambda: _open_sqlite(url, lock_timeout_ms / 1000), poolclass=sa.pool.SingletonThreadPool
            )
            sa.event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        else:
            self._engine = sa.create_engine(
                url,
                pool_size=1,
                max_overflow=3,
                isolation_level="READ COMMITTED",  # each statement sees what was committed when its locks were granted
                connect_args={
                    "connect_timeout": connect_timeout,
                    "application_name": "coupling-health sync",
                    "keepalives_idle": 10,
                    "keepalives_interval": 5,
                    "keepalives_count": 4,
                },
            )

    @property
    def dialect(self) -> str:
        """The engine's name, as SQLAlchemy spells it."""
        return self._engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction, committed at the end or not at all.

        Raises PairBusy (try again), PairRefused, SyncWriteDenied, SyncDatabaseLost. After the last, and only when the commit was
        on its way, it may have been committed.
        """
        with _in_words(), self._engine.connect() as connection, connection.begin():
            if self.dialect == "postgresql":
                self._limit(connection)
            yield connection

    @contextmanager
    def look(self) -> Iterator[sa.Connection]:
        """The same for looking alone, under the same locks. Nothing is committed: on SQLite even that might have to wait."""
        with self.transaction() as connection:
            yield connection
            connection.rollback()

    def close(self) -> None:
        """Let the connection go."""
        self._engine.dispose()

    def be_quick(self, connection: sa.Connection) -> None:
        """From now on, that something is locked, hardly wait for more: whoever waits for us must not wait longer than a server
        waits before it looks for a deadlock."""
        if self.dialect == "postgresql":
            connection.execute(sa.select(sa.func.set_config("lock_timeout", self._lock_timeout(_PART_OF_QUICK), True)))

    def _limit(self, connection: sa.Connection) -> None:
        limits = {
            "lock_timeout": self._lock_timeout(_PART_AT_FIRST),
            "statement_timeout": sa.literal(str(self._statement_timeout * 1000)),
            "idle_in_transaction_session_timeout": sa.literal(str(_IDLE_SECONDS * 1000)),
        }
        connection.execute(sa.select(*(sa.func.set_config(name, value, True) for name, value in limits.items())))
        write_texts_alike(connection)

    def _lock_timeout(self, part: int) -> sa.ColumnElement[str]:
        """In milliseconds: at most one in so many parts of the time after which the server looks for a deadlock."""
        deadlock = sa.cast(sa.func.current_setting("deadlock_timeout"), sa.Interval)
        milliseconds = sa.cast(sa.extract("epoch", deadlock) * (1000 / part), sa.Integer)
        return sa.cast(sa.func.greatest(sa.func.least(self._lock_timeout_ms, milliseconds), 1), sa.Text)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as refused:
        raise _translate(refused) from refused
    except (SQLAlchemyError, OverflowError, UnicodeError) as failed:
        raise PairRefused(f"It could not be written: {failed}.") from failed


def _translate(refused: DBAPIError) -> CouplingHealthError:
    lines = str(refused.orig).strip().splitlines()
    cause = lines[0].rstrip(". ") if lines else type(refused.orig).__name__
    code = getattr(refused.orig, "sqlstate", None) or getattr(refused.orig, "sqlite_errorname", None) or ""
    if code.startswith(_BUSY):
        return PairBusy(f"The application held it: {cause}.")
    if code.startswith(_DENIED):
        return SyncWriteDenied(f"The database refuses to be written: {cause}.")
    if refused.connection_invalidated or code.startswith(_LOST) or (isinstance(refused, sa.exc.OperationalError) and not code):
        return SyncDatabaseLost(f"The connection was lost or could not be made: {cause}.")
    return PairRefused(f"The database does not take it: {cause}.")


# the beginnings of PostgreSQL's and SQLite's codes
_BUSY = ("55P03", "40P01", "40001", "57014", "SQLITE_BUSY", "SQLITE_LOCKED")
_DENIED = ("42501", "25006", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")
_LOST = (
    *("08", "25P03", "28", "3D", "53", "57P", "58"),
    *(f"SQLITE_{code}" for code in ("CANTOPEN", "IOERR", "FULL", "NOTADB", "CORRUPT")),
)


def _open_sqlite(url: URL, busy_timeout: float) -> sqlite3.Connection:
    path = Path(str(url.database)).absolute()
    if not path.exists():
        raise sqlite3.OperationalError(f"there is no file {path}")
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA foreign_keys=ON")  # a row of ours must not point to nothing
    connection.execute("PRAGMA synchronous=FULL")  # what the record says is written is written
    register_unicode_upper(connection)
    return connection
