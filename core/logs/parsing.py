"""Reading many logs: side by side where there are enough of them, and with nothing but figures coming back."""

from __future__ import annotations

import os
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from multiprocessing import get_context
from typing import NamedTuple

from core.breakdown import Part, as_json
from core.errors import LogBroken
from core.lives import Levels, Row
from core.logs.reading import LogReader, ReadLog, digest_of
from core.logs.sources import FoundLog, loaded
from core.model import Kind, Totals, Violation
from core.status import Thresholds

_CHUNK = 250  # logs that one process reads at a time
_CHUNK_BYTES = 8_000_000
_WORTH_PROCESSES = 2_000  # logs; fewer are read before a process has begun
_AHEAD = 3  # chunks waiting for each process


class ParsedLog(NamedTuple):
    """The figures of a log. `rows` are places in the table beside it, one for each pair; None when it does not name them all."""

    path: str
    size: int
    mtime_ns: int
    digest: str
    timestamp: datetime
    totals: Totals
    consistency_rate: Decimal | None
    check_id: str | None
    by_kind: Mapping[str, int]
    breakdown: Sequence[Sequence[str | int]] | None
    rows: array[int] | None

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
    first = list(islice(chunks, -(-_WORTH_PROCESSES // _CHUNK)))
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processes == 1 or sum(map(len, first)) < _WORTH_PROCESSES:
        parser = _Parser(largest, thresholds)
        yield from map(parser.parse, chain(first, chunks))
    else:
        yield from _side_by_side(chain(first, chunks), largest, thresholds, processes)


def _side_by_side(
    chunks: Iterator[Sequence[FoundLog]], largest: int, thresholds: Thresholds, processes: int
) -> Iterator[ParsedChunk]:
    """Fresh processes, not forked ones: a server's threads would leave them locks that nobody opens."""
    here = _Parser(largest, thresholds)
    waiting: deque[tuple[Sequence[FoundLog], Future[ParsedChunk]]] = deque()
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (largest, thresholds)) as pool:
        alive = True
        while True:
            for chunk in islice(chunks, _AHEAD * processes - len(waiting)):
                if alive:
                    try:
                        waiting.append((chunk, pool.submit(_parse, chunk)))
                        continue
                    except BrokenProcessPool:
                        alive = False
                failed: Future[ParsedChunk] = Future()
                failed.set_exception(BrokenProcessPool())
                waiting.append((chunk, failed))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            try:
                parsed = future.result()
            except BrokenProcessPool:  # killed for its memory, or not allowed to begin
                alive, parsed = False, here.parse(chunk)
            yield parsed


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
        self._parts: list[Part] = []
        self._part_places: dict[Part, int] = {}

    def taken_down(self, found: FoundLog, log: ReadLog) -> ParsedLog:
        places = [self._place_of(violation) for violation in log.violations]
        counts = Counter(map(self._part.__getitem__, places))
        breakdown = {self._parts[part]: count for part, count in counts.items()}
        by_kind: Counter[str] = Counter()
        for (_, kind, _), count in breakdown.items():
            by_kind[kind.value] += count
        return ParsedLog(
            found.path,
            found.size,
            found.mtime_ns,
            digest_of(found.data or b""),
            log.timestamp,
            log.totals,
            log.consistency_rate,
            log.check_id,
            dict(by_kind),
            as_json(breakdown) if log.lists_all else None,
            array("I", self._one_a_pair(places)) if log.lists_all else None,
        )

    def _place_of(self, violation: Violation) -> int:
        place = self._place.get(id(violation))
        if place is None:
            place = self._place[id(violation)] = len(self.rows)
            user = violation.user_id
            text, number = str(user), user if isinstance(user, int) else None
            self._kept.append(violation)
            levels = Levels(violation.kind.value, violation.progress_level, violation.license_level)
            self.rows.append(Row(text, violation.specialization, number, levels))
            self._pair.append(self._pairs.setdefault((text, violation.specialization), len(self._pairs)))
            self._part.append(self._part_of((violation.specialization, violation.kind, violation.direction)))
        return place

    def _part_of(self, part: Part) -> int:
        place = self._part_places.setdefault(part, len(self._parts))
        if place == len(self._parts):
            self._parts.append(part)
        return place

    def _one_a_pair(self, places: Sequence[int]) -> Iterable[int]:
        """A log that lists a pair twice is taken at its first word."""
        pairs = {self._pair[place]: place for place in reversed(places)}
        return places if len(pairs) == len(places) else pairs.values()


_parser: _Parser | None = None  # of this process, when it is one of several


def _begin(largest: int, thresholds: Thresholds) -> None:
    global _parser
    _parser = _Parser(largest, thresholds)


def _parse(chunk: Sequence[FoundLog]) -> ParsedChunk:
    if _parser is None:
        raise RuntimeError("a process of the pool was not begun")
    return _parser.parse(chunk)


def kinds_of(log: ParsedLog) -> Mapping[Kind, int]:
    """How many violations of each kind a log lists."""
    return {Kind(kind): count for kind, count in log.by_kind.items()}
