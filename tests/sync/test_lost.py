"""Connections that are lost at the worst moments, and a state database that is away: what was written is known all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from core.assembly import build_monitor, build_sync
from core.errors import SyncProblem, SyncRecordUnwritable
from core.settings import Settings
from core.state.database import StateDatabase
from core.state.sync_runs import Run, RunStatus
from tests.conftest import NewDatabase
from tests.frozen_clock import FrozenClock
from tests.sync.application import LICENSES, PROGRESS, USERS, Whole, WholePostgresql
from tests.sync.conftest import ANNA, NewRepairs, Repairs, nothing, settings_for
from tests.sync.moments import (
    before_commit,
    before_statement,
    commit_and_end_its_connection,
    end_its_connection,
    nobody_comes_in,
)

postgresql = [pytest.mark.postgresql, pytest.mark.parametrize("engine", ["postgresql"])]
USERS_BEHIND = (1, 2, 3)


def on_postgresql(test: Any) -> Any:
    """A test for PostgreSQL alone."""
    for mark in postgresql:
        test = mark(test)
    return test


@pytest.fixture
def behind(whole: Whole) -> Whole:
    """Every user's licence is behind."""
    whole.fill(
        {
            USERS: [{"id": user} for user in USERS_BEHIND],
            PROGRESS: [{"student_id": user, "specialization_id": "PLAYER", "current_level": 5} for user in USERS_BEHIND],
            LICENSES: [
                {"id": user, "user_id": user, "specialization_type": "PLAYER", "current_level": 2} for user in USERS_BEHIND
            ],
        }
    )
    return whole


def _levels(application: Whole) -> list[int]:
    return [row["current_level"] for row in application.rows(f"SELECT current_level FROM {LICENSES} ORDER BY id")]


def _outcomes(repairs: Repairs, run: Run) -> list[str]:
    return [repairs.outcome(run, user).value for user in USERS_BEHIND]


@on_postgresql
@pytest.mark.parametrize("beginning", ["SELECT CAST(specialization_progress", "UPDATE", "INSERT INTO license_progressions"])
def test_a_connection_that_is_lost_in_the_middle_is_made_anew(
    behind: WholePostgresql, new_repairs: NewRepairs, beginning: str
) -> None:
    repairs, before = new_repairs(behind), behind.bytes()
    with before_statement(beginning, end_its_connection(behind)):
        run = repairs.apply()
    assert run.status is RunStatus.DONE
    assert _outcomes(repairs, run) == ["applied"] * 3
    repairs.undo(run)
    assert behind.bytes() == before


@on_postgresql
def test_a_connection_that_is_lost_again_and_again_stops_the_run(behind: WholePostgresql, new_repairs: NewRepairs) -> None:
    waits: list[float] = []
    repairs, before = new_repairs(behind, wait=waits.append), behind.bytes()
    with before_statement("UPDATE", end_its_connection(behind), every_time=True):
        run = repairs.apply()
    assert run.status is RunStatus.STOPPED
    assert run.reason is not None
    assert run.reason.startswith("The connection was lost")
    assert _outcomes(repairs, run) == ["not_tried"] * 3
    assert len(waits) == 4
    assert behind.bytes() == before


@on_postgresql
@pytest.mark.parametrize("deed", ["apply", "undo"])
@pytest.mark.parametrize("number", [1, 3])
def test_a_connection_that_is_lost_right_before_the_commit_is_tried_again(
    behind: WholePostgresql, new_repairs: NewRepairs, deed: str, number: int
) -> None:
    repairs, before = new_repairs(behind), behind.bytes()
    run = _done(repairs, deed, lambda: before_commit(end_its_connection(behind), number=number))
    assert repairs.outcomes(run) == {"applied": 3}
    if deed == "apply":
        assert _levels(behind) == [5, 5, 5]
        repairs.undo(run)
    assert behind.bytes() == before


@on_postgresql
@pytest.mark.parametrize("deed", ["apply", "undo"])
@pytest.mark.parametrize("number", [1, 3])
def test_a_commit_whose_answer_is_lost_is_known_to_have_been_made(
    behind: WholePostgresql, new_repairs: NewRepairs, deed: str, number: int
) -> None:
    repairs, before = new_repairs(behind), behind.bytes()
    run = _done(repairs, deed, lambda: before_commit(commit_and_end_its_connection(behind), number=number))
    assert repairs.outcomes(run) == {"applied": 3}
    if deed == "apply":
        repairs.undo(run)
    assert behind.bytes() == before
    assert behind.rows("SELECT count(*) AS rows FROM license_progressions") == [{"rows": 0}]


