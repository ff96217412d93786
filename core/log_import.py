"""Taking violation logs that others wrote into history, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    Cost: one listing of the folder when nothing is new. A folder that does not exist holds no logs; raises OSError when it
    cannot be listed. Call while holding the check's lease, so that a log of a running check is not taken for a foreign one.
    """
    folder = folder.absolute()
    try:
        found = [(Path(entry.path), entry.stat()) for entry in find_logs(folder)]
    except FileNotFoundError:
        return ImportResult(0, 0, [])
    with state.read() as connection:
        known = known_logs.load(connection, str(folder))
    fresh = []
    for path, stat in found:
        log = known.get(str(path))
        if log is None or not log.is_settled(stat.st_size, stat.st_mtime_ns):
            fresh.append((path, stat.st_size, stat.st_mtime_ns))
    outcomes: list[KnownLog] = []
    progress(0, len(fresh))
    for start in range(0, len(fresh), _BATCH):
        batch = [(path, size, mtime, _read(path, largest, thresholds)) for path, size, mtime in fresh[start : start + _BATCH]]
        with state.write() as connection:
            for path, size, mtime, content in batch:
                log = _take(connection, path, size, mtime, content)
                known_logs.remember(connection, log)
                outcomes.append(log)
        progress(len(outcomes), len(fresh))
    gone = [
        log for log in known.values() if log.outcome is LogOutcome.BROKEN and log.path not in {str(path) for path, _ in found}
    ]
    if gone:
        with state.write() as connection:
            for log in gone:
                known_logs.forget(connection, log)
    imported = sum(log.outcome is LogOutcome.IMPORTED for log in outcomes)
    looked_at = {log.path for log in outcomes}
    broken = [log for log in outcomes if log.outcome is LogOutcome.BROKEN] + [
        log for log in known.values() if log.outcome is LogOutcome.BROKEN and log.path not in looked_at and log not in gone
    ]
    return ImportResult(imported, len(found) - imported - len(broken), sorted(broken, key=lambda log: log.path))


def _read(path: Path, largest: int, thresholds: Thresholds) -> tuple[ReadLog, str] | LogBroken:
    try:
        return read_log(path, largest, thresholds)
    except LogBroken as broken:
        return broken


def _take(connection: sa.Connection, path: Path, size: int, mtime_ns: int, content: tuple[ReadLog, str] | LogBroken) -> KnownLog:
    if isinstance(content, LogBroken):
        return KnownLog(str(path), size, mtime_ns, None, LogOutcome.BROKEN, str(content))
    log, digest = content
    if log.check_id is not None and history.find(connection, log.check_id) is not None:
        return KnownLog(str(path), size, mtime_ns, digest, LogOutcome.OWN)
    if known_logs.is_known_content(connection, digest):
        return KnownLog(str(path), size, mtime_ns, digest, LogOutcome.DUPLICATE)
    history.record_imported(connection, log.timestamp, log.totals, log.consistency_rate, log.by_kind, log.check_id, path.name)
    return KnownLog(str(path), size, mtime_ns, digest, LogOutcome.IMPORTED)
