"""Taking violation logs that others wrote into history, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from core.errors import LogBroken
from core.state import history, known_logs
from core.state.database import StateDatabase
from core.state.known_logs import KnownLog, LogOutcome
from core.status import Thresholds
from core.violation_log import ReadLog, find_logs, read_log

_BATCH = 200

Progress = Callable[[int, int], None]  # logs done, logs to do


def no_progress(done: int, all_: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of looking through a folder."""

    imported: int
    already_known: int
    broken: Sequence[KnownLog]  # every log of the folder that cannot be read, also those found so before


def import_logs(
    state: StateDatabase, folder: Path, largest: int, thresholds: Thresholds, progress: Progress = no_progress
) -> ImportResult:
    """Read the logs of `folder` that are new, or were broken and have changed, into history.

    Cost when nothing is new: one listing of the folder, and of the paths known in it. A missing folder holds no logs; raises
    OSError when it cannot be listed. Call while holding the check's lease, so that a log of a running check is not taken for
    a foreign one.
    """
    folder = folder.absolute()
    try:
        found = list(find_logs(folder))
    except FileNotFoundError:
        return ImportResult(0, 0, [])
    with state.read() as connection:
        settled = known_logs.settled(connection, str(folder))
        broken = {log.path: log for log in known_logs.broken(connection) if Path(log.path).parent == folder}
    fresh = []
    for entry in found:
        if entry.path not in settled:
            with suppress(FileNotFoundError):  # taken away meanwhile
                stat = entry.stat()
                if entry.path not in broken or not broken[entry.path].is_of(stat.st_size, stat.st_mtime_ns):
                    fresh.append((Path(entry.path), stat.st_size, stat.st_mtime_ns))
    outcomes: list[KnownLog] = []
    progress(0, len(fresh))
    for start in range(0, len(fresh), _BATCH):
        batch = [
            _Found(path, size, mtime, _read(path, largest, thresholds)) for path, size, mtime in fresh[start : start + _BATCH]
        ]
        with state.write() as connection:
            outcomes += _take(connection, batch)
        progress(len(outcomes), len(fresh))
    gone = broken.keys() - {entry.path for entry in found}
    if gone:
        with state.write() as connection:
            known_logs.forget(connection, gone)
    still_broken = {path: log for path, log in broken.items() if path not in gone} | {log.path: log for log in outcomes}
    named = [log for _, log in sorted(still_broken.items()) if log.outcome is LogOutcome.BROKEN]
    imported = sum(log.outcome is LogOutcome.IMPORTED for log in outcomes)
    return ImportResult(imported, len(found) - imported - len(named), named)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file, and what it says with its digest, or why it cannot be read."""

    path: Path
    size: int
    mtime_ns: int
    content: tuple[ReadLog, str] | LogBroken


def _read(path: Path, largest: int, thresholds: Thresholds) -> tuple[ReadLog, str] | LogBroken:
    try:
        return read_log(path, largest, thresholds)
    except LogBroken as broken:
        return broken


def _take(connection: sa.Connection, batch: Sequence[_Found]) -> list[KnownLog]:
    """Take those logs of a batch into history that nobody has taken before; what came of each."""
    whole = [found.content for found in batch if not isinstance(found.content, LogBroken)]
    ours = history.known_check_ids(connection, [log.check_id for log, _ in whole if log.check_id])
    taken = known_logs.taken(connection, [digest for _, digest in whole])
    fresh: list[tuple[str, ReadLog]] = []

    def outcome_of(name: str, log: ReadLog, digest: str) -> LogOutcome:
        if log.check_id in ours:
            return LogOutcome.OWN
        if digest in taken:
            return LogOutcome.DUPLICATE
        taken.add(digest)
        if log.check_id is not None:
            ours.add(log.check_id)
        fresh.append((name, log))
        return LogOutcome.IMPORTED

    outcomes = []
    for found in batch:
        file = str(found.path), found.size, found.mtime_ns
        if isinstance(found.content, LogBroken):
            outcomes.append(KnownLog(*file, None, LogOutcome.BROKEN, str(found.content)))
        else:
            log, digest = found.content
            outcomes.append(KnownLog(*file, digest, outcome_of(found.path.name, log, digest)))
    history.record_imported(connection, fresh)
    known_logs.remember(connection, outcomes)
    return outcomes
