"""The application that is repaired: both its tables with all their columns, its users, and its list of licence changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from tests.application import Application, PostgresqlApplication, SqliteApplication

PROGRESS, LICENSES, USERS, LIST = "specialization_progress", "user_licenses", "users", "license_progressions"

TableRow = dict[str, Any]
Contents = dict[str, list[TableRow]]


@dataclass(frozen=True)
class Schema:
    """What the application's schema is like. The defaults are the contract's."""

    user: str | tuple[str, str] = "integer"  # the type of ids on the progress and the licence side
    strict: bool = True  # NOT NULL where the contract has it
    optional: bool = True  # the licence's other columns
    keys: bool = True  # both sides have a primary key
    users: bool = True
    progressions: bool = True
    more_progress: str = ""  # columns or constraints to add
    more_license: str = ""
    moment: str = "timestamp"
    more_list: str = ""
    references: bool = True  # the list's rows must lead to a licence

    @property
    def user_types(self) -> tuple[str, str]:
        return (self.user, self.user) if isinstance(self.user, str) else self.user

    def statements(self, key: str, unlogged: str) -> Iterable[str]:
        """Make the tables; `key` is an integer primary key that counts by itself."""
        no_null = "NOT NULL" if self.strict else ""
        identity = f"id {key}, " if self.keys else ""
        yield f"CREATE {unlogged} TABLE specializations (id varchar(50) PRIMARY KEY, is_active boolean)"
        progress_user, license_user = self.user_types
        yield (
            f"CREATE {unlogged} TABLE {PROGRESS} ({identity}student_id {progress_user} {no_null}, "
            f"specialization_id varchar(50) {no_null}, current_level integer DEFAULT 1, total_xp integer NOT NULL DEFAULT 0, "
            f"completed_sessions integer DEFAULT 0, last_activity {self.moment}, "
            f"created_at {self.moment} NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at {self.moment} {self.more_progress})"
        )
        optional = (
            f", max_achieved_level integer, started_at {self.moment} NOT NULL DEFAULT CURRENT_TIMESTAMP, "
            f"last_advanced_at {self.moment}, is_active boolean NOT NULL DEFAULT TRUE, issued_at {self.moment}, "
            f"expires_at {self.moment}"
        )
        yield (
            f"CREATE {unlogged} TABLE {LICENSES} ({identity}user_id {license_user} {no_null}, "
            f"specialization_type varchar(20) {no_null}, current_level integer {no_null} DEFAULT 1"
            f"{optional if self.optional else ''} {self.more_license})"
        )
        if self.users:
            yield f"CREATE {unlogged} TABLE {USERS} (id {progress_user} PRIMARY KEY)"
        if self.progressions:
            reference = f"NOT NULL REFERENCES {LICENSES} (id)" if self.keys and self.references else ""
            yield (
                f"CREATE {unlogged} TABLE {LIST} (id {key}, user_license_id integer {reference}, from_level integer, "
                "to_level integer NOT NULL, advanced_by integer, advancement_reason text, requirements_met text, "
                f"created_at {self.moment} DEFAULT CURRENT_TIMESTAMP{self.more_list})"
            )

    @property
    def tables(self) -> Sequence[str]:
        """Those that are there, each after those that it refers to."""
        wanted = {USERS: self.users, LIST: self.progressions}
        return [name for name in ("specializations", USERS, PROGRESS, LICENSES, LIST) if wanted.get(name, True)]


class Whole(Application):
    """Whole tables of an application, in and out."""

    schema: Schema

    def fill(self, contents: Mapping[str, Sequence[TableRow]]) -> None:
        """Forget every row and take these instead."""
        with self.transaction():
            for table in reversed(self.schema.tables):
                self.execute(f"DELETE FROM {table}")
            for table in self.schema.tables:
                for row in contents.get(table, []):
                    marks = ", ".join([self.mark] * len(row))
                    self.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def contents(self) -> Contents:
        """Every row of every table, as the driver gives it."""
        return {table: self.rows(f"SELECT * FROM {table}") for table in self.schema.tables}

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[TableRow]:
        cursor = self.connection.cursor()
        cursor.execute(statement, values)
        names = [column[0] for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        cursor.close()
        return found

    def bytes(self) -> dict[str, list[str]]:
        """Every row of every table exactly as it is kept."""
        raise NotImplementedError

    def moment(self, at: datetime) -> Any:
        """A moment as a column of this application holds it."""
        raise NotImplementedError


class WholeSqlite(SqliteApplication, Whole):
    def __init__(self, path: Path, schema: Schema | None = None) -> None:
        self.schema = schema or Schema()
        self.url = URL.create("sqlite", database=str(path))
        self.connection = self._connect()
        for statement in self.schema.statements("integer PRIMARY KEY", ""):
            self.execute(statement)

    def bytes(self) -> dict[str, list[str]]:
        found = {}
        for table in self.schema.tables:
            names = [row[1] for row in self.execute(f"PRAGMA table_info({table})")]
            exactly = " || '|' || ".join(f"typeof({name}) || ':' || quote({name})" for name in names)
            found[table] = sorted(row[0] for row in self.execute(f"SELECT {exactly} FROM {table}"))
        return found

    def moment(self, at: datetime) -> Any:
        return f"{at:%Y-%m-%d %H:%M:%S.%f}"


class WholePostgresql(PostgresqlApplication, Whole):
    def __init__(self, url: str, schema: Schema | None = None) -> None:
        self.schema = schema or Schema()
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self.connection = self._connect()
        for statement in self.schema.statements("integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "UNLOGGED"):
            self.execute(statement)

    def fill(self, contents: Mapping[str, Sequence[TableRow]]) -> None:
        super().fill(contents)
        for table in self.schema.tables:
            highest = max((row["id"] for row in contents.get(table, []) if isinstance(row.get("id"), int)), default=0)
            if table in (PROGRESS, LICENSES, LIST) and highest:  # these rows did not take their ids from the counter
                self.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, highest))

    def bytes(self) -> dict[str, list[str]]:
        return {
            table: sorted(row[0] for row in self.execute(f"SELECT kept::text FROM {table} AS kept"))
            for table in self.schema.tables
        }

    def moment(self, at: datetime) -> Any:
        return at.astimezone(UTC).replace(tzinfo=None)


NewWhole = Callable[..., Whole]
