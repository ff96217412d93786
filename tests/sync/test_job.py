"""The job `progress_license_sync` in a real server: off until wanted, within the limits, and not more often for a restart."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.application import SqliteApplication
from tests.browser.patience import eventually
from tests.browser.server import PASSWORD, Server

pytestmark = pytest.mark.browser  # a server of its own, though no browser

_APART = (
    "SELECT count(*) FROM specialization_progress p JOIN user_licenses l ON l.user_id = p.student_id "
    "WHERE l.current_level != p.current_level"
)


@pytest.fixture
def new_server(sqlite_app: SqliteApplication, tmp_path: Path, forker: Path) -> Iterator[Callable[..., Server]]:
    """Call it with settings for a server over the application, not started yet."""
    made: list[Server] = []

    def new(**settings: object) -> Server:
        folder = tmp_path / "served"
        folder.mkdir(exist_ok=True)
        made.append(Server(folder, forker, database_url=sqlite_app.url.render_as_string(), admin_password=PASSWORD, **settings))
        return made[-1]

    yield new
    for server in made:
        server.end()


def jobs(server: Server) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((server.folder / "logs" / "sync_jobs").glob("scheduler_*.log")))


def runs(server: Server) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(server.folder / "var" / "coupling-health.db")) as connection:
        return connection.execute("SELECT trigger, status FROM sync_runs ORDER BY id").fetchall()


def test_it_mends_by_itself_when_it_is_turned_on_and_not_again_for_a_restart(
    new_server: Callable[..., Server], sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(1_000)).disagreeing(range(5_000, 5_005))
    writing = {"sync_database_url": sqlite_app.url.render_as_string(), "sync__scheduled": "true"}
    server = new_server(**writing).start()
    eventually(lambda: "Sync complete: run 1 done: 5 applied" in jobs(server), "the job has run")
    assert "Job Progress-license sync (progress_license_sync), every 21600 s" in jobs(server)
    assert sqlite_app.execute(_APART) == [(0,)]
    (record,) = (server.folder / "logs" / "sync_jobs").glob("*_sync.json")
    document = json.loads(record.read_text("utf-8"))
    assert (document["trigger"], document["planned_by"], document["outcomes"]) == ("scheduled", "schedule", {"applied": 5})
    sqlite_app.disagreeing(range(6_000, 6_003))
    server.stop()
    server.start().wait_for_checks(3)
    eventually(lambda: jobs(server).count("Sync complete") == 2, "the job has looked")
    assert "Sync complete: skipped, for run 1 was less than 6 h ago; it is done" in jobs(server)
    assert runs(server) == [("scheduled", "done")]


def test_above_the_limits_it_writes_nothing_and_waits_for_a_person(
    new_server: Callable[..., Server], sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(100)).disagreeing(range(5_000, 5_050))
    server = new_server(sync_database_url=sqlite_app.url.render_as_string(), sync__scheduled="true").start()
    eventually(lambda: "Sync complete: run 1 held" in jobs(server), "the job has run")
    assert sqlite_app.execute(_APART) == [(50,)]
    assert runs(server) == [("scheduled", "held")]


@pytest.mark.parametrize("turned_on", [False, True], ids=["it is off", "there is no write access"])
def test_nothing_is_written_while(new_server: Callable[..., Server], sqlite_app: SqliteApplication, turned_on: bool) -> None:
    sqlite_app.agreeing(range(1_000)).disagreeing(range(5_000, 5_005))
    settings = {"sync__scheduled": "true"} if turned_on else {"sync_database_url": sqlite_app.url.render_as_string()}
    server = new_server(**settings).start()
    server.wait_for_checks(1)
    assert "progress_license_sync" not in jobs(server)
    assert runs(server) == []
    assert sqlite_app.execute(_APART) == [(5,)]


def test_a_run_that_a_killed_server_left_is_ended_by_the_next(
    new_server: Callable[..., Server], sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(100)).disagreeing(range(5_000, 5_400))
    writing = {"sync_database_url": sqlite_app.url.render_as_string(), "sync__most_changes": 1_000, "sync__most_percent": 100}
    server = new_server(**writing, sync__scheduled="true").start()
    eventually(lambda: runs(server) == [("scheduled", "running")], "the run is at work")
    server.kill()
    server.settings["sync__scheduled"] = "false"
    server.start()
    eventually(lambda: runs(server) == [("scheduled", "interrupted")], "the run is ended")
    (record,) = eventually(lambda: list((server.folder / "logs" / "sync_jobs").glob("*_sync.json")), "the record is written")
    outcomes = json.loads(record.read_text("utf-8"))["outcomes"]
    left = sqlite_app.execute(_APART)[0][0]
    assert outcomes.get("applied", 0) == 400 - left
    assert outcomes.get("not_tried", 0) == left
