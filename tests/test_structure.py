"""The architecture, held by tests."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.subprocesses import ROOT

MODULES = sorted(path for package in ("core", "dashboard", "tests", "benchmarks") for path in (ROOT / package).rglob("*.py"))
LONGEST = 400


def test_nothing_reaches_back_up_the_one_way_street() -> None:
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST, "a module that passes 400 lines is two modules"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "a module begins with a sentence about itself"


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "helper", "manager", "data", "process", "common", "misc"}
    assert not [path for path in MODULES if path.stem in empty_words]


def test_no_folder_wakes_the_automatic_pages() -> None:
    assert not list((ROOT / "dashboard").rglob("pages"))
