"""The application that is watched: its two tables on a real engine, and the changes that its own code makes to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
from sqlalchemy.engine import URL, make_url

from core.coupling import ProgressLicenseCoupler
from core.setting_groups import LicenseSettings, ProgressSettings
from core.watched import WatchedDatabase

Row = tuple[Any, Any, Any]  # user, specialization, level

_PROGRESS = "specialization_progress"
_LICENSES = "user_licenses"


class Application:
    """One of both engines. Rows are (user, specialization, level); everything is committed at once."""

    mark: str  # a parameter's place in a statement
    key: str  # an integer primary key that counts by itself
    unlogged: str

    def __init__(
        self,
        url: URL,
        *,
        user: str | tuple[str, str] = "bigint",
        specialization: str = "varchar(50)",
        level: str = "integer",
    ) -> None:
        """The types are those of the three columns that matter; a pair of user types is (progress, licence)."""
        self.url = url
        self.connection = self._connect()
        progress_user, license_user = (user, user) if isinstance(user, str) else user
        # Neither table forbids NULL or duplicates here: the check must cope with what a schema lets through.
        self.execute(
            f"CREATE {self.unlogged} TABLE {_PROGRESS} (id {self.key}, student_id {progress_user}, "
            f"specialization_id {specialization}, current_level {level} DEFAULT 1, total_xp integer DEFAULT 0, "
            "last_activity timestamp)"
        )
        self.execute(
            f"CREATE {self.unlogged} TABLE {_LICENSES} (id {self.key}, user_id {license_user}, "
            f"specialization_type {specialization}, current_level {level} DEFAULT 1, max_achieved_level integer, "
            "is_active boolean)"
        )

    # --- how it is looked at ------------------------------------------------------------------------------------------

    def watched(self, statement_timeout: int = 30, connect_timeout: int = 5) -> WatchedDatabase:
        return WatchedDatabase(self.url, statement_timeout, connect_timeout)

    def coupler(self, **sides: Any) -> ProgressLicenseCoupler:
        return ProgressLicenseCoupler(
            self.watched(), sides.get("progress", ProgressSettings()), sides.get("license", LicenseSettings())
        )

    # --- what it does -------------------------------------------------------------------------------------------------

    def progress(self, user: Any, specialization: Any = "PLAYER", level: Any = 1) -> Self:
        return self.add([(user, specialization, level)], [])

    def license(self, user: Any, specialization: Any = "PLAYER", level: Any = 1) -> Self:
        return self.add([], [(user, specialization, level)])

    def pair(self, user: Any, specialization: Any = "PLAYER", progress: Any = 1, license: Any = 1) -> Self:
        return self.add([(user, specialization, progress)], [(user, specialization, license)])

    def agreeing(self, users: Iterable[int], specialization: str = "PLAYER", level: int = 1) -> Self:
        rows = [(user, specialization, level) for user in users]
        return self.add(rows, rows)

    def disagreeing(self, users: Iterable[int], specialization: str = "PLAYER") -> Self:
        users = list(users)
        return self.add([(user, specialization, 2) for user in users], [(user, specialization, 1) for user in users])

    def add(self, progress: Sequence[Row], licenses: Sequence[Row]) -> Self:
        with self.transaction():
            self._insert(progress, licenses)
        return self

    def replace_all(self, progress: Sequence[Row], licenses: Sequence[Row]) -> Self:
        """Forget every row and take these instead."""
        with self.transaction():
            self.execute(f"DELETE FROM {_PROGRESS}")
            self.execute(f"DELETE FROM {_LICENSES}")
            self._insert(progress, licenses)
        return self

    def set_license_level(self, user: Any, level: Any, specialization: str = "PLAYER") -> Self:
        self.execute(
            f"UPDATE {_LICENSES} SET current_level = {self.mark} "
            f"WHERE user_id = {self.mark} AND specialization_type = {self.mark}",
            (level, user, specialization),
        )
        return self

    def delete_license(self, user: Any, specialization: str = "PLAYER") -> Self:
        self.execute(
            f"DELETE FROM {_LICENSES} WHERE user_id = {self.mark} AND specialization_type = {self.mark}", (user, specialization)
        )
        return self

    def delete_everything(self) -> Self:
        return self.replace_all([], [])

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()

    def _insert(self, progress: Sequence[Row], licenses: Sequence[Row]) -> None:
        marks = ", ".join([self.mark] * 3)
        cursor = self.connection.cursor()
        if progress:
            cursor.executemany(
                f"INSERT INTO {_PROGRESS} (student_id, specialization_id, current_level) VALUES ({marks})", progress
            )
        if licenses:
            cursor.executemany(
                f"INSERT INTO {_LICENSES} (user_id, specialization_type, current_level) VALUES ({marks})", licenses
            )
        cursor.close()

    def _connect(self) -> Any:
        raise NotImplementedError


class SqliteApplication(Application):
    mark = "?"
    key = "integer PRIMARY KEY"
    unlogged = ""

    def __init__(self, path: Path, **types: Any) -> None:
        super().__init__(URL.create("sqlite", database=str(path)), **types)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(str(self.url.database), isolation_level=None, timeout=0.2, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        return connection


class PostgresqlApplication(Application):
    mark = "%s"
    key = "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
    unlogged = "UNLOGGED"

    def __init__(self, url: str, **types: Any) -> None:
        super().__init__(make_url(url).set(drivername="postgresql+psycopg"), **types)

    def _connect(self) -> psycopg.Connection[Any]:
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(plain, autocommit=True)
        connection.execute("SET lock_timeout = '2s'")
        return connection
