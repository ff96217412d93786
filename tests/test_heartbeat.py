"""Somebody outside hears of every completed check, and of nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import CouplingHealthError
from core.health_monitor import HealthMonitor
from core.settings import Settings
from tests.application import SqliteApplication
from tests.browser.patience import eventually


class Outside:
    """A real server that counts who calls."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.code = 200
        self.answering = threading.Event()
        self.answering.set()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.paths.append(self.path)
                outside.answering.wait(10)
                self.send_response(outside.code)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/ping/secret-uuid"

    def stop(self) -> None:
        self.answering.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    server = Outside()
    yield server
    server.stop()


@pytest.fixture
def calling(new_monitor: Callable[..., HealthMonitor], sqlite_app: SqliteApplication, outside: Outside) -> HealthMonitor:
    return new_monitor(sqlite_app.agreeing(range(5)), check={"heartbeat_url": outside.url})


def no_call_runs() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_every_completed_check_calls(calling: HealthMonitor, sqlite_app: SqliteApplication, outside: Outside) -> None:
    for expected in (1, 2):
        calling.check_all_users()
        eventually(lambda want=expected: len(outside.paths) == want, "it called")
        eventually(no_call_runs, "the call ended")
    sqlite_app.disagreeing([1_000])
    calling.check_all_users()
    eventually(lambda: len(outside.paths) == 3, "it calls whatever was found: the check works")
    assert set(outside.paths) == {"/ping/secret-uuid"}


def test_failed_checks_and_dry_runs_are_silent(calling: HealthMonitor, sqlite_app: SqliteApplication, outside: Outside) -> None:
    calling.check_all_users(dry_run=True)
    sqlite_app.execute("DROP TABLE user_licenses")
    with pytest.raises(CouplingHealthError):
        calling.check_all_users()
    assert no_call_runs()
    assert outside.paths == []


def test_a_service_that_hangs_or_refuses_holds_no_check_up(
    calling: HealthMonitor, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    outside.answering.clear()
    for _ in range(3):
        calling.check_all_users()
    eventually(lambda: len(outside.paths) == 1, "one call, and none beside it")
    outside.code = 500
    outside.answering.set()
    eventually(no_call_runs, "the call ended")
    calling.check_all_users()
    eventually(no_call_runs, "the next ended as well")
    with caplog.at_level(logging.INFO, "core"):
        outside.code = 200
        calling.check_all_users()
        eventually(no_call_runs, "and the one after")
    said = [record.getMessage() for record in caplog.records if "heartbeat" in record.name]
    assert said == [
        "The service at the other end of check.heartbeat_url answered with 500; the next check calls again",
        "The heartbeat is answered again",
    ]
    assert "secret-uuid" not in caplog.text


def test_a_service_that_is_not_there_is_named_without_its_address(
    new_monitor: Callable[..., HealthMonitor], sqlite_app: SqliteApplication, caplog: pytest.LogCaptureFixture
) -> None:
    monitor = new_monitor(sqlite_app, check={"heartbeat_url": "http://127.0.0.1:1/secret-uuid"})
    monitor.check_all_users()
    eventually(lambda: "could not be reached" in caplog.text, "it says so")
    assert "secret-uuid" not in caplog.text


def test_the_demo_calls_nobody() -> None:
    assert Settings(check={"heartbeat_url": "https://heartbeat.example/ping"}).heartbeat_url is None
    assert Settings(database_url="sqlite:///x.db", check={"heartbeat_url": "https://h.example/"}).as_demo().heartbeat_url is None


@pytest.mark.parametrize("url", ["ftp://h.example/x", "file:///etc/passwd", "h.example/ping", "https://", ""])
def test_only_an_address_that_can_be_called_is_taken(url: str) -> None:
    with pytest.raises(ValueError, match="not an address to call"):
        Settings(check={"heartbeat_url": url})