@on_postgresql
@pytest.mark.parametrize("committed", [True, False])
def test_a_database_that_is_back_in_time_is_asked_what_became_of_the_commit(
    behind: WholePostgresql, new_repairs: NewRepairs, postgresql_server: str, committed: bool
) -> None:
    """Nobody can look at first whether it was committed; the pair is not mistaken for one that somebody else changed."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            come_back()

    repairs = new_repairs(behind, wait=wait)
    with ExitStack() as stack:
        lose = (commit_and_end_its_connection if committed else end_its_connection)(behind)
        back: list[Callable[[], None]] = []

        def vanish(connection: sa.Connection) -> None:
            back.append(stack.enter_context(nobody_comes_in(behind, postgresql_server)))
            lose(connection)

        def come_back() -> None:
            back[0]()

        with before_commit(vanish, number=2):
            run = repairs.apply()
    assert _outcomes(repairs, run) == ["applied"] * 3
    assert _levels(behind) == [5, 5, 5]
    assert len(waits) == 3


@on_postgresql
@pytest.mark.parametrize("committed", [True, False])
def test_a_database_that_stays_away_is_asked_later(
    behind: WholePostgresql, new_repairs: NewRepairs, postgresql_server: str, committed: bool
) -> None:
    repairs, before = new_repairs(behind), behind.bytes()
    kept = repairs.keep()
    with ExitStack() as stack:
        lose = (commit_and_end_its_connection if committed else end_its_connection)(behind)

        def vanish(connection: sa.Connection) -> None:
            stack.enter_context(nobody_comes_in(behind, postgresql_server))
            lose(connection)

        with before_commit(vanish, number=2):
            run = repairs.service.apply(kept.id, ANNA, seen=3)
        assert run.status is RunStatus.RUNNING, "nobody knows yet what became of it"
        assert _outcomes(repairs, run) == ["applied", "applying", "planned"]
        with pytest.raises(SyncProblem, match="cannot be looked up yet"):
            repairs.service.recover()
        with pytest.raises(SyncProblem, match="cannot be looked up yet"):
            repairs.undo(run)
    repairs.service.recover()
    run = repairs.service.run(run.id)
    assert run.status is RunStatus.INTERRUPTED
    assert _outcomes(repairs, run) == ["applied", "applied" if committed else "not_tried", "not_tried"]
    assert _levels(behind) == [5, 5 if committed else 2, 2]
    repairs.undo(run)
    assert behind.bytes() == before


def _done(repairs: Repairs, deed: str, at: Callable[[], Any]) -> Run:
    if deed == "apply":
        with at():
            return repairs.apply()
    run = repairs.apply()
    with at():
        return repairs.undo(run)


# --- the state database -----------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(
    behind: WholePostgresql,
    new_postgresql_database: NewDatabase,
    migrated_on_postgresql: str,
    tmp_path: Path,
    clock: FrozenClock,
) -> Iterator[tuple[Repairs, str]]:
    """Repairs whose state is in a PostgreSQL of its own, and the name of that."""
    url = new_postgresql_database(f"TEMPLATE {migrated_on_postgresql}")
    settings: Settings = settings_for(behind, tmp_path / "logs", url)
    state = StateDatabase(settings.state_database_url)
    service = build_sync(build_monitor(settings, state, clock, nothing), clock, nothing)
    yield Repairs(service, behind, clock, settings.scheduler_log_dir), str(make_url(url).database)
    state.dispose()


@on_postgresql
@pytest.mark.parametrize("committed", [True, False])
def test_a_state_database_that_goes_away_in_the_middle_is_told_later_what_became_of_the_pair(
    behind: WholePostgresql, elsewhere: tuple[Repairs, str], postgresql_server: str, committed: bool
) -> None:
    (repairs, state), before = elsewhere, behind.bytes()
    kept = repairs.keep()

    def go_away(_connection: sa.Connection) -> None:
        with psycopg.connect(postgresql_server, autocommit=True) as server:
            server.execute(f"ALTER DATABASE {state} WITH ALLOW_CONNECTIONS false")
            server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (state,))

    moment = before_commit(go_away, number=2) if committed else before_statement("INSERT INTO license_progressions", go_away)
    with moment, pytest.raises(Exception, match="state database"):
        repairs.service.apply(kept.id, ANNA, seen=3)
    written = 2 if committed else 0
    assert _levels(behind) == [5] * written + [2] * (3 - written)
    with psycopg.connect(postgresql_server, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {state} WITH ALLOW_CONNECTIONS true")
    assert repairs.service.run(kept.id).status is RunStatus.RUNNING
    repairs.service.recover()
    run = repairs.service.run(kept.id)
    assert run.status is RunStatus.INTERRUPTED
    assert _outcomes(repairs, run) == ["applied"] * written + ["not_tried"] * (3 - written)
    assert run.record_file is not None
    record = json.loads((repairs.jobs / run.record_file).read_text())
    assert [change["outcome"] for change in record["changes"]] == _outcomes(repairs, run)
    if written:
        repairs.undo(run)
    assert behind.bytes() == before


# --- the record -------------------------------------------------------------------------------------------------------


def test_without_a_place_for_its_record_a_run_writes_nothing(behind: Whole, new_repairs: NewRepairs, tmp_path: Path) -> None:
    place = tmp_path / "a file"
    place.write_text("no folder")
    repairs, before = new_repairs(behind, job_log_dir=place), behind.bytes()
    run = repairs.apply()
    assert run.status is RunStatus.STOPPED
    assert run.reason is not None
    assert SyncRecordUnwritable.hint in run.reason
    assert _outcomes(repairs, run) == ["not_tried"] * 3
    assert behind.bytes() == before
    assert run.record_file is None
    place.unlink()
    repairs.service.recover()
    run = repairs.service.run(run.id)
    assert run.record_file is not None
    assert json.loads((place / run.record_file).read_text())["outcomes"] == {"not_tried": 3}


# --- the end of the process -------------------------------------------------------------------------------------------


@on_postgresql
def test_a_process_that_is_to_end_stops_between_two_pairs(behind: WholePostgresql, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(behind)
    with before_commit(lambda _connection: repairs.service.stop(), number=2):
        run = repairs.apply()
    assert run.status is RunStatus.STOPPED
    assert run.reason == "The server was stopped."
    assert _outcomes(repairs, run) == ["applied", "applied", "not_tried"]
