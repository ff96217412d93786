"""Making and migrating the tables."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from core.errors import StateDatabaseTooNew, StateDatabaseUnavailable
from core.logs.reading import digest_of
from core.settings import Settings
from core.state import (
    current_violations,
    episodes,
    lease,
    schema_of_alerts,  # noqa: F401 - its tables belong to the metadata too
    schema_of_sync,  # noqa: F401 - the same
)
from core.state.database import StateDatabase
from core.state.schema import known_logs, metadata
from tests.frozen_clock import NOON
from tests.logs.test_importing import log_text, take
from tests.state.records import HERE, completed


def test_an_empty_database_gets_every_table(empty_state: StateDatabase) -> None:
    empty_state.upgrade()
    with empty_state.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
        assert not lease.find(connection).held(NOON), "nobody holds the lease of a new database"


def test_the_migrations_make_what_the_schema_says(fresh_state: StateDatabase) -> None:
    with fresh_state.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(fresh_state: StateDatabase) -> None:
    check_id = completed(fresh_state, NOON)
    for _ in range(2):
        fresh_state.upgrade()
    with fresh_state.read() as connection:
        assert connection.execute(sa.text("SELECT check_id FROM health_check_history")).scalars().all() == [check_id]
        assert connection.execute(sa.text("SELECT count(*) FROM leases")).scalar() == 2, "one for checks, one for repairs"


def test_a_database_of_a_newer_version_is_left_alone(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StateDatabaseTooNew) as refused:
        fresh_state.upgrade()
    assert refused.value.permanent
    with fresh_state.read() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_servers_that_start_at_once_make_the_tables_once(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The first moments of a database are a race; several are run."""
    for round_ in range(12 if engine == "sqlite" else 2):
        if engine == "sqlite":
            url = f"sqlite:///{tmp_path / f'{round_}.db'}"
        else:
            url = request.getfixturevalue("new_postgresql_database")()
        states = [StateDatabase(Settings(state_url=url).state_database_url) for _ in range(6)]
        assert _start_at_once(states) == []
        with states[0].read() as connection:
            assert connection.execute(sa.text("SELECT count(*) FROM leases")).scalar() == 2, "one for checks, one for repairs"
        for state in states:
            state.dispose()


def _start_at_once(states: list[StateDatabase]) -> list[BaseException]:
    barrier = threading.Barrier(len(states))
    errors: list[BaseException] = []

    def start(state: StateDatabase) -> None:
        barrier.wait()
        try:
            state.upgrade()
        except BaseException as error:  # noqa: BLE001 - it is looked at by the test
            errors.append(error)

    threads = [threading.Thread(target=start, args=(state,)) for state in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


def test_the_history_of_the_contract_is_there(fresh_state: StateDatabase) -> None:
    with fresh_state.read() as connection:
        names = [column["name"] for column in sa.inspect(connection).get_columns("health_check_history")]
    assert names[:6] == ["id", "timestamp", "total_checked", "consistent", "inconsistent", "consistency_rate"]


@pytest.mark.parametrize("place", ["taken/state.db", "taken"])
def test_a_place_where_no_database_can_be_is_a_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").write_text("a file, and no database " * 100)
    state = StateDatabase(Settings(state_url=f"sqlite:///{tmp_path / place}").state_database_url)
    with pytest.raises(StateDatabaseUnavailable, match=r"(cannot be made|cannot be used)") as refused:
        state.upgrade()
    assert "COUPLING_HEALTH_STATE_URL" in refused.value.hint
    state.dispose()
    assert (tmp_path / "taken").read_text().startswith("a file, and no database")


def test_what_was_open_before_episodes_were_kept_has_one_afterwards(empty_state: StateDatabase) -> None:
    """A database of the version before: two checks, of which the newer one's violations are current."""
    pair = {"position": 0, "user_text": "42", "user_number": 42, "specialization": "PLAYER", "kind": "level_mismatch"}
    levels = {"progress_level": 3, "license_level": 2, "first_seen": NOON}
    empty_state.upgrade("0002")
    with empty_state.write() as connection:
        for check_id, at in (("old", NOON), ("new", NOON + timedelta(minutes=5))):
            row = {"timestamp": at, "total_checked": 9, "consistent": 8, "inconsistent": 1, "outcome": "unhealthy"}
            known = {**row, "source": "check", "check_id": check_id, "watched": HERE}
            connection.execute(sa.insert(metadata.tables["health_check_history"]).values(known))
            connection.execute(sa.insert(metadata.tables["current_violations"]).values({**pair, **levels, "check_id": check_id}))
    empty_state.upgrade()
    with empty_state.read() as connection:
        (life,) = episodes.of_pair(connection, episodes.scope_of(HERE), "42", "PLAYER")
        assert (life.first_seen, life.opened_in, life.resolved_at) == (NOON, 1, None)
        assert (life.user_id, life.progress_level, life.license_level) == (42, 3, 2)
        assert len(current_violations.following(connection, "new")) == 1


def test_logs_that_earlier_versions_imported_stay_known(empty_state: StateDatabase, tmp_path: Path) -> None:
    """By their paths, and by their contents under other names; also where two of one name leave open how each was dated."""
    there, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    names = ["20250101_000000_violations.json", "20250101_000500_violations.json"]
    texts = {name: log_text(timestamp=f"2025-01-01T00:0{minute}:00") for name, minute in zip(names, (0, 5), strict=True)}
    there.mkdir()
    for name, text in texts.items():
        (there / name).write_text(text)
    empty_state.upgrade("0006")
    with empty_state.write() as connection:
        for name, minute in ((names[0], 0), (names[1], 5), (names[1], 7)):
            row = {"timestamp": NOON.replace(year=2025, month=1, day=1, hour=0, minute=minute), "log_file": name}
            figures = {"total_checked": 9, "consistent": 8, "inconsistent": 1, "outcome": "unhealthy", "source": "import"}
            connection.execute(sa.insert(metadata.tables["health_check_history"]).values({**row, **figures}))
        for name, text in texts.items():
            file = {"path": str(there / name), "size": len(text), "mtime_ns": 1, "digest": digest_of(text.encode())}
            old = sa.table("known_logs", *map(sa.column, (*file, "outcome")))
            connection.execute(sa.insert(old).values(**file, outcome="imported"))
    empty_state.upgrade()
    with empty_state.read() as connection:
        dated = connection.execute(sa.select(known_logs.c.dated).order_by(known_logs.c.path)).scalars().all()
    assert [moment and moment.minute for moment in dated] == [0, None]
    assert take(empty_state, there).already_known == 2
    there.rename(elsewhere)
    assert take(empty_state, elsewhere).imported == 0
