"""The tables that a repair reads and writes, as they are in the watched database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import types

from core.coupling import reflected
from core.model import UserId
from core.normal_form import normalised_name
from core.pair_rows import is_number, of_pair
from core.setting_groups import LicenseSettings, SideSettings
from core.settings import Settings
from core.sync.change import Part, Row, Value
from core.watched import case_mapping

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENTS = ("created_at", "updated_at", "started_at", "issued_at", "last_activity")  # a new row's, where they must be filled


class AsIs(types.UserDefinedType[Value]):
    """The type of what is bound as it is: the database takes it for what its column is."""

    cache_ok = True


@dataclass(frozen=True, slots=True)
class Target:
    """One table, how its rows are found, and which of its columns a repair looks at."""

    part: Part
    table: sa.Table
    key: Sequence[str]  # the columns of its primary key, if there is one
    unfilled: Sequence[str]  # that may not be NULL and are filled by nobody
    settings: SideSettings | None = None

    @property
    def side(self) -> SideSettings:
        """The names of a side's columns."""
        if self.settings is None:
            raise ValueError(f"{self.table.name} is no side of the coupling")
        return self.settings

    def has(self, column: str) -> bool:
        return column in self.table.c

    @property
    def guarded(self) -> Sequence[str]:
        """The columns that must not have changed between plan and write."""
        side = self.side
        wanted = [*self.key, side.user_column, side.specialization_column, side.level_column]
        if isinstance(side, LicenseSettings):
            wanted += [side.active_column, side.highest_level_column, side.advanced_at_column]
        return [name for name in dict.fromkeys(wanted) if self.has(name)]


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that a repair reads and writes."""

    dialect: str
    case_mapping: str | None
    targets: Mapping[Part, Target]  # without PROGRESSION where there is no such table
    users: sa.Column[Any] | None  # the ids of all users, where there is such a table

    @classmethod
    def of(cls, connection: sa.Connection, settings: Settings) -> Self:
        """As they are at this moment. Raises WatchedSchemaUnsuitable when a side is not as the settings say."""
        inspector = sa.inspect(connection)
        targets = {
            part: _target(inspector, part, reflected(inspector, side), side)
            for part, side in ((Part.PROGRESS, settings.progress), (Part.LICENSE, settings.license))
        }
        near = targets[Part.LICENSE].table.schema
        progressions = _optional(inspector, settings.sync.progressions_table, near)
        if progressions is not None and len(targets[Part.LICENSE].key) == 1 and "user_license_id" in progressions.c:
            targets[Part.PROGRESSION] = _target(inspector, Part.PROGRESSION, progressions, None)
        users = _optional(inspector, settings.sync.users_table, near)
        column = None if users is None else users.c.get(settings.sync.users_column)
        return cls(connection.dialect.name, case_mapping(connection), targets, column)

    def rows_of_pair(self, part: Part, user_id: UserId, specialization: str) -> sa.ColumnElement[bool]:
        """Whether a row of a side belongs to a pair."""
        target = self.targets[part]
        return of_pair(self.dialect, target.table, target.side, self.case_mapping, user_id, specialization)

    def read(self, part: Part, names: Sequence[str] | None = None) -> list[sa.ColumnElement[Any]]:
        """Columns, by default all, in the form in which a record keeps them: see `core.sync.change.Value`."""
        table = self.targets[part].table
        return [self._exactly(table.c[name]).label(name) for name in names or [column.name for column in table.c]]

    def _exactly(self, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        """What comes back unchanged when it is bound again: SQLite's values bare, PostgreSQL's as text."""
        return sa.type_coerce(column, types.NullType()) if self.dialect == "sqlite" else sa.cast(column, sa.Text)

    def value(self, number: int) -> Value:
        """A whole number as a record keeps it."""
        return number if self.dialect == "sqlite" else str(number)

    def moment(self, at: datetime) -> Value:
        """A moment in UTC: with its zone where the database knows zones; a column without one leaves it out."""
        utc = at.astimezone(UTC)
        return f"{utc:%Y-%m-%d %H:%M:%S.%f}" if self.dialect == "sqlite" else utc.isoformat(" ", "microseconds")

    def fillings(self, target: Target, given: Row, now: datetime) -> Row | str:
        """What a new row needs beside what is given, because nobody else fills it; in a sentence what cannot be known."""
        filled: dict[str, Value] = {}
        for name in target.unfilled:
            if name in given:
                continue
            column = target.table.c[name]
            if name in _MOMENTS and isinstance(column.type, types.DateTime | types.Date):
                filled[name] = self.moment(now)
            elif isinstance(target.settings, LicenseSettings) and name == target.settings.active_column:
                filled[name] = 1 if self.dialect == "sqlite" else "true"
            else:
                return f"A new row of {target.table.fullname} needs a {name}, which has no default."
        return filled

    def bound(self, row: Row) -> dict[str, Any]:
        """Values to be written, each as it is."""
        return {name: sa.literal(value, AsIs()) for name, value in row.items()}


def may_read(connection: sa.Connection, column: sa.Column[Any]) -> bool:
    """Whether we may read a column of a table that is there."""
    if connection.dialect.name != "postgresql":
        return True
    name = connection.dialect.identifier_preparer.format_table(column.table)
    return bool(connection.execute(sa.select(sa.func.has_column_privilege(name, column.name, "SELECT"))).scalar())


def write_texts_alike(connection: sa.Connection) -> None:
    """Let the database write values the same way in every session, whatever its roles are set to. Holds for this transaction."""
    if connection.dialect.name == "postgresql":
        alike = {
            "TimeZone": "UTC",
            "DateStyle": "ISO, YMD",
            "IntervalStyle": "postgres",
            "bytea_output": "hex",
            "extra_float_digits": "1",
        }
        connection.execute(sa.select(*(sa.func.set_config(name, value, True) for name, value in alike.items())))


def spelled(column: sa.Column[Any], name: str) -> str:
    """A specialization as a column wants it: an enum's own spelling, or the normal form."""
    labels = column.type.enums if isinstance(column.type, types.Enum) else ()
    return next((label for label in labels if normalised_name(label) == name), name)


