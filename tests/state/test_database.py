"""The two ways to use the state database."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest
import sqlalchemy as sa

from core.errors import StateDatabaseLocked, StateDatabaseUnavailable
from core.settings import Settings
from core.state import history
from core.state.database import StateDatabase
from tests.frozen_clock import NOON
from tests.state.records import completed


def test_a_write_is_kept_whole_or_not_at_all(fresh_state: StateDatabase) -> None:
    from tests.state.records import HERE, report

    with pytest.raises(RuntimeError), fresh_state.write() as connection:
        from core.model import Totals

        history.record_completed(connection, report(NOON, Totals(1, 0)), HERE)
        raise RuntimeError
    with fresh_state.read() as connection:
        assert history.latest_id(connection) == 0


def test_a_read_sees_one_moment(fresh_state: StateDatabase) -> None:
    """Two statements of one read must not contradict each other because a check ended in between."""
    completed(fresh_state, NOON)
    with fresh_state.read() as connection:
        before = history.latest_id(connection)
        completed(fresh_state, NOON)
        assert history.latest_id(connection) == before
    with fresh_state.read() as connection:
        assert history.latest_id(connection) > before


def test_readers_do_not_wait_for_a_writer(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON)
    with fresh_state.write() as writing:
        writing.execute(sa.text("DELETE FROM health_check_history"))
        with fresh_state.read() as reading:
            assert history.latest_id(reading) == 1


def test_a_writer_who_waits_too_long_is_told_that_it_is_locked(
    engine: str, fresh_state: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.state.database._BUSY_SECONDS", 1)
    impatient = StateDatabase(fresh_state.url)
    statement = sa.text("UPDATE leases SET holder = 'x'")
    with fresh_state.write() as connection:
        connection.execute(statement)
        with pytest.raises(StateDatabaseLocked) as locked, impatient.write() as waiting:
            waiting.execute(statement)
    assert "write transaction" in locked.value.hint
    impatient.dispose()


@pytest.mark.postgresql
def test_a_server_that_is_away_is_a_sentence_without_its_password() -> None:
    url = Settings(state_url="postgresql://state:s3cret-word@127.0.0.1:1/state").state_database_url
    with pytest.raises(StateDatabaseUnavailable, match="cannot be used") as away:
        StateDatabase(url).upgrade()
    assert "s3cret-word" not in away.value.advice


def test_a_sqlite_file_is_durable_and_shared(sqlite_state: StateDatabase) -> None:
    with sqlite_state.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with sqlite3.connect(str(sqlite_state.url.database)) as other:
        assert other.execute("SELECT count(*) FROM leases").fetchone() == (2,)
    other.close()


@pytest.mark.parametrize("failing", [False, True])
def test_what_a_long_write_asks_of_sqlite_ends_with_it(sqlite_state: StateDatabase, failing: bool) -> None:
    names = ("synchronous", "cache_size", "wal_autocheckpoint", "busy_timeout")

    def now(connection: sa.Connection) -> list[int]:
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]

    with sqlite_state.read() as connection:
        usual = now(connection)
    assert usual[0] == 2, "each commit is on the disk"
    with suppress(RuntimeError), sqlite_state.write(0.5, much=True) as connection:
        assert now(connection) == [1, -32_000, 20_000, 500]
        if failing:
            raise RuntimeError
    with sqlite_state.write() as connection:  # on the same connection, out of the pool
        assert now(connection) == usual
