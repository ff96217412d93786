"""The violations' lives with logs among the checks, in whatever order they come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from core.logs.parsing import parse_all
from core.logs.sources import FoundLog
from core.logs.taking import batches, take
from core.state import history, schema
from core.state.database import StateDatabase
from core.state.known_logs import KnownLog
from core.status import DEFAULT_THRESHOLDS
from tests.examples import examples
from tests.frozen_clock import NOON
from tests.state.records import recorded
from tests.state.test_episodes import FIVE, Levels, check, kept, oracle, violation

LARGE = 1_000_000
LATER = NOON + timedelta(days=1)
HERE = Path("/logs")


def log_of(at: datetime, listed: Mapping[int, Levels], **changes: object) -> FoundLog:
    """A log as the earlier implementation wrote it."""
    violations = [violation(user, levels).as_json() for user, levels in listed.items()]
    content = {
        "timestamp": at.replace(tzinfo=None).isoformat(),
        "total_checked": len(listed) + 10,
        "consistent": 10,
        "inconsistent": len(listed),
        "violations": violations,
    }
    return FoundLog(f"{HERE}/{at:%Y%m%d_%H%M%S}_violations.json", data=json.dumps(content | changes).encode())


def read(state: StateDatabase, *logs: FoundLog, latest: datetime = LATER) -> list[KnownLog]:
    found: list[KnownLog] = []
    for batch in batches(parse_all(logs, LARGE), 1_000):
        with state.write() as connection:
            found += take(connection, HERE, batch, latest, DEFAULT_THRESHOLDS).others
    return found


@dataclass(frozen=True)
class Reading:
    """What a check or a log lists, and, for a log, how many readings later it comes."""

    listed: dict[int, Levels]
    delay: int | None  # None: a check


listings = st.dictionaries(st.integers(1, 4), st.tuples(st.integers(2, 3), st.just(1)), max_size=4)
happenings = st.lists(st.builds(Reading, listings, st.none() | st.integers(0, 8)), min_size=1, max_size=9)


def tell(state: StateDatabase, readings: Sequence[Reading], *, backwards: bool) -> None:
    """Let the checks happen in their order, and the logs come when they come, those of a moment together."""
    for now in range(len(readings) + 9):
        logs = [
            log_of(NOON + at * FIVE, reading.listed)
            for at, reading in enumerate(readings)
            if reading.delay is not None and at + reading.delay == now
        ]
        read(state, *(reversed(logs) if backwards else logs))
        if now < len(readings) and readings[now].delay is None:
            recorded(state, NOON + now * FIVE, [violation(user, levels) for user, levels in sorted(readings[now].listed.items())])


@settings(max_examples=examples(60))
@given(readings=happenings, backwards=st.booleans())
def test_lives_are_as_counted_whatever_the_order_in_which_logs_come(
    fresh_state: StateDatabase, readings: list[Reading], backwards: bool
) -> None:
    with fresh_state.write() as connection:
        tables = (schema.episode_changes, schema.episodes, schema.history, schema.violations)
        for table in (*tables, schema.known_logs, schema.log_lists):
            connection.execute(table.delete())
    tell(fresh_state, readings, backwards=backwards)
    listed = [reading.listed for reading in readings]
    if all(reading.delay is not None for reading in readings):
        check(fresh_state, NOON + len(readings) * FIVE)  # the first check is told what the logs alone had told
        listed.append({})
    assert kept(fresh_state) == oracle(listed)


def listing(specialization: str, level: int) -> dict[str, object]:
    return violation(1, (level, 1)).as_json() | {"specialization": specialization}


OTHERS = dict.fromkeys(range(2, 9), (2, 1))  # so that most stays as it is from log to log


def read_with(state: StateDatabase, *of_user_1: Sequence[dict[str, object]]) -> None:
    """A log each five minutes, with what it says of user 1 and what all say of others, and then a check that finds the same."""
    others = [violation(*other).as_json() for other in OTHERS.items()]
    logs = [
        log_of(
            NOON + at * FIVE,
            OTHERS,
            total_checked=20,
            consistent=20 - len(others) - len(said),
            inconsistent=len(others) + len(said),
            violations=[*said, *others],
        )
        for at, said in enumerate(of_user_1)
    ]
    read(state, *logs)
    check(state, NOON + len(logs) * FIVE, 1, *OTHERS)


def test_a_violation_that_one_log_spells_otherwise_is_the_same(fresh_state: StateDatabase) -> None:
    read_with(fresh_state, [listing("PLAYER", 2)], [listing(" player ", 2)], [listing("PLAYER", 2)])
    assert kept(fresh_state)[0] == (1, 0, None, None, [(0, (2, 1))])


def test_a_pair_that_a_log_lists_twice_is_taken_at_its_first_word_and_counted_twice(fresh_state: StateDatabase) -> None:
    once, twice = [listing("PLAYER", 2)], [listing("PLAYER", 3), listing("PLAYER", 2)]
    read_with(fresh_state, once, twice, once, once)
    assert kept(fresh_state)[0] == (1, 0, None, None, [(0, (2, 1)), (1, (3, 1)), (2, (2, 1))])
    with fresh_state.read() as connection:
        counts = [sum(entry.count for entry in entries) for entries in history.breakdowns(connection, [1, 2, 3, 4]).values()]
    assert counts == [8, 9, 8, 8]
