"""Time that moves only when a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2025, 10, 25, 12, 0, tzinfo=UTC)


class FrozenClock:
    """A clock to hand to everything that asks for one."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, length: timedelta | None = None, **parts: float) -> datetime:
        """Move on (or back, with a negative length) and give the new moment."""
        self.now += length if length is not None else timedelta(**parts)
        return self.now
