"""A second admin is another person, whichever way the first one came; and what waits for a person is never lost."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.errors import SyncProblem
from core.model import Request, Scope, Trigger
from core.state import lease, tokens
from core.state.audit import Deed
from core.state.database import StateDatabase
from core.state.schema_of_sync import audit
from core.state.sync_runs import Run, RunStatus
from core.sync.service import NothingDone
from tests.frozen_clock import FrozenClock
from tests.sync.application import LICENSES, PROGRESS, USERS, Whole, WholeSqlite
from tests.sync.conftest import ANNA, BELA, NewRepairs, Repairs


@pytest.fixture
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Three licences are behind. Nothing here depends on the engine."""
    whole, users = WholeSqlite(tmp_path_factory.mktemp("second") / "app.db"), (1, 2, 3)
    whole.fill(
        {
            USERS: [{"id": user} for user in users],
            PROGRESS: [{"student_id": user, "specialization_id": "PLAYER", "current_level": 5} for user in users],
            LICENSES: [{"user_id": user, "specialization_type": "PLAYER", "current_level": 2} for user in users],
        }
    )
    return whole


@pytest.fixture
def two(whole: Whole, new_repairs: NewRepairs) -> Repairs:
    """More than two changes need two admins."""
    return new_repairs(whole, sync={"approval_above": 2})


def levels(application: Whole) -> list[int]:
    return [row[0] for row in application.execute(f"SELECT current_level FROM {LICENSES} ORDER BY user_id")]


def deeds(state: StateDatabase) -> list[str]:
    with state.read() as connection:
        return list(connection.execute(sa.select(audit.c.deed).order_by(audit.c.id)).scalars())


@pytest.mark.parametrize("first", [Request(Trigger.CLI, "anna"), Request(Trigger.API, "token ci")], ids=["command", "token"])
def test_who_confirmed_by_a_command_or_a_token_is_not_the_second(
    whole: Whole, two: Repairs, sqlite_state: StateDatabase, clock: FrozenClock, first: Request
) -> None:
    with sqlite_state.write() as connection:
        tokens.create(connection, "ci", Scope.ADMIN, clock(), created_by="anna")
    run = two.service.apply(two.keep().id, first, seen=3)
    assert run.status is RunStatus.WAITING
    with pytest.raises(SyncProblem, match="that may be you"):
        two.service.approve(run.id, ANNA, seen=3)
    assert two.service.may_be_confirmed_by(run, "anna")
    assert not two.service.may_be_confirmed_by(run, "bela")
    assert levels(whole) == [2, 2, 2]
    assert two.service.approve(run.id, BELA, seen=3).status is RunStatus.DONE


def test_what_the_job_plans_needs_two_persons(whole: Whole, two: Repairs) -> None:
    held = two.service.run_scheduled()
    assert isinstance(held, Run)
    assert (held.status, held.confirmed_by) == (RunStatus.HELD, None)
    waiting = two.service.apply(held.id, ANNA, seen=3)
    assert waiting.status is RunStatus.WAITING
    with pytest.raises(SyncProblem, match="A second admin"):
        two.service.approve(held.id, ANNA, seen=3)
    assert levels(whole) == [2, 2, 2]
    assert two.service.approve(held.id, BELA, seen=3).status is RunStatus.DONE


def test_taking_back_needs_two_persons_too(whole: Whole, two: Repairs) -> None:
    run = two.service.apply(two.keep().id, ANNA, seen=3)
    run = two.service.approve(run.id, BELA, seen=3)
    back = two.service.undo(run.id, ANNA)
    assert (back.status, levels(whole)) == (RunStatus.WAITING, [5, 5, 5])
    back = two.service.approve(back.id, BELA, seen=3)
    assert (back.status, two.outcomes(back), levels(whole)) == (RunStatus.DONE, {"applied": 3}, [2, 2, 2])


def test_what_is_held_is_not_called_confirmed(whole: Whole, new_repairs: NewRepairs, sqlite_state: StateDatabase) -> None:
    repairs = new_repairs(whole, sync={"most_changes": 1})
    held = repairs.service.apply(repairs.keep().id, Request(Trigger.CLI, "anna"))
    assert held.status is RunStatus.HELD
    assert Deed.SYNC_CONFIRMED.value not in deeds(sqlite_state)
    repairs.service.apply(held.id, ANNA, seen=3)
    assert deeds(sqlite_state).count(Deed.SYNC_CONFIRMED.value) == 1


def test_a_job_that_meets_another_run_leaves_what_is_held_and_comes_again(
    whole: Whole, new_repairs: NewRepairs, sqlite_state: StateDatabase, clock: FrozenClock
) -> None:
    repairs = new_repairs(whole, sync={"most_changes": 1})
    held = repairs.service.run_scheduled()
    assert isinstance(held, Run)
    clock.advance(hours=6)
    with sqlite_state.write() as connection:
        other = lease.acquire(connection, lease.Name.SYNC, "elsewhere|1|x", "work", clock())
    assert other is not None
    with pytest.raises(SyncProblem, match="at work already"):
        repairs.service.run_scheduled()
    assert repairs.service.run(held.id).status is RunStatus.HELD, "it still waits"
    with sqlite_state.write() as connection:
        lease.release(connection, other)
    newer = repairs.service.run_scheduled()
    assert isinstance(newer, Run), "the run that could not begin does not count"
    assert repairs.service.run(held.id).status is RunStatus.REFUSED


def test_what_is_held_waits_no_more_when_nothing_is_left_to_write(
    whole: Whole, new_repairs: NewRepairs, clock: FrozenClock
) -> None:
    repairs = new_repairs(whole, sync={"most_changes": 1})
    held = repairs.service.run_scheduled()
    assert isinstance(held, Run)
    whole.execute(f"UPDATE {LICENSES} SET current_level = 5")
    clock.advance(hours=6)
    assert isinstance(repairs.service.run_scheduled(), NothingDone)
    ended = repairs.service.run(held.id)
    assert (ended.status, ended.reason) == (RunStatus.REFUSED, "Nothing is left to write.")
    assert ended.record_file is not None
