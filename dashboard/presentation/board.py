"""The facts for everybody who looks, computed once for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from core.analysis.period import PeriodFigures
from core.analysis.trend import Trend
from core.health_monitor import HealthMonitor, HealthSummary
from dashboard.presentation.document import POLL_SECONDS, Facts
from dashboard.presentation.picture import POINTS
from dashboard.presentation.slides import facts_of


@dataclass(frozen=True, slots=True)
class _Proof:
    """What was computed over the period, and for what."""

    version: int
    minute: datetime
    computed: float
    figures: PeriodFigures
    trend: Trend


class Board:
    """Health now, and the period's figures: those anew with a new check or minute, no more often than once a poll.

    Safe to share between threads; those who come while something is computed wait for it.
    """

    def __init__(self, monitor: HealthMonitor, seconds: Callable[[], float] = time.monotonic) -> None:
        self._monitor = monitor
        self._seconds = seconds
        self._proof: _Proof | None = None
        self._computing = threading.Lock()

    def facts(self, zone: ZoneInfo) -> tuple[Facts, datetime]:
        """What to show, and the moment at which that was so. Raises StateDatabaseUnavailable."""
        summary = self._monitor.get_health_summary()
        proof = self._newest_proof(summary)
        return facts_of(self._monitor.settings, summary, proof.figures, proof.trend, zone), summary.at

    def _newest_proof(self, summary: HealthSummary) -> _Proof:
        version, minute = summary.known.facts.version, summary.at.replace(second=0, microsecond=0)
        with self._computing:
            kept, now = self._proof, self._seconds()
            if kept is not None and ((kept.version, kept.minute) == (version, minute) or now - kept.computed < POLL_SECONDS):
                return kept
            end = summary.at
            start = end - self._monitor.settings.promised.window
            figures, trend = self._monitor.record.period(start, end), self._monitor.trend(start, end, POINTS)
            self._proof = _Proof(version, minute, now, figures, trend)
            return self._proof
