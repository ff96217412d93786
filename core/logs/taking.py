"""Taking logs that were read into the state database: history, lives, and what came of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from core.lives import Key, Levels, Listing, Row, Rows
from core.logs.parsing import ParsedChunk, ParsedLog, UnreadLog
from core.state import history, known_logs, log_lists
from core.state.known_logs import KnownLog, LogOutcome
from core.state.lives_of_logs import take_readings
from core.status import Thresholds

_MOST_CHANGES = 2_000_000  # in a batch


class Batch:
    """Logs that are taken together, and the rows that they list."""

    def __init__(self) -> None:
        self.logs: list[tuple[ParsedLog, Listing | None]] = []
        self.unread: list[UnreadLog] = []
        self.rows = Rows()
        self.changes = 0  # violations that a log lists and the log before it does not, or the reverse

    def __len__(self) -> int:
        return len(self.logs) + len(self.unread)

    def add(self, chunk: ParsedChunk) -> None:
        places = [
            self.rows.place_of(Row(text, name, number, Levels(kind, progress, license_)))
            for text, name, number, kind, progress, license_ in chunk.table
        ]
        listing: Listing | None = None
        for log in chunk.logs:
            if log.change is None:
                self.logs.append((log, None))
                continue
            appeared, gone = log.change
            before, gone = (None, ()) if gone is None else (listing, gone)
            listing = Listing([places[place] for place in appeared], [places[place] for place in gone], before)
            self.logs.append((log, listing))
            self.changes += len(appeared) + len(gone)
        self.unread += chunk.unread


def batches(chunks: Iterable[ParsedChunk], size: int) -> Iterator[Batch]:
    """Chunks put together until they hold about `size` logs, or very much that changes.

    The first ones are smaller: then there is something to take while the processes that read have only begun.
    """
    batch, enough = Batch(), max(size // 8, 1)
    for chunk in chunks:
        batch.add(chunk)
        if len(batch) >= enough or batch.changes >= _MOST_CHANGES:
            yield batch
            batch, enough = Batch(), min(2 * enough, size)
    if batch:
        yield batch


class Taken(NamedTuple):
    """What came of the logs of a batch that were not known at their paths."""

    imported: Sequence[str]  # paths
    others: Sequence[KnownLog]


def take(connection: sa.Connection, place: Path, batch: Batch, latest: datetime, thresholds: Thresholds) -> Taken:
    """Take those logs of a folder or an archive into history and lives that nobody has taken before and that are not dated after
    `latest`. Call in one transaction."""
    sorter = _Sorter(connection, batch, latest)
    for log, listing in batch.logs:
        sorter.sort(log, listing)
    for unread in batch.unread:
        sorter.name(unread)
    fresh = sorted(sorter.fresh, key=lambda one: one[0].timestamp)
    numbers = history.record_imported(connection, [log for log, _ in fresh], thresholds)
    readings = {
        Key(log.timestamp, number): listing
        for number, (log, listing) in zip(numbers, fresh, strict=True)
        if listing is not None and log.figures[0]
    }
    take_readings(connection, readings, batch.rows)
    known_logs.forget(connection, sorter.mended)
    log_lists.add(connection, str(place), [(log.path, log.digest, log.timestamp) for log, _ in fresh])
    others = list(sorter.others.values())
    known_logs.remember(connection, others)
    return Taken([log.path for log, _ in fresh], others)


class _Sorter:
    """Tells new logs from those that are known, broken or of tomorrow."""

    def __init__(self, connection: sa.Connection, batch: Batch, latest: datetime) -> None:
        self.fresh: list[tuple[ParsedLog, Listing | None]] = []
        self.mended: list[str] = []  # paths where there was nothing to read before
        self.others: dict[str, KnownLog] = {}
        logs = [log for log, _ in batch.logs]
        dates = [log.timestamp for log in logs]
        paths = [*(log.path for log in logs), *(log.path for log in batch.unread)]
        self._ours = history.known_check_ids(connection, [log.check_id for log in logs if log.check_id])
        self._at_paths = known_logs.at_paths(connection, paths)
        self._contents = known_logs.taken(connection, min(dates), max(dates)) if dates else set()
        self._taken = {digest for _, digest in self._contents}
        self._latest = latest

    def sort(self, log: ParsedLog, listing: Listing | None) -> None:
        """Tell what a log is."""
        if self._at_paths.get(log.path) == log.digest or (log.path, log.digest) in self._contents:
            return
        if log.timestamp > self._latest:
            problem = f"it is dated in the future, {log.timestamp:%Y-%m-%d %H:%M} UTC; it is read when that time has come"
            self._note(log, LogOutcome.EARLY, problem)
        elif log.check_id in self._ours:
            self._note(log, LogOutcome.OWN, digest=log.digest, dated=log.timestamp)
        elif log.digest in self._taken:
            self._note(log, LogOutcome.DUPLICATE, digest=log.digest, dated=log.timestamp)
        else:
            self._taken.add(log.digest)
            if log.check_id is not None:
                self._ours.add(log.check_id)
            if self._at_paths.get(log.path, "") is None:
                self.mended.append(log.path)
            self.fresh.append((log, listing))

    def name(self, log: UnreadLog) -> None:
        """A log that cannot be read is broken."""
        self._note(log, LogOutcome.BROKEN, log.problem)

    def _note(
        self,
        log: ParsedLog | UnreadLog,
        outcome: LogOutcome,
        problem: str | None = None,
        digest: str | None = None,
        dated: datetime | None = None,
    ) -> None:
        """An archive may hold two of a name, or be replaced: what was read there before stays known."""
        taken = log.path in self.others or self._at_paths.get(log.path)
        path = f"{log.path}#{(digest or 'unread')[:8]}" if taken else log.path
        self.others[path] = KnownLog(path, log.size, log.mtime_ns, digest, outcome, problem, dated)
