"""What the watched database does not take fails alone; what hinders every pair stops the run before more is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.state.sync_runs import RunStatus
from core.sync.change import ChangeOutcome
from tests.sync.application import LICENSES, LIST, PROGRESS, USERS, NewWhole, Schema, Whole, WholePostgresql, WholeSqlite
from tests.sync.conftest import NewRepairs, Repairs

_SCHEMA = Schema()


def _pairs(application: Whole, users: Sequence[int] = (1, 2, 3)) -> Whole:
    """The licence of every user is two levels behind, but the last, who has none."""
    *behind, last = users
    application.fill(
        {
            "specializations": [{"id": "PLAYER"}],
            USERS: [{"id": user} for user in users],
            PROGRESS: [{"student_id": user, "specialization_id": "PLAYER", "current_level": 2 + user} for user in users],
            LICENSES: [
                {"id": user, "user_id": user, "specialization_type": "PLAYER", "current_level": user, "max_achieved_level": 1}
                for user in behind
            ],
        }
    )
    assert last == 3
    return application


def _fails_alone(repairs: Repairs, *failing: int) -> str:
    """Some users' pairs fail and stay as they are, the others are mended, and all can be taken back; the reason."""
    before = repairs.application.bytes()
    run = repairs.apply()
    assert run.status is RunStatus.DONE
    wanted = [ChangeOutcome.FAILED if user in failing else ChangeOutcome.APPLIED for user in (1, 2, 3)]
    assert [repairs.outcome(run, user) for user in (1, 2, 3)] == wanted, [repairs.reason(run, user) for user in (1, 2, 3)]
    rows = repairs.application.rows(f"SELECT user_id, current_level FROM {LICENSES} ORDER BY user_id")
    levels = {row["user_id"]: row["current_level"] for row in rows}
    assert levels == {user: user if user in failing else user + 2 for user in (1, 2, 3) if user != 3 or user not in failing}, (
        "a pair that failed is untouched"
    )
    assert len(repairs.application.rows(f"SELECT id FROM {LIST}")) == 3 - len(failing)
    reason = repairs.reason(run, failing[0])
    repairs.undo(run)
    assert repairs.application.bytes() == before
    return reason


