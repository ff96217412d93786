"""Logs that became rows of history, kept as lists: one row for all that were taken from a place at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from core.state.schema import log_lists

_FEW = 500  # logs


def add(connection: sa.Connection, place: str, logs: Sequence[tuple[str, str, datetime]]) -> None:
    """Keep some logs of a folder or an archive: the path, the digest and the moment of each.

    A few join the few that came before, so that logs that come one by one do not make a list each.
    """
    if not logs:
        return
    paths, digests, moments = map(list, zip(*logs, strict=True))
    names = [path.removeprefix(_path(place, "")) for path in paths]
    newest = sa.select(log_lists).where(log_lists.c.place == place).order_by(log_lists.c.id.desc()).limit(1)
    if len(logs) < _FEW and (last := connection.execute(newest).one_or_none()) and len(last.names) < _FEW:
        connection.execute(sa.delete(log_lists).where(log_lists.c.id == last.id))
        names, digests = last.names + names, last.digests + digests
        moments += [last.first_dated, last.last_dated]
    row = {"first_dated": min(moments), "last_dated": max(moments), "names": names, "digests": digests}
    connection.execute(sa.insert(log_lists).values(place=place, **row))


def paths_in(connection: sa.Connection, place: str) -> set[str]:
    """All paths that lists name in a folder or an archive."""
    lists = connection.execute(sa.select(log_lists.c.names).where(log_lists.c.place == place)).scalars()
    return {_path(place, name) for names in lists for name in names}


def contents_between(connection: sa.Connection, first: datetime, last: datetime) -> Iterator[tuple[str, str]]:
    """The path and digest of logs that are dated from `first` to `last`, maybe with some of other moments."""
    overlaps = sa.and_(log_lists.c.first_dated <= last, log_lists.c.last_dated >= first)
    for place, names, digests in connection.execute(
        sa.select(log_lists.c.place, log_lists.c.names, log_lists.c.digests).where(overlaps)
    ):
        yield from zip((_path(place, name) for name in names), digests, strict=True)


def named(connection: sa.Connection, name: str) -> Iterator[str]:
    """The paths of all listed logs of a file name, in whatever place."""
    lists = sa.select(log_lists.c.place, log_lists.c.names).where(
        sa.cast(log_lists.c.names, sa.Text).contains(name, autoescape=True)
    )
    for place, names in connection.execute(lists):
        yield from (_path(place, found) for found in names if found.rsplit("/", 1)[-1] == name)


def _path(place: str, name: str) -> str:
    return f"{place.rstrip('/')}/{name}"
