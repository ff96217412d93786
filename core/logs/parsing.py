"""Reading many logs: side by side where there are enough of them, and with nothing but figures coming back."""

from __future__ import annotations

import gc
import os
import pickle
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from multiprocessing import get_context
from typing import Any, NamedTuple

from core.breakdown import Tally
from core.errors import LogBroken
from core.logs.reading import LogReader, ReadLog, digest_of
from core.logs.sources import FoundLog, loaded
from core.model import Kind, UserId, direction_of

_CHUNK = 500  # logs that one process reads at a time
_CHUNK_BYTES = 2_000_000
_MOST_HELD = 64_000_000  # bytes of an archive's logs that wait to be read
_WORTH_PROCESSES = 10_000  # logs; fewer are read before a process has begun
_AHEAD = 12  # chunks waiting for each process: enough to work on while a batch is taken


Listing = tuple[str, str, int | None, str, int | None, int | None]  # a `core.lives.Row`, in plain values


class ParsedLog(NamedTuple):
    """What a log says, in plain values, which pass quickly from process to process."""

    path: str
    size: int
    mtime_ns: int
    digest: str
    timestamp: datetime
    figures: tuple[int, int, int, int]  # of its totals
    check_id: str | None
    by_kind: str | None  # JSON: how many violations of each kind it lists; None when the breakdown tells
    breakdown: str | None  # JSON: see `core.breakdown`; None, and the same below, when it does not list all that it counts
    rows: Sequence[int] | None  # places in the table beside it, one for each pair
    in_maintenance: bool = False

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class UnreadLog(NamedTuple):
    """A log that cannot be read, and why."""

    path: str
    size: int
    mtime_ns: int
    problem: str


class ParsedChunk(NamedTuple):
    """Some logs, in the order in which they were found, and the rows that they speak of."""

    logs: Sequence[ParsedLog]
    unread: Sequence[UnreadLog]
    table: Sequence[Listing]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Logs to be read at a time."""

    logs: Sequence[FoundLog]
    held: int  # bytes in memory: none when its logs are files


def parse_all(found: Iterable[FoundLog], largest: int) -> Iterator[ParsedChunk]:
    """Read logs, in order, chunk by chunk. Files that went away meanwhile are left out."""
    chunks = _chunks(iter(found))
    first: list[_Chunk] = []
    while not _is_much(first) and (chunk := next(chunks, None)):
        first.append(chunk)
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processes > 1 and _is_much(first):
        yield from _side_by_side(chain(first, chunks), largest, processes)
    else:
        for chunk in chain(first, chunks):
            yield _parsed(chunk.logs, largest)


def _is_much(chunks: Sequence[_Chunk]) -> bool:
    return sum(len(chunk.logs) for chunk in chunks) >= _WORTH_PROCESSES or sum(chunk.held for chunk in chunks) >= _MOST_HELD


def _side_by_side(chunks: Iterator[_Chunk], largest: int, processes: int) -> Iterator[ParsedChunk]:
    """Fresh processes, not forked ones: a server's threads would leave them locks that nobody opens."""
    waiting: deque[tuple[_Chunk, Future[bytes] | None]] = deque()
    held, alive = 0, True
    with ProcessPoolExecutor(processes, get_context("spawn"), gc.disable) as pool:
        while True:
            while len(waiting) < _AHEAD * processes and held < _MOST_HELD and (chunk := next(chunks, None)):
                held += chunk.held
                future = None
                if alive:
                    try:
                        future = pool.submit(_packed, list(map(tuple, chunk.logs)), largest)
                    except BrokenProcessPool:
                        _stop_feeding(pool)
                        alive = False
                waiting.append((chunk, future))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            held -= chunk.held
            try:
                parsed = _unpacked(future.result()) if future else _parsed(chunk.logs, largest)
            except BrokenProcessPool:  # killed for its memory, or not allowed to begin
                _stop_feeding(pool)
                alive, parsed = False, _parsed(chunk.logs, largest)
            yield parsed


def _packed(found: Sequence[tuple[Any, ...]], largest: int) -> bytes:
    """What a process read, as bytes: those that wait cost nobody anything. Plain tuples pass in a third of the time of others."""
    parsed = _parsed(list(map(FoundLog._make, found)), largest)
    logs, unread = (list(map(tuple, logs)) for logs in (parsed.logs, parsed.unread))
    return pickle.dumps((logs, unread, parsed.table), pickle.HIGHEST_PROTOCOL)


