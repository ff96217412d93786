"""What a sync must not harm, and what it must not say."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import WritesElsewhere
from core.state.database import StateDatabase
from core.state.schema_of_sync import sync_changes, sync_runs
from core.state.sync_runs import RunStatus
from core.sync import plan as planning
from core.sync.change import ChangeOutcome
from tests.conftest import NewDatabase
from tests.sync.application import LICENSES, LIST, PROGRESS, USERS, NewWhole, Schema, Whole, WholePostgresql, WholeSqlite
from tests.sync.conftest import ANNA, NewRepairs, Repairs, plain_url
from tests.sync.moments import before_statement


def _fill(application: Whole, *, with_licences: bool = True) -> Whole:
    """Two users; their licences are behind, or missing."""
    licences = [{"id": user, "user_id": user, "specialization_type": "PLAYER", "current_level": 2} for user in (1, 2)]
    application.fill(
        {
            USERS: [{"id": user} for user in (1, 2)],
            PROGRESS: [{"student_id": user, "specialization_id": "PLAYER", "current_level": 5} for user in (1, 2)],
            LICENSES: licences if with_licences else [],
        }
    )
    return application


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "NO ACTION"])
def test_what_the_application_added_to_a_new_licence_stays_and_so_does_the_licence(
    whole: Whole, new_repairs: NewRepairs, action: str
) -> None:
    whole.execute(
        f"CREATE {whole.unlogged} TABLE certificates (name text, license integer REFERENCES {LICENSES} (id) ON DELETE {action})"
    )
    repairs = new_repairs(_fill(whole, with_licences=False))
    run = repairs.apply()
    (first, _) = whole.rows(f"SELECT id FROM {LICENSES} ORDER BY user_id")
    whole.execute(f"INSERT INTO certificates VALUES ('gold', {first['id']})")
    undone = repairs.undo(run)
    assert repairs.outcomes(undone) == {"applied": 1, "changed": 1}
    assert "certificates refer to the licence row" in repairs.reason(undone, 1)
    assert whole.execute("SELECT name FROM certificates") == [("gold",)]
    assert whole.execute(f"SELECT user_id FROM {LICENSES}") == [(1,)]


def test_rows_that_the_application_added_to_its_own_list_stay(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_fill(whole, with_licences=False))
    run = repairs.apply()
    (first, _) = whole.rows(f"SELECT id FROM {LICENSES} ORDER BY user_id")
    whole.execute(f"INSERT INTO {LIST} (user_license_id, from_level, to_level) VALUES ({first['id']}, 5, 6)")
    assert repairs.outcomes(repairs.undo(run)) == {"applied": 1, "changed": 1}
    assert whole.execute(f"SELECT count(*) FROM {LIST} WHERE to_level = 6") == [(1,)]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_level_that_the_application_reached_itself_is_not_called_ours(
    whole: Whole, new_repairs: NewRepairs, sqlite_state: StateDatabase
) -> None:
    """Killed before the commit; then the application promotes the user to the same level, and earns points."""
    _fill(whole).execute(f"UPDATE {LICENSES} SET current_level = 7, max_achieved_level = 7 WHERE user_id = 1")
    repairs = new_repairs(whole)
    before = whole.rows(f"SELECT * FROM {PROGRESS} WHERE student_id = 1")
    run = repairs.apply()
    with sqlite_state.write() as connection:
        running = {"status": RunStatus.RUNNING.value, "finished_at": None, "record_file": None}
        connection.execute(sa.update(sync_runs).where(sync_runs.c.id == run.id).values(**running))
        ours = sync_changes.c.run_id == run.id, sync_changes.c.user_text == "1"
        connection.execute(sa.update(sync_changes).where(*ours).values(outcome=ChangeOutcome.APPLYING.value))
    whole.execute(f"UPDATE {PROGRESS} SET total_xp = {before[0]['total_xp'] + 50} WHERE student_id = 1")
    repairs.service.recover()
    assert repairs.outcome(run, 1) is ChangeOutcome.UNCLEAR
    assert "applied" not in repairs.outcomes(repairs.undo(run)) or whole.rows(
        f"SELECT current_level FROM {PROGRESS} WHERE student_id = 1"
    ) == [{"current_level": 7}]


def test_a_user_who_was_removed_after_the_plan_gets_nothing(new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    whole = _fill(new_whole(Schema(strict=False)), with_licences=False)
    repairs = new_repairs(whole)
    run = repairs.keep()
    whole.execute(f"DELETE FROM {USERS} WHERE id = 1")
    run = repairs.service.apply(run.id, ANNA, seen=2)
    assert repairs.outcomes(run) == {"applied": 1, "changed": 1}
    assert "any more" in repairs.reason(run, 1)


@pytest.mark.postgresql
@pytest.mark.parametrize("engine", ["postgresql"])
def test_while_the_state_database_is_locked_a_pair_is_let_go_and_tried_again(
    whole: Whole, new_repairs: NewRepairs, sqlite_state: StateDatabase
) -> None:
    repairs = new_repairs(_fill(whole))
    held = sqlite3.connect(str(sqlite_state.url.database), isolation_level=None, check_same_thread=False)
    let_go = threading.Timer(1.5, lambda: held.execute("ROLLBACK"))

    def hold(_connection: object) -> None:
        held.execute("BEGIN IMMEDIATE")
        let_go.start()

    with closing(held), before_statement(f"UPDATE {LICENSES}", hold):
        run = repairs.apply()
        let_go.join()
    assert (run.status, repairs.outcomes(run)) == (RunStatus.DONE, {"applied": 2})


def test_an_address_that_leads_to_a_copy_is_refused(
    engine: str, whole: Whole, new_repairs: NewRepairs, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    _fill(whole)
    if engine == "sqlite":
        copy: Whole = WholeSqlite(tmp_path / "copy.db")
    else:
        new_database: NewDatabase = request.getfixturevalue("new_postgresql_database")
        copy = WholePostgresql(new_database())
    repairs = new_repairs(whole, sync_database_url=plain_url(_fill(copy)))
    run = repairs.keep()
    with pytest.raises(WritesElsewhere):
        repairs.service.apply(run.id, ANNA, seen=2)
    assert copy.execute(f"SELECT current_level FROM {LICENSES}") == [(2,), (2,)]
    assert repairs.service.run(run.id).status is RunStatus.PLANNED
    copy.close()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_another_way_to_the_same_file_is_the_same_database(whole: Whole, new_repairs: NewRepairs, tmp_path: Path) -> None:
    way = tmp_path / "way.db"
    way.symlink_to(str(whole.url.database))
    assert new_repairs(_fill(whole), sync_database_url=f"sqlite:///{way}").apply().mended == 2


def test_pairs_that_are_gone_do_not_agree(whole: Whole, new_repairs: NewRepairs) -> None:
    repairs = new_repairs(_fill(whole))
    check: Callable[..., object] = repairs.service._monitor.check_all_users

    def emptied(**asked: object) -> object:
        if asked.get("dry_run") is not True:
            for table in (LIST, LICENSES, PROGRESS):
                whole.execute(f"DELETE FROM {table}")
        return check(**asked)

    repairs.service._monitor.check_all_users = emptied  # type: ignore[method-assign,assignment] # the moment between run and check
    run = repairs.apply()
    assert (repairs.outcomes(run), run.mended) == ({"applied": 2}, 0)


@pytest.mark.postgresql
@pytest.mark.parametrize("engine", ["postgresql"])
def test_what_changes_a_row_at_its_commit_is_found_by_the_look_afterwards(whole: Whole, new_repairs: NewRepairs) -> None:
    whole.execute(
        "CREATE FUNCTION lower_it() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "IF NEW.user_id = 1 AND NEW.current_level = 5 THEN "
        f"UPDATE {LICENSES} SET current_level = 1 WHERE id = NEW.id; END IF; RETURN NULL; END$$"
    )
    whole.execute(
        f"CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON {LICENSES} DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION lower_it()"
    )
    repairs = new_repairs(_fill(whole))
    run = repairs.apply()
    assert (repairs.outcomes(run), run.mended) == ({"applied": 2}, 1)


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("said", ["False", "f", "NO", " off ", "inactive", "0.0", 0, 0.0, b"\0", ""])
def test_a_licence_is_not_active_in_whatever_way_that_is_said(new_whole: NewWhole, new_repairs: NewRepairs, said: object) -> None:
    whole = _fill(new_whole())
    whole.execute(f"UPDATE {LICENSES} SET is_active = ? WHERE user_id = 1", (said,))
    plan = new_repairs(whole).plan()
    assert [(change.user_id, change.reason) for change in plan.changes if change.step is None] == [
        (1, "The licence is not active.")
    ]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_very_many_that_are_left_alone_are_counted_whole(
    whole: Whole, new_repairs: NewRepairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST_LEFT_ALONE", 1)
    _fill(whole).execute(f"UPDATE {PROGRESS} SET current_level = NULL")
    repairs = new_repairs(whole)
    run = repairs.keep()
    assert (run.left_alone, repairs.outcomes(run)) == (2, {"left_alone": 2})
    assert len(repairs.service.changes(run.id)) == 1


@pytest.mark.postgresql
@pytest.mark.parametrize("engine", ["postgresql"])
def test_users_and_the_list_are_found_beside_tables_of_another_schema(whole: Whole, new_repairs: NewRepairs) -> None:
    _fill(whole).execute("CREATE SCHEMA app")
    for table in (PROGRESS, LICENSES, USERS, LIST):
        whole.execute(f"ALTER TABLE {table} SET SCHEMA app")
    sides = {"progress": {"table": f"app.{PROGRESS}"}, "license": {"table": f"app.{LICENSES}"}}
    repairs = new_repairs(whole, **sides)
    run = repairs.apply()
    assert repairs.outcomes(run) == {"applied": 2}
    assert whole.execute(f"SELECT count(*) FROM app.{LIST}") == [(2,)]


@pytest.mark.postgresql
@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_name_is_written_as_an_enum_spells_it(whole: Whole, new_repairs: NewRepairs) -> None:
    whole.execute("CREATE TYPE kind AS ENUM ('player', 'coach')")
    whole.execute(f"ALTER TABLE {LICENSES} ALTER specialization_type TYPE kind USING lower(specialization_type)::kind")
    repairs: Repairs = new_repairs(whole)
    whole.execute(f"INSERT INTO {USERS} (id) VALUES (1)")
    whole.execute(f"INSERT INTO {PROGRESS} (student_id, specialization_id, current_level) VALUES (1, 'PLAYER', 3)")
    assert repairs.apply().mended == 1
    assert whole.execute(f"SELECT specialization_type::text FROM {LICENSES}") == [("player",)]
