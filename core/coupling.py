"""The two sides, their column names, and the question whether they agree: for all pairs, or for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import types

from core.comparison import (
    Comparison,
    Side,
    Statements,
    as_level,
    can_be_named,
    compare_fast,
    compare_fully,
    some_statement,
    violation_of,
)
from core.errors import WatchedSchemaUnsuitable
from core.model import Kind, UserId, Violation
from core.normal_form import normalised
from core.pair_rows import as_text, bare, is_number, of_pair
from core.setting_groups import SideSettings
from core.watched import WatchedDatabase, case_mapping

_CAREFUL_CHECKS = 12

SideName = Literal["progress", "license"]


@dataclass(frozen=True, slots=True)
class SideRows:
    """The rows of one pair on one side, as they are now: column names and values in words."""

    side: SideName
    table: str
    rows: Sequence[Mapping[str, object]]
    levels: Sequence[int | float | None]


@dataclass(frozen=True, slots=True)
class PairNow:
    """Both sides of a pair in one snapshot."""

    progress: SideRows
    license: SideRows

    @property
    def kind(self) -> Kind | None:
        """How the sides disagree; None when they agree or there is no row at all."""
        progress, license_ = self.progress.levels, self.license.levels
        if len(progress) > 1 or len(license_) > 1:
            return Kind.DUPLICATE_ROWS
        if bool(progress) != bool(license_):
            return Kind.MISSING_LICENSE if progress else Kind.MISSING_PROGRESS
        if not progress or progress == license_ != [None]:
            return None
        return Kind.LEVEL_NOT_SET if None in (progress[0], license_[0]) else Kind.LEVEL_MISMATCH

    def level(self, side: SideName) -> int | None:
        """The side's level; a duplicated side's highest."""
        levels = self.progress.levels if side == "progress" else self.license.levels
        highest = max((level for level in levels if level is not None), default=None)
        return None if highest is None else int(highest)


class ProgressLicenseCoupler:
    """Compares the progress side with the licence side of a watched database. Reads only."""

    def __init__(self, watched: WatchedDatabase, progress: SideSettings, license: SideSettings) -> None:
        self._watched = watched
        self._settings: dict[SideName, SideSettings] = {"progress": progress, "license": license}
        self._tables: dict[SideName, sa.Table] | None = None
        self._statements: Statements | None = None
        self._in_vain = 0  # checks until the fast statement is tried again

    @property
    def label(self) -> str:
        """Which database and which columns are compared: two couplers with one label look at the same thing."""
        sides = " = ".join(
            f"{side.table}({side.user_column}, {side.specialization_column}, {side.level_column})"
            for side in self._settings.values()
        )
        return f"{self._watched.label} {sides}"

    @contextmanager
    def compare(self, *, careful: bool | None = None) -> Iterator[Comparison]:
        """Compare all pairs in one snapshot: totals at once, violations as they stream. Raises CheckImpossible.

        `careful` leaves out the fast statement; the result is the same. By default it is left out for a while after it was
        tried in vain: where there are duplicates that agree, or names that are not in their normal form, it always is.
        """
        with self._looking_afresh(), self._watched.snapshot() as connection:
            statements = self._build(connection)
            comparison = None
            if not (self._in_vain if careful is None else careful):
                self._in_vain = _CAREFUL_CHECKS  # stays when the statement fails, for example by taking too long
                comparison = compare_fast(connection, statements)
                if comparison is not None:
                    self._in_vain = 0
            else:
                self._in_vain = max(self._in_vain - 1, 0)
            yield comparison or compare_fully(connection, statements)

    def violations_of(self, users: Sequence[UserId] | None) -> Iterator[Sequence[Violation]]:
        """The violations of some users, or of all (None), in a new snapshot, some thousand at a time. Raises CheckImpossible."""
        with self._looking_afresh(), self._watched.snapshot() as connection:
            statements = self._build(connection)
            sides = self._sides(self._reflect(connection), case_mapping(connection))
            if users is None or not all(can_be_named(self._watched.dialect, side.user, users) for side in sides):
                yield from compare_fully(connection, statements).chunks()
            else:
                rows = connection.execute(some_statement(self._watched.dialect, *sides, users))
                yield [violation_of(row) for row in rows]

    def validate_consistency(self, user_id: UserId, specialization: str) -> dict[str, object]:
        """Whether one pair agrees right now, in the words of the earlier implementation.

        Keys: `consistent, message, progress_exists, license_exists, recommended_action`, then `level` when both agree on one,
        else `progress_level, license_level, difference` (progress minus licence; None when a level is unknown).
        """
        pair = self.pair_now(user_id, specialization)
        kind, progress, license_ = pair.kind, pair.level("progress"), pair.level("license")
        answer: dict[str, object] = {
            "consistent": kind is None,
            "message": _message(pair),
            "progress_exists": bool(pair.progress.rows),
            "license_exists": bool(pair.license.rows),
            "recommended_action": kind.action.value if kind else None,
        }
        if kind is None and progress is not None:
            return {**answer, "level": progress}
        known = progress is not None and license_ is not None
        difference = progress - license_ if known and progress is not None and license_ is not None else None
        return {**answer, "progress_level": progress, "license_level": license_, "difference": difference}

    def pair_now(self, user_id: UserId, specialization: str) -> PairNow:
        """Both sides of one pair, read in one snapshot; every column of the tables. Raises CheckImpossible."""
        with self._looking_afresh(), self._watched.snapshot() as connection:
            sides = self._reflect(connection)
            progress, license_ = (self._rows(connection, name, sides[name], user_id, specialization) for name in sides)
        return PairNow(progress, license_)

    @property
    def database_label(self) -> str:
        """Which database this is, without user or password."""
        return self._watched.label

    @property
    def writers_wait(self) -> bool:
        """Whether the application's writers wait while a check reads (SQLite without WAL)."""
        return self._watched.writers_wait

    def ping(self) -> None:
        """Open a snapshot and close it. Raises CheckImpossible."""
        with self._watched.snapshot():
            pass

    def indexed_columns(self) -> Mapping[SideName, set[str]]:
        """For each side the columns that stand first in an index or the primary key. Raises CheckImpossible."""
        leading: dict[SideName, set[str]] = {}
        with self._watched.snapshot() as connection:
            inspector = sa.inspect(connection)
            for name, table in self._reflect(connection).items():
                indexes: list[Sequence[str | None]] = [
                    index["column_names"] for index in inspector.get_indexes(table.name, table.schema)
                ]
                indexes.append(inspector.get_pk_constraint(table.name, table.schema)["constrained_columns"])
                leading[name] = {columns[0] for columns in indexes if columns and columns[0]}
        return leading

    def tables(self) -> Mapping[SideName, sa.Table]:
        """Both tables as they are in the database.

        Raises CheckImpossible, also when a mapped column is missing or of a wrong type.
        """
        with self._watched.snapshot() as connection:
            return self._reflect(connection)

    def _rows(self, connection: sa.Connection, name: SideName, table: sa.Table, user_id: UserId, specialization: str) -> SideRows:
        settings, dialect = self._settings[name], self._watched.dialect
        wanted = of_pair(dialect, table, settings, case_mapping(connection), user_id, specialization)
        statement = sa.select(*(bare(dialect, column) for column in table.c)).where(wanted)
        rows = [dict(row) for row in connection.execute(statement).mappings()]
        return SideRows(name, settings.table, rows, [_number(row[settings.level_column]) for row in rows])

    def _build(self, connection: sa.Connection) -> Statements:
        tables = self._reflect(connection)
        if self._statements is None:
            sides = self._sides(tables, case_mapping(connection))
            self._statements = Statements.of(self._watched.dialect, *sides)
        return self._statements

    def _sides(self, tables: Mapping[SideName, sa.Table], mapping: str | None) -> tuple[Side, Side]:
        columns = {
            name: [table.c[getattr(self._settings[name], f"{role}_column")] for role in ("user", "specialization", "level")]
            for name, table in tables.items()
        }
        users: list[sa.ColumnElement[Any]] = [columns["progress"][0], columns["license"][0]]
        padded = any(isinstance(user.type, types.CHAR) for user in users)
        if padded or not _comparable(users[0].type, users[1].type):  # one side keeps ids as text: both are compared as text
            users = [sa.cast(user, sa.Text) for user in users]
        progress, license_ = (
            Side(
                table=tables[name],
                user=bare(self._watched.dialect, user),
                raw_specialization=as_text(columns[name][1]),
                specialization=normalised(as_text(columns[name][1]), mapping),
                level=bare(self._watched.dialect, columns[name][2]),
            )
            for name, user in zip(tables, users, strict=True)
        )
        return progress, license_

    @contextmanager
    def _looking_afresh(self) -> Iterator[None]:
        """After a disagreement about the schema the tables are read anew: the application may have migrated."""
        try:
            yield
        except WatchedSchemaUnsuitable:
            self._tables = self._statements = None
            raise

    def _reflect(self, connection: sa.Connection) -> dict[SideName, sa.Table]:
        if self._tables is None:
            inspector = sa.inspect(connection)
            self._tables = {name: reflected(inspector, settings) for name, settings in self._settings.items()}
        return self._tables


