"""Whether the user who may write really may: asked of the database, without writing anything."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from core.settings import Settings
from core.sync.change import Part
from core.sync.tables import Tables
from core.sync.writable import WritableDatabase

_NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE")


def lacking_rights(database: WritableDatabase, settings: Settings) -> Sequence[str]:
    """What is missing, as "UPDATE on user_licenses"; nothing when all is there.

    On SQLite a transaction that may write is begun and given up. Raises SyncProblem, WatchedSchemaUnsuitable.
    """
    with database.transaction() as connection:
        tables = Tables.of(connection, settings)
        if connection.dialect.name != "postgresql":
            return []
        return [
            f"{right} on {target.table.fullname}"
            for target in tables.targets.values()
            for right in _NEEDED
            if not _may(connection, target.table, right)
        ]


def tables_in_words(database: WritableDatabase, settings: Settings) -> str:
    """Which of the tables are there that a sync uses beside the two sides."""
    with database.transaction() as connection:
        tables = Tables.of(connection, settings)
    listed = Part.PROGRESSION in tables.targets
    users = "users are looked up" if tables.users is not None else f"there is no {settings.sync.users_table} to look users up in"
    changes = "is told of changes" if listed else "is not there, or does not fit"
    return f"{settings.sync.progressions_table} {changes}; {users}"


def _may(connection: sa.Connection, table: sa.Table, right: str) -> bool:
    name = connection.dialect.identifier_preparer.format_table(table)
    return bool(connection.execute(sa.select(sa.func.has_table_privilege(name, right))).scalar())
