"""Runs whose process is killed at any point: record and watched database agree pair by pair, and the run can be taken back."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.clock import utc_now
from core.settings import Settings
from core.state.sync_runs import Run, RunStatus
from core.sync.change import ChangeOutcome
from tests.subprocesses import running, wait_for_line
from tests.sync.application import LICENSES, LIST, PROGRESS, USERS, Contents, TableRow, Whole
from tests.sync.conftest import ANNA, NewRepairs, Repairs

KILLS = 25  # on each engine
PAIRS = 6

# It has loaded everything, and forks a process for every deed. That one is killed after so many seconds, or kills itself at its
# so-manieth step: right before or after a statement, or right before a commit, of either database.
_PARENT = """
import os, signal, sys, time
import psycopg, sqlalchemy as sa, sqlalchemy.dialects.postgresql.psycopg
from core.assembly import build_monitor, build_sync
from core.model import Request, Trigger
from core.settings import Settings
from core.state.database import StateDatabase

settings = Settings.model_validate_json(sys.argv[1])
steps = ended = 0
noted = []  # the steps at which a pair was noted as on its way

def step(_connection, _cursor=None, statement="", *_, last):
    global steps, ended
    steps += 1
    if "finished_at" in statement and statement.startswith("UPDATE sync_runs"):
        ended = steps, time.monotonic()
    if statement.startswith("UPDATE sync_changes") and "transaction" in statement:
        noted.append(steps)
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)

def do(deed, number, planned, last, begun):
    state = StateDatabase(settings.state_database_url)
    sync, request = build_sync(build_monitor(settings, state)), Request(Trigger.MANUAL, "anna")
    for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(sa.engine.Engine, event, lambda *what: step(*what, last=last))
    began = time.monotonic()
    os.write(begun, b".")
    if deed == "apply":
        sync.apply(number, request, seen=planned)
    else:
        sync.undo(number, request)
    print("did", ended[1] - began, ended[0], *noted, flush=True)

for line in sys.stdin:
    deed, number, planned, last, seconds = line.split()
    heard, begun = os.pipe()
    process = os.fork()
    if process == 0:
        do(deed, int(number), int(planned), int(last), begun)
        os._exit(0)
    os.close(begun)
    os.read(heard, 1)
    os.close(heard)
    if float(seconds):
        time.sleep(float(seconds))
        os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    print("ended", flush=True)
"""


@dataclass
class Deeds:
    """Deeds in processes of their own."""

    parent: subprocess.Popen[str]

    def let(self, deed: str, run: Run, *, last: int = 0, seconds: float = 0) -> tuple[float, int, list[int]]:
        """How many seconds and steps it took, without the check that follows, and at which of them pairs were on their way."""
        assert self.parent.stdin is not None
        self.parent.stdin.write(f"{deed} {run.id} {run.planned} {last} {seconds}\n")
        self.parent.stdin.flush()
        first, *figures = wait_for_line(self.parent).split()
        if first == "ended":
            return 0, 0, []
        assert wait_for_line(self.parent) == "ended"
        return float(figures[0]), int(figures[1]), [int(figure) for figure in figures[2:]]


@pytest.fixture
def patient(whole: Whole, new_repairs: NewRepairs) -> Repairs:
    """Repairs by the clock of this machine, which is the killed processes' too."""
    return new_repairs(whole, clock=utc_now)


@pytest.fixture
def deeds(patient: Repairs, tmp_path: Path) -> Iterator[Deeds]:
    settings: Settings = patient.service.settings
    plain = json.loads(settings.model_dump_json(include={"sync", "check", "log_dir", "job_log_dir"}))
    places = {name: getattr(settings, name).get_secret_value() for name in ("database_url", "sync_database_url", "state_url")}
    with running(_PARENT, json.dumps({**plain, **places}), folder=tmp_path) as parent:
        yield Deeds(parent)


def _fill(application: Whole) -> None:
    """As many pairs as are planned, of each kind, and some that agree. A user's id is that of its licence."""
    progress: list[TableRow] = []
    licenses: list[TableRow] = []
    for user in range(1, PAIRS + 1):
        if user % 4 != 3:
            progress.append({"student_id": user, "specialization_id": "PLAYER", "current_level": 5 if user % 4 else 2})
        if user % 4 != 2:
            licenses.append({"id": user, "user_id": user, "specialization_type": "player", "current_level": 3})
    for user in range(20, 25):
        progress.append({"student_id": user, "specialization_id": "COACH", "current_level": 1})
        licenses.append({"id": user, "user_id": user, "specialization_type": "COACH", "current_level": 1})
    application.fill({USERS: [{"id": user} for user in range(1, 40)], PROGRESS: progress, LICENSES: licenses})


