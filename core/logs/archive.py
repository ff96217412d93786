"""Old logs, a .zip for each month, in the folder `archive` beside the logs; and finding a log again wherever it lies."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

from core.errors import LogBroken
from core.logs.reading import too_large
from core.logs.sources import DAMAGED, ArchiveDamaged, Limits, loaded, member_of_archive

_FOLDER = "archive"


def archive_folder(logs: Path) -> Path:
    """Where the archives of a folder of logs lie."""
    return logs / _FOLDER


def month_of(name: str) -> str:
    """The month in a log's name: 202601."""
    return name[:6]


def archives_of(logs: Path, month: str = "") -> list[Path]:
    """The archives of a month, or all of them, oldest first."""
    return sorted(archive_folder(logs).glob(f"{month or '[0-9]' * 6}*_violations.zip"))


def archived_names(logs: Path) -> set[str]:
    """The names of all logs in the archives beside a folder of logs. An archive that cannot be read holds none."""
    names: set[str] = set()
    for path in archives_of(logs):
        with suppress(*DAMAGED), zipfile.ZipFile(path) as archive:
            names.update(archive.namelist())
    return names


def kept_log(path: Path, limits: Limits) -> bytes | None:
    """The bytes of a log that was at `path`: there, in the archive of its month, or in the archive that the path leads into.

    None when it is nowhere. Raises LogBroken.
    """
    if path.is_file() and (found := loaded(str(path), limits.largest)):
        if found.data is None:
            raise LogBroken(found.problem or "it cannot be read")
        return found.data
    in_month = _in_month(path, limits)
    if in_month is not None:
        return in_month
    archive = next((parent for parent in path.parents if parent.is_file()), None)
    if archive is None:
        return None
    try:
        return member_of_archive(archive, str(path.relative_to(archive)), limits)
    except ArchiveDamaged as damaged:
        raise LogBroken(f"its archive cannot be read: {damaged}") from damaged


def _in_month(path: Path, limits: Limits) -> bytes | None:
    broken = None
    for archive in archives_of(path.parent, month_of(path.name)):
        try:
            with zipfile.ZipFile(archive) as opened, opened.open(path.name) as file:
                data = file.read(limits.largest + 1)
        except KeyError:
            continue
        except DAMAGED as damaged:  # another one may have it
            broken = LogBroken(f"its archive {archive.name} cannot be read: {damaged}")
            continue
        if len(data) > limits.largest:
            raise too_large(limits.largest)
        return data
    if broken is not None:
        raise broken
    return None
