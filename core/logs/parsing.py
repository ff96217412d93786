"""Reading many logs: side by side where there are enough of them, and with nothing but figures coming back."""

from __future__ import annotations

import gc
import os
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from multiprocessing import get_context
from typing import NamedTuple

from core.breakdown import as_json
from core.errors import LogBroken
from core.lives import Levels, Row
from core.logs.reading import LogReader, ReadLog, digest_of
from core.logs.sources import FoundLog, loaded
from core.model import Violation
from core.status import Thresholds

_CHUNK = 250  # logs that one process reads at a time
_CHUNK_BYTES = 2_000_000
_MOST_HELD = 64_000_000  # bytes of an archive's logs that wait to be read
_WORTH_PROCESSES = 10_000  # logs; fewer are read before a process has begun
_AHEAD = 24  # chunks waiting for each process: enough to work on while a batch is taken


class ParsedLog(NamedTuple):
    """What a log says, in plain values, which pass quickly from process to process."""

    path: str
    size: int
    mtime_ns: int
    digest: str
    timestamp: datetime
    figures: tuple[int, int, int, int]  # of its totals
    check_id: str | None
    breakdown: Sequence[Sequence[str | int]]  # of what it lists
    rows: array[int] | None  # places in the table beside it, one for each pair; None when it does not list all that it counts

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class UnreadLog(NamedTuple):
    """A log that cannot be read, and why."""

    path: str
    size: int
    mtime_ns: int
    problem: str


@dataclass(frozen=True, slots=True)
class ParsedChunk:
    """Some logs, in the order in which they were found, and the rows that they speak of."""

    logs: Sequence[ParsedLog | UnreadLog]
    table: Sequence[Row]


def parse_all(found: Iterable[FoundLog], largest: int, thresholds: Thresholds) -> Iterator[ParsedChunk]:
    """Read logs, in order, chunk by chunk. Files that went away meanwhile are left out."""
    chunks = _chunks(iter(found))
    first: list[Sequence[FoundLog]] = []
    while not _is_much(first) and (chunk := next(chunks, None)):
        first.append(chunk)
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processes > 1 and _is_much(first):
        yield from _side_by_side(chain(first, chunks), largest, thresholds, processes)
    else:
        parser = _Parser(largest, thresholds)
        yield from map(parser.parse, chain(first, chunks))


def _is_much(chunks: Sequence[Sequence[FoundLog]]) -> bool:
    return sum(map(len, chunks)) >= _WORTH_PROCESSES or sum(map(_size, chunks)) >= _MOST_HELD


def _side_by_side(
    chunks: Iterator[Sequence[FoundLog]], largest: int, thresholds: Thresholds, processes: int
) -> Iterator[ParsedChunk]:
    """Fresh processes, not forked ones: a server's threads would leave them locks that nobody opens."""
    here = _Parser(largest, thresholds)
    waiting: deque[tuple[Sequence[FoundLog], Future[ParsedChunk] | None]] = deque()
    held, alive = 0, True
    with _collector_at_rest(), ProcessPoolExecutor(processes, get_context("spawn"), _begin, (largest, thresholds)) as pool:
        while True:
            while len(waiting) < _AHEAD * processes and held < _MOST_HELD and (chunk := next(chunks, None)):
                held += _size(chunk)
                future = None
                if alive:
                    try:
                        future = pool.submit(_parse, chunk)
                    except BrokenProcessPool:
                        alive = False
                waiting.append((chunk, future))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            held -= _size(chunk)
            try:
                parsed = future.result() if future else here.parse(chunk)
            except BrokenProcessPool:  # killed for its memory, or not allowed to begin
                alive, parsed = False, here.parse(chunk)
            yield parsed
            gc.collect(1)  # of what others made meanwhile


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Figures come by the hundred thousand and hold no cycles: looking for some takes as long as all the rest."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _chunks(found: Iterator[FoundLog]) -> Iterator[Sequence[FoundLog]]:
    chunk: list[FoundLog] = []
    size = 0
    for log in found:
        chunk.append(log)
        size += len(log.data or b"")
        if len(chunk) == _CHUNK or size > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _size(chunk: Sequence[FoundLog]) -> int:
    """Bytes that it holds in memory: none when its logs are files."""
    return sum(len(log.data or b"") for log in chunk)