def test_a_check_that_refuses_a_level(new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    application = _pairs(new_whole(replace(_SCHEMA, more_license=", CHECK (current_level <> 4)")))
    assert _fails_alone(new_repairs(application), 2).startswith("The database does not take it: ")


def test_a_unique_column_that_is_taken(new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    application = _pairs(new_whole(replace(_SCHEMA, more_license=", UNIQUE (current_level, is_active)")))
    application.execute(f"INSERT INTO {LICENSES} (user_id, specialization_type, current_level) VALUES (50, 'COACH', 5)")
    application.execute(f"INSERT INTO {PROGRESS} (student_id, specialization_id, current_level) VALUES (50, 'COACH', 5)")
    run = new_repairs(application).apply()
    repairs = new_repairs(application)
    assert [repairs.outcome(run, user) for user in (1, 2, 3)] == [
        ChangeOutcome.APPLIED,
        ChangeOutcome.APPLIED,
        ChangeOutcome.FAILED,
    ]
    assert "unique" in repairs.reason(run, 3).lower()


def test_a_new_row_that_leads_nowhere(new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    """A foreign key to a table that no sync knows."""
    application = new_whole(replace(_SCHEMA, more_license=", FOREIGN KEY (specialization_type) REFERENCES specializations (id)"))
    assert "foreign key" in _fails_alone(new_repairs(_unlisted(application)), 3).lower()


def _unlisted(application: Whole) -> Whole:
    """The last user's specialization is in no list."""
    _pairs(application).execute(f"UPDATE {PROGRESS} SET specialization_id = 'UNLISTED' WHERE student_id = 3")
    return application


def test_a_foreign_key_that_is_looked_at_only_in_the_end(new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    """The commit itself fails, after the pair was noted as on its way."""
    deferred = ", FOREIGN KEY (specialization_type) REFERENCES specializations (id) DEFERRABLE INITIALLY DEFERRED"
    application = new_whole(replace(_SCHEMA, more_license=deferred))
    assert "foreign key" in _fails_alone(new_repairs(_unlisted(application)), 3).lower()


_FOUR = "NEW.current_level = 4"
TRIGGERS = {
    "sqlite": {
        f"WHEN {_FOUR} BEGIN SELECT RAISE(ABORT, 'not this one'); END": "not this one",
        f"WHEN {_FOUR} BEGIN SELECT RAISE(FAIL, 'not this one'); END": "not this one",
        f"WHEN {_FOUR} BEGIN SELECT RAISE(ROLLBACK, 'nothing of it'); END": "nothing of it",
        f"WHEN {_FOUR} BEGIN SELECT RAISE(IGNORE); END": "0 rows would have been written in place of one",
    },
    "postgresql": {
        f"BEGIN IF {_FOUR} THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END": "not this one",
        f"BEGIN IF {_FOUR} THEN RETURN NULL; END IF; RETURN NEW; END": "0 rows would have been written in place of one",
        f"BEGIN IF {_FOUR} THEN NEW.current_level := 3; END IF; RETURN NEW; END": "Once written, the licence level was 3",
    },
}


def test_a_trigger_that_has_its_own_mind(engine: str, new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    for body, reason in TRIGGERS[engine].items():
        application = _pairs(new_whole())
        if isinstance(application, WholePostgresql):
            application.execute(f"CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
            application.execute(f"CREATE TRIGGER t BEFORE UPDATE ON {LICENSES} FOR EACH ROW EXECUTE FUNCTION t()")
        else:
            application.execute(f"CREATE TRIGGER t BEFORE UPDATE ON {LICENSES} {body}")
        assert reason in _fails_alone(new_repairs(application), 2)


def test_a_trigger_that_also_writes_the_other_side(new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    """What it does cannot be taken back, so nothing is done."""
    application = _pairs(new_whole())
    other = f"UPDATE {PROGRESS} SET current_level = NEW.current_level + 1 WHERE student_id = NEW.user_id AND NEW.user_id = 2"
    if isinstance(application, WholePostgresql):
        application.execute(f"CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {other}; RETURN NEW; END$$")
        application.execute(f"CREATE TRIGGER t AFTER UPDATE ON {LICENSES} FOR EACH ROW EXECUTE FUNCTION t()")
    else:
        application.execute(f"CREATE TRIGGER t AFTER UPDATE ON {LICENSES} BEGIN {other}; END")
    assert "a trigger or a rule" in _fails_alone(new_repairs(application), 2)


# --- a new row's columns ----------------------------------------------------------------------------------------------


def test_a_new_row_that_needs_what_nobody_knows_is_left_alone(new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    application = new_whole(replace(_SCHEMA, more_license=", branch varchar(10) NOT NULL"))
    application.execute(f"INSERT INTO {USERS} VALUES (3)")
    application.progress(3, "PLAYER", 4)
    repairs = new_repairs(application)
    run = repairs.apply()
    assert repairs.outcomes(run) == {"left_alone": 1}
    assert repairs.reason(run, 3) == f"A new row of {LICENSES} needs a branch, which has no default."


def test_a_list_of_changes_that_needs_what_nobody_knows_leaves_licences_alone(
    new_whole: NewWhole, new_repairs: NewRepairs
) -> None:
    application = _pairs(new_whole(replace(_SCHEMA, more_list=", approved_by integer NOT NULL")))
    application.execute(f"UPDATE {PROGRESS} SET current_level = 1 WHERE student_id = 2")
    repairs = new_repairs(application)
    run = repairs.apply()
    assert [repairs.outcome(run, user).value for user in (1, 2, 3)] == ["left_alone", "applied", "left_alone"]
    assert repairs.reason(run, 1) == f"A new row of {LIST} needs a approved_by, which has no default."


def test_a_new_row_gets_the_moments_that_nobody_else_fills(new_whole: NewWhole, new_repairs: NewRepairs) -> None:
    more = ", is_active boolean NOT NULL, issued_at timestamp NOT NULL"
    application = new_whole(replace(_SCHEMA, optional=False, more_license=more))
    application.execute(f"INSERT INTO {USERS} VALUES (3)")
    application.progress(3, "PLAYER", 4)
    before = application.bytes()
    repairs = new_repairs(application)
    run = repairs.apply()
    (row,) = application.rows(f"SELECT * FROM {LICENSES}")
    assert (row["is_active"], row["issued_at"]) == (True, application.moment(repairs.clock()))
    repairs.undo(run)
    assert application.bytes() == before


@pytest.mark.parametrize("user", ["x", "007", "99999999999"])
def test_an_id_that_the_other_side_cannot_hold_is_left_alone(new_whole: NewWhole, new_repairs: NewRepairs, user: str) -> None:
    application = new_whole(replace(_SCHEMA, user=("integer", "varchar(20)"), users=False))
    application.license(user, "PLAYER", 4)
    repairs = new_repairs(application)
    plan = repairs.plan()
    if user == "99999999999" and isinstance(application, WholeSqlite):
        assert plan.planned == 1  # its integers are that long
        return
    assert [change.reason for change in plan.changes] == [f"'{user}' does not fit into {PROGRESS}.student_id."]
