"""A command as a process of its own: what a script sees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.application import SqliteApplication
from tests.browser.server import environment

LAUNCHERS = {
    "module": [sys.executable, "-m", "dashboard.cli"],
    "script": [str(Path(sys.executable).with_name("coupling-health"))],
}


@pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)
def test_stdout_is_one_document_and_the_exit_code_the_status(
    sqlite_app: SqliteApplication, tmp_path: Path, launcher: list[str]
) -> None:
    sqlite_app.agreeing(range(97)).disagreeing(range(200, 203))
    done = subprocess.run(
        [*launcher, "check", "--json"],
        cwd=tmp_path,
        env=environment(database_url=sqlite_app.url.render_as_string()),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["inconsistent"] == 3


def test_a_reader_that_leaves_early_is_no_error_of_ours(sqlite_app: SqliteApplication, tmp_path: Path) -> None:
    sqlite_app.disagreeing(range(3_000))
    process = subprocess.Popen(
        [*LAUNCHERS["module"], "check", "--json"],
        cwd=tmp_path,
        env=environment(database_url=sqlite_app.url.render_as_string()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "{\n"
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert "Traceback" not in told
