"""Who may let a plan be written, when, how much of it, and how often: limits, a second admin, two at once, taking back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from core.errors import NoSuchRun, NoWriteAccess, SyncProblem
from core.model import Request, Trigger
from core.state.database import StateDatabase
from core.state.sync_runs import Run, RunStatus
from core.sync.change import ChangeOutcome
from core.sync.policy import Policies, Policy
from core.sync.service import NothingDone
from tests.frozen_clock import FrozenClock
from tests.sync.application import LICENSES, PROGRESS, USERS, Whole, WholeSqlite
from tests.sync.conftest import ANNA, BELA, NewRepairs, Repairs

JOB = Request(Trigger.SCHEDULED)


def _behind(application: Whole, behind: int, agreeing: int = 0) -> Whole:
    """So many licences are behind, and so many pairs agree."""
    users = range(1, behind + agreeing + 1)
    application.fill(
        {
            USERS: [{"id": user} for user in users],
            PROGRESS: [{"student_id": user, "specialization_id": "PLAYER", "current_level": 5} for user in users],
            LICENSES: [
                {"user_id": user, "specialization_type": "PLAYER", "current_level": 2 if user <= behind else 5} for user in users
            ],
        }
    )
    return application


@pytest.fixture
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Nothing here depends on the engine."""
    return WholeSqlite(tmp_path_factory.mktemp("runs") / "app.db")


def _apart(application: Whole) -> int:
    (row,) = application.rows(f"SELECT count(*) AS apart FROM {LICENSES} WHERE current_level = 2")
    return int(row["apart"])


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("behind", "agreeing", "held"), [(3, 297, False), (4, 396, True), (3, 296, True), (1, 99, False)])
def test_a_run_that_nobody_looked_at_makes_so_many_changes_and_no_more(
    whole: Whole, new_repairs: NewRepairs, behind: int, agreeing: int, held: bool
) -> None:
    """At most three, and at most one per cent of all pairs: both limits themselves are within them."""
    repairs = new_repairs(_behind(whole, behind, agreeing), sync={"most_changes": 3, "most_percent": 1})
    before = whole.bytes()
    run = repairs.service.apply(repairs.keep().id, ANNA)
    assert run.status is (RunStatus.HELD if held else RunStatus.DONE)
    assert (whole.bytes() == before) is held
    if held:
        assert run.reason is not None
        assert run.reason.startswith("4 changes are more than the 3" if behind == 4 else "3 of 299 pairs are 1.00 %, more than")
        run = repairs.service.apply(run.id, BELA, seen=run.planned)
        assert (run.status, run.confirmed_by) == (RunStatus.DONE, "bela")
    assert _apart(whole) == 0


def test_limits_may_be_parts_of_a_per_cent(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_behind(whole, 1, 400), sync={"most_percent": Decimal("0.249")})
    run = repairs.keep()
    assert repairs.service.exceeded(run) == "1 of 401 pairs are 0.25 %, more than the 0.249 % that one run may change"


def test_a_number_that_is_not_the_plans_lets_nothing_be_written(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_behind(whole, 3))
    run = repairs.keep()
    with pytest.raises(SyncProblem, match="has 3 changes, not 2"):
        repairs.service.apply(run.id, ANNA, seen=2)
    assert repairs.service.run(run.id).status is RunStatus.PLANNED
    assert _apart(whole) == 3


# --- a second admin ---------------------------------------------------------------------------------------------------


