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
