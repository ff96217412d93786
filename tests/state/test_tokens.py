"""Tokens as they are kept: hashed, named once, ended by time or by revocation."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.errors import TokenProblem
from core.model import Scope
from core.state import schema, tokens
from core.state.database import StateDatabase
from core.state.tokens import PREFIX, TokenState
from tests.frozen_clock import NOON
from tests.monitored import in_thread


def make(state: StateDatabase, name: str, scope: Scope = Scope.READ, **options: object) -> str:
    with state.write() as connection:
        return tokens.create(connection, name, scope, NOON, **options)  # type: ignore[arg-type]


def all_of(state: StateDatabase) -> list[tuple[str, TokenState]]:
    with state.read() as connection:
        return [(token.name, token.state(NOON)) for token in tokens.everyone(connection)]


def test_a_token_is_kept_as_a_hash_with_its_beginning(fresh_state: StateDatabase) -> None:
    secret = make(fresh_state, " ci ", Scope.CHECK, lifetime=timedelta(days=90), created_by="ada")
    assert secret.startswith(PREFIX)
    assert len(secret) == len(PREFIX) + 43, "256 random bits"
    with fresh_state.read() as connection:
        (row,) = connection.execute(sa.select(schema.tokens))
        (token,) = tokens.unrevoked(connection)
    assert secret not in map(str, row)
    assert token.token_hash == tokens.digest(secret)
    assert secret.startswith(token.start)
    assert len(token.start) == 8
    assert (token.name, token.scope, token.created_by, token.used_at) == ("ci", Scope.CHECK, "ada", None)
    assert (token.created_at, token.expires_at) == (NOON, NOON + timedelta(days=90))


def test_no_two_tokens_are_alike(fresh_state: StateDatabase) -> None:
    assert len({make(fresh_state, f"token {number}") for number in range(20)}) == 20


def test_a_name_stands_for_one_token_until_it_is_revoked(fresh_state: StateDatabase) -> None:
    make(fresh_state, "ci")
    with pytest.raises(TokenProblem, match="already"):
        make(fresh_state, "ci ")
    with fresh_state.write() as connection:
        tokens.revoke(connection, "ci", NOON)
    make(fresh_state, "ci")
    assert all_of(fresh_state) == [("ci", TokenState.ACTIVE), ("ci", TokenState.REVOKED)]


def test_two_who_make_the_same_name_at_once_make_one(fresh_state: StateDatabase) -> None:
    both = [in_thread(lambda: make(fresh_state, "ci")) for _ in range(2)]
    made = [done() for done in both]
    assert sorted(isinstance(one, str) for one in made) == [False, True]
    assert all_of(fresh_state) == [("ci", TokenState.ACTIVE)]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "line\nbreak", "nul\0"])
def test_a_name_that_could_not_be_told_is_refused(fresh_state: StateDatabase, name: str) -> None:
    with pytest.raises(TokenProblem, match="1 to 100 printable"):
        make(fresh_state, name)


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), timedelta(days=3_661)])
def test_a_lifetime_is_positive_and_no_eternity(fresh_state: StateDatabase, lifetime: timedelta) -> None:
    with pytest.raises(TokenProblem, match="at most ten years"):
        make(fresh_state, "ci", lifetime=lifetime)


def test_only_what_is_there_can_be_revoked(fresh_state: StateDatabase) -> None:
    make(fresh_state, "ci")
    with pytest.raises(TokenProblem) as refused, fresh_state.write() as connection:
        tokens.revoke(connection, "cd", NOON)
    assert refused.value.hint == "There is: ci."
    with fresh_state.write() as connection:
        tokens.revoke(connection, " ci", NOON)
    with pytest.raises(TokenProblem) as refused, fresh_state.write() as connection:
        tokens.revoke(connection, "ci", NOON)
    assert refused.value.hint == "There is: none yet."


def test_a_token_expires_at_its_very_moment(fresh_state: StateDatabase) -> None:
    make(fresh_state, "brief", lifetime=timedelta(minutes=1))
    with fresh_state.read() as connection:
        (token,) = tokens.everyone(connection)
    end = NOON + timedelta(minutes=1)
    assert [token.state(end - timedelta(microseconds=1)), token.state(end)] == [TokenState.ACTIVE, TokenState.EXPIRED]


def test_a_use_is_noted_and_never_back_in_time(fresh_state: StateDatabase) -> None:
    make(fresh_state, "ci")
    with fresh_state.read() as connection:
        (token,) = tokens.everyone(connection)
    for minutes in (2, 5, 1):
        with fresh_state.write() as connection:
            tokens.record_uses(connection, {token.id: NOON + timedelta(minutes=minutes), 999: NOON})
    with fresh_state.read() as connection:
        (token,) = tokens.everyone(connection)
    assert token.used_at == NOON + timedelta(minutes=5)