def _of_user(contents: Contents, user: int) -> tuple[list[TableRow], list[TableRow], list[TableRow]]:
    progress = [row for row in contents[PROGRESS] if row["student_id"] == user]
    licenses = [row for row in contents[LICENSES] if row["user_id"] == user]
    numbers = {row["id"] for row in licenses}
    return progress, licenses, [row for row in contents[LIST] if row["user_license_id"] in numbers]


def _require_whole(before: Contents, now: Contents, user: int) -> None:
    """See that a pair is fully mended."""
    (progress,), (license_,), told = _of_user(now, user)
    assert progress["current_level"] == license_["current_level"]
    _, licenses, _ = _of_user(before, user)
    if licenses == [license_]:
        assert not told
    else:
        assert license_["max_achieved_level"] >= license_["current_level"]
        assert license_["last_advanced_at"] is not None
        assert [row["to_level"] for row in told] == [license_["current_level"]]


def _require_agreement(repairs: Repairs, number: int, before: Contents) -> None:
    """See that state database, record and watched database say the same of every pair."""
    run, now = repairs.service.run(number), repairs.application.contents()
    changes = repairs.service.changes(number)
    assert {change.outcome for change in changes} <= {ChangeOutcome.APPLIED, ChangeOutcome.NOT_TRIED, ChangeOutcome.UNDONE}
    if run.undoes is None:
        for change in changes:
            if change.outcome is ChangeOutcome.APPLIED:
                _require_whole(before, now, int(change.user_id))
            else:
                assert _of_user(now, int(change.user_id)) == _of_user(before, int(change.user_id))
    else:
        taken_back = {change.user_id for change in changes if change.outcome is ChangeOutcome.APPLIED}
        undone = {change.user_id for change in repairs.service.changes(run.undoes, [ChangeOutcome.UNDONE])}
        assert taken_back == undone
    if ChangeOutcome.UNDONE not in {change.outcome for change in changes}:  # the record of a run tells how it ended
        assert run.record_file is not None
        record = json.loads((repairs.jobs / run.record_file).read_text())
        assert (record["run"], record["status"]) == (number, run.status)
        assert [(change["user_id"], change["outcome"]) for change in record["changes"]] == [
            (change.user_id, change.outcome) for change in changes
        ]


def test_killed_at_any_point_record_and_database_agree_and_the_run_can_be_taken_back(patient: Repairs, deeds: Deeds) -> None:
    application, service = patient.application, patient.service
    _fill(application)
    before, exactly = application.contents(), application.bytes()

    first = patient.keep()
    assert first.planned == PAIRS
    lengths = {deed: deeds.let(deed, first) for deed in ("apply", "undo")}
    assert application.bytes() == exactly

    chance, found = random.Random(11), Counter[str]()  # noqa: S311 - no secret
    for number in range(KILLS):
        run, deed = patient.keep(), "undo" if number % 3 == 2 else "apply"
        if deed == "undo":
            run = service.apply(run.id, ANNA, seen=run.planned)
        seconds, steps, noted = lengths[deed]
        match number % 4:
            case 3:
                deeds.let(deed, run, seconds=chance.uniform(0.1, 1) * seconds)
            case 2:
                deeds.let(deed, run, last=chance.choice(noted) + chance.randrange(1, 6))
            case _:
                deeds.let(deed, run, last=chance.randrange(1, steps))
        killed = service.runs(1)[0][0] if deed == "undo" else service.run(run.id)
        if killed.status is RunStatus.RUNNING:
            found[f"{deed} in the middle"] += 1
            found["with a pair on its way"] += ChangeOutcome.APPLYING in service.counts(killed.id)
        service.recover()
        _look_at(patient, killed, run, before, found)
        if patient.outcomes(run).get("applied"):
            undone = patient.undo(run)
            assert patient.outcomes(undone).keys() == {"applied"}
        assert application.bytes() == exactly
    assert found["apply in the middle"] + found["undo in the middle"] >= KILLS * 0.5, found
    assert found["some applied, some not"] >= KILLS * 0.3, found
    assert found["with a pair on its way"] >= 3, found


def _look_at(repairs: Repairs, killed: Run, run: Run, before: Contents, found: Counter[str]) -> None:
    status = repairs.service.run(killed.id).status
    if status is RunStatus.PLANNED:  # it had not begun
        repairs.service.refuse(run.id, ANNA)
        found["before its beginning"] += 1
        return
    assert status in (RunStatus.INTERRUPTED, RunStatus.DONE)
    for number in {killed.id, run.id}:
        _require_agreement(repairs, number, before)
    applied = repairs.outcomes(killed).get("applied", 0)
    found["some applied, some not"] += 0 < applied < PAIRS
