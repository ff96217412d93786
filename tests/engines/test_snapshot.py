"""One check sees one moment, stands in nobody's way, and gives up in time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import WatchedDatabaseTooSlow
from tests.application import Application, PostgresqlApplication, SqliteApplication
from tests.engines.statements import counting
from tests.frozen_clock import FrozenClock

_ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


def test_a_check_sees_one_moment_while_rows_change(application: Application) -> None:
    application.disagreeing(range(12_000))  # more than the list is fetched in at once
    for careful in (False, True):
        with application.coupler().compare(careful=careful) as comparison:
            chunks = comparison.chunks()
            listed = len(next(chunks))
            application.delete_everything().agreeing(range(20_000, 20_010))
            listed += sum(len(chunk) for chunk in chunks)
            assert listed == comparison.totals.inconsistent == comparison.totals.total_checked == 12_000
        with application.coupler().compare() as afterwards:
            assert (afterwards.totals.total_checked, afterwards.totals.inconsistent) == (10, 0)
        application.delete_everything().disagreeing(range(12_000))


def test_two_statements_of_one_snapshot_see_one_moment(application: Application) -> None:
    """Also where the first reads only one side."""
    application.pair(1, "PLAYER", 1, 1)
    with application.watched().snapshot() as connection:
        count = sa.text("SELECT count(*) FROM specialization_progress"), sa.text("SELECT count(*) FROM user_licenses")
        first = connection.execute(count[0]).scalar()
        application.pair(2)
        assert (first, connection.execute(count[1]).scalar(), connection.execute(count[0]).scalar()) == (1, 1, 1)


def test_an_application_writes_on_while_a_check_reads(application: Application) -> None:
    """On SQLite in WAL mode. Both engines' writers here give up within two seconds, so waiting would show as an error."""
    application.disagreeing(range(100))
    with application.coupler().compare() as comparison:
        application.set_license_level(1, 2).delete_license(2).pair(1_000)
        assert sum(len(chunk) for chunk in comparison.chunks()) == 100
    assert application.execute("SELECT current_level FROM user_licenses WHERE user_id = 1") == [(2,)]


def test_a_statement_that_takes_too_long_is_ended(application: Application) -> None:
    with (
        pytest.raises(WatchedDatabaseTooSlow, match=r"did not finish within 1 s") as slow,
        application.watched(statement_timeout=1).snapshot() as connection,
    ):
        connection.exec_driver_sql(_ENDLESS[connection.dialect.name])
    assert "statement_timeout_seconds" in slow.value.hint


def test_a_table_that_the_application_locks_is_not_waited_for_without_end(application: Application) -> None:
    if isinstance(application, SqliteApplication):
        application.execute("PRAGMA journal_mode=DELETE")
        application.execute("BEGIN EXCLUSIVE")
    else:
        application.execute("BEGIN")
        application.execute("LOCK TABLE user_licenses IN ACCESS EXCLUSIVE MODE")
    watched = application.watched(statement_timeout=1, connect_timeout=1)
    with pytest.raises(WatchedDatabaseTooSlow, match=r"locked by the application for 1 s"), watched.snapshot() as connection:
        connection.execute(sa.text("SELECT count(*) FROM user_licenses")).scalar()
    application.execute("ROLLBACK")


def test_how_long_a_lock_was_waited_for_is_told_truly(tmp_path: Path) -> None:
    """SQLite waits for a lock as long as connecting may take, not as long as a statement may."""
    application = SqliteApplication(tmp_path / "locked.db")
    application.execute("PRAGMA journal_mode=DELETE")
    application.execute("BEGIN EXCLUSIVE")
    watched = application.watched(statement_timeout=120, connect_timeout=1)
    with pytest.raises(WatchedDatabaseTooSlow) as slow, watched.snapshot() as connection:
        connection.execute(sa.text("SELECT count(*) FROM user_licenses")).scalar()
    application.close()
    assert "within 120 s" not in str(slow.value)


@pytest.mark.postgresql
def test_a_limit_ends_with_its_snapshot(postgresql_app: PostgresqlApplication) -> None:
    """The limits are set for the transaction alone: behind a pooler the connection goes to somebody else next."""
    with postgresql_app.watched(statement_timeout=7).snapshot() as connection:
        assert connection.execute(sa.text("SHOW statement_timeout")).scalar() == "7s"
        raw: Any = connection.connection.driver_connection
        raw.rollback()
        assert raw.execute("SHOW statement_timeout").fetchone()[0] == "0"


def test_the_number_of_statements_does_not_grow_with_the_pairs(
    application: Application, new_monitor: Any, clock: FrozenClock
) -> None:
    monitor = new_monitor(application)
    numbers = []
    for pairs in (10, 1_000, 4_000):
        application.delete_everything().disagreeing(range(pairs))
        for _ in range(3):  # the first looks at the schema, the second finds a check before it, the third one to clear away
            monitor.check_all_users()
        with counting() as sent:
            report = monitor.check_all_users()
        assert report.totals.inconsistent == pairs
        numbers.append(len(sent))
        assert sum("specialization_progress" in statement and "user_licenses" in statement for statement in sent) == 1
        clock.advance(minutes=5)
    assert len(set(numbers)) == 1, numbers
