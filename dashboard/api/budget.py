"""How often somebody may do something: so many times at once, and again as time passes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_KEYS = 10_000


class Budget:
    """A token bucket for each key, filled evenly over a minute. Keeps the keys that were used last; used by one thread."""

    def __init__(self, per_minute: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._seconds = seconds
        self._left: OrderedDict[str | int, tuple[float, float]] = OrderedDict()  # turns left, and when that was so

    def take(self, key: str | int) -> float | None:
        """Take a turn; the seconds to wait for the next one when none is left, else None."""
        now = self._seconds()
        left, at = self._left.pop(key, (float(self._per_minute), now))
        left = min(left + (now - at) * self._per_minute / 60, self._per_minute)
        wait = None if left > 0.999_999 else (1 - left) * 60 / self._per_minute
        self._left[key] = (left if wait else left - 1, now)
        if len(self._left) > _MOST_KEYS:
            self._left.popitem(last=False)
        return wait
