"""The watched database, or the state database, goes away under a running server and comes back."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.application import PostgresqlApplication, SqliteApplication
from tests.browser.conftest import NewServer
from tests.browser.patience import eventually
from tests.browser.postgresql import Postgresql
from tests.browser.visit import badge, enter, expect_no_error, expect_status, log_in, run_now, tile

pytestmark = [pytest.mark.browser, pytest.mark.postgresql]


def test_a_stopped_database_makes_the_status_unknown_until_it_is_back(
    stoppable_postgresql: Postgresql, new_server: NewServer, visitor: BrowserContext
) -> None:
    application = PostgresqlApplication(stoppable_postgresql.url).agreeing(range(1, 201)).disagreeing([900])
    application.close()
    server = new_server(
        database_url=stoppable_postgresql.url, check__interval_seconds=2, check__misfire_grace_seconds=2, log_dir="violations"
    ).start()
    server.wait_for_checks(1)
    page = enter(visitor, server)
    expect_status(page, "healthy")
    expect(tile(page, "violations")).to_have_text("1")

    stoppable_postgresql.stop()
    expect_status(page, "unknown")
    expect(badge(page)).to_contain_text(
        re.compile(r"the last (attempt|\d+ attempts) failed: .*127\.0\.0\.1:" + str(stoppable_postgresql.port))
    )
    expect(badge(page)).to_contain_text(re.compile("refused|closed|terminat", re.IGNORECASE))
    expect(badge(page)).to_contain_text("Next attempt")
    expect(badge(page)).to_contain_text(re.compile(r"Last known: 99\.50 % of 201 pairs"))
    expect(tile(page, "violations")).to_have_text("1")
    expect(page.locator(".tiles.last-known")).to_be_visible()
    expect(page.locator(".st-key-banner-healthy")).to_have_count(0)
    expect(page.get_by_text("Last known violations (1)")).to_be_visible()

    def recorded() -> bool:
        run_now(page)  # whoever asks while a scheduled attempt runs is answered by that one, so ask until it is one's own
        return any(row["trigger"] == "manual" for row in server.history())

    eventually(recorded, "the manual attempt is recorded")
    expect(page.get_by_text("The check gave no result").first).to_be_visible()
    run_now(page)  # the message, long as it is, does not lie over the button
    expect_status(page, "unknown")
    assert server.get("/healthz").code == 200
    expect_no_error(page)

    stoppable_postgresql.start()
    expect_status(page, "healthy")
    expect(badge(page)).to_contain_text(re.compile(r"99\.50 % of 201 pairs agree"))
    expect(page.locator(".tiles.last-known")).to_have_count(0)
    expect_no_error(page)
    outcomes = [row["outcome"] for row in server.history()]
    assert {outcomes[0], outcomes[-1]} == {"unhealthy"}
    assert "failed" in outcomes
    assert all(row["total_checked"] is None for row in server.history() if row["outcome"] == "failed")


def test_a_stopped_state_database_is_named_on_the_open_page_until_it_is_back(
    stoppable_postgresql: Postgresql,
    new_server: NewServer,
    new_sqlite_app: Callable[..., SqliteApplication],
    visitor: BrowserContext,
) -> None:
    with psycopg.connect(stoppable_postgresql.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE state")
    state_url = stoppable_postgresql.url.removesuffix("/postgres") + "/state"
    application = new_sqlite_app().agreeing(range(1, 31))
    server = new_server(
        database_url=application.url.render_as_string(),
        state_url=state_url,
        check__interval_seconds=2,
        check__misfire_grace_seconds=2,
    ).start()
    page = visitor.new_page()
    page.goto(server.url)
    log_in(page)
    expect_status(page, "healthy")
    expect(tile(page, "pairs")).to_have_text("30")

    stoppable_postgresql.stop()
    expect(page.get_by_text(re.compile("state database cannot be used", re.IGNORECASE)).first).to_be_visible()
    expect(page.locator('[data-status="healthy"]')).to_have_count(0)
    expect(page.get_by_text(re.compile("COUPLING_HEALTH_STATE_URL")).first).to_be_visible()
    expect_no_error(page)
    assert server.get("/healthz").code == 200
    other = visitor.new_page()
    other.goto(server.url + "/trend")
    expect(other.get_by_text(re.compile("state database cannot be used", re.IGNORECASE)).first).to_be_visible()
    expect_no_error(other)
    assert server.get("/export/violations.csv", {"Cookie": "coupling_health_session=x"}).code == 503

    stoppable_postgresql.start()
    expect_status(page, "healthy")
    expect(other.get_by_role("heading", name="Trend", level=1)).to_be_visible()
    expect_no_error(page)
    expect_no_error(other)
