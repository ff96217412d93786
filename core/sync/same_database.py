"""Whether what is written is what is read: an address that leads elsewhere would mend a copy, and no user's level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from core.errors import WritesElsewhere
from core.sync.writable import WritableDatabase
from core.watched import WatchedDatabase


def require_same_database(reader: WatchedDatabase, writable: WritableDatabase) -> None:
    """See that both lead to the same database, or to replicas of one. Raises WritesElsewhere, CheckImpossible, SyncProblem.

    Where PostgreSQL does not tell which server it is, both are believed.
    """
    if writable.dialect == "sqlite":
        if not _same_file(reader.url, writable.url):
            raise WritesElsewhere
        return
    with reader.snapshot() as connection:
        read = _identity(connection)
    with writable.look() as connection:
        written = _identity(connection)
    if None not in (read, written) and read != written:
        raise WritesElsewhere


def _same_file(one: URL, other: URL) -> bool:
    paths = [Path(str(url.database)).absolute() for url in (one, other)]
    try:
        return paths[0].samefile(paths[1])
    except OSError:  # a file that is not there is named by whoever opens it
        return True


def _identity(connection: sa.Connection) -> tuple[Any, ...] | None:
    """The number that a PostgreSQL server and its physical replicas share, and the database in it."""
    may = sa.func.has_function_privilege("pg_control_system()", "EXECUTE")
    try:
        if not connection.execute(sa.select(may)).scalar():
            return None
        system = sa.func.pg_control_system().table_valued("system_identifier")
        return tuple(connection.execute(sa.select(system.c.system_identifier, sa.func.current_database())).one())
    except DBAPIError:  # a service that speaks PostgreSQL's language and is none
        return None
