"""The tokens in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import StateDatabaseUnavailable
from core.keys import KeyRing
from core.model import Scope
from core.state.database import StateDatabase
from tests.frozen_clock import FrozenClock


@pytest.fixture
def ring(sqlite_state: StateDatabase, clock: FrozenClock) -> KeyRing:
    return KeyRing(sqlite_state, clock)


def test_nothing_opens_before_the_tokens_were_read(ring: KeyRing) -> None:
    secret = ring.create("ci", Scope.READ, None, "ada")
    assert (ring.loaded, ring.age, ring.holder_of(secret)) == (False, float("inf"), None)
    ring.refresh()
    holder = ring.holder_of(secret)
    assert holder is not None
    assert (ring.loaded, holder.name, holder.created_by) == (True, "ci", "ada")
    assert ring.age < 60


def test_what_was_changed_here_is_read_again_before_the_next_answer(ring: KeyRing) -> None:
    ring.refresh()
    ring.create("ci", Scope.READ, None, "ada")
    assert ring.age == float("inf")
    ring.refresh()
    ring.revoke("ci", "ada")
    assert ring.age == float("inf")


def test_only_the_very_token_opens(ring: KeyRing) -> None:
    secret = ring.create("ci", Scope.READ, timedelta(days=1), "ada")
    ring.refresh()
    for wrong in ("", secret[:-1], secret + "x", secret.swapcase(), f" {secret}", "chd_", "é", "\ud800"[:0]):
        assert ring.holder_of(wrong) is None


def test_an_expired_token_opens_nothing_also_without_a_reading(ring: KeyRing, clock: FrozenClock) -> None:
    secret = ring.create("ci", Scope.READ, timedelta(days=1), "ada")
    ring.refresh()
    clock.advance(days=1)
    assert ring.holder_of(secret) is None


def test_what_was_read_last_stays_while_the_state_is_away(ring: KeyRing, sqlite_state: StateDatabase) -> None:
    secret = ring.create("ci", Scope.READ, None, "ada")
    ring.refresh()
    with sqlite_state.write() as connection:
        connection.exec_driver_sql("ALTER TABLE tokens RENAME TO elsewhere")
    with pytest.raises(StateDatabaseUnavailable):
        ring.refresh()
    holder = ring.holder_of(secret)
    assert holder is not None
    assert ring.note_use(holder)
    ring.write_uses()  # cannot, and says so in the log alone


def test_a_use_is_written_once_a_minute(ring: KeyRing, clock: FrozenClock) -> None:
    secret = ring.create("ci", Scope.READ, None, "ada")
    ring.refresh()
    token = ring.holder_of(secret)
    assert token is not None
    due = []
    for _ in range(7):
        due.append(ring.note_use(token))
        clock.advance(seconds=20)
    assert due == [True, False, False, True, False, False, True]
    ring.write_uses()
    (kept,) = ring.everyone()
    assert kept.used_at == clock() - timedelta(seconds=20)
    clock.advance(days=-1)
    assert ring.note_use(kept), "a clock that was set back holds nothing up"
