"""`coupling-health user …`: who may log in."""

from __future__ import annotations

import pytest

from tests.cli.commands import Commands


@pytest.fixture
def with_two_users(commands: Commands) -> Commands:
    """ada and bob may log in; the watched database is away."""
    commands.settings["database_url"] = "postgresql://reader@127.0.0.1:1/away"
    for name in ("Ada", "bob"):
        assert commands("user", "add", name, typed="correct-horse\n").code == 0
    return commands


def names(commands: Commands) -> list[str]:
    return [user["username"] for user in commands("user", "list", "--json").document]


def test_nobody_yet(commands: Commands) -> None:
    assert names(commands) == []
    done = commands("user", "list")
    assert (done.code, done.out) == (0, "")
    assert "Nobody yet" in done.err


def test_users_are_listed_by_name_in_lower_case(with_two_users: Commands) -> None:
    assert names(with_two_users) == ["ada", "bob"]
    done = with_two_users("user", "list")
    assert (done.code, done.out) == (0, "")
    assert "ada" in done.err
    assert all(user["created_at"] for user in with_two_users("user", "list", "--json").document)


def test_a_password_stands_nowhere(with_two_users: Commands) -> None:
    for name in with_two_users.files():
        assert b"correct-horse" not in (with_two_users.folder / name).read_bytes()


def test_a_name_is_taken_once(with_two_users: Commands) -> None:
    done = with_two_users("user", "add", "ADA ", typed="another-horse\n")
    assert done.code == 2
    assert "passwd" in done.err


@pytest.mark.parametrize("password", ["", " blank before", "blank after ", "ä" * 37], ids=str)
def test_a_password_that_would_not_work_is_refused(commands: Commands, password: str) -> None:
    done = commands("user", "add", "ada", typed=password + "\n")
    assert done.code == 2
    assert "password" in done.err
    assert names(commands) == []


def test_a_short_password_is_taken_with_a_warning(commands: Commands) -> None:
    done = commands("user", "add", "ada", typed="short\n")
    assert done.code == 0
    assert "fewer than 8" in done.err


def test_a_password_can_be_changed(with_two_users: Commands) -> None:
    done = with_two_users("user", "passwd", "Bob", typed="another-horse\n")
    assert (done.code, done.out) == (0, "")
    unknown = with_two_users("user", "passwd", "eve", typed="another-horse\n")
    assert unknown.code == 2
    assert "ada, bob" in unknown.err


def test_the_last_user_stays(with_two_users: Commands) -> None:
    assert with_two_users("user", "remove", "ada").code == 0
    done = with_two_users("user", "remove", "bob")
    assert done.code == 2
    assert "only user" in done.err
    assert names(with_two_users) == ["bob"]


@pytest.mark.parametrize("name", ["[red]ada", "ada[/red]", "[/]"])
def test_a_name_with_brackets_is_a_name(with_two_users: Commands, name: str) -> None:
    done = with_two_users("user", "add", name, typed="correct-horse\n")
    assert done.code == 0
    assert name in done.err
    assert name in with_two_users("user", "list").err
    removed = with_two_users("user", "remove", name)
    assert removed.code == 0
    assert name in removed.err
