"""One check: when it began, and the report of what it found."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from core.model import Kind, Report, Request, Violation
from core.settling import Found
from core.status import Thresholds, rate_of


@dataclass(frozen=True, slots=True)
class CheckStart:
    """What is known of a check before it compares."""

    check_id: str
    timestamp: datetime
    ticks: float  # time.perf_counter() at the beginning
    request: Request

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the beginning, whatever was done to the clock meanwhile."""
        return round((time.perf_counter() - self.ticks) * 1000)


def report_on(start: CheckStart, found: Found, thresholds: Thresholds, *, in_maintenance: bool = False) -> Report:
    """The report of what was found. Its violations stand where they were kept."""
    return Report(
        check_id=start.check_id,
        timestamp=start.timestamp,
        totals=found.totals,
        consistency_rate=rate_of(found.totals, thresholds),
        duration_ms=max(start.elapsed_ms - round(found.waited * 1000), 0),
        trigger=start.request.trigger,
        requested_by=start.request.requested_by,
        by_kind=dict(found.by_kind),
        violations=(),
        settled=found.settled,
        in_maintenance=in_maintenance,
        breakdown=dict(found.breakdown),
    )


class Spool:
    """Violations of a dry run, on disk without a name: nothing of them outlives the process."""

    def __init__(self) -> None:
        self._file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - lives as long as the report

    def add(self, violations: Sequence[Violation]) -> None:
        for v in violations:
            row = [v.user_id, v.specialization, v.progress_level, v.license_level, v.kind]
            self._file.write(json.dumps(row) + "\n")

    def __iter__(self) -> Iterator[Violation]:
        self._file.seek(0)
        for line in self._file:
            user_id, specialization, progress, license_, kind = json.loads(line)
            yield Violation(user_id, specialization, progress, license_, Kind(kind))
