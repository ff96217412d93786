"""Runs that were believed dead, and what is said where nobody can know any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.state.database import StateDatabase
from core.state.schema_of_sync import sync_changes, sync_runs
from core.state.sync_runs import Run, RunStatus
from core.sync.change import ChangeOutcome
from tests.frozen_clock import FrozenClock
from tests.sync.application import LICENSES, LIST, PROGRESS, USERS, Whole, WholePostgresql
from tests.sync.conftest import ANNA, NewRepairs
from tests.sync.moments import before_statement


@pytest.fixture
def behind(whole: Whole) -> Whole:
    """Two licences are behind."""
    users = (1, 2)
    whole.fill(
        {
            USERS: [{"id": user} for user in users],
            PROGRESS: [{"student_id": user, "specialization_id": "PLAYER", "current_level": 5} for user in users],
            LICENSES: [{"id": user, "user_id": user, "specialization_type": "PLAYER", "current_level": 2} for user in users],
        }
    )
    return whole


def _as_killed_at_its_last_pair(state: StateDatabase, run: Run) -> None:
    """What a process leaves in the state database that was killed while it committed its last pair."""
    with state.write() as connection:
        connection.execute(
            sa.update(sync_runs)
            .where(sync_runs.c.id == run.id)
            .values(status=RunStatus.RUNNING.value, finished_at=None, record_file=None)
        )
        last = sync_changes.c.run_id == run.id, sync_changes.c.position == 2
        connection.execute(sa.update(sync_changes).where(*last).values(outcome=ChangeOutcome.APPLYING.value))


@pytest.mark.postgresql
@pytest.mark.parametrize("engine", ["postgresql"])
def test_who_lost_the_turn_writes_nothing_more(behind: WholePostgresql, new_repairs: NewRepairs, clock: FrozenClock) -> None:
    """A process that was not heard of for so long that another took its turn, and said what became of its run."""
    repairs, other = new_repairs(behind), new_repairs(behind, clock=lambda: clock() + timedelta(minutes=2))
    kept, before = repairs.keep(), behind.bytes()
    with before_statement(f"INSERT INTO {LIST}", lambda _connection: other.service.recover()):
        run = repairs.service.apply(kept.id, ANNA, seen=2)
    assert run.status is RunStatus.INTERRUPTED
    assert repairs.outcomes(run) == {"not_tried": 2}
    assert behind.bytes() == before
    assert other.apply().status is RunStatus.DONE


def test_where_somebody_changed_the_rows_first_it_is_unclear_and_that_is_said(
    engine: str, behind: Whole, new_repairs: NewRepairs, sqlite_state: StateDatabase
) -> None:
    """PostgreSQL remembers whether it committed; SQLite's rows alone tell."""
    repairs = new_repairs(behind)
    run = repairs.apply()
    _as_killed_at_its_last_pair(sqlite_state, run)
    behind.execute(f"UPDATE {LICENSES} SET current_level = 7 WHERE id = 2")
    repairs.service.recover()
    run = repairs.service.run(run.id)
    assert run.status is RunStatus.INTERRUPTED
    if engine == "postgresql":
        assert repairs.outcomes(run) == {"applied": 2}
    else:
        assert repairs.outcomes(run) == {"applied": 1, "unclear": 1}
        assert "before anybody could look" in repairs.reason(run, 2)
    assert run.record_file is not None
    undone = repairs.undo(run)
    assert repairs.outcomes(undone).get("applied") == 1, "what somebody changed stays"
    (row,) = behind.rows(f"SELECT current_level FROM {LICENSES} WHERE id = 2")
    assert row == {"current_level": 7}


def test_a_new_run_first_looks_up_what_became_of_the_last(
    behind: Whole, new_repairs: NewRepairs, sqlite_state: StateDatabase
) -> None:
    repairs = new_repairs(behind)
    run = repairs.apply()
    _as_killed_at_its_last_pair(sqlite_state, run)
    next_run = new_repairs(behind).apply()
    assert (next_run.status, next_run.planned) == (RunStatus.DONE, 0)
    assert repairs.service.run(run.id).status is RunStatus.INTERRUPTED
    assert repairs.outcomes(run) == {"applied": 2}
