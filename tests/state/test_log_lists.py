"""Logs that became history, remembered as lists."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.state import log_lists
from core.state.database import StateDatabase
from tests.frozen_clock import NOON
from tests.state.test_episodes import FIVE

A, B = "20251101_120000_violations.json", "20251101_120500_violations.json"


def keep(state: StateDatabase, place: str, *names: str, at: datetime = NOON) -> None:
    path = place.rstrip("/")
    with state.write() as connection:
        logs = [(f"{path}/{name}", f"{number}{name}", at + number * FIVE) for number, name in enumerate(names)]
        log_lists.add(connection, place, logs)


@pytest.mark.parametrize("place", ["/srv/logs", "/"])
def test_paths_come_back_as_they_went_in(fresh_state: StateDatabase, place: str) -> None:
    keep(fresh_state, place, A, f"2025/{B}")
    keep(fresh_state, "/srv/other.zip", B)
    with fresh_state.read() as connection:
        path = place.rstrip("/")
        assert log_lists.paths_in(connection, place) == {f"{path}/{A}", f"{path}/2025/{B}"}
        assert sorted(log_lists.named(connection, B)) == sorted([f"{path}/2025/{B}", f"/srv/other.zip/{B}"])
        assert list(log_lists.named(connection, "0251101_120500_violations.json")) == [], "a part of a name is no name"
        assert list(log_lists.named(connection, B.replace("_", "%"))) == []


def found(state: StateDatabase, first: datetime, last: datetime) -> dict[str, str]:
    with state.read() as connection:
        return dict(log_lists.contents_between(connection, first, last))


def test_contents_are_found_by_their_moment(fresh_state: StateDatabase) -> None:
    day = timedelta(days=1)
    keep(fresh_state, "/srv/logs", A, B)
    keep(fresh_state, "/srv/other", B, at=NOON + day)
    here, there = {f"/srv/logs/{A}": f"0{A}", f"/srv/logs/{B}": f"1{B}"}, {f"/srv/other/{B}": f"0{B}"}
    assert found(fresh_state, NOON + FIVE, NOON + day / 2) == here
    assert found(fresh_state, NOON + day / 2, NOON + day) == there
    assert found(fresh_state, NOON + FIVE, NOON + day) == here | there
    assert found(fresh_state, NOON - 9 * day, NOON - FIVE) == {}


def test_a_few_join_the_list_before_and_its_times_grow(fresh_state: StateDatabase) -> None:
    keep(fresh_state, "/srv/logs", A)
    keep(fresh_state, "/srv/other", B)
    keep(fresh_state, "/srv/logs", B, at=NOON - timedelta(days=1))
    keep(fresh_state, "/srv/logs")
    for moment in (NOON, NOON - timedelta(days=1)):
        assert found(fresh_state, moment, moment).items() >= {f"/srv/logs/{A}": f"0{A}", f"/srv/logs/{B}": f"0{B}"}.items()
    with fresh_state.read() as connection:
        assert log_lists.paths_in(connection, "/srv/logs") == {f"/srv/logs/{A}", f"/srv/logs/{B}"}