def _unpacked(packed: bytes) -> ParsedChunk:
    logs, unread, table = pickle.loads(packed)  # noqa: S301 - our own process wrote it
    return ParsedChunk(list(map(ParsedLog._make, logs)), list(map(UnreadLog._make, unread)), table)


def _stop_feeding(pool: ProcessPoolExecutor) -> None:
    """Let a pool whose workers died come to its end: before Python 3.12 it waits for ever for its thread that is still writing to
    them (python/cpython#94777). Without a reader that write ends."""
    queue: Any = getattr(pool, "_call_queue", None)
    if queue is not None:
        queue._reader.close()


def _chunks(found: Iterator[FoundLog]) -> Iterator[_Chunk]:
    logs: list[FoundLog] = []
    held = 0
    for log in found:
        logs.append(log)
        if log.data:
            held += len(log.data)
        if len(logs) == _CHUNK or held > _CHUNK_BYTES:
            yield _Chunk(logs, held)
            logs, held = [], 0
    if logs:
        yield _Chunk(logs, held)


def _parsed(found: Sequence[FoundLog], largest: int) -> ParsedChunk:
    table = _Table()
    reader = LogReader(table.place_of)
    logs: list[ParsedLog] = []
    unread: list[UnreadLog] = []
    for log in found:
        read = _read(log, largest, reader, table)
        if isinstance(read, ParsedLog):
            logs.append(read)
        elif read is not None:
            unread.append(read)
    return ParsedChunk(logs, unread, table.rows)


def _read(log: FoundLog, largest: int, reader: LogReader[int], table: _Table) -> ParsedLog | UnreadLog | None:
    whole = log if log.data is not None or log.problem else loaded(log, largest)
    if whole is None:
        return None
    problem = whole.problem
    if whole.data is not None and not problem:
        try:
            return table.taken_down(whole, reader.parse(whole.data))
        except LogBroken as broken:
            problem = str(broken)
    return UnreadLog(whole.path, whole.size, whole.mtime_ns, problem or "it cannot be read")


class _Table:
    """The rows of a chunk."""

    def __init__(self) -> None:
        self.rows: list[Listing] = []
        self._pairs: dict[tuple[str, str], int] = {}  # with their first place
        self._sharing: set[int] = set()  # places that have their pair with another
        self._part: list[int] = []  # of each row
        self._tally = Tally()

    def place_of(
        self, user: UserId, specialization: str, progress_level: int | None, license_level: int | None, kind: Kind
    ) -> int:
        """The place of a new row."""
        text, number = (str(user), user) if isinstance(user, int) else (_storable(user), None)
        name = _storable(specialization)
        self.rows.append((text, name, number, kind.value, progress_level, license_level))
        self._part.append(self._tally.number_of((name, kind.value, direction_of(kind, progress_level, license_level).value)))
        place = len(self.rows) - 1
        first = self._pairs.setdefault((text, name), place)
        if first != place:
            self._sharing |= {first, place}
        return place

    def taken_down(self, found: FoundLog, log: ReadLog[int]) -> ParsedLog:
        totals, rows = log.totals, log.violations
        whole, parts = log.lists_all, map(self._part.__getitem__, rows)
        return ParsedLog(
            found.path,
            found.size,
            found.mtime_ns,
            digest_of(found.data or b""),
            log.timestamp,
            (
                totals.total_checked,
                totals.inconsistent,
                totals.unidentified_progress_rows,
                totals.unidentified_license_rows,
            ),
            log.check_id,
            None if whole else self._tally.by_kind(parts),
            self._tally.breakdown(parts) if whole else None,
            self._one_a_pair(rows) if whole else None,
            log.in_maintenance,
        )

    def _one_a_pair(self, places: Sequence[int]) -> Sequence[int]:
        """A log that lists a pair twice is taken at its first word."""
        sharing = self._sharing.intersection(places)
        if len({self.rows[place][:2] for place in sharing}) == len(sharing):
            return places
        return list({self.rows[place][:2]: place for place in reversed(places)}.values())


def _storable(text: str) -> str:
    """PostgreSQL takes every character but one."""
    return text.replace("\x00", "\ufffd")