def fits(dialect: str, column: sa.Column[Any], text: str) -> bool:
    """Whether a name or an id may stand in a column, and is the same there."""
    kind = column.type
    if isinstance(kind, types.Enum):
        return spelled(column, text) in kind.enums
    if isinstance(kind, types.String):
        return kind.length is None or len(text) <= kind.length
    if isinstance(kind, types.Uuid):
        return _UUID.fullmatch(text) is not None
    if isinstance(kind, types.Integer):
        return _WHOLE.fullmatch(text) is not None and abs(int(text)) < 2 ** (63 if dialect == "sqlite" else _bits(kind))
    if is_number(kind) and not isinstance(kind, types.NullType):
        return _WHOLE.fullmatch(text) is not None or (dialect == "sqlite" and not _is_like_a_number(text))
    return True


def _bits(kind: types.Integer) -> int:
    return 63 if isinstance(kind, types.BigInteger) else 15 if isinstance(kind, types.SmallInteger) else 31


def _is_like_a_number(text: str) -> bool:
    """Whether SQLite would make a number of it, in a column of a type that it does not know."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _optional(inspector: sa.Inspector, name: str, near: str | None) -> sa.Table | None:
    """A table that need not be there; one without a schema is looked for beside the licences first."""
    schema, _, bare_name = name.rpartition(".")
    if not bare_name:
        return None
    for place in dict.fromkeys([schema or near, schema or None]):
        try:
            found = inspector.get_columns(bare_name, schema=place)
        except sa.exc.NoSuchTableError:
            continue
        columns = [sa.Column(column["name"], column["type"], nullable=column["nullable"]) for column in found]
        return sa.Table(bare_name, sa.MetaData(), *columns, schema=place)
    return None


def _target(inspector: sa.Inspector, part: Part, table: sa.Table, settings: SideSettings | None) -> Target:
    key = list(inspector.get_pk_constraint(table.name, table.schema)["constrained_columns"])
    counts_by_itself = len(key) == 1 and inspector.dialect.name == "sqlite" and isinstance(table.c[key[0]].type, types.Integer)
    unfilled = [
        column["name"]
        for column in inspector.get_columns(table.name, table.schema)
        if not column["nullable"]
        and column.get("default") is None
        and not column.get("identity")
        and not column.get("computed")
        and not (counts_by_itself and column["name"] == key[0])
    ]
    return Target(part, table, key, unfilled, settings)
