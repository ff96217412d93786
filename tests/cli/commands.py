"""Commands as people and programs run them: in a working directory, with an environment."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from dashboard.cli import app, eyes

eyes.width = 200  # what is printed is not broken into lines where a test looks for it


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; an error when there is anything else."""
        return json.loads(self.out)


class Commands:
    """`coupling-health …` in a folder, with settings. In this process, which is faster; the browser tests use real ones."""

    def __init__(self, folder: Path, **settings: object) -> None:
        """Settings are named as their environment variables without the prefix, in lower case."""
        self.folder = folder
        self.settings = settings

    def __call__(self, *arguments: str, typed: str = "", **settings: Any) -> Done:
        environment = {f"COUPLING_HEALTH_{name.upper()}": str(value) for name, value in (self.settings | settings).items()}
        with contextlib.chdir(self.folder):
            result = CliRunner().invoke(app, arguments, input=typed, env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise AssertionError(f"the command broke: {result.exception!r}\n{result.stderr}") from result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def elsewhere(self, folder: Path) -> Commands:
        """The same settings in another working directory."""
        return Commands(folder, **self.settings)

    def files(self) -> Sequence[str]:
        """Everything in the folder that the commands made, without the files that only an open SQLite has."""
        return sorted(
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and not path.name.endswith(("-wal", "-shm"))
        )
