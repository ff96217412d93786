"""`coupling-health doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.application import SqliteApplication
from tests.cli.commands import Commands


def bad(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [finding for finding in findings if finding["verdict"] == "bad"]


def test_all_is_well(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(9))
    done = commands("doctor")
    assert (done.code, done.out) == (0, "")
    for subject in ("Watched database", "Violation logs", "State database"):
        assert subject in done.err
    told = commands("doctor", "--json")
    assert told.code == 0
    assert bad(told.document) == []
    assert all(set(finding) == {"subject", "verdict", "sentence", "hint"} for finding in told.document)


def test_it_writes_no_result(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(9)).disagreeing([10])
    assert commands("doctor").code == 0
    assert not list(commands.folder.glob("logs/integrity_checks/*"))
    assert commands("status", "--json").document["last_check"] is None


def test_a_missing_column_is_named_with_what_is_there(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(9)).execute("ALTER TABLE user_licenses RENAME COLUMN current_level TO grade")
    done = commands("doctor", "--json")
    assert done.code == 1
    sentences = " ".join(finding["sentence"] for finding in bad(done.document))
    assert "current_level" in sentences
    assert "grade" in sentences
    mapped = commands("doctor", "--json", license__level_column="grade")
    assert (mapped.code, bad(mapped.document)) == (0, [])


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"database_url": "sqlite:///missing.db"}, "missing.db"),
        ({"database_url": "postgresql://reader:hidden-word@127.0.0.1:1/app"}, "127.0.0.1:1"),
        ({"log_dir": "in the way"}, "in the way"),
        ({"state_url": "sqlite:///in the way/state.db"}, "in the way"),
    ],
    ids=["no file", "nobody answers", "logs", "state"],
)
def test_what_does_not_work_is_named_with_what_to_do(
    commands: Commands, sqlite_app: SqliteApplication, settings: dict[str, str], word: str
) -> None:
    sqlite_app.agreeing(range(9))
    (commands.folder / "in the way").write_text("a file")
    done = commands("doctor", "--json", **settings)
    assert done.code == 1
    (finding,) = bad(done.document)
    assert word in finding["sentence"]
    assert finding["hint"]
    assert "hidden-word" not in done.out + done.err
    assert commands("doctor", **settings).code == 1


def test_a_name_with_brackets_is_printed_as_it_is(commands: Commands, tmp_path: Path) -> None:
    folder = tmp_path / "odd [bold] [" / "red] name"
    folder.mkdir(parents=True)
    SqliteApplication(folder / "app.db").agreeing(range(3)).close()
    done = commands("doctor", database_url=f"sqlite:///{folder}/app.db", log_dir=str(folder / "logs"))
    assert done.code == 0
    assert "odd [bold] [/red] name" in done.err
