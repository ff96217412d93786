"""What the application does between plan and write, or at the same time: the pair is left as it is then, and that is said."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest

from core.sync.change import ChangeOutcome
from core.sync.policy import Policies, Policy
from core.sync.writable import WritableDatabase
from core.sync.writer import PairWriter, Written
from tests.sync.application import LICENSES, LIST, PROGRESS, USERS, Whole
from tests.sync.conftest import ANNA, NewRepairs, Repairs

Meanwhile = Callable[[Whole], object]


def _three(application: Whole) -> None:
    """Anna's licence is behind, Béla's progress is, and Cili has no licence; their users are 1, 2 and 3."""
    application.fill(
        {
            USERS: [{"id": user} for user in (1, 2, 3)],
            PROGRESS: [
                {"id": 11, "student_id": 1, "specialization_id": "PLAYER", "current_level": 5},
                {"id": 12, "student_id": 2, "specialization_id": "PLAYER", "current_level": 2},
                {"id": 13, "student_id": 3, "specialization_id": "PLAYER", "current_level": 4},
            ],
            LICENSES: [
                {"id": 21, "user_id": 1, "specialization_type": "PLAYER", "current_level": 3, "max_achieved_level": 3},
                {"id": 22, "user_id": 2, "specialization_type": "PLAYER", "current_level": 6, "max_achieved_level": 6},
            ],
        }
    )


@pytest.fixture
def three(repairs: Repairs) -> Repairs:
    _three(repairs.application)
    return repairs


CHANGES: dict[str, Meanwhile] = {
    "progress level": lambda app: app.execute(f"UPDATE {PROGRESS} SET current_level = 6 WHERE id = 11"),
    "progress user": lambda app: app.execute(f"UPDATE {PROGRESS} SET student_id = 9 WHERE id = 11"),
    "progress name": lambda app: app.execute(f"UPDATE {PROGRESS} SET specialization_id = 'player' WHERE id = 11"),
    "progress id": lambda app: app.execute(f"UPDATE {PROGRESS} SET id = 99 WHERE id = 11"),
    "licence level": lambda app: app.execute(f"UPDATE {LICENSES} SET current_level = 4, max_achieved_level = 4 WHERE id = 21"),
    "licence highest level": lambda app: app.execute(f"UPDATE {LICENSES} SET max_achieved_level = 7 WHERE id = 21"),
    "licence activity": lambda app: app.execute(f"UPDATE {LICENSES} SET is_active = FALSE WHERE id = 21"),
    "licence moment": lambda app: app.execute(f"UPDATE {LICENSES} SET last_advanced_at = '2025-10-25 11:59:00' WHERE id = 21"),
    "licence user": lambda app: app.execute(f"UPDATE {LICENSES} SET user_id = 9 WHERE id = 21"),
    "progress gone": lambda app: app.execute(f"DELETE FROM {PROGRESS} WHERE id = 11"),
    "licence gone": lambda app: app.execute(f"DELETE FROM {LICENSES} WHERE id = 21"),
    "second progress": lambda app: app.progress(1, " player ", 5),
    "second licence": lambda app: app.license(1, "Player", 3),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_pair_that_changed_since_the_plan_is_left_as_it_is(three: Repairs, change: str) -> None:
    run = three.keep()
    CHANGES[change](three.application)
    changed = three.application.contents()
    run = three.service.apply(run.id, ANNA, seen=run.planned)
    assert [three.outcome(run, user) for user in (1, 2, 3)] == [
        ChangeOutcome.CHANGED,
        ChangeOutcome.APPLIED,
        ChangeOutcome.APPLIED,
    ]
    assert three.reason(run, 1).endswith("now.")
    now = three.application.contents()
    for table, ids in ((PROGRESS, {11, 99}), (LICENSES, {21})):
        assert [row for row in now[table] if row["id"] in ids] == [row for row in changed[table] if row["id"] in ids]


def test_a_licence_that_the_application_made_meanwhile_is_not_made_again(three: Repairs) -> None:
    run = three.keep()
    three.application.license(3, "player", 4)
    run = three.service.apply(run.id, ANNA, seen=run.planned)
    assert three.outcome(run, 3) is ChangeOutcome.CHANGED
    assert three.reason(run, 3) == "There is a licence row now."
    assert len(three.application.rows(f"SELECT id FROM {LICENSES} WHERE user_id = 3")) == 1


def test_a_column_that_no_sync_looks_at_may_change_meanwhile_and_stays(three: Repairs) -> None:
    run = three.keep()
    three.application.execute(f"UPDATE {LICENSES} SET expires_at = '2031-01-01 00:00:00' WHERE id = 21")
    three.application.execute(f"UPDATE {PROGRESS} SET total_xp = 777 WHERE id = 11")
    run = three.service.apply(run.id, ANNA, seen=run.planned)
    three.undo(run)
    assert three.outcome(run, 1) is ChangeOutcome.UNDONE
    assert three.application.rows(f"SELECT total_xp FROM {PROGRESS} WHERE id = 11") == [{"total_xp": 777}]
    assert "2031" in str(three.application.rows(f"SELECT expires_at FROM {LICENSES} WHERE id = 21"))


# --- from the lock to the commit --------------------------------------------------------------------------------------


def _refuses(application: Whole, statement: str) -> bool:
    """Whether the application must wait for this at the moment."""
    other = type(application)._connect(application)
    try:
        if isinstance(other, psycopg.Connection):
            other.execute("SET lock_timeout = 20")
        else:
            other.execute("PRAGMA busy_timeout = 20")
        other.execute(statement)
    except Exception as waited:  # noqa: BLE001 - each engine has its own
        return "lock" in str(waited)
    finally:
        other.close()
    return False


@pytest.mark.parametrize("user", [1, 3])
def test_until_the_commit_nobody_else_changes_either_row_or_adds_one(three: Repairs, user: int) -> None:
    """User 1's licence is set, user 3's is made."""
    application, settings = three.application, three.service.settings
    plan = three.plan()
    change = next(change for change in plan.changes if change.user_id == user)
    assert settings.writable_url is not None
    database = WritableDatabase(settings.writable_url, 5, 400, 30)
    waited: dict[str, bool] = {}

    def look(_written: Written) -> None:
        for table, column in ((PROGRESS, "student_id"), (LICENSES, "user_id")):
            waited[table] = _refuses(application, f"UPDATE {table} SET current_level = 7 WHERE {column} = {user}")
        insert = f"INSERT INTO {LICENSES} (user_id, specialization_type, current_level) VALUES ({user}, 'PLAYER', 1)"
        waited["a second row"] = _refuses(application, insert)

    PairWriter(database, settings).mend(change, "by a test", three.clock(), look)
    database.close()
    sqlite = application.url.get_backend_name() == "sqlite"  # it has one lock for all
    assert waited == {PROGRESS: True, LICENSES: True, "a second row": user == 3 or sqlite}


# --- held by the application ------------------------------------------------------------------------------------------


def _hold(application: Whole, table: str, number: int) -> None:
    """The application is in the middle of changing a row; on SQLite that holds every row."""
    application.execute("BEGIN" if application.mark == "%s" else "BEGIN IMMEDIATE")
    application.execute(f"UPDATE {table} SET current_level = current_level WHERE id = {number}")


def test_a_row_that_the_application_holds_too_long_fails_alone(whole: Whole, new_repairs: NewRepairs) -> None:
    _three(whole)
    waits: list[float] = []
    repairs = new_repairs(whole, wait=waits.append, sync={"lock_timeout_ms": 10, "tries": 3})
    run = repairs.keep()
    before = whole.bytes()
    _hold(whole, PROGRESS, 11)
    run = repairs.service.apply(run.id, ANNA, seen=run.planned)
    whole.execute("ROLLBACK")
    others = [ChangeOutcome.APPLIED] * 2 if whole.mark == "%s" else [ChangeOutcome.FAILED] * 2
    assert [repairs.outcome(run, user) for user in (1, 2, 3)] == [ChangeOutcome.FAILED, *others]
    assert "It was tried 3 times." in repairs.reason(run, 1)
    assert len(waits) == (2 if whole.mark == "%s" else 6)
    assert waits[1] > waits[0]
    if whole.mark == "%s":
        repairs.undo(run)
    assert whole.bytes() == before


def test_a_row_that_is_let_go_in_time_is_mended(whole: Whole, new_repairs: NewRepairs) -> None:
    _three(whole)

    def let_go(_seconds: float) -> None:
        if holding:
            whole.execute(holding.pop())

    holding: list[str] = []
    repairs = new_repairs(whole, wait=let_go, sync={"lock_timeout_ms": 10})
    run = repairs.keep()
    _hold(whole, LICENSES, 21)
    holding.append("COMMIT")
    run = repairs.service.apply(run.id, ANNA, seen=run.planned)
    assert not holding
    assert repairs.outcomes(run) == {"applied": 3}
    assert run.mended == 3


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_reader_that_hinders_every_commit_of_sqlite_leaves_the_pairs_untouched(whole: Whole, new_repairs: NewRepairs) -> None:
    """Without a write-ahead log a commit waits for readers: it fails after the pair was noted as on its way."""
    _three(whole)
    whole.execute("PRAGMA journal_mode=DELETE")
    repairs = new_repairs(whole, sync={"lock_timeout_ms": 10, "tries": 2})
    run = repairs.keep()
    before = whole.bytes()
    reader = type(whole)._connect(whole)
    reader.execute("PRAGMA journal_mode=DELETE")
    reader.execute("BEGIN")
    reader.execute(f"SELECT * FROM {PROGRESS}").fetchone()
    run = repairs.service.apply(run.id, ANNA, seen=run.planned)
    assert repairs.outcomes(run) == {"failed": 3}
    reader.execute("COMMIT")
    reader.close()
    assert whole.bytes() == before
    assert repairs.outcomes(repairs.apply()) == {"applied": 3}


@pytest.mark.postgresql
@pytest.mark.parametrize("engine", ["postgresql"])
def test_in_a_deadlock_it_is_the_sync_that_gives_way_and_tries_again(whole: Whole, new_repairs: NewRepairs) -> None:
    """The application locks the licence first and then wants the progress row, which the sync has, who wants the licence."""
    _three(whole)
    repairs = new_repairs(whole, wait=lambda _seconds: application.join(), sync={"lock_timeout_ms": 60_000})
    run = repairs.keep()
    _hold(whole, LICENSES, 21)
    watching = type(whole)._connect(whole)
    problems: list[psycopg.Error] = []

    def want_the_other_row() -> None:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%sync' AND wait_event_type = 'Lock'"
        while not watching.execute(waiting).fetchone()[0]:  # the sync has the progress row now, and waits for the licence
            pass
        try:
            whole.execute(f"UPDATE {PROGRESS} SET total_xp = 1 WHERE id = 11")
            whole.execute("COMMIT")
        except psycopg.Error as error:
            problems.append(error)

    application = threading.Thread(target=want_the_other_row)
    application.start()
    run = repairs.service.apply(run.id, ANNA, seen=run.planned)
    application.join()
    watching.close()
    assert problems == []
    assert whole.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0] == 0
    assert repairs.outcomes(run) == {"applied": 3}
    assert whole.rows(f"SELECT total_xp FROM {PROGRESS} WHERE id = 11") == [{"total_xp": 1}]


def test_what_was_left_as_it_is_stands_in_the_list_of_changes_with_its_reason(three: Repairs) -> None:
    policies = Policies.all(Policy.LICENSE_WINS)
    run = three.keep(policies)
    three.application.execute(f"UPDATE {LICENSES} SET current_level = 7 WHERE id = 22")
    run = three.service.apply(run.id, ANNA, seen=run.planned)
    assert three.outcomes(run) == {"applied": 1, "changed": 1, "left_alone": 1}
    assert three.reason(run, 2) == "The licence row has another current_level now."
    assert not three.application.rows(f"SELECT id FROM {LIST}"), "no licence was changed, so none is listed"
