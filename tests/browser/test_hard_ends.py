"""The server is killed, told to stop, or starts without what it needs."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, WebSocketRoute, expect

from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.patience import eventually
from tests.browser.server import PASSWORD, free_port, rows
from tests.browser.visit import badge, enter, expect_no_error, expect_status, log_in, tile

pytestmark = pytest.mark.browser


def test_a_server_killed_during_a_check_works_after_a_restart(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], visitor: BrowserContext
) -> None:
    application = new_sqlite_app().agreeing(range(1, 151)).disagreeing([900])
    server = new_server(database_url=url_of(application), check__interval_seconds=3, check__connect_timeout_seconds=60).start()
    server.wait_for_checks(1)
    application.execute("PRAGMA journal_mode=DELETE")
    application.execute("BEGIN EXCLUSIVE")
    database = server.folder / "var" / "coupling-health.db"
    before = len(server.history())
    eventually(
        lambda: rows(database, "SELECT 1 FROM leases WHERE expires_at > strftime('%Y-%m-%d %H:%M:%f', 'now')"),
        "a check is running",
    )
    server.kill()
    application.execute("COMMIT")
    after_the_kill = server.history()
    assert len(after_the_kill) in (before, before + 1)
    let_leases_run_out(database)

    server.start()
    page = enter(visitor, server)
    expect_status(page, "healthy")
    server.wait_for_checks(len(after_the_kill) + 1)
    expect(tile(page, "violations")).to_have_text("1")
    expect_no_error(page)
    history = server.history()
    assert [row for row in history if row["outcome"] != "unhealthy"] == []
    assert [(row["total_checked"], row["inconsistent"]) for row in history] == [(151, 1)] * len(history)
    logs = {path.name for path in (server.folder / "logs" / "integrity_checks").glob("*_violations.json")}
    assert {row["log_file"] for row in history} <= logs
    assert server.run("doctor").returncode == 0


def let_leases_run_out(database: Path) -> None:
    """A killed server's turn is believed for a minute; here that minute passes at once."""
    with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        (leases,) = connection.execute("SELECT count(*) FROM leases WHERE name = 'check'").fetchone()
        assert leases == 1
        connection.execute("UPDATE leases SET expires_at = datetime(expires_at, '-61 seconds')")


def test_an_unusable_state_folder_is_named_on_the_page_until_it_is_mended(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], visitor: BrowserContext, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "var"
    in_the_way.write_text("a file where a folder is needed")
    server = new_server(
        database_url=url_of(new_sqlite_app().agreeing(range(1, 11))), state_url=f"sqlite:///{in_the_way}/state.db"
    ).start()
    page = visitor.new_page()
    page.goto(server.url)
    expect(page.get_by_text("Coupling Health cannot start yet")).to_be_visible()
    expect(
        page.get_by_text(re.compile(re.escape(f"The folder {in_the_way} for the state database cannot be made")))
    ).to_be_visible()
    expect(page.get_by_text("COUPLING_HEALTH_STATE_URL")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_count(0)
    expect(badge(page)).to_have_count(0)
    assert str(in_the_way) in server.said()
    assert server.get("/healthz").code == 200

    in_the_way.unlink()
    expect(page.get_by_role("textbox", name="User name")).to_be_visible()
    log_in(page)
    expect_status(page, "healthy")
    assert PASSWORD not in server.said()
    shutil.rmtree(in_the_way, ignore_errors=True)


def test_an_unreachable_state_server_is_named_on_the_page(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], visitor: BrowserContext
) -> None:
    port = free_port()
    server = new_server(
        database_url=url_of(new_sqlite_app().agreeing(range(1, 11))),
        state_url=f"postgresql://keeper:hidden-word@127.0.0.1:{port}/state",
    ).start()
    page = visitor.new_page()
    page.goto(server.url)
    expect(page.get_by_text("Coupling Health cannot start yet")).to_be_visible()
    expect(page.get_by_text(re.compile(f"The state database cannot be used: .*{port}"))).to_be_visible()
    expect(page.get_by_text("COUPLING_HEALTH_STATE_URL")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_count(0)
    assert "hidden-word" not in page.content()
    assert "hidden-word" not in server.said()
    assert server.get("/export/violations.csv", {"Cookie": "coupling_health_session=x"}).code == 503


def test_it_ends_within_seconds_when_told_so_with_a_page_open(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], visitor: BrowserContext
) -> None:
    server = new_server(database_url=url_of(new_sqlite_app().agreeing(range(1, 11)))).start()
    page = enter(visitor, server)
    expect_status(page, "healthy")
    told = time.monotonic()
    server.stop()
    assert time.monotonic() - told < 5, "it takes its time to end"
    assert "Traceback" not in server.said()
    lost = page.get_by_text(re.compile("Status unknown: no contact with the server since"))
    expect(lost).to_be_visible()
    server.start()
    expect(lost).to_have_count(0)
    expect(page.get_by_role("button", name="Run now")).to_be_enabled()
    page.get_by_role("button", name="Run now").click()
    server.wait_for_checks(3)
    expect(tile(page, "today")).to_have_text("3 of 3")
    expect_no_error(page)


def test_a_page_whose_connection_hangs_says_so_while_the_server_still_answers(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], newcomer: BrowserContext
) -> None:
    hangs = False

    def relay(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()
        server_side.on_message(lambda message: None if hangs else page_side.send(message))

    newcomer.route_web_socket(re.compile("_stcore/stream"), relay)
    newcomer.clock.install()
    page = enter(newcomer, new_server(database_url=url_of(new_sqlite_app().agreeing(range(1, 11)))).start())
    expect_status(page, "healthy")
    silent = page.get_by_text("Status unknown: this page hears nothing new from the server; reload it.")
    hangs = True
    newcomer.clock.fast_forward(120_000)
    expect(page.locator("html.no-contact")).to_have_count(0)
    newcomer.clock.fast_forward(120_000)  # the first leap may be what lets the page take note of when it was drawn
    newcomer.clock.fast_forward(120_000)
    expect(silent).to_be_visible()
    expect(page.locator("html.no-contact")).to_have_count(1)
    hangs = False
    page.reload()
    expect_status(page, "healthy")
    expect(silent).to_have_count(0)
