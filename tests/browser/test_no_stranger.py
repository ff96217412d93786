"""Nothing of a page comes from, or goes to, another host."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.visit import badge, expect_status, log_in, row_of, wait_until_drawn

pytestmark = pytest.mark.browser


def test_no_request_leaves_for_another_host(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], newcomer: BrowserContext
) -> None:
    application = new_sqlite_app().agreeing(range(1, 151)).disagreeing([900])
    server = new_server(database_url=url_of(application), check__interval_seconds=2).start()
    server.wait_for_checks(2)
    page = newcomer.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    newcomer.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(server.url)
    log_in(page)
    expect_status(page, "healthy")
    expect(page.locator(".st-key-gauge svg.main-svg").first).to_be_visible()
    page.get_by_role("link", name="Violations", exact=True).click()
    page.wait_for_url("**/violations")  # the overview has a row of this user as well
    wait_until_drawn(page)
    row_of(page, 900).click()
    expect(page.locator(".st-key-details")).to_contain_text("User 900")
    page.get_by_role("link", name="Trend", exact=True).click()
    expect(page.locator(".st-key-trend svg.main-svg").first).to_be_visible()
    page.get_by_role("radio", name="24 h").click()
    expect(page.get_by_test_id("trend-sentence")).to_contain_text("in the last 24 h")
    page.get_by_role("button", name="admin").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("textbox", name="User name")).to_be_visible()
    expect(badge(page)).to_have_count(0)

    ours = (server.url + "/", server.url.replace("http", "ws") + "/", "data:", "blob:" + server.url)
    assert [url for url in asked if not url.startswith(ours)] == []
    assert any(url.startswith("ws:") for url in asked)
    assert len(asked) > 30
    assert [text for text in complaints if "Content Security Policy" in text] == []
