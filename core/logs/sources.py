"""Where violation logs come from: a folder, or an archive that is read without being unpacked."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from core.errors import LogBroken
from core.logs.reading import LOG_NAME, cannot_be_opened, too_large

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change the ends of lines
_RECORDS = 1 << 20  # bytes that one of an archive's own records may take
DAMAGED = (  # what the libraries raise for an archive that is not whole
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, RuntimeError, NotImplementedError),
)
_OPENERS: dict[bytes, Callable[[IO[bytes]], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


class FoundLog(NamedTuple):
    """A log with its bytes, or with the problem why it has none."""

    path: str
    size: int = 0
    mtime_ns: int = 0
    data: bytes | None = None
    problem: str | None = None


def loaded(path: str, largest: int) -> FoundLog | None:
    """The log in a file; None when the file went away. `largest` is in bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _BINARY)  # half the time of a file object, a hundred thousand times
    except FileNotFoundError:
        return None
    except OSError as unreadable:
        return FoundLog(path, problem=str(cannot_be_opened(unreadable)))
    try:
        status = os.fstat(descriptor)
        file = path, status.st_size, status.st_mtime_ns
        if status.st_size > largest:
            return FoundLog(*file, problem=str(too_large(largest)))
        data = os.read(descriptor, status.st_size + 1)
        while len(data) < status.st_size and (more := os.read(descriptor, status.st_size - len(data))):
            data += more
        return FoundLog(*file, data)
    except OSError as unreadable:
        return FoundLog(path, problem=str(cannot_be_opened(unreadable)))
    finally:
        os.close(descriptor)


class ArchiveDamaged(Exception):
    """An archive cannot be read any further; the message tells why, in the middle of a sentence."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of other people's logs, in bytes."""

    largest: int  # a larger log is named and skipped
    unpacked: int  # an archive that unpacks to more is left there


_FIRST_LOOK = Limits(_RECORDS, 64 * _RECORDS)


def find_logs(folder: Path) -> Sequence[os.DirEntry[str]]:
    """The regular files in a folder that are named like logs, oldest name first. Raises OSError."""
    return look_through(folder, ())[1]


def look_through(folder: Path, known: Collection[str]) -> tuple[int, Sequence[os.DirEntry[str]]]:
    """How many known paths are in a folder, and the logs beside them, oldest name first: one listing. Raises OSError."""
    is_log = LOG_NAME.fullmatch
    with os.scandir(folder) as entries:
        logs = [entry for entry in entries if is_log(entry.name)]
    others = [entry for entry in logs if entry.path not in known] if known else logs
    return len(logs) - len(others), [entry for entry in sorted(others, key=attrgetter("name")) if _is_file(entry)]


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads in a circle
        return False


def is_archive(path: Path) -> bool:
    """Whether a file can be looked into. Raises OSError when it cannot be opened."""
    if not path.is_file():
        return False
    if zipfile.is_zipfile(path):
        return True
    try:
        with path.open("rb") as file, tarfile.open(fileobj=_unpacked(file, _FIRST_LOOK), mode="r:"):
            return True
    except (*DAMAGED, ArchiveDamaged):
        return _begins_like_an_archive(path)


def logs_in_archive(archive: Path, limits: Limits) -> Iterator[FoundLog]:
    """The logs in a .zip or a .tar, also a compressed one. Nothing is written anywhere.

    A .zip gives them by name, a .tar in its own order. Raises ArchiveDamaged, after what could be read.
    """
    try:
        if zipfile.is_zipfile(archive):
            yield from _in_zip(archive, limits)
        else:
            yield from _in_tar(archive, limits)
    except DAMAGED as damaged:
        raise ArchiveDamaged(f"it is damaged: {damaged or type(damaged).__name__}") from damaged


def member_of_archive(archive: Path, member: str, limits: Limits) -> bytes | None:
    """One log out of an archive; None when it is not in there. Raises ArchiveDamaged, LogBroken."""
    for found in logs_in_archive(archive, limits):
        if found.path == f"{archive}/{member}":
            if found.data is None:
                raise LogBroken(found.problem or "it cannot be read")
            return found.data
    return None


def _in_zip(archive: Path, limits: Limits) -> Iterator[FoundLog]:
    left = limits.unpacked
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if LOG_NAME.fullmatch(_last_part(member.filename))]
        for member in sorted(members, key=lambda member: (_last_part(member.filename), member.filename)):
            path, problem = f"{archive}/{member.filename}", _problem_with(member.filename, member.file_size, limits)
            if member.flag_bits & 0x1:
                problem = "it is encrypted"
            if problem:
                yield FoundLog(path, size=member.file_size, problem=problem)
                continue
            with opened.open(member) as file:
                data = file.read(limits.largest + 1)
            left -= len(data)
            if left < 0:
                raise ArchiveDamaged(_unpacks_to_more(limits))
            yield FoundLog(path, len(data), data=data)


def _in_tar(archive: Path, limits: Limits) -> Iterator[FoundLog]:
    with archive.open("rb") as file, tarfile.open(fileobj=(bounded := _unpacked(file, limits)), mode="r:") as opened:
        while (member := opened.next()) is not None:
            opened.members.clear()  # type: ignore[attr-defined]  # it would keep them all; typeshed does not know of them
            if not LOG_NAME.fullmatch(_last_part(member.name)) or member.isdir():
                continue
            path, problem = f"{archive}/{member.name}", _problem_with(member.name, member.size, limits)
            if not member.isreg():
                problem = "it is no regular file"
            if problem:
                yield FoundLog(path, member.size, problem=problem)
                continue
            if member.issparse() and (content := opened.extractfile(member)):
                data = content.read()
            else:
                bounded.seek(member.offset_data)  # a quarter of an archive's time less than by a file object of each
                data = bounded.read(member.size)
            if len(data) < member.size:
                raise EOFError("it ends too early")
            yield FoundLog(path, member.size, data=data)


def _last_part(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _problem_with(name: str, size: int, limits: Limits) -> str | None:
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name.split("/", 1)[0]:
        return "its path leads out of the archive"
    return str(too_large(limits.largest)) if size > limits.largest else None


def _unpacks_to_more(limits: Limits) -> str:
    return f"it unpacks to more than {limits.unpacked // 1_000_000:,} MB"


def _begins_like_an_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8).startswith((*_OPENERS, b"PK"))


def _unpacked(file: IO[bytes], limits: Limits) -> IO[bytes]:
    head = file.read(8)
    file.seek(0)
    opener = next((opener for magic, opener in _OPENERS.items() if head.startswith(magic)), None)
    return cast("IO[bytes]", _Bounded(opener(file) if opener else file, limits))


class _Bounded:
    """What tarfile needs of a file, up to so many bytes of it, and never more at once than a log may have."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file = file
        self._limits = limits

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > max(_RECORDS, self._limits.largest + 1):  # tarfile reads its own records whole
            raise ArchiveDamaged("it is damaged: a part of it claims to be larger than can be")
        data = self._file.read(size)
        self._check(self._file.tell())
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            self._check(offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _check(self, position: int) -> None:
        if position > self._limits.unpacked:
            raise ArchiveDamaged(_unpacks_to_more(self._limits))
