"""One demo server and one PostgreSQL for the whole guide, and a terminal for each page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.browser.postgresql import Postgresql
from tests.browser.server import PASSWORD, Server
from tests.guide.pages import Page
from tests.guide.swift import swift_command
from tests.guide.terminal import Terminal
from tests.subprocesses import ROOT

IN_THE_DEMO = "<!-- the demo is running -->"
SAMPLES = ROOT / "tests" / "data" / "integrity_checks"

_TABLES = """
CREATE TABLE specialization_progress (student_id integer NOT NULL, specialization_id varchar(50) NOT NULL, current_level integer);
CREATE TABLE user_licenses (user_id integer NOT NULL, specialization_type varchar(20) NOT NULL, current_level integer NOT NULL);
INSERT INTO specialization_progress VALUES (42, 'PLAYER', 3), (43, 'COACH', 2);
INSERT INTO user_licenses VALUES (42, 'PLAYER', 2), (43, 'COACH', 2);
"""

_STATE = """
CREATE ROLE coupling_health LOGIN PASSWORD 'another-secret';
CREATE DATABASE coupling_health OWNER coupling_health;
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, forker: Path) -> Iterator[Server]:
    """The demo as the guide starts it, after its first check."""
    server = Server(tmp_path_factory.mktemp("demo"), forker, admin_password=PASSWORD)
    try:
        server.start().wait_for_checks(1, state="var/demo/state.db")
        yield server
    finally:
        server.end()


@pytest.fixture(scope="module")
def database_server() -> Iterator[Postgresql]:
    """The reader's PostgreSQL, with the application's database `app`."""
    server = Postgresql()
    try:
        server.start()
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE app")
        with psycopg.connect(_app_on(server)) as connection:
            connection.execute(_TABLES.encode())
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory, forker: Path) -> Path:
    """Where the swift `coupling-health` is."""
    return swift_command(tmp_path_factory.mktemp("swift"), forker)


@pytest.fixture
def terminal_for(request: pytest.FixtureRequest, tmp_path: Path, swift: Path) -> Callable[[Page], Terminal]:
    """Call it with a page for a terminal in the folder, and with the databases and logs, that the page speaks of."""

    def terminal(page: Page) -> Terminal:
        folder, home, old = tmp_path / "reader", tmp_path / "home", tmp_path / "old-app"
        home.mkdir()
        stand_ins: dict[str, str] = {}
        programs, database = [swift], None
        if IN_THE_DEMO in page.text:
            server: Server = request.getfixturevalue("demo")
            folder = server.folder
            stand_ins |= {"localhost:8501": f"127.0.0.1:{server.port}", "--port 8501": f"--port {server.port}"}
        else:
            folder.mkdir()
        if "db.example" in page.text:
            postgresql: Postgresql = request.getfixturevalue("database_server")
            stand_ins["db.example"] = f"127.0.0.1:{postgresql.port}"
            database = _app_on(postgresql)
            programs.append(postgresql._server.bin_path)
            if "coupling_health:" in page.text and _STATE.splitlines()[1] not in page.text:
                _prepare_state(postgresql)
        if "/srv/old-app" in page.text:
            shutil.copytree(SAMPLES, old / "logs" / "integrity_checks")
            stand_ins["/srv/old-app"] = str(old)
        return Terminal(folder, home, stand_ins, programs, database)

    return terminal


def _app_on(server: Postgresql) -> str:
    return server.url.removesuffix("/postgres") + "/app"


def _prepare_state(server: Postgresql) -> None:
    """What the page on deployment tells to make, for pages that are read after it."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'coupling_health'").fetchone() is None:
            for statement in filter(str.strip, _STATE.split(";\n")):
                connection.execute(statement.encode())
