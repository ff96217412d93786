"""What is promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Objective:
    """What is promised: at least `percent` of the checks in any window of this length are healthy. 0 < percent < 100."""

    percent: Decimal = Decimal(99)
    window: timedelta = timedelta(days=30)

    @property
    def allowed_share(self) -> Decimal:
        """The share of checks that may be anything but healthy, 0 to 1."""
        return (100 - self.percent) / 100

    def kept(self, attempts: int, bad: int, no_data: timedelta, length: timedelta) -> bool | None:
        """Whether it is met by what is known of a stretch of time.

        None without an attempt, and when nothing that counts is known of more than half of the time: a few good checks prove
        nothing about it.
        """
        if attempts and bad > attempts * self.allowed_share:
            return False
        return None if not attempts or 2 * no_data > length else True
