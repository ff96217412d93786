"""Adding very many rows at once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.state.bulk import insert_columns
from core.state.database import StateDatabase
from core.state.schema import known_logs
from tests.frozen_clock import NOON


def add(state: StateDatabase, paths: list[str], size: int = 1) -> None:
    columns = {"path": paths, "mtime_ns": range(len(paths))}
    same = {"size": size, "outcome": "own", "dated": NOON}
    with state.write() as connection:
        insert_columns(connection, known_logs, columns, same=same, replacing=True)


def kept(state: StateDatabase) -> dict[str, tuple[int, int]]:
    with state.read() as connection:
        assert set(connection.execute(sa.select(known_logs.c.dated).distinct()).scalars()) <= {NOON}
        return {row.path: (row.size, row.mtime_ns) for row in connection.execute(sa.select(known_logs))}


@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 79, 80, 5_001])
def test_every_row_is_added_however_many_there_are(fresh_state: StateDatabase, count: int) -> None:
    add(fresh_state, [f"{number}" for number in range(count)])
    assert kept(fresh_state) == {f"{number}": (1, number) for number in range(count)}


def test_rows_take_the_place_of_those_of_the_same_key(fresh_state: StateDatabase) -> None:
    add(fresh_state, ["a", "b"])
    add(fresh_state, ["b", "c"], size=2)
    assert kept(fresh_state) == {"a": (1, 0), "b": (2, 0), "c": (2, 1)}


def test_no_columns_are_no_rows(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        insert_columns(connection, known_logs, {})
    assert kept(fresh_state) == {}


def test_columns_of_two_lengths_are_refused(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection, pytest.raises(ValueError, match=r"size|shorter"):
        insert_columns(connection, known_logs, {"path": ["a", "b"], "size": [1], "mtime_ns": [1, 2], "outcome": ["own", "own"]})
    assert kept(fresh_state) == {}
