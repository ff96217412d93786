"""One check: take a comparison down as it streams, and give the report."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from core.comparison import Comparison
from core.model import Kind, Report, Request, Violation
from core.status import Thresholds, rate_of

Keep = Callable[[Sequence[Violation]], None]


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


def take_down(comparison: Comparison, keep: Keep) -> Counter[Kind]:
    """Hand every violation to `keep` in chunks, in the report's order, and count them by kind."""
    by_kind: Counter[Kind] = Counter()
    for chunk in comparison.chunks():
        keep(chunk)
        by_kind.update(violation.kind for violation in chunk)
    return by_kind


def report_on(start: CheckStart, comparison: Comparison, by_kind: Counter[Kind], thresholds: Thresholds) -> Report:
    """The report of a comparison that was taken down. Its violations stand where they were kept."""
    totals = comparison.totals
    return Report(
        check_id=start.check_id,
        timestamp=start.timestamp,
        totals=totals,
        consistency_rate=rate_of(totals, thresholds),
        duration_ms=start.elapsed_ms,
        trigger=start.request.trigger,
        requested_by=start.request.requested_by,
        by_kind=dict(by_kind),
        violations=(),
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
