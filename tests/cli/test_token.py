"""`coupling-health token …`: who may use the API."""

from __future__ import annotations

import re

import pytest

from tests.cli.commands import Commands


@pytest.fixture
def away(commands: Commands) -> Commands:
    """The watched database is away: tokens need only the state database."""
    commands.settings["database_url"] = "postgresql://reader@127.0.0.1:1/away"
    return commands


def test_a_token_is_the_only_line_on_stdout(away: Commands) -> None:
    done = away("token", "create", "--name", "ci", "--scope", "check", "--expires", "90d")
    assert done.code == 0
    assert re.fullmatch(r"chd_[A-Za-z0-9_-]{43}\n", done.out)
    assert "may check" in done.err
    assert done.out.strip() not in done.err
    for name in away.files():
        assert done.out.strip().encode() not in (away.folder / name).read_bytes()


def test_json_gives_the_token_and_its_end(away: Commands) -> None:
    made = away("token", "create", "--name", "ci", "--json").document
    assert (made["name"], made["scope"], made["expires_at"]) == ("ci", "read", None)
    assert made["token"].startswith("chd_")


def test_tokens_are_listed_with_all_that_is_kept(away: Commands) -> None:
    assert away("token", "list", "--json").document == []
    assert "None yet" in away("token", "list").err
    secret = away("token", "create", "--name", "ci [bold]", "--scope", "admin", "--expires", "52w").out.strip()
    away("token", "create", "--name", "old")
    assert away("token", "revoke", "old").code == 0
    listed = away("token", "list", "--json").document
    assert [(token["name"], token["scope"], token["state"]) for token in listed] == [
        ("ci [bold]", "admin", "active"),
        ("old", "read", "revoked"),
    ]
    assert secret.startswith(listed[0]["start"])
    assert listed[0]["used_at"] is None
    shown = away("token", "list")
    assert (shown.code, shown.out) == (0, "")
    assert "ci [bold]" in shown.err
    assert secret not in shown.err


def test_a_name_is_taken_until_it_is_revoked(away: Commands) -> None:
    away("token", "create", "--name", "ci")
    again = away("token", "create", "--name", "ci")
    assert (again.code, again.out) == (2, "")
    assert "Revoke it first" in again.err
    assert away("token", "revoke", "ci").code == 0
    assert away("token", "create", "--name", "ci").code == 0


@pytest.mark.parametrize("expires", ["", "90", "d", "-1d", "0d", "90 days", "3y", "9999999d", "999999w"])
def test_a_length_that_is_none_is_refused(away: Commands, expires: str) -> None:
    done = away("token", "create", "--name", "ci", "--expires", expires)
    assert (done.code, done.out) == (2, "")
    assert "no length of time" in done.err or "at most ten years" in done.err
    assert away("token", "list", "--json").document == []


def test_a_scope_that_there_is_not_is_refused(away: Commands) -> None:
    done = away("token", "create", "--name", "ci", "--scope", "root")
    assert (done.code, done.out) == (2, "")
    assert "read" in done.err


def test_an_unknown_name_cannot_be_revoked(away: Commands) -> None:
    away("token", "create", "--name", "ci")
    done = away("token", "revoke", "cd")
    assert done.code == 2
    assert "There is: ci." in done.err
