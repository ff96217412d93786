"""What the running server answers to those who are no browser of ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication]) -> Server:
    """A server whose application agrees."""
    return new_server(database_url=url_of(new_sqlite_app().agreeing(range(1, 11)))).start()


def test_a_strangers_page_cannot_open_the_stream(served: Server) -> None:
    address = served.url.replace("http", "ws") + "/_stcore/stream"
    with pytest.raises(InvalidStatus) as refused, connect(address, origin=Origin("https://evil.example")):
        pass
    assert refused.value.response.status_code == 403
    with connect(address, origin=Origin(served.url)):
        pass


@pytest.mark.parametrize("path", ["/", "/violations", "/healthz", "/export/violations.csv", "/auth/leave", "/api/v1/nothing"])
def test_every_answer_is_protected(served: Server, path: str) -> None:
    answer = served.get(path)
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_a_mistyped_api_path_is_said_to_be_missing_in_json(served: Server) -> None:
    answer = served.get("/api/v1/helth/status")
    assert (answer.code, answer.headers["Content-Type"]) == (404, "application/json")
    assert '"detail"' in answer.text


def test_the_frameworks_own_figures_are_not_shown(served: Server) -> None:
    answer = served.get("/_stcore/metrics")
    assert answer.code == 404
    assert "session" not in answer.text


def test_health_of_the_process_says_nothing_about_data(served: Server) -> None:
    assert served.get("/healthz").text == "ok"


def test_the_overview_is_found_by_its_name_too(served: Server) -> None:
    answer = served.get("/overview")
    assert (answer.code, answer.headers["Location"]) == (307, "./")


def test_a_taken_port_is_named(served: Server, new_server: NewServer) -> None:
    second = new_server(served.folder.parent / served.folder.name)
    second.port = served.port
    refused = second.run("serve")
    assert refused.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{served.port}" in refused.stderr
    assert "COUPLING_HEALTH_PORT" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_scheduler_says_what_it_does_on_the_console_and_in_its_file(served: Server) -> None:
    served.wait_for_checks(1)
    (file,) = (served.folder / "logs" / "sync_jobs").iterdir()
    for said in (served.said(), file.read_text("utf-8")):
        assert "Scheduler started" in said
        assert "coupling_health_check), every 300 s" in said
        assert "Health check complete: 10/10 consistent (100.00%)" in said