def test_above_a_number_a_second_admin_must_agree(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_behind(whole, 3), sync={"approval_above": 2})
    service, run = repairs.service, repairs.keep()
    with pytest.raises(SyncProblem, match="is planned"):
        service.approve(run.id, BELA, seen=3)
    run = service.apply(run.id, ANNA, seen=3)
    assert (run.status, run.confirmed_by) == (RunStatus.WAITING, "anna")
    with pytest.raises(SyncProblem, match="A second admin must approve"):
        service.approve(run.id, ANNA, seen=3)
    with pytest.raises(SyncProblem, match="is waiting"):
        service.apply(run.id, BELA, seen=3)
    with pytest.raises(SyncProblem, match="has 3 changes, not 30"):
        service.approve(run.id, BELA, seen=30)
    assert _apart(whole) == 3
    run = service.approve(run.id, BELA, seen=3)
    assert (run.status, run.confirmed_by, run.approved_by) == (RunStatus.DONE, "anna", "bela")
    assert _apart(whole) == 0
    assert run.record_file is not None
    record = json.loads((repairs.jobs / run.record_file).read_text())
    assert (record["planned_by"], record["confirmed_by"], record["approved_by"]) == ("anna", "anna", "bela")


def test_exactly_that_number_needs_one_admin(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_behind(whole, 2), sync={"approval_above": 2})
    assert repairs.apply().status is RunStatus.DONE


@pytest.mark.parametrize("stand", [RunStatus.PLANNED, RunStatus.HELD, RunStatus.WAITING])
def test_a_plan_can_be_given_up_before_its_first_write(whole: Whole, new_repairs: NewRepairs, stand: RunStatus) -> None:
    limits = {RunStatus.HELD: {"most_changes": 1}, RunStatus.WAITING: {"approval_above": 1}}.get(stand, {})
    repairs = new_repairs(_behind(whole, 2), sync=limits)
    run = repairs.keep()
    if stand is not RunStatus.PLANNED:
        run = repairs.service.apply(run.id, ANNA)
    assert run.status is stand
    run = repairs.service.refuse(run.id, BELA)
    assert (run.status, run.reason) == (RunStatus.REFUSED, "bela gave it up.")
    assert repairs.outcomes(run) == {"not_tried": 2}
    assert run.record_file is not None
    for deed in (lambda: repairs.service.apply(run.id, ANNA, seen=2), lambda: repairs.service.refuse(run.id, ANNA)):
        with pytest.raises(SyncProblem, match="is refused"):
            deed()
    with pytest.raises(SyncProblem, match="Nothing of"):
        repairs.undo(run)
    assert _apart(whole) == 2


# --- at once ----------------------------------------------------------------------------------------------------------


