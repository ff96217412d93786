"""A year of history in a state database: a check every five minutes, some bad nights, and the lives of their violations."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.model import Direction, Kind, Outcome, Source, Trigger
from core.state.database import StateDatabase
from core.state.episodes import scope_of
from core.state.schema import episodes, history

CHECKS = 105_120
EPISODES = 5_000
TOTAL = 8_214
END = datetime(2026, 11, 1, tzinfo=UTC)

_STEP = timedelta(minutes=5)
_BATCH = 5_000
_NAMES = ("PLAYER", "COACH", "INTERNSHIP", "GANCUJU_PLAYER", "LFA_FOOTBALL_PLAYER")


def fill(state: StateDatabase, watched: str, checks: int = CHECKS, lives: int = EPISODES, end: datetime = END) -> None:
    """Write that many checks, the newest of them five minutes before `end`, and episodes spread over them."""
    chance = random.Random(5)
    for rows in _batches(_checks(checks, watched, end, chance)):
        with state.write() as connection:
            connection.execute(sa.insert(history), rows)
    for rows in _batches(_lives(lives, watched, end - checks * _STEP, checks, chance)):
        with state.write() as connection:
            connection.execute(sa.insert(episodes), rows)


def _checks(count: int, watched: str, end: datetime, chance: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(count):
        at = end - (count - number) * _STEP
        failed = chance.random() < 0.001
        bad = _violations(at, chance)
        yield {
            "timestamp": at + timedelta(microseconds=chance.randint(0, 900_000)),
            "total_checked": None if failed else TOTAL,
            "consistent": None if failed else TOTAL - bad,
            "inconsistent": None if failed else bad,
            "consistency_rate": None if failed else round(100 * (TOTAL - bad) / TOTAL, 2),
            "outcome": Outcome.FAILED if failed else Outcome.UNHEALTHY if bad else Outcome.HEALTHY,
            "error": "could not connect" if failed else None,
            "duration_ms": chance.randint(30, 90),
            "trigger": Trigger.SCHEDULED,
            "source": Source.CHECK,
            "check_id": f"{number:032x}",
            "watched": watched,
            "by_kind": {} if failed else {Kind.LEVEL_MISMATCH.value: bad},
            "breakdown": None if failed else _breakdown(bad),
        }


def _violations(at: datetime, chance: random.Random) -> int:
    """A few by day; more in the batch of a Tuesday night, and one bad week."""
    if at.weekday() == 1 and at.hour == 2:
        return chance.randint(80, 250)
    if 200 <= at.timetuple().tm_yday < 207:
        return chance.randint(100, 600)
    return chance.choice((0, 0, 0, 3, 8, 20))


def _breakdown(bad: int) -> dict[str, dict[str, int]]:
    parts, left = {}, bad
    for name in _NAMES:
        count = min(left, max(bad // 2, 1))
        if count:
            parts[name] = count
        left -= count
    return {f"{Kind.LEVEL_MISMATCH}/{Direction.PROGRESS_AHEAD}": parts} if parts else {}


def _lives(count: int, watched: str, begin: datetime, checks: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(count):
        opened = chance.randrange(checks - 1)
        healed = opened + 1 + int(chance.expovariate(1 / 20))
        over = healed < checks
        user = number if not over else chance.randint(1, 3_000)
        pair = (10_000 + user, "OPEN") if not over else (user, chance.choice(_NAMES))
        yield {
            "watched": scope_of(watched),
            "user_text": str(pair[0]),
            "user_number": pair[0],
            "specialization": pair[1],
            "first_seen": begin + opened * _STEP,
            "last_seen": begin + (healed - 1) * _STEP if over else None,
            "resolved_at": begin + healed * _STEP if over else None,
            "opened_in": opened + 1,
            "resolved_in": healed + 1 if over else None,
            "first_kind": Kind.LEVEL_MISMATCH,
            "first_progress_level": 3,
            "first_license_level": 2,
            "kind": Kind.LEVEL_MISMATCH,
            "progress_level": 3,
            "license_level": 2,
        }


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
