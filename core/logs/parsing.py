"""Reading many logs: side by side where there are enough of them, and with nothing but figures coming back."""

from __future__ import annotations

import gc
import os
import pickle
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
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
_STANDS_BACK = 10  # of 19, by which a reading process leaves a core to others
_AHEAD = 12  # chunks waiting for each process: enough to work on while a batch is taken


Found = FoundLog | str  # a path stands for a file
Listed = tuple[str, str, int | None, str, int | None, int | None]  # a `core.lives.Row`, in plain values
# Places in a table: what a log lists and the one before it does not, and the reverse; or all that it lists, and None.
Change = tuple[Sequence[int], Sequence[int] | None]


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
    change: Change | None  # since the last log in its chunk that has one; each pair is listed once
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
    table: Sequence[Listed]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Logs to be read at a time."""

    logs: Sequence[Found]
    held: int  # bytes in memory: none when its logs are files


def parse_all(found: Iterable[Found], largest: int, *, many: bool = False) -> Iterator[ParsedChunk]:
    """Read logs, in order, chunk by chunk. Files that went away meanwhile are left out.

    Where `many` are expected, processes begin before the first log is asked for, which may take as long.
    """
    chunks = _chunks(iter(found))
    first: list[_Chunk] = []
    while not many and not _is_much(first) and (chunk := next(chunks, None)):
        first.append(chunk)
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processes > 1 and (many or _is_much(first)):
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
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
        with suppress(BrokenProcessPool):  # which the first chunk will notice
            for _ in range(processes):  # each of these has a process begin
                pool.submit(os.getpid)
        while True:
            while len(waiting) < _AHEAD * processes and held < _MOST_HELD and (chunk := next(chunks, None)):
                held += chunk.held
                future = None
                if alive:
                    try:
                        future = pool.submit(_packed, chunk.logs, largest)
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


def _begin() -> None:
    """A process that reads stands back: it is the one that writes for which all others wait, beside a server's pages."""
    gc.disable()  # nothing here holds a cycle
    if hasattr(os, "nice"):
        os.nice(_STANDS_BACK)
    if asking := parent_process():
        Thread(target=_end_with, args=(asking.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """One that is killed tells nobody: whoever reads for it would wait for ever."""
    wait([sentinel])
    os._exit(1)


def _packed(found: Sequence[Found], largest: int) -> bytes:
    """What a process read, as bytes: those that wait cost nobody anything. Columns pass in half the time of logs."""
    logs, unread, table = _parsed(found, largest)
    return pickle.dumps((tuple(zip(*logs, strict=True)), list(map(tuple, unread)), table), pickle.HIGHEST_PROTOCOL)


def _unpacked(packed: bytes) -> ParsedChunk:
    columns, unread, table = pickle.loads(packed)  # noqa: S301 - our own process wrote it
    return ParsedChunk(list(map(ParsedLog._make, zip(*columns, strict=True))), list(map(UnreadLog._make, unread)), table)


def _stop_feeding(pool: ProcessPoolExecutor) -> None:
    """Let a pool whose workers died come to its end: before Python 3.12 it waits for ever for its thread that is still writing to
    them (python/cpython#94777). Without a reader that write ends."""
    queue: Any = getattr(pool, "_call_queue", None)
    if queue is not None:
        queue._reader.close()


def _chunks(found: Iterator[Found]) -> Iterator[_Chunk]:
    logs: list[Found] = []
    held = 0
    for log in found:
        logs.append(log)
        if not isinstance(log, str) and log.data:
            held += len(log.data)
        if len(logs) == _CHUNK or held > _CHUNK_BYTES:
            yield _Chunk(logs, held)
            logs, held = [], 0
    if logs:
        yield _Chunk(logs, held)


def _parsed(found: Sequence[Found], largest: int) -> ParsedChunk:
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


def _read(log: Found, largest: int, reader: LogReader[int], table: _Table) -> ParsedLog | UnreadLog | None:
    whole = loaded(log, largest) if isinstance(log, str) else log
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
    """What the logs of a chunk list, and what the last one did."""

    def __init__(self) -> None:
        self.rows: list[Listed] = []
        self._places: dict[Listed, int] = {}
        self._pairs: dict[tuple[str, str], int] = {}  # with their first place
        self._sharing: set[int] = set()  # places that have their pair with another
        self._part: list[int] = []  # of each row
        self._alike: dict[tuple[str, Kind, int | None, int | None], tuple[str, str, int]] = {}
        self._tally = Tally()
        self._listed: set[int] = set()
        self._at: datetime | None = None

    def place_of(
        self, user: UserId, specialization: str, progress_level: int | None, license_level: int | None, kind: Kind
    ) -> int:
        """The place of a row."""
        text, number = (str(user), user) if isinstance(user, int) else (_storable(user), None)
        told = specialization, kind, progress_level, license_level
        name, kind_text, part = self._alike.get(told) or self._told_alike(*told)
        row = text, name, number, kind_text, progress_level, license_level
        place = self._places.setdefault(row, len(self.rows))
        if place == len(self.rows):
            self.rows.append(row)
            self._part.append(part)
            first = self._pairs.setdefault((text, name), place)
            if first != place:
                self._sharing |= {first, place}
        return place

    def _told_alike(
        self, specialization: str, kind: Kind, progress_level: int | None, license_level: int | None
    ) -> tuple[str, str, int]:
        """What all rows of these have: a name, a kind, and a part of the tally."""
        name, direction = _storable(specialization), direction_of(kind, progress_level, license_level)
        found = name, kind.value, self._tally.number_of((name, kind.value, direction.value))
        self._alike[specialization, kind, progress_level, license_level] = found
        return found

    def taken_down(self, found: FoundLog, log: ReadLog[int]) -> ParsedLog:
        totals = log.totals
        by_kind = breakdown = change = None
        if log.lists_all:
            change = self._change_to(log.violations, log.timestamp)
            once = len(self._listed) == len(log.violations)
            breakdown = self._tally.breakdown() if once else self._tally.breakdown_of(self._parts(log.violations))
        else:
            by_kind = self._tally.by_kind(self._parts(log.violations))
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
            by_kind,
            breakdown,
            change,
            log.in_maintenance,
        )

    def _change_to(self, places: Sequence[int], at: datetime) -> Change:
        """Told by what changed where that is less, and where logs come in the order of their time, in which they will be read."""
        listed = set(places)
        sharing = listed & self._sharing
        if len(sharing) > 1 and len({self.rows[place][:2] for place in sharing}) < len(sharing):  # taken at its first word
            listed = set({self.rows[place][:2]: place for place in reversed(places)}.values())
        appeared, gone = listed - self._listed, self._listed - listed
        self._tally.change(self._parts(appeared), self._parts(gone))
        follows = self._at is not None and self._at < at and len(appeared) + len(gone) < len(listed)
        self._listed, self._at = listed, at
        return (tuple(appeared), tuple(gone)) if follows else (tuple(listed), None)

    def _parts(self, places: Iterable[int]) -> Iterator[int]:
        return map(self._part.__getitem__, places)


def _storable(text: str) -> str:
    """PostgreSQL takes every character but one."""
    return text.replace("\x00", "\ufffd")
