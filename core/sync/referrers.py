"""Who refers to a row that is to be removed: its database might remove those rows with it, without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.sync.change import Part, Row
from core.sync.statements import by_key
from core.sync.tables import AsIs, Tables
from core.sync.writable import PairRefused


@dataclass(frozen=True, slots=True)
class Referrer:
    """A table whose rows refer to those of another, and by which columns."""

    table: sa.Table
    columns: Sequence[str]
    referred: Sequence[str]  # columns of the table that is referred to, in the same order


def referrers(connection: sa.Connection, tables: Tables, part: Part) -> Sequence[Referrer]:
    """The tables with a foreign key to a part's table, in every schema."""
    target = tables.targets[part].table
    inspector = sa.inspect(connection)
    default = inspector.default_schema_name
    schemas = [None] if connection.dialect.name == "sqlite" else list(inspector.get_schema_names())
    found = []
    for schema in schemas:
        for (_, name), keys in inspector.get_multi_foreign_keys(schema=schema).items():
            for key in keys:
                place = key["referred_schema"] or schema or default, key["referred_table"]
                if place == (target.schema or default, target.name):
                    columns = key["constrained_columns"]
                    table = sa.Table(name, sa.MetaData(), *(sa.Column(one) for one in columns), schema=schema)
                    found.append(Referrer(table, columns, key["referred_columns"] or tables.targets[part].key))
    return found


def referring_to(connection: sa.Connection, tables: Tables, found: Sequence[Referrer], row: Row, ours: Row | None) -> str | None:
    """The first table with rows that refer to a row, `ours` in the list of licence changes left out; None when there is none.

    Raises PairRefused when that cannot be looked up.
    """
    for one in found:
        if connection.dialect.name == "postgresql":
            name = connection.dialect.identifier_preparer.format_table(one.table)
            if not connection.execute(sa.select(sa.func.has_table_privilege(name, "SELECT"))).scalar():
                raise PairRefused(f"Whether rows of {one.table.fullname} refer to it may not be looked up.")
        pairs = zip(one.columns, one.referred, strict=True)
        refers = sa.and_(*(one.table.c[column] == sa.literal(row[referred], AsIs()) for column, referred in pairs))
        count = sa.select(sa.func.count()).select_from(one.table).where(refers)
        rows = int(connection.execute(count).scalar_one())
        if ours is not None and _is_list(tables, one.table):
            mine = sa.select(sa.func.count()).select_from(tables.targets[Part.PROGRESSION].table)
            rows -= int(connection.execute(mine.where(by_key(tables, Part.PROGRESSION, ours))).scalar_one())
        if rows > 0:
            return one.table.fullname
    return None


def _is_list(tables: Tables, table: sa.Table) -> bool:
    listed = tables.targets.get(Part.PROGRESSION)
    return listed is not None and listed.table.name == table.name and listed.table.schema in (table.schema, None)