class _Parser:
    """Reads chunks one after another."""

    def __init__(self, largest: int, thresholds: Thresholds) -> None:
        self._largest = largest
        self._reader = LogReader(thresholds)

    def parse(self, chunk: Sequence[FoundLog]) -> ParsedChunk:
        table = _Table()
        logs = [parsed for log in chunk if (parsed := self._read(log, table)) is not None]
        return ParsedChunk(logs, table.rows)

    def _read(self, log: FoundLog, table: _Table) -> ParsedLog | UnreadLog | None:
        whole = log if log.data is not None or log.problem else loaded(log, self._largest)
        if whole is None:
            return None
        problem = whole.problem
        if whole.data is not None and not problem:
            try:
                return table.taken_down(whole, self._reader.parse(whole.data))
            except LogBroken as broken:
                problem = str(broken)
        return UnreadLog(whole.path, whole.size, whole.mtime_ns, problem or "it cannot be read")


class _Table:
    """The rows of a chunk, each once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._kept: list[Violation] = []  # so that no two have the same identity
        self._place: dict[int, int] = {}  # of a violation, by its identity
        self._pair: list[int] = []  # of each row
        self._pairs: dict[tuple[str, str], int] = {}
        self._part: list[int] = []  # of each row
        self._parts: list[tuple[str, str, str]] = []
        self._part_places: dict[tuple[str, str, str], int] = {}
        self._breakdowns: dict[frozenset[tuple[int, int]], Sequence[Sequence[str | int]]] = {}  # logs in a row are often alike

    def taken_down(self, found: FoundLog, log: ReadLog) -> ParsedLog:
        try:
            rows = list(map(self._place.__getitem__, map(id, log.violations)))
        except KeyError:  # some are new
            rows = list(map(self._place_of, log.violations))
        counts = Counter(map(self._part.__getitem__, rows))
        totals = log.totals
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
            self._breakdown(frozenset(counts.items())),
            array("I", self._one_a_pair(rows)) if log.lists_all else None,
        )

    def _place_of(self, violation: Violation) -> int:
        place = self._place.setdefault(id(violation), len(self.rows))
        if place == len(self.rows):
            user = violation.user_id
            text, number = _storable(str(user)), user if isinstance(user, int) else None
            name = _storable(violation.specialization)
            levels = Levels(violation.kind.value, violation.progress_level, violation.license_level)
            self._kept.append(violation)
            self.rows.append(Row(text, name, number, levels))
            self._pair.append(self._pairs.setdefault((text, name), len(self._pairs)))
            self._part.append(self._part_of((name, violation.kind.value, violation.direction.value)))
        return place

    def _breakdown(self, counts: frozenset[tuple[int, int]]) -> Sequence[Sequence[str | int]]:
        known = self._breakdowns.get(counts)
        if known is None:
            entries = as_json((self._parts[part], count) for part, count in counts)
            known = self._breakdowns[counts] = tuple(map(tuple, entries))
        return known

    def _part_of(self, part: tuple[str, str, str]) -> int:
        place = self._part_places.setdefault(part, len(self._parts))
        if place == len(self._parts):
            self._parts.append(part)
        return place

    def _one_a_pair(self, places: Sequence[int]) -> Iterable[int]:
        """A log that lists a pair twice is taken at its first word."""
        pairs = {self._pair[place]: place for place in reversed(places)}
        return places if len(pairs) == len(places) else pairs.values()


def _storable(text: str) -> str:
    """PostgreSQL takes every character but one."""
    return text.replace("\x00", "\ufffd")


_parser: _Parser | None = None  # of this process, when it is one of several


def _begin(largest: int, thresholds: Thresholds) -> None:
    global _parser
    _parser = _Parser(largest, thresholds)


def _parse(chunk: Sequence[FoundLog]) -> ParsedChunk:
    if _parser is None:
        raise RuntimeError("a process of the pool was not begun")
    return _parser.parse(chunk)
