"""Putting old logs into one archive a month, without ever losing one: nothing is removed that was not read back before."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from core.errors import LogsNotCompacted
from core.logs.archive import archive_folder, archives_of, month_of
from core.logs.reading import digest_of
from core.logs.sources import DAMAGED, find_logs
from core.logs.writing import sync_folder, take_name

EVERY = timedelta(days=1)

_PARTIAL_PREFIX = ".unfinished-"


@dataclass(slots=True)
class Compacted:
    """What a run did."""

    months: list[str] = field(default_factory=list)  # as 2026-01
    archived: int = 0  # logs that stand in an archive now and were removed
    before: int = 0  # their bytes
    after: int = 0  # bytes of the archives that were written
    left: int = 0  # logs of those months that stay where they are, for nobody could read them


@dataclass(frozen=True, slots=True)
class _Held:
    """A log as it is in its folder."""

    path: Path
    size: int
    mtime_ns: int
    digest: str


def last_month_to_compact(now: datetime, months_kept: int) -> str:
    """The newest month to put away, as 202601, when the current one and so many whole months before it stay as files."""
    months = now.year * 12 + now.month - 1 - (months_kept + 1)
    return f"{months // 12:04}{months % 12 + 1:02}"


def compact(logs: Path, last_month: str, readable: Collection[str], *, dry_run: bool = False) -> Compacted:
    """Put the logs up to a month into archives, and remove them. `readable` are the paths of those that history knows.

    An archive appears whole or not at all and never replaces another. Killed at any point, every log stands in its folder or in
    an archive that was read back; the next run goes on. A dry run writes and removes nothing. Raises LogsNotCompacted.
    """
    done = Compacted()
    if not logs.exists():
        return done
    try:
        found = [Path(entry.path) for entry in find_logs(logs)]
        old = (path for path in found if month_of(path.name) <= last_month)
        for month, paths in groupby(old, key=lambda path: month_of(path.name)):
            _compact_month(logs, month, list(paths), readable, done, dry_run=dry_run)
    except OSError as refused:
        raise LogsNotCompacted(f"The logs in {logs} could not be archived: {refused.strerror or refused}.") from refused
    return done


def _compact_month(
    logs: Path, month: str, paths: Sequence[Path], readable: Collection[str], done: Compacted, *, dry_run: bool
) -> None:
    wanted = [path for path in paths if str(path) in readable]
    done.left += len(paths) - len(wanted)
    if not wanted:
        return
    done.months.append(f"{month[:4]}-{month[4:]}")
    if dry_run:
        done.archived += len(wanted)
        done.before += sum(path.stat().st_size for path in wanted)
        return
    held = [_held(path) for path in wanted]
    safe = _digests_in(archives_of(logs, month))
    fresh = [log for log in held if (log.path.name, log.digest) not in safe]
    if fresh:
        archive = _write(archive_folder(logs), month, fresh)
        done.after += archive.stat().st_size
        safe |= _digests_in([archive])
    for log in held:
        if (log.path.name, log.digest) not in safe:
            raise LogsNotCompacted(f"{log.path.name} does not read back from its archive as it was written; nothing was removed.")
    for log in held:
        _remove(log, done)
    sync_folder(logs)


def _held(path: Path) -> _Held:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        return _Held(path, status.st_size, status.st_mtime_ns, digest_of(file.read()))


def _write(folder: Path, month: str, logs: Iterable[_Held]) -> Path:
    """An archive with these logs, on the disk, under its name."""
    folder.mkdir(exist_ok=True)
    partial = folder / f"{_PARTIAL_PREFIX}{month}"
    try:
        with partial.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                for log in logs:
                    archive.writestr(_member(log), log.path.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        path = take_name(partial, lambda number: folder / f"{month}{f'_{number}' if number > 1 else ''}_violations.zip")
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(folder)
    return path


def _member(log: _Held) -> zipfile.ZipInfo:
    written = datetime.fromtimestamp(max(log.mtime_ns / 1e9, 315_532_800), UTC)  # the format begins in 1980
    member = zipfile.ZipInfo(log.path.name, written.timetuple()[:6])
    member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return member


def _digests_in(archives: Iterable[Path]) -> set[tuple[str, str]]:
    """What archives hold, read from the disk: name and digest of each log. A damaged one counts for nothing."""
    found = set()
    for path in archives:
        with suppress(*DAMAGED), zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                found.add((name, digest_of(archive.read(name))))
    return found


def _remove(log: _Held, done: Compacted) -> None:
    try:
        status = log.path.stat()
    except FileNotFoundError:  # somebody took it away
        return
    if (status.st_size, status.st_mtime_ns) != (log.size, log.mtime_ns):  # somebody wrote to it meanwhile
        done.left += 1
        return
    log.path.unlink()
    done.archived += 1
    done.before += log.size
