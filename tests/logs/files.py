"""Reading one log from a file, as the import does."""

from __future__ import annotations

from pathlib import Path

from core.errors import LogBroken
from core.logs.reading import ReadLog, digest_of, parse_log
from core.logs.sources import loaded


def read_log(path: Path, largest: int) -> tuple[ReadLog, str]:
    """A log and its SHA-256. Raises LogBroken."""
    found = loaded(str(path), largest)
    if found is None or found.data is None:
        raise LogBroken((found and found.problem) or "it is not there")
    return parse_log(found.data), digest_of(found.data)
