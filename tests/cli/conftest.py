"""Folders in which somebody types commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.application import SqliteApplication
from tests.cli.commands import Commands


@pytest.fixture
def commands(sqlite_app: SqliteApplication, tmp_path: Path) -> Commands:
    """A fresh folder, and the application `sqlite_app` to watch."""
    folder = tmp_path / "work here"
    folder.mkdir()
    return Commands(folder, database_url=sqlite_app.url.render_as_string())


@pytest.fixture
def unconfigured(tmp_path: Path) -> Commands:
    """A fresh folder, and nothing configured."""
    folder = tmp_path / "nothing here"
    folder.mkdir()
    return Commands(folder)