def _at_once(deeds: Sequence[Callable[[], Run | None]]) -> tuple[list[Run | None], list[SyncProblem]]:
    """Do all of it in threads that begin together; what came of it, and what was refused."""
    done: list[Run | None] = []
    refused: list[SyncProblem] = []
    together = threading.Barrier(len(deeds))

    def one(deed: Callable[[], Run | None]) -> None:
        together.wait()
        try:
            done.append(deed())
        except SyncProblem as problem:
            refused.append(problem)

    threads = [threading.Thread(target=one, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, refused


@pytest.mark.parametrize("servers", [1, 4])
def test_of_four_clicks_one_writes(whole: Whole, new_repairs: NewRepairs, servers: int) -> None:
    """On one server, or on four that share the state database."""
    several = [new_repairs(_behind(whole, 5)) for _ in range(servers)]
    first = several[0].keep()
    deeds = [
        lambda which=number: several[which % servers].service.apply(first.id, ANNA, seen=5)  # type: ignore[misc]
        for number in range(4)
    ]
    done, refused = _at_once(deeds)
    assert [run.status for run in done if run is not None] == [RunStatus.DONE]
    assert len(refused) == 3
    assert several[0].outcomes(first) == {"applied": 5}
    assert whole.rows("SELECT count(*) AS told FROM license_progressions") == [{"told": 5}], "each was written once"


def test_two_admins_with_a_plan_each_write_every_pair_once(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs, other = new_repairs(_behind(whole, 5)), new_repairs(whole)
    mine, theirs = repairs.keep(), other.keep()
    done, refused = _at_once(
        [
            lambda: repairs.service.apply(mine.id, ANNA, seen=5),
            lambda: other.service.apply(theirs.id, BELA, seen=5),
        ]
    )
    assert len(done) + len(refused) == 2
    for run in (mine, theirs):
        if repairs.service.run(run.id).status is RunStatus.PLANNED:
            assert repairs.service.apply(run.id, ANNA, seen=5).status is RunStatus.DONE
    outcomes = sorted(json.dumps(repairs.outcomes(run)) for run in (mine, theirs))
    assert outcomes == ['{"applied": 5}', '{"changed": 5}']
    assert whole.rows("SELECT count(*) AS told FROM license_progressions") == [{"told": 5}]


def test_a_job_and_a_click_at_once_write_every_pair_once(whole: Whole, new_repairs: NewRepairs) -> None:
    job, admin = new_repairs(_behind(whole, 5)), new_repairs(whole)
    plan = admin.keep()
    done, refused = _at_once([job.service.run_scheduled, lambda: admin.service.apply(plan.id, ANNA, seen=5)])
    assert len(done) + len(refused) == 2
    assert any(run is not None and run.status is RunStatus.DONE for run in done)
    assert _apart(whole) == 0
    assert whole.rows("SELECT count(*) AS told FROM license_progressions") == [{"told": 5}]


# --- taking back ------------------------------------------------------------------------------------------------------


def test_what_somebody_changed_since_stays_and_that_is_said(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_behind(whole, 4))
    whole.execute(f"DELETE FROM {LICENSES} WHERE user_id = 4")
    run = repairs.apply()
    whole.execute(f"UPDATE {LICENSES} SET current_level = 6 WHERE user_id = 1")
    whole.execute("UPDATE license_progressions SET advancement_reason = 'seen' WHERE user_license_id = 2")
    whole.execute(f"UPDATE {LICENSES} SET expires_at = '2031-01-01 00:00:00' WHERE user_id = 4")
    undone = repairs.undo(run)
    assert undone.status is RunStatus.DONE
    assert [repairs.outcome(undone, user).value for user in (1, 2, 3, 4)] == ["changed", "changed", "applied", "changed"]
    assert [repairs.outcome(run, user).value for user in (1, 2, 3, 4)] == ["applied", "applied", "undone", "applied"]
    assert repairs.reason(run, 3).endswith(f"run {undone.id}.")
    assert repairs.reason(undone, 1) == "The licence was changed since."
    assert repairs.reason(undone, 2) == "The list of licence changes was changed since."
    levels = whole.rows(f"SELECT user_id, current_level FROM {LICENSES} ORDER BY user_id")
    assert [row["current_level"] for row in levels] == [6, 5, 2, 5]
    whole.execute(f"UPDATE {LICENSES} SET current_level = 5 WHERE user_id = 1")
    again = repairs.undo(run)
    assert {str(change.user_id) for change in repairs.service.changes(again.id)} == {"1", "2", "4"}, "only what still stands"
    assert repairs.outcome(again, 1) is ChangeOutcome.APPLIED


def test_a_second_row_since_hinders_taking_back(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_behind(whole, 1))
    run = repairs.apply()
    whole.license(1, "player", 1)
    undone = repairs.undo(run)
    assert repairs.reason(undone, 1) == "The licence side has 2 rows now."
    assert repairs.outcome(run, 1) is ChangeOutcome.APPLIED


def test_a_row_that_is_gone_is_not_made_again(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_behind(whole, 1))
    run = repairs.apply()
    whole.execute("DELETE FROM license_progressions")
    whole.delete_license(1)
    undone = repairs.undo(run)
    assert repairs.outcomes(undone) == {"changed": 1}
    assert whole.rows(f"SELECT id FROM {LICENSES}") == []


def test_a_run_is_taken_back_once_and_an_undoing_never(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_behind(whole, 2))
    run = repairs.apply()
    done, refused = _at_once([lambda: repairs.undo(run)] * 3)
    (undone,) = done
    assert undone is not None
    assert len(refused) == 2
    with pytest.raises(SyncProblem, match="Nothing of"):
        repairs.undo(run)
    with pytest.raises(SyncProblem, match="itself an undoing"):
        repairs.undo(undone)
    assert _apart(whole) == 2
    assert undone.record_file is not None
    assert undone.record_file.endswith("_undo.json")


def test_taking_back_a_lowered_licence_raises_it_again(whole: Whole, new_repairs: NewRepairs) -> None:
    """A licence is lowered by name alone, and its highest level never is."""
    whole.fill(
        {
            USERS: [{"id": 1}],
            PROGRESS: [{"student_id": 1, "specialization_id": "PLAYER", "current_level": 2}],
            LICENSES: [{"user_id": 1, "specialization_type": "PLAYER", "current_level": 6, "max_achieved_level": 7}],
        }
    )
    repairs, before = new_repairs(whole), whole.bytes()
    run = repairs.apply(Policies.all(Policy.PROGRESS_WINS))
    (row,) = whole.rows(f"SELECT current_level, max_achieved_level FROM {LICENSES}")
    assert row == {"current_level": 2, "max_achieved_level": 7}
    repairs.undo(run)
    assert whole.bytes() == before


# --- the job ----------------------------------------------------------------------------------------------------------


def began(repairs: Repairs) -> Run:
    """The run that the job began."""
    done = repairs.service.run_scheduled()
    assert isinstance(done, Run), done
    return done


def why_not(repairs: Repairs) -> str:
    """What the job says when it began none."""
    done = repairs.service.run_scheduled()
    assert isinstance(done, NothingDone), done
    return done.why


def test_the_job_writes_within_the_limits_once_an_interval(whole: Whole, new_repairs: NewRepairs, clock: FrozenClock) -> None:
    repairs, replica = new_repairs(_behind(whole, 2)), new_repairs(whole)
    run = began(repairs)
    assert (run.status, run.confirmed_by, run.mended) == (RunStatus.DONE, "schedule", 2)
    _behind(whole, 1)
    assert why_not(replica) == f"skipped, for run {run.id} was less than 6 h ago; it is done", "another replica did so"
    clock.advance(timedelta(hours=6))
    again = began(replica)
    assert replica.outcomes(again) == {"applied": 1}
    clock.advance(timedelta(hours=6))
    assert why_not(repairs) == "nothing to write, 0 pairs left alone"
    clock.advance(timedelta(days=-365))
    _behind(whole, 2)
    assert began(repairs).status is RunStatus.DONE, "a clock that was set back silences nobody"


def test_a_job_above_the_limits_waits_for_a_person_until_a_newer_one_takes_its_place(
    whole: Whole, new_repairs: NewRepairs, clock: FrozenClock
) -> None:
    repairs = new_repairs(_behind(whole, 3), sync={"most_changes": 2})
    held = began(repairs)
    assert held.status is RunStatus.HELD
    assert _apart(whole) == 3
    clock.advance(timedelta(hours=6))
    newer = began(repairs)
    assert newer.status is RunStatus.HELD
    held = repairs.service.run(held.id)
    assert (held.status, held.reason) == (RunStatus.REFUSED, "A newer plan took its place.")
    assert held.record_file is not None
    with pytest.raises(SyncProblem, match="is refused"):
        repairs.service.apply(held.id, ANNA, seen=3)
    assert repairs.service.apply(newer.id, ANNA, seen=3).status is RunStatus.DONE
    assert _apart(whole) == 0


# --- what there is not ------------------------------------------------------------------------------------------------


def test_without_write_access_it_plans_and_refuses(whole: Whole, new_repairs: NewRepairs, sqlite_state: StateDatabase) -> None:
    repairs = new_repairs(_behind(whole, 2), sync_database_url=None)
    run = repairs.keep()
    assert run.planned == 2
    with pytest.raises(NoWriteAccess):
        repairs.service.apply(run.id, ANNA, seen=2)
    with pytest.raises(NoSuchRun):
        repairs.service.run(run.id + 1)
    assert _apart(whole) == 2
