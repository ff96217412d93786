"""Taking violation logs that others wrote into history, each once."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from core.logs.parsing import Found, parse_all
from core.logs.sources import ArchiveDamaged, FoundLog, Limits, logs_in_archive, look_through
from core.logs.taking import Taken, batches, take
from core.state import audit, known_logs
from core.state.database import StateDatabase
from core.state.known_logs import UNREAD, KnownLog, KnownPlace, LogOutcome
from core.status import Thresholds

_BATCH = 10_000  # logs that are taken at once, when they come in the order of their time
_LARGE_BATCH = 50_000  # when they come in any order
_MOST_AHEAD = timedelta(minutes=10)  # of this machine's clock
_OBJECTS = 1_000_000  # that are made, and stay, before somebody looks which of them hold each other only
_LARGE_FOLDER = 200_000  # bytes of its own: 20 a file at least, and then for so many that processes are worth their while
_RACY = 2.0  # seconds in which a folder may change once more without looking changed

Progress = Callable[[int, int | None], None]  # logs done; logs to do, when that is known


def no_progress(done: int, all_: int | None) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of looking through a folder or an archive."""

    imported: int
    already_known: int
    broken: Sequence[KnownLog]  # every log there that cannot be read, or not yet; also those found so before


def import_logs(
    state: StateDatabase,
    place: Path,
    limits: Limits,
    thresholds: Thresholds,
    now: datetime,
    progress: Progress = no_progress,
    by: str | None = None,
) -> ImportResult:
    """Read the logs of a folder or an archive that are new, or were broken and have changed, into history and lives.

    Cost when the place did not change: one look at it. A missing folder holds no logs; raises OSError when it cannot be listed.
    Killed at any point, what was read so far counts, and the rest is read the next time. Call while holding the check's lease,
    so that a log of a running check is not taken for a foreign one. `by` is who asked: the audit trail names them with the first
    logs that come into history.
    """
    place = place.absolute()
    try:
        status = place.stat()
    except FileNotFoundError:
        return ImportResult(0, 0, [])
    with state.read() as connection:
        known = known_logs.place(connection, str(place))
        unread = [log for log in known_logs.broken(connection) if log.path == str(place) or log.path.startswith(f"{place}/")]
        if place.is_dir():
            unread = [log for log in unread if Path(log.path).parent == place]
    if known and known.mtime_ns == status.st_mtime_ns and not any(map(_is_to_be_read_again, unread)):
        return ImportResult(0, known.logs - len(unread), unread)
    many = known is None and status.st_size > _LARGE_FOLDER
    done = _Import(state, place, limits, thresholds, now, progress, unread, by).run(many=many)
    read = KnownPlace(status.st_mtime_ns, done.imported + done.already_known + len(done.broken))
    # one that changed just now may change once more within the same tick of its file system's clock
    if read != known and time.time() - status.st_mtime > _RACY:
        with state.write() as connection:
            known_logs.remember_place(connection, str(place), read)
    return done


def _is_to_be_read_again(log: KnownLog) -> bool:
    """Whether a log that could not be read has changed, or has gone, or may have become of age."""
    if log.outcome is LogOutcome.EARLY:
        return True
    try:
        status = Path(log.path).stat()
    except NotADirectoryError:  # it lies in an archive, which did not change
        return False
    except OSError:
        return True
    return not log.is_of(status.st_size, status.st_mtime_ns)


class _Import:
    """One look through a place."""

    def __init__(
        self,
        state: StateDatabase,
        place: Path,
        limits: Limits,
        thresholds: Thresholds,
        now: datetime,
        progress: Progress,
        unread: Sequence[KnownLog],
        by: str | None,
    ) -> None:
        self._by = by  # until that is written down
        self._now = now
        self._state = state
        self._place = place
        self._limits = limits
        self._thresholds = thresholds
        self._latest = now + _MOST_AHEAD
        self._progress = progress
        self._unread = {log.path: log for log in unread}
        self._found = 0  # all logs there
        self._imported = 0
        self._damage: str | None = None
        self._done = 0
        self._to_do: int | None = None

    def run(self, *, many: bool) -> ImportResult:
        found: Iterator[Found]
        if self._place.is_dir():
            found, batch = self._new_in_folder(), _BATCH
        else:
            found, batch = self._logs_in_archive(), _LARGE_BATCH
        with _collector_seldom():
            for logs in batches(parse_all(found, self._limits.largest, many=many), batch):
                with self._state.write(much=True) as connection:
                    taken = take(connection, self._place, logs, self._latest, self._thresholds)
                    self._name_importer(connection, taken)
                self._note(taken)
                self._done += len(logs)
                self._progress(self._done, self._to_do)
        self._name_damage()
        named = [log for _, log in sorted(self._unread.items())]
        return ImportResult(self._imported, max(self._found - self._imported - len(named), 0), named)

    def _new_in_folder(self) -> Iterator[str]:
        with self._state.read() as connection:
            settled = known_logs.settled(connection, str(self._place))
        known, others = look_through(self._place, settled)
        paths = [entry.path for entry in others]
        gone = self._unread.keys() - set(paths)
        if gone:
            with self._state.write() as connection:
                known_logs.forget(connection, gone)
            self._unread = {path: log for path, log in self._unread.items() if path not in gone}
        fresh = [path for path in paths if self._may_be_read(path)] if self._unread else paths
        self._found, self._to_do = known + len(paths), len(fresh)
        self._progress(0, self._to_do)
        yield from fresh

    def _may_be_read(self, path: str) -> bool:
        known = self._unread.get(path)
        return known is None or _is_to_be_read_again(known)

    def _logs_in_archive(self) -> Iterator[FoundLog]:
        self._progress(0, None)
        try:
            for log in logs_in_archive(self._place, self._limits):
                self._found += 1
                yield log
        except ArchiveDamaged as damaged:  # what stood before counts
            self._damage = str(damaged)

    def _note(self, taken: Taken) -> None:
        self._imported += len(taken.imported)
        for path in self._unread.keys() & taken.imported:
            del self._unread[path]
        for log in taken.others:
            self._unread.pop(log.path, None)
            if log.outcome in UNREAD:
                self._unread[log.path] = log

    def _name_importer(self, connection: sa.Connection, taken: Taken) -> None:
        if self._by is not None and taken.imported:
            audit.note(connection, self._now, self._by, audit.Deed.LOGS_IMPORTED, f"from {self._place}")
            self._by = None

    def _name_damage(self) -> None:
        """An archive that breaks off is named like a broken log, and no longer once it is whole."""
        path = str(self._place)
        if self._damage is None and path not in self._unread:
            return
        self._unread.pop(path, None)
        with self._state.write() as connection:
            known_logs.forget(connection, [path])
            if self._damage is not None:
                status = self._place.stat()
                broken = KnownLog(path, status.st_size, status.st_mtime_ns, None, LogOutcome.BROKEN, self._damage)
                known_logs.remember(connection, [broken])
                self._unread[path] = broken


@contextmanager
def _collector_seldom() -> Iterator[None]:
    """Figures come by the hundred thousand and hold no cycles: looking for some each time takes as long as all the rest."""
    first, *rest = gc.get_threshold()
    if first:  # else somebody has put it to rest
        gc.set_threshold(max(first, _OBJECTS), *rest)
    try:
        yield
    finally:
        gc.set_threshold(first, *rest)
