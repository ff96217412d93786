"""`coupling-health import-logs`: other people's logs become history, once."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.commands import Commands
from tests.subprocesses import ROOT

SAMPLES = ROOT / "tests" / "data" / "integrity_checks"


@pytest.fixture
def with_old_logs(commands: Commands) -> Commands:
    """The folder holds the samples where logs are looked for, and the watched database is away."""
    shutil.copytree(SAMPLES, commands.folder / "logs" / "integrity_checks")
    commands.settings["database_url"] = "postgresql://reader@127.0.0.1:1/away"
    return commands


def test_eight_are_taken_four_are_named_and_the_second_time_none(with_old_logs: Commands) -> None:
    first = with_old_logs("import-logs")
    assert (first.code, first.out) == (0, "")
    assert "Imported 8, already known 0, broken 4." in first.err
    broken = {log["path"] for log in with_old_logs("import-logs", "--json").document["broken"]}
    assert len(broken) == 4
    for path in broken:
        assert Path(path).name in first.err
    second = with_old_logs("import-logs")
    assert second.code == 0
    assert "Imported 0, already known 8, broken 4." in second.err
    for sample in SAMPLES.iterdir():
        assert (with_old_logs.folder / "logs" / "integrity_checks" / sample.name).read_bytes() == sample.read_bytes()
    with closing(sqlite3.connect(with_old_logs.folder / "var" / "coupling-health.db")) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT source) FROM health_check_history").fetchone() == (8, 1)


def test_json_is_one_document(with_old_logs: Commands) -> None:
    done = with_old_logs("import-logs", "--json")
    assert done.code == 0
    assert (done.document["imported"], done.document["already_known"], len(done.document["broken"])) == (8, 0, 4)
    assert all(log["problem"] for log in done.document["broken"])


def test_any_folder_can_be_named(with_old_logs: Commands, tmp_path: Path) -> None:
    folder = shutil.copytree(SAMPLES, tmp_path / "from the old server")
    assert with_old_logs("import-logs", str(folder), "--json").document["imported"] == 8
    assert with_old_logs("import-logs", "--json").document["imported"] == 0, "the same logs under another path"


def test_a_folder_that_is_not_there_is_named(with_old_logs: Commands) -> None:
    done = with_old_logs("import-logs", "nowhere", "--json")
    assert done.code == 2
    assert "nowhere" in done.document["error"]
    assert done.document["hint"]


def test_imported_logs_are_not_the_present(with_old_logs: Commands) -> None:
    with_old_logs("import-logs")
    told = with_old_logs("status", "--json")
    assert told.code == 2
    assert (told.document["status"], told.document["last_check"]) == ("unknown", None)


def test_what_goes_into_the_demo_is_said_to_go_there(unconfigured: Commands) -> None:
    done = unconfigured("import-logs", str(SAMPLES))
    assert done.code == 0
    assert "this went into the demo's history" in done.err
    assert unconfigured("import-logs", str(SAMPLES), "--json").document["demo"] is True
