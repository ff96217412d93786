"""Violation logs: write one whole file or none; read everybody's files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from core.errors import LogBroken, ViolationLogUnwritable
from core.model import Kind, Report, Totals, UserId, Violation
from core.status import DEFAULT_THRESHOLDS, Thresholds, consistency_rate

LOG_NAME = re.compile(r"\d{8}_\d{6}(_\d+)?_violations\.json")

_as_text = json.JSONEncoder(ensure_ascii=False).encode
_PARTIAL_PREFIX = ".unfinished-"
_CHECK_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_PARTIAL_LIFETIME = timedelta(hours=1)
_ACTION_KINDS = {action.value: kind for kind in Kind for action in (kind.action,)} | {
    "sync_to_higher_level": Kind.LEVEL_MISMATCH  # the earlier implementation's older name
}


@dataclass(frozen=True, slots=True)
class WrittenLog:
    """A log that is on disk, whole."""

    path: Path
    size: int
    mtime_ns: int
    digest: str


@dataclass(frozen=True, slots=True)
class ReadLog:
    """What a log says, whoever wrote it."""

    timestamp: datetime
    totals: Totals
    consistency_rate: Decimal | None
    by_kind: Mapping[Kind, int]
    violations: Sequence[Violation]
    check_id: str | None


class ViolationLogWriter:
    """Writes one log: open before the comparison, begin with its totals, add the violations, finish.

    The file appears under its name whole or not at all, is on the disk when `finish` returns, and never replaces another.
    Leaving the context without `finish` leaves nothing behind. Every failure is ViolationLogUnwritable.
    """

    def __init__(self, folder: Path, check_id: str, started: datetime) -> None:
        self._folder = folder
        self._partial = folder / f"{_PARTIAL_PREFIX}{check_id}"
        self._started = started
        self._digest = hashlib.sha256()
        self._first = True
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        with self._in_words():
            self._folder.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(self._folder)
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
            _sync_folder(self._folder)
        return WrittenLog(path, status.st_size, status.st_mtime_ns, self._digest.hexdigest())

    def _name_it(self) -> Path:
        stem = self._started.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
        number = 1
        while True:
            path = self._folder / (f"{stem}_violations.json" if number == 1 else f"{stem}_{number}_violations.json")
            try:
                path.hardlink_to(self._partial)  # fails where the name is taken, unlike a rename
            except FileExistsError:
                number += 1
            except OSError:  # a file system without hard links
                if path.exists():
                    number += 1
                    continue
                self._partial.rename(path)
                return path
            else:
                self._partial.unlink()
                return path

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


def find_logs(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The regular files in a folder that are named like logs, oldest name first. Raises OSError."""
    with os.scandir(folder) as entries:
        named = sorted((entry for entry in entries if LOG_NAME.fullmatch(entry.name)), key=lambda entry: entry.name)
    for entry in named:
        with suppress(OSError):  # a link that leads in a circle
            if entry.is_file():
                yield entry


def read_log(path: Path, largest: int, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> tuple[ReadLog, str]:
    """A log and its SHA-256. Tolerant of everything the earlier implementation wrote; raises LogBroken with the reason.

    `largest` is in bytes; a larger file is refused unread.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > largest:
                raise LogBroken(f"it is larger than {largest // 1_000_000} MB")
            data = file.read(largest + 1)
    except OSError as unreadable:
        raise LogBroken(f"it cannot be opened: {unreadable.strerror}") from unreadable
    return parse_log(data, thresholds), hashlib.sha256(data).hexdigest()


def parse_log(data: bytes, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> ReadLog:
    """The bytes of a log as what they say; raises LogBroken."""
    if not data.strip():
        raise LogBroken("it is empty")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as foreign:
        raise LogBroken("it is not UTF-8 text") from foreign
    except ValueError as cut:
        raise LogBroken(f"it is not whole JSON: {cut}") from cut
    except RecursionError as deep:
        raise LogBroken("it is nested too deeply to be a report") from deep
    if not isinstance(content, dict) or "timestamp" not in content:
        raise LogBroken("it is JSON, but no report")
    entries = content.get("violations")
    violations = [_violation(entry) for entry in entries] if isinstance(entries, list) else []
    by_kind = {kind: sum(violation.kind is kind for violation in violations) for kind in Kind}
    totals = _totals(content, len(violations))
    check_id = content.get("check_id")
    return ReadLog(
        timestamp=_timestamp(content["timestamp"]),
        totals=totals,
        consistency_rate=consistency_rate(totals.consistent, totals.total_checked, thresholds),
        by_kind={kind: count for kind, count in by_kind.items() if count},
        violations=violations,
        check_id=check_id if isinstance(check_id, str) and _CHECK_ID.fullmatch(check_id) else None,
    )


def _totals(content: Mapping[str, Any], listed: int) -> Totals:
    """The integers; where one is missing the others give it, and the list of violations stands in last."""
    total, consistent, inconsistent = (_count(content, key) for key in ("total_checked", "consistent", "inconsistent"))
    if inconsistent is None:
        inconsistent = total - consistent if total is not None and consistent is not None else listed
    if total is None:
        if consistent is None:
            raise LogBroken("it is JSON, but no report: total_checked is missing")
        total = consistent + inconsistent
    if not 0 <= inconsistent <= total or (consistent is not None and consistent + inconsistent != total):
        raise LogBroken("its figures contradict each other")
    return Totals(
        total,
        inconsistent,
        _count(content, "unidentified_progress_rows") or 0,
        _count(content, "unidentified_license_rows") or 0,
    )


def _count(content: Mapping[str, Any], key: str) -> int | None:
    number = _integer(content.get(key))
    if number is not None and not 0 <= number < 2**63:
        raise LogBroken(f"{key} is {number}")
    return number


def _integer(value: object) -> int | None:
    """An integer, also one written as a float or as text; None for everything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}(\.0+)?\s*", value):
        return int(float(value)) if "." in value else int(value)
    return None


def _violation(entry: object) -> Violation:
    if not isinstance(entry, dict):
        raise LogBroken("it lists a violation that is not an object")
    progress, license_ = _integer(entry.get("progress_level")), _integer(entry.get("license_level"))
    user = entry.get("user_id")
    integer = None if isinstance(user, str) else _integer(user)
    user_id: UserId = str(user) if integer is None else integer
    return Violation(user_id, str(entry.get("specialization") or "").strip().upper(), progress, license_, _kind(entry))


def _kind(entry: Mapping[str, Any]) -> Kind:
    kind = entry.get("kind")
    if isinstance(kind, str) and kind in Kind.__members__.values():
        return Kind(kind)
    action = entry.get("recommended_action")
    if isinstance(action, str) and action in _ACTION_KINDS:
        return _ACTION_KINDS[action]
    if entry.get("license_level") is None:
        return Kind.MISSING_LICENSE
    return Kind.MISSING_PROGRESS if entry.get("progress_level") is None else Kind.LEVEL_MISMATCH


def _timestamp(value: object) -> datetime:
    """ISO 8601; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(str(value).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as odd:
        raise LogBroken(f"its timestamp is not a time: {str(value)[:60]!r}") from odd


def _members(content: Mapping[str, object]) -> str:
    """The members of an object, one a line, without the closing brace."""
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {_as_text(value)}" for key, value in content.items())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    """Files that a killed check left unfinished; one that was written to lately may still be at work."""
    youngest = datetime.now(UTC).timestamp() - _PARTIAL_LIFETIME.total_seconds()
    for partial in folder.glob(f"{_PARTIAL_PREFIX}*"):
        with suppress(OSError):
            if partial.stat().st_mtime < youngest:
                partial.unlink()
