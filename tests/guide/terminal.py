"""A reader at a terminal: blocks are typed one after another in one folder, and what is exported stays."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import psycopg

from tests.browser.server import environment
from tests.guide.pages import Block

LONGEST = 60

NOT_EVERYWHERE = ("curl", "jq", "pg_dump", "pg_restore", "sqlite3")  # programs of the blocks that a machine may lack


class Terminal:
    """Runs the blocks of a page. Whatever goes otherwise than the page says is an AssertionError that names the block."""

    def __init__(
        self, folder: Path, home: Path, stand_ins: Mapping[str, str], programs: Sequence[Path], postgresql: str | None = None
    ) -> None:
        """`stand_ins` are the names of the guide's machines and files, and what stands in for them here.

        `programs` are folders whose commands are found first; `postgresql` is where statements for PostgreSQL are run.
        """
        self.folder = folder
        self.missing: list[str] = []  # programs that blocks needed and this machine has not
        self._home = home
        self._exported = home / "exported.sh"
        self._stand_ins = stand_ins
        self._postgresql = postgresql
        self._programs = programs

    def run(self, block: Block) -> None:
        missing = self._missing(block)
        if missing:
            self.missing += missing
            return
        text = self._here(block.text)
        if "saved as" in block.notes:
            path = self.folder / block.notes["saved as"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        elif block.language == "sql":
            self._execute(block, text)
        elif block.language == "sh":
            self._type(block, text)
        elif block.language == "python":
            self._type(block, f"{shlex.quote(sys.executable)} - <<'END OF BLOCK'\n{text}\nEND OF BLOCK\n")

    def _missing(self, block: Block) -> list[str]:
        if block.language == "python":
            modules = block.notes.get("needs", "").split()
            return [module for module in modules if importlib.util.find_spec(module) is None]
        path = self._environment()["PATH"]
        used = [program for program in NOT_EVERYWHERE if block.language == "sh" and re.search(rf"\b{program} ", block.text)]
        return [program for program in used if shutil.which(program, path=path) is None]

    def _type(self, block: Block, text: str) -> None:
        keep = f'trap \'{{ export -p; echo cd "$(printf %q "$PWD")"; }} >{shlex.quote(str(self._exported))}\' EXIT\n'
        before = f". {shlex.quote(str(self._exported))}\n" if self._exported.exists() else ""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", before + keep + text],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        wanted = int(block.notes.get("ends with", 0))
        assert done.returncode == wanted, f"{block.place} ended with {done.returncode}, not {wanted}:\n{text}\n{done.stdout}"
        shown = self._here(block.notes.get("shows", ""))
        assert shown in " ".join(done.stdout.split()), f"{block.place} does not show {shown!r}:\n{text}\n{done.stdout}"

    def _execute(self, block: Block, text: str) -> None:
        engine, _, name = block.notes.get("engine", "postgresql").partition(" ")
        if engine == "sqlite":
            with closing(sqlite3.connect(self.folder / name)) as connection:
                connection.executescript(text)
            return
        with psycopg.connect(self._postgresql or "", autocommit=True) as database:
            for statement in filter(str.strip, text.split(";\n")):
                database.execute(statement.encode())

    def _environment(self) -> dict[str, str]:
        """Nothing of the product is set but what the page sets; its commands and a database's are found first."""
        path = os.pathsep.join([*map(str, self._programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        return environment() | {
            "PATH": path,
            "HOME": str(self._home),
            "COLUMNS": "200",
        }

    def _here(self, text: str) -> str:
        for name, stand_in in self._stand_ins.items():
            if name in text:
                text = text.replace(name, stand_in)
        return text
