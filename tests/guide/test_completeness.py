"""Nothing that a reader can type or ask is missing from the guide, and nothing in it was made up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from core.settings import OPEN_GROUPS, Settings, known_keys, variable_of
from dashboard.api.app import DOCS, OPENAPI, build_api
from dashboard.cli import app
from dashboard.runtime import Runtime
from tests.guide.pages import PAGES
from tests.subprocesses import ROOT

EVERYTHING = "\n".join(page.text for page in PAGES)
FILES = [path for path in sorted((ROOT / "deploy").iterdir()) if path.is_file()]
MISTYPED = {"COUPLING_HEALTH_PORRT"}  # on purpose


def commands(group: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    for part, command in getattr(group, "commands", {}).items():
        yield from commands(command, f"{name} {part}") if hasattr(command, "commands") else [(f"{name} {part}", command)]


COMMANDS = dict(commands(typer.main.get_command(app), "coupling-health"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_guide_with_its_options(name: str) -> None:
    assert name in EVERYTHING
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option) or parameter.param_type_name == "option":
            assert parameter.opts[0] in EVERYTHING, f"{name} {parameter.opts[0]}"


def test_every_command_of_the_guide_exists() -> None:
    known = {name.split()[1] for name in COMMANDS}
    typed = {word for page in PAGES for block in page.blocks for word in re.findall(r"coupling-health ([a-z][\w-]+)", block.text)}
    assert typed - known <= {"coupling-health"}  # the name of a container, before the command in it


def test_every_address_of_the_api_is_in_the_guide() -> None:
    api, desk = build_api(Runtime(Settings(), lambda *_: None))
    try:
        described = api._app.openapi()["paths"]
    finally:
        desk.stop()
    assert len(described) >= 9
    for path, methods in described.items():
        for method in methods:
            written = rf"{method.upper()} {re.escape(path)}[`?]"
            assert re.search(written, EVERYTHING), f"{method.upper()} {path}"
    for path in (DOCS, OPENAPI, "/healthz"):
        assert f"GET {path}`" in EVERYTHING


@pytest.mark.parametrize("path", [page.path for page in PAGES] + FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_variables_that_are_named_are_settings(path: Path) -> None:
    known = {variable_of(key) for key in known_keys()}
    named = set(re.findall(r"COUPLING_HEALTH_[A-Z_]*[A-Z]", path.read_text("utf-8")))
    chosen = {name for name in named if name.startswith(tuple(f"{variable_of(group)}__" for group in OPEN_GROUPS))}
    assert named - chosen <= known | MISTYPED


def test_the_guide_says_licence_in_its_own_words() -> None:
    prose = "\n".join(re.sub(r"`[^`]*`", "", page.prose) for page in PAGES)
    prose = re.sub(r"\([^)\s]*\)|\[license\]|\[LICENSE\]", "", prose)
    assert not re.findall(r"\blicenses?\b", prose, re.IGNORECASE)
