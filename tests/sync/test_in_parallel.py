"""An application at work on the same rows while one sync follows another: nothing is lost, half written or made twice."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from core.sync.change import ChangeOutcome, Part
from tests.conftest import NewDatabase
from tests.subprocesses import running
from tests.sync.application import LICENSES, LIST, PROGRESS, USERS, Schema, WholePostgresql
from tests.sync.busy import NAME, USERS_OF_EACH
from tests.sync.conftest import ANNA, NewRepairs, Repairs, plain_url

pytestmark = pytest.mark.postgresql

THREADS, TRANSACTIONS = 4, 130  # of each, while one sync is at work
CHANGES = 10_000  # of rows, at least
RUNS, AT_ONCE = 25, 25  # syncs, and the changes of each, at most

_COUNTED = ", counted integer NOT NULL DEFAULT 0"
SCHEMA = Schema(more_progress=_COUNTED, more_license=f"{_COUNTED}, CHECK (max_achieved_level >= current_level)", references=False)


@pytest.fixture
def application(new_postgresql_database: NewDatabase) -> WholePostgresql:
    users = [thread * 1_000 + user for thread in range(1, THREADS + 1) for user in range(USERS_OF_EACH)]
    application = WholePostgresql(new_postgresql_database(), SCHEMA)
    progress = [{"student_id": user, "specialization_id": NAME, "current_level": 1} for user in users]
    licenses = [{"user_id": user, "specialization_type": NAME, "current_level": 1, "max_achieved_level": 1} for user in users]
    application.fill({USERS: [{"id": user} for user in users], PROGRESS: progress, LICENSES: licenses})
    return application


def _deadlocks(application: WholePostgresql) -> int:
    application.execute("SELECT pg_stat_clear_snapshot()")
    return int(application.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0])


def _syncs_while(process: subprocess.Popen[str], repairs: Repairs) -> Counter[ChangeOutcome]:
    """Sync again and again, each time while the application is at work; how many changes came to what."""
    chance, found = Random(5), Counter[ChangeOutcome]()  # noqa: S311 - no secret
    assert process.stdin is not None
    for _ in range(RUNS):
        plan = repairs.plan()
        few = chance.sample(plan.changes, min(AT_ONCE, len(plan.changes)))
        changes = [replace(change, position=position) for position, change in enumerate(few, 1)]
        run = repairs.service.keep(replace(plan, changes=changes), ANNA)
        process.stdin.write("at once\n")
        process.stdin.flush()
        repairs.service.apply(run.id, ANNA, seen=run.planned)
        found.update(repairs.service.counts(run.id))
    process.stdin.write("end\n")
    process.stdin.flush()
    return found


def test_nothing_is_lost_half_written_or_made_twice(
    application: WholePostgresql, new_repairs: NewRepairs, tmp_path: Path
) -> None:
    repairs = new_repairs(application, wait=lambda seconds: time.sleep(seconds / 10), sync={"lock_timeout_ms": 100})
    program = "from tests.sync.busy import main; main()"
    with running(program, plain_url(application), THREADS, TRANSACTIONS, folder=tmp_path) as process:
        assert process.stdout is not None
        found = _syncs_while(process, repairs)
        said = json.loads(process.stdout.read())

    assert said["problems"] == [], "every count and level of the application is what it left, and nobody ended its transactions"
    assert _deadlocks(application) == 0
    assert said["changed"] + found[ChangeOutcome.APPLIED] >= CHANGES
    assert found.keys() <= {ChangeOutcome.APPLIED, ChangeOutcome.CHANGED, ChangeOutcome.FAILED, ChangeOutcome.LEFT_ALONE}
    assert found[ChangeOutcome.APPLIED]
    assert found[ChangeOutcome.CHANGED]

    last = repairs.apply()
    assert repairs.outcomes(last) == {"applied": last.planned}
    assert repairs.plan().changes == [], "in the end every pair agrees, and none has a second row"
    for table, user, side in ((PROGRESS, "student_id", "progress"), (LICENSES, "user_id", "license")):
        counted = dict(application.execute(f"SELECT {user}, counted FROM {table}"))
        assert counted == {int(user): counts[side] for user, counts in said["counts"].items() if int(user) in counted}
    _lists_every_change(application, repairs)


def _lists_every_change(application: WholePostgresql, repairs: Repairs) -> None:
    """The application's own list has a row for each change of a licence that the records say was written, and no other."""
    written = {
        (change.after[Part.PROGRESSION] or {})["id"]: change.level
        for run, _ in repairs.service.runs(100_000)
        for change in repairs.service.changes(run.id, [ChangeOutcome.APPLIED], limit=None)
        if change.after is not None and change.step is not None and change.step.of_license
    }
    assert {str(number): level for number, level in application.execute(f"SELECT id, to_level FROM {LIST}")} == written
