"""Times, as clocks on walls show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.frozen_clock import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WALL_NOON = NOON.replace(tzinfo=None)


def wall(*parts: int) -> datetime:
    """What a clock on a wall shows."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc,arg-type] - year, month, day, hour, minute