def _number(value: Any) -> int | float | None:
    """What is no number is no level. Fractions stay, so that 3.5 and 3.7 differ here as they do in the comparison."""
    return None if as_level(value) is None else value if isinstance(value, int) else float(value)


def reflected(inspector: sa.Inspector, settings: SideSettings) -> sa.Table:
    """A side's table as it is. Raises WatchedSchemaUnsuitable when a mapped column is missing or of a wrong type."""
    schema, _, name = settings.table.rpartition(".")
    try:
        found = inspector.get_columns(name, schema=schema or None)
    except sa.exc.NoSuchTableError:
        available = sorted([*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)])
        listed = ", ".join(available[:12]) or "no table at all"
        raise WatchedSchemaUnsuitable(f"There is no table {settings.table}; the database has {listed}.") from None
    kinds = {column["name"]: column["type"] for column in found}
    wanted = (settings.user_column, settings.specialization_column, settings.level_column)
    missing = [column for column in wanted if column not in kinds]
    if missing:
        raise WatchedSchemaUnsuitable(
            f"The table {settings.table} has no column {' and no column '.join(missing)}; it has {', '.join(list(kinds)[:20])}."
        )
    level = kinds[settings.level_column]
    if not is_number(level):
        raise WatchedSchemaUnsuitable(f"{settings.table}.{settings.level_column} is {level}, and a level must be a number.")
    specialization = kinds[settings.specialization_column]
    if not isinstance(specialization, types.String | types.Enum | types.NullType):
        raise WatchedSchemaUnsuitable(
            f"{settings.table}.{settings.specialization_column} is {specialization}, and a specialization must be text."
        )
    columns = [sa.Column(column["name"], column["type"], nullable=column["nullable"]) for column in found]
    return sa.Table(name, sa.MetaData(), *columns, schema=schema or None)


def _comparable(one: types.TypeEngine[Any], other: types.TypeEngine[Any]) -> bool:
    groups = (types.Integer | types.Numeric | types.Float, types.String, types.Uuid, types.NullType)
    return any(isinstance(one, group) and isinstance(other, group) for group in groups)


def _message(pair: PairNow) -> str:
    progress, license_ = pair.level("progress"), pair.level("license")
    match pair.kind:
        case None if not pair.progress.rows:
            return "Neither side has a row."
        case None:
            return f"Both sides agree on level {progress}."
        case Kind.DUPLICATE_ROWS:
            rows = f"{len(pair.progress.rows)} progress rows and {len(pair.license.rows)} licence rows"
            return f"{rows}: at most one of each may exist."
        case Kind.MISSING_LICENSE:
            return f"Progress is at level {progress}, but there is no licence."
        case Kind.MISSING_PROGRESS:
            return f"The licence is at level {license_}, but there is no progress."
        case Kind.LEVEL_NOT_SET:
            return "A level is not set."
        case Kind.LEVEL_MISMATCH:
            return f"Progress is at level {progress}, the licence at level {license_}."
