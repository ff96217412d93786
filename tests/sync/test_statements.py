"""The statements that a plan shows are those that a run would run."""

from __future__ import annotations

import pytest

from core.normal_form import register_unicode_upper
from tests.sync.application import LICENSES, PROGRESS, USERS, Contents, NewWhole, Schema, Whole, WholeSqlite
from tests.sync.conftest import ANNA, NewRepairs

NAMES = ["PLAYER", "quo'te%s:x", "back\\slash", "two  blanks", "játékos "]


def _apart(application: Whole) -> None:
    """One licence behind, one ahead, and one missing side each, for every name."""
    progress, licenses = [], []
    for user, name in enumerate(NAMES, 1):
        progress += [
            {"student_id": user, "specialization_id": name, "current_level": 3},
            {"student_id": user + 10, "specialization_id": name, "current_level": 1},
            {"student_id": user + 30, "specialization_id": name, "current_level": 1},
        ]
        licenses += [
            {"user_id": user, "specialization_type": name, "current_level": 2},
            {"user_id": user + 10, "specialization_type": name, "current_level": 2},
            {"user_id": user + 20, "specialization_type": name, "current_level": 2},
        ]
    application.fill({USERS: [{"id": user} for user in range(50)], PROGRESS: progress, LICENSES: licenses})


@pytest.mark.parametrize("keys", [True, False], ids=["with keys", "without keys"])
def test_what_is_shown_does_what_the_run_does(new_whole: NewWhole, new_repairs: NewRepairs, keys: bool) -> None:
    application = new_whole(Schema(keys=keys))
    _apart(application)
    repairs = new_repairs(application)
    kept = repairs.keep()
    changes = repairs.service.changes(kept.id)
    assert kept.planned == 4 * len(NAMES)
    shown = repairs.service.statements(changes, kept.policies, kept.id)
    assert not any("\nFROM" in statement for statements in shown for statement in statements)
    if isinstance(application, WholeSqlite):
        register_unicode_upper(application.connection)
    application.execute("BEGIN")
    for statements in shown:
        for statement in statements:
            application.connection.execute(statement)
    by_hand = application.contents()
    application.execute("ROLLBACK")
    repairs.service.apply(kept.id, ANNA, seen=kept.planned)
    written = application.contents()
    assert _without_ids(by_hand) == _without_ids(written)


def _without_ids(contents: Contents) -> Contents:
    """What two runs of the same have in common: new rows get other ids, and moments that the database fills."""
    licences = {row["id"]: (row["user_id"], row["specialization_type"]) for row in contents[LICENSES] if "id" in row}
    for rows in contents.values():
        for row in rows:
            if "user_license_id" in row:
                row["user_license_id"] = licences.get(row["user_license_id"])
            for name in ("id", "created_at", "started_at"):
                row.pop(name, None)
        rows.sort(key=str)
    return contents
