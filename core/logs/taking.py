"""Taking logs that were read into the state database: history, lives, and what came of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from core.lives import Key, Levels, Row, Rows
from core.logs.parsing import ParsedChunk, ParsedLog, UnreadLog
from core.state import history, known_logs
from core.state.known_logs import KnownLog, LogOutcome
from core.state.lives_of_logs import take_readings
from core.status import Thresholds

_MOST_LISTED = 2_000_000  # violations in a batch

Listed = frozenset[int]  # by a log: places in a batch's rows


class Batch:
    """Logs that are taken together, and the rows that they list."""

    def __init__(self) -> None:
        self.logs: list[tuple[ParsedLog, Listed]] = []
        self.unread: list[UnreadLog] = []
        self.rows = Rows()
        self.listed = 0

    def __len__(self) -> int:
        return len(self.logs) + len(self.unread)

    def add(self, chunk: ParsedChunk) -> None:
        places = [
            self.rows.place_of(Row(text, name, number, Levels(kind, progress, license_)))
            for text, name, number, kind, progress, license_ in chunk.table
        ]
        listed = [frozenset(map(places.__getitem__, log.rows or ())) for log in chunk.logs]
        self.logs += zip(chunk.logs, listed, strict=True)
        self.unread += chunk.unread
        self.listed += sum(map(len, listed))


def batches(chunks: Iterable[ParsedChunk], size: int) -> Iterator[Batch]:
    """Chunks put together until they hold about `size` logs, or very many violations.

    The first ones are smaller: then there is something to take while the processes that read have only begun.
    """
    batch, enough = Batch(), max(size // 8, 1)
    for chunk in chunks:
        batch.add(chunk)
        if len(batch) >= enough or batch.listed >= _MOST_LISTED:
            yield batch
            batch, enough = Batch(), min(2 * enough, size)
    if batch:
        yield batch


def take(connection: sa.Connection, batch: Batch, latest: datetime, thresholds: Thresholds) -> Sequence[KnownLog]:
    """Take those logs into history and lives that nobody has taken before and that are not dated after `latest`.

    What came of each that was not known at its path. Call in one transaction.
    """
    sorter = _Sorter(connection, batch, latest)
    for log, listed in batch.logs:
        sorter.sort(log, listed)
    for unread in batch.unread:
        sorter.name(unread)
    fresh = sorted(sorter.fresh, key=lambda one: one[0].timestamp)
    numbers = history.record_imported(connection, [log for log, _ in fresh], thresholds)
    readings = {
        Key(log.timestamp, number): listed
        for number, (log, listed) in zip(numbers, fresh, strict=True)
        if log.rows is not None and log.figures[0]
    }
    take_readings(connection, readings, batch.rows)
    outcomes = list(sorter.outcomes.values())
    known_logs.remember(connection, outcomes)
    return outcomes


class _Sorter:
    """Tells new logs from those that are known, broken or of tomorrow."""

    def __init__(self, connection: sa.Connection, batch: Batch, latest: datetime) -> None:
        self.fresh: list[tuple[ParsedLog, Listed]] = []
        self.outcomes: dict[str, KnownLog] = {}
        logs = [log for log, _ in batch.logs]
        dates = [log.timestamp for log in logs]
        self._ours = history.known_check_ids(connection, [log.check_id for log in logs if log.check_id])
        self._taken = known_logs.taken(connection, min(dates), max(dates)) if dates else set()
        self._at_paths = dict(
            known_logs.contents_of(connection, [*(log.path for log in logs), *(log.path for log in batch.unread)])
        )
        self._latest = latest

    def sort(self, log: ParsedLog, listed: Listed) -> None:
        """Tell what a log is."""
        digest = log.digest
        known = self._at_paths.get(log.path)
        if known == digest:
            return
        path = log.path if known is None else _beside(log.path, digest)
        if log.timestamp > self._latest:
            problem = f"it is dated in the future, {log.timestamp:%Y-%m-%d %H:%M} UTC; it is read when that time has come"
            self.outcomes[path] = KnownLog(path, log.size, log.mtime_ns, None, LogOutcome.EARLY, problem)
            return
        self._at_paths[log.path] = digest
        outcome = self._outcome_of(log, listed)
        self.outcomes[path] = KnownLog(path, log.size, log.mtime_ns, digest, outcome, None, log.timestamp)

    def name(self, log: UnreadLog) -> None:
        """A log that cannot be read is broken."""
        path = _beside(log.path, "unread") if log.path in self._at_paths else log.path
        self.outcomes[path] = KnownLog(path, log.size, log.mtime_ns, None, LogOutcome.BROKEN, log.problem)

    def _outcome_of(self, log: ParsedLog, listed: Listed) -> LogOutcome:
        if log.check_id in self._ours:
            return LogOutcome.OWN
        if log.digest in self._taken:
            return LogOutcome.DUPLICATE
        self._taken.add(log.digest)
        if log.check_id is not None:
            self._ours.add(log.check_id)
        self.fresh.append((log, listed))
        return LogOutcome.IMPORTED


def _beside(path: str, what: str) -> str:
    """An archive may hold two of a name, or be replaced: what was read there before stays known."""
    return f"{path}#{what[:8]}"
