"""Wrong settings are named all at once, and every command can be found."""

from __future__ import annotations

from typing import Any

import pytest
import typer.main

from dashboard.cli import app
from tests.application import SqliteApplication
from tests.cli.commands import Commands

WRONG = {
    "port": "eighty",
    "check__interval_seconds": "0",
    "database_url": "mysql://root:hidden-word@db/app",
    "thresholds__healthy": "120",
    "prot": "8501",
}


def command_names(group: Any, *before: str) -> list[tuple[str, ...]]:
    names: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        names += command_names(command, *before, name) if hasattr(command, "commands") else [(*before, name)]
    return names


COMMANDS = command_names(typer.main.get_command(app))


@pytest.mark.parametrize("command", [["check", "--json"], ["status", "--json"], ["doctor", "--json"], ["import-logs", "--json"]])
def test_every_wrong_setting_is_named_at_once(commands: Commands, command: list[str]) -> None:
    done = commands(*command, **WRONG)
    assert done.code == 2
    told = done.document["error"]
    assert told.startswith("5 settings are wrong")
    for name in WRONG:
        assert f"COUPLING_HEALTH_{name.upper()}" in told
    assert "did you mean COUPLING_HEALTH_PORT?" in told
    assert "hidden-word" not in done.out + done.err


def test_serve_refuses_wrong_settings_as_well(commands: Commands) -> None:
    done = commands("serve", **WRONG)
    assert (done.code, done.out) == (2, "")
    assert "5 settings are wrong" in done.err
    assert commands.files() == []


def test_a_file_in_the_working_directory_is_read_and_the_environment_wins(
    commands: Commands, sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(97)).disagreeing(range(200, 203))
    del commands.settings["database_url"]
    file = commands.folder / "coupling-health.toml"
    file.write_text(f'database_url = "{sqlite_app.url.render_as_string()}"\n[thresholds]\nhealthy = 97\n')
    assert commands("check").code == 0
    assert commands("check", thresholds__healthy="98").code == 1
    file.write_text("database_url = [")
    done = commands("check", "--json")
    assert done.code == 2
    assert "coupling-health.toml is not valid TOML" in done.document["error"]


def test_a_misspelt_key_of_the_file_is_named_with_the_right_one(commands: Commands) -> None:
    (commands.folder / "coupling-health.toml").write_text("[check]\ninterval = 5\n")
    done = commands("check", "--json")
    assert done.code == 2
    assert "check.interval" in done.document["error"]
    assert "did you mean check.interval_seconds?" in done.document["error"]


def test_help_names_every_command(commands: Commands) -> None:
    told = commands("--help")
    assert told.code == 0
    for command in COMMANDS:
        assert command[0] in told.out
    assert len({command[0] for command in COMMANDS}) >= 7
    user = commands("user", "--help")
    for command in COMMANDS:
        if command[0] == "user":
            assert command[1] in user.out


def test_every_command_says_what_it_does() -> None:
    for command in COMMANDS:
        found: Any = typer.main.get_command(app)
        for name in command:
            found = found.commands[name]
        assert found.help
        assert found.help.split(".")[0], command


def test_the_demo_can_be_made_without_serving_it(unconfigured: Commands) -> None:
    done = unconfigured("demo", "--build-only")
    assert (done.code, done.out) == (0, "")
    assert "var/demo/app.db" in done.err
    assert "var/demo/app.db" in unconfigured.files()
    assert all(name.startswith("var/demo/") for name in unconfigured.files())
    again = unconfigured("demo", "--build-only")
    assert again.code == 0
    assert "There already" in again.err
