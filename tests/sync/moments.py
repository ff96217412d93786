"""To be there at a certain moment of a run: right before a statement or a commit of the watched database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from tests.sync.application import WholePostgresql


def _is_ours(connection: sa.Connection) -> bool:
    """Whether this is the connection that writes to the watched PostgreSQL."""
    raw: Any = connection.connection.driver_connection
    return isinstance(raw, psycopg.Connection) and "sync" in raw.info.get_parameters().get("application_name", "")


@contextmanager
def before_commit(do: Callable[[sa.Connection], object], *, number: int = 1) -> Iterator[None]:
    """Do something right before a run commits to PostgreSQL for the so-manieth time, after it noted that it would."""
    seen = 0

    def commit(connection: sa.Connection) -> None:
        nonlocal seen
        if _is_ours(connection):
            seen += 1
            if seen == number:
                do(connection)

    sa.event.listen(sa.Engine, "commit", commit)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "commit", commit)
    assert seen >= number, "there was no such moment"


@contextmanager
def before_statement(beginning: str, do: Callable[[sa.Connection], object], *, every_time: bool = False) -> Iterator[None]:
    """Do something right before a run's first statement on PostgreSQL that begins so."""
    seen = 0

    def execute(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        nonlocal seen
        if statement.startswith(beginning) and _is_ours(connection):
            seen += 1
            if seen == 1 or every_time:
                do(connection)

    sa.event.listen(sa.Engine, "before_cursor_execute", execute)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", execute)
    assert seen, "there was no such moment"


def end_its_connection(application: WholePostgresql) -> Callable[[sa.Connection], None]:
    """The server ends the connection, as it does when it is restarted."""

    def end(connection: sa.Connection) -> None:
        raw: Any = connection.connection.driver_connection
        application.execute("SELECT pg_terminate_backend(%s, 5000)", (raw.info.backend_pid,))

    return end


def commit_and_end_its_connection(application: WholePostgresql) -> Callable[[sa.Connection], None]:
    """The server commits, and its answer is lost."""

    def end(connection: sa.Connection) -> None:
        raw: Any = connection.connection.driver_connection
        raw.pgconn.send_query(b"COMMIT")
        idle = "SELECT state = 'idle' FROM pg_stat_activity WHERE pid = %s"
        while not application.execute(idle, (raw.info.backend_pid,))[0][0]:
            pass
        end_its_connection(application)(connection)

    return end


@contextmanager
def nobody_comes_in(application: WholePostgresql, server: str) -> Iterator[Callable[[], None]]:
    """New connections to the application's database are refused, until what this gives is called, or the end."""
    name = application.url.database

    def allow(answer: str) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {answer}")

    allow("false")
    try:
        yield lambda: allow("true")
    finally:
        allow("true")
