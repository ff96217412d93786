"""How long checks took and how many failed, counted over all of history: the same in every process, also after a restart."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.errors import ViolationLogUnwritable
from core.state import history

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)  # seconds; upper ends, inclusive


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts since the first check. `durations` has one count for each of `BOUNDS`, and one for what took longer."""

    durations: Sequence[int]
    seconds: float
    failures: Mapping[str, int]  # by the class of the error

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def unwritten_logs(self) -> int:
        return self.failures.get(ViolationLogUnwritable.__name__, 0)


class AttemptTally:
    """Counts each attempt once: a later reading looks at new rows only."""

    def __init__(self) -> None:
        self._newest = 0
        self._durations = [0] * (len(BOUNDS) + 1)
        self._milliseconds = 0
        self._failures: Counter[str] = Counter()
        self._counting = threading.Lock()

    def up_to_now(self, connection: sa.Connection, watched: str | None) -> Tally:
        """The counts with everything that was recorded meanwhile."""
        with self._counting:
            for newest, milliseconds, error, count in history.attempts_after(connection, watched, self._newest):
                if milliseconds is None:
                    self._failures[error or ""] += count
                else:
                    self._durations[bisect_left(BOUNDS, milliseconds / 1000)] += count
                    self._milliseconds += milliseconds * count
                self._newest = max(self._newest, newest)
            return Tally(tuple(self._durations), self._milliseconds / 1000, dict(self._failures))
