"""Which violation logs were looked at already, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from core.state import log_lists
from core.state.bulk import insert_columns
from core.state.parts import is_one_of
from core.state.schema import known_logs, log_folders


class LogOutcome(StrEnum):
    """What came of a log that was found."""

    OWN = "own"  # this product wrote it; its history row was there already
    IMPORTED = "imported"  # it became a row of history
    DUPLICATE = "duplicate"  # the same log was read before, under another name
    BROKEN = "broken"  # it cannot be read; looked at again when it changes
    EARLY = "early"  # it is dated in the future; looked at again until its time has come


UNREAD = (LogOutcome.BROKEN, LogOutcome.EARLY)


class KnownLog(NamedTuple):
    """A log as it was when it was looked at: one row of the table."""

    path: str
    size: int
    mtime_ns: int
    digest: str | None
    outcome: LogOutcome
    problem: str | None = None
    dated: datetime | None = None  # the moment that it says; None when it cannot be read

    def is_of(self, size: int, mtime_ns: int) -> bool:
        """Whether the file is as it was. One that changed may have become whole."""
        return (self.size, self.mtime_ns) == (size, mtime_ns)


def settled(connection: sa.Connection, folder: str) -> set[str]:
    """The paths in a folder that nobody needs to look at again: all but those that could not be read."""
    within = known_logs.c.path.startswith(folder, autoescape=True)
    statement = sa.select(known_logs.c.path).where(within, known_logs.c.outcome.not_in(UNREAD))
    return {*connection.execute(statement).scalars(), *log_lists.paths_in(connection, folder)}


def forget(connection: sa.Connection, paths: Iterable[str]) -> None:
    """The files were taken away."""
    gone = [{"gone": path} for path in paths]
    if gone:
        connection.execute(sa.delete(known_logs).where(known_logs.c.path == sa.bindparam("gone")), gone)


def remember(connection: sa.Connection, logs: Sequence[KnownLog]) -> None:
    """Keep what came of logs, in place of what was known of them."""
    columns = dict(zip(KnownLog._fields, zip(*logs, strict=True), strict=False))
    insert_columns(connection, known_logs, columns, replacing=True)


def taken(connection: sa.Connection, first: datetime, last: datetime) -> set[tuple[str, str]]:
    """Path and digest of logs dated from `first` to `last` that were taken into history, maybe with some of other moments.

    What is the same is dated the same, so no other log can hold any of these. Earlier versions did not write that moment down.
    """
    dated = sa.or_(known_logs.c.dated.between(first, last), known_logs.c.dated.is_(None))
    whole = known_logs.c.outcome.in_([LogOutcome.OWN, LogOutcome.IMPORTED])
    single = connection.execute(sa.select(known_logs.c.path, known_logs.c.digest).where(dated, whole))
    return {*((path, digest) for path, digest in single), *log_lists.contents_between(connection, first, last)}


def named(connection: sa.Connection, name: str) -> Sequence[str]:
    """The paths of all logs of a file name that were looked at, in whatever place."""
    ends_so = known_logs.c.path.endswith(f"/{name}", autoescape=True)
    single = connection.execute(sa.select(known_logs.c.path).where(ends_so)).scalars()
    return sorted({*single, *log_lists.named(connection, name)})


def broken(connection: sa.Connection) -> Sequence[KnownLog]:
    """The logs that cannot be read, or not yet, by path."""
    statement = sa.select(known_logs).where(known_logs.c.outcome.in_(UNREAD)).order_by(known_logs.c.path)
    return [
        KnownLog(row.path, row.size, row.mtime_ns, row.digest, LogOutcome(row.outcome), row.problem, row.dated)
        for row in connection.execute(statement)
    ]


def at_paths(connection: sa.Connection, paths: Iterable[str]) -> Mapping[str, str | None]:
    """Those of these paths at which single logs were looked at: the digest, or None where it could not be read."""
    if connection.execute(sa.select(known_logs.c.path).limit(1)).first() is None:  # few are kept singly, in most places none
        return {}
    looked_at = sa.select(known_logs.c.path, known_logs.c.digest).where(is_one_of(known_logs.c.path, paths, connection.dialect))
    return {row.path: row.digest for row in connection.execute(looked_at)}


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A folder or an archive as it was when it was read to the end."""

    mtime_ns: int
    logs: int


def place(connection: sa.Connection, path: str) -> KnownPlace | None:
    """What is known of a folder or an archive."""
    row = connection.execute(sa.select(log_folders).where(log_folders.c.path == path)).one_or_none()
    return None if row is None else KnownPlace(row.mtime_ns, row.logs)


def remember_place(connection: sa.Connection, path: str, known: KnownPlace) -> None:
    """A folder or an archive was read to the end."""
    connection.execute(sa.delete(log_folders).where(log_folders.c.path == path))
    connection.execute(sa.insert(log_folders).values(path=path, **asdict(known)))
