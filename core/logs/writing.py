"""Violation logs: write one whole file or none."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from core.errors import ViolationLogUnwritable
from core.model import Report, Totals, Violation

_as_text = json.JSONEncoder(ensure_ascii=False).encode
PARTIAL_PREFIX = ".unfinished-"
_PARTIAL_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WrittenLog:
    """A log that is on disk, whole."""

    path: Path
    size: int
    mtime_ns: int
    digest: str


class ViolationLogWriter:
    """Writes one log: open before the comparison, begin with its totals, add the violations, finish.

    The file appears under its name whole or not at all, is on the disk when `finish` returns, and never replaces another.
    Leaving the context without `finish` leaves nothing behind. Every failure is ViolationLogUnwritable.
    """

    def __init__(self, folder: Path, check_id: str, started: datetime) -> None:
        self._folder = folder
        self._partial = folder / f"{PARTIAL_PREFIX}{check_id}"
        self._started = started
        self._digest = hashlib.sha256()
        self._first = True
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        with self._in_words():
            self._folder.mkdir(parents=True, exist_ok=True)
            remove_abandoned(self._folder)
            self._file = self._partial.open("xb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            with suppress(OSError):  # the file is thrown away
                self._file.close()
            with suppress(OSError):
                self._partial.unlink(missing_ok=True)

    def begin(self, totals: Totals, rate: Decimal | None) -> None:
        """Write the figures, which stand before the violations."""
        head = {"timestamp": self._started.isoformat(timespec="microseconds"), **figures_as_json(totals, rate)}
        self._write(_members(head) + ',\n  "violations": [')

    def add(self, violations: Sequence[Violation]) -> None:
        """Write more violations, in the report's order."""
        lines = ",\n    ".join(_as_text(violation.as_json()) for violation in violations)
        self._write(("\n    " if self._first else ",\n    ") + lines)
        self._first = False

    def finish(self, added: Mapping[str, object]) -> WrittenLog:
        """Write the added keys, make the file durable and give it its name."""
        self._write("\n  ],\n" + _members(added).removeprefix("{\n") + "\n}\n")
        with self._in_words():
            file = self._opened
            file.flush()
            os.fsync(file.fileno())
            status = os.fstat(file.fileno())
            file.close()
            path = self._name_it()
            sync_folder(self._folder)
        return WrittenLog(path, status.st_size, status.st_mtime_ns, self._digest.hexdigest())

    def _name_it(self) -> Path:
        stem = self._started.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
        return take_name(
            self._partial, lambda number: self._folder / f"{stem}{f'_{number}' if number > 1 else ''}_violations.json"
        )

    def _write(self, text: str) -> None:
        data = text.encode()
        self._digest.update(data)
        with self._in_words():
            self._opened.write(data)

    @property
    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise RuntimeError("the log is written inside its context")
        return self._file

    def _in_words(self) -> _OsErrorsInWords:
        return _OsErrorsInWords(self._folder)


class _OsErrorsInWords:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, OSError):
            raise ViolationLogUnwritable(
                f"The violation log could not be written in {self._folder}: {error.strerror or error}."
            ) from error


def figures_as_json(totals: Totals, rate: Decimal | None) -> dict[str, object]:
    """The four figures as every report spells them."""
    return {
        "total_checked": totals.total_checked,
        "consistent": totals.consistent,
        "inconsistent": totals.inconsistent,
        "consistency_rate": None if rate is None else float(rate),
    }


def added_keys(report: Report) -> dict[str, object]:
    """The keys that this product adds after those that must not change."""
    return {
        "check_id": report.check_id,
        "duration_ms": report.duration_ms,
        "trigger": report.trigger.value,
        "requested_by": report.requested_by,
        "unidentified_progress_rows": report.totals.unidentified_progress_rows,
        "unidentified_license_rows": report.totals.unidentified_license_rows,
        "settled": report.settled,
        "in_maintenance": report.in_maintenance,
    }


def report_as_json(report: Report) -> Iterator[str]:
    """The report as one JSON document, piece by piece: memory does not grow with its violations."""
    head = {
        "timestamp": report.timestamp.isoformat(timespec="microseconds"),
        **figures_as_json(report.totals, report.consistency_rate),
    }
    yield _members(head) + ',\n  "violations": ['
    separator = "\n    "
    for violation in report.violations:
        yield separator + _as_text(violation.as_json())
        separator = ",\n    "
    yield ("\n  ]" if separator.startswith(",") else "]") + ",\n" + _members(added_keys(report)).removeprefix("{\n") + "\n}\n"


def _members(content: Mapping[str, object]) -> str:
    """The members of an object, one a line, without the closing brace."""
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {_as_text(value)}" for key, value in content.items())


def take_name(partial: Path, nth_name: Callable[[int], Path]) -> Path:
    """Give a finished file the first name that is free, beginning with the one for 1. Never replaces another. Raises OSError."""
    number = 1
    while True:
        path = nth_name(number)
        try:
            path.hardlink_to(partial)  # fails where the name is taken, unlike a rename
        except FileExistsError:
            number += 1
        except OSError:  # a file system without hard links
            if path.exists():
                number += 1
                continue
            partial.rename(path)
            return path
        else:
            partial.unlink()
            return path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_abandoned(folder: Path) -> None:
    """Remove files that a killed process left unfinished; one that was written to lately may still be at work."""
    youngest = datetime.now(UTC).timestamp() - _PARTIAL_LIFETIME.total_seconds()
    for partial in folder.glob(f"{PARTIAL_PREFIX}*"):
        with suppress(OSError):
            if partial.stat().st_mtime < youngest:
                partial.unlink()
