"""`coupling-health logs compact`, and `import-logs` from archives."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from tests.cli.commands import Commands
from tests.cli.test_import_logs import SAMPLES


@pytest.fixture
def with_old_logs(commands: Commands) -> Commands:
    """The folder holds the samples, all of October 2025, where logs are looked for; nothing else is configured."""
    shutil.copytree(SAMPLES, commands.folder / "logs" / "integrity_checks")
    commands.settings["database_url"] = "postgresql://reader@127.0.0.1:1/away"
    return commands


def test_an_archive_is_read_like_its_folder(commands: Commands, tmp_path: Path) -> None:
    commands.settings["database_url"] = "postgresql://reader@127.0.0.1:1/away"
    with tarfile.open(tmp_path / "year.tar.gz", "w:gz") as archive:
        archive.add(SAMPLES, "integrity_checks")
    done = commands("import-logs", str(tmp_path / "year.tar.gz"))
    assert done.code == 0
    assert "Imported 8, already known 0, broken 4." in done.err


@pytest.mark.parametrize("content", [None, "no archive"])
def test_what_is_neither_folder_nor_archive_is_refused(commands: Commands, tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "year.zip").write_text(content)
    done = commands("import-logs", str(tmp_path / "year.zip"), "--json")
    assert done.code == 2
    assert "year.zip" in done.document["error"]
    assert ".zip of one" in done.document["hint"] or "archive" in done.document["hint"]


def test_old_logs_are_archived_and_what_cannot_be_read_stays(with_old_logs: Commands) -> None:
    folder = with_old_logs.folder / "logs" / "integrity_checks"
    before = sorted(path.name for path in folder.iterdir())
    wouldbe = with_old_logs("logs", "compact", "--dry-run")
    assert "Would archive 8 logs of 2025-10" in wouldbe.err
    assert sorted(path.name for path in folder.iterdir()) == before
    done = with_old_logs("logs", "compact")
    assert done.code == 0
    assert "Archived 8 logs of 2025-10" in done.err
    assert "4 logs of those months stay where they are" in done.err
    assert (folder / "archive" / "202510_violations.zip").exists()
    again = with_old_logs("logs", "compact")
    assert "Nothing to archive: no readable logs are older than the last whole month." in again.err


def test_json_is_one_document(with_old_logs: Commands) -> None:
    done = with_old_logs("logs", "compact", "--keep", "1", "--json")
    assert (done.code, done.document["archived"], done.document["left"], done.document["months"]) == (0, 8, 4, ["2025-10"])
    none = with_old_logs("logs", "compact", "--keep", "1200", "--json")
    assert (none.code, none.document["archived"], none.document["dry_run"]) == (0, 0, False)


def test_a_folder_that_cannot_be_written_is_named(with_old_logs: Commands) -> None:
    (with_old_logs.folder / "logs" / "integrity_checks" / "archive").write_text("a file where the folder should be")
    done = with_old_logs("logs", "compact", "--json")
    assert done.code == 2
    assert "could not be archived" in done.document["error"]
    assert "Nothing was lost" in done.document["hint"]
