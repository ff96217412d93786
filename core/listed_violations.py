"""What one check or log listed: from the state database while its rows are kept, later from its violation log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import LogBroken, ViolationsSuperseded
from core.logs.archive import kept_log
from core.logs.reading import ReadLog, cannot_be_opened, parse_log
from core.model import Source, Violation
from core.settings import Settings
from core.state import current_violations, known_logs
from core.state.database import StateDatabase
from core.state.history import Attempt


class ListedIn(StrEnum):
    """Where a check's violations were found."""

    STATE = "state"  # in the state database
    LOG = "log"  # in its violation log
    NOWHERE = "nowhere"  # neither is there any more


@dataclass(frozen=True, slots=True)
class Listed:
    """The first violations of a check, in the report's order, and where they were found."""

    where: ListedIn
    violations: Sequence[Violation] = ()
    problem: str = ""  # why its log cannot be read


def listed_by(attempt: Attempt, state: StateDatabase, settings: Settings, most: int) -> Listed:
    """The first `most` violations of a completed check or of a log. Raises StateDatabaseUnavailable."""
    if attempt.totals is None or not attempt.totals.inconsistent:
        return Listed(ListedIn.STATE)
    if attempt.source is Source.CHECK and attempt.check_id is not None:
        try:
            with state.read() as connection:
                found = current_violations.following(
                    connection, attempt.check_id, current_violations.EVERYTHING, after=-1, limit=most
                )
            return Listed(ListedIn.STATE, [violation for _, violation in found])
        except ViolationsSuperseded:
            pass  # its log has them
    return _in_log(attempt, state, settings, most)


def _in_log(attempt: Attempt, state: StateDatabase, settings: Settings, most: int) -> Listed:
    problem = ""
    for path in _places(attempt, state, settings):
        try:
            log = _read(path, settings)
        except LogBroken as broken:
            problem = str(broken)
            continue
        if log is not None and log.timestamp == attempt.timestamp:
            return Listed(ListedIn.LOG, log.violations[:most])
    return Listed(ListedIn.NOWHERE, problem=problem)


def _places(attempt: Attempt, state: StateDatabase, settings: Settings) -> Iterator[Path]:
    """Where a log of that name may lie: in the log directory, or wherever it was read."""
    if attempt.log_file is None:
        return
    here = (settings.violation_log_dir / attempt.log_file).absolute()
    yield here
    with state.read() as connection:
        elsewhere = known_logs.named(connection, attempt.log_file)
    yield from (Path(path) for path in elsewhere if path != str(here))


def _read(path: Path, settings: Settings) -> ReadLog[Violation] | None:
    """A log in its folder or in an archive; None when it is not there. Raises LogBroken."""
    try:
        data = kept_log(path, settings.log_limits)
    except OSError as unreadable:
        raise cannot_be_opened(unreadable) from unreadable
    return None if data is None else parse_log(data)
