"""What programs need of a browser: making a token, reading the API's reference without a network, looking at the badge."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.server import Server
from tests.browser.visit import enter, expect_no_error

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication]) -> Server:
    """A checked application with 2 of 100 pairs in violation, and a badge for everybody."""
    application = new_sqlite_app().agreeing(range(1, 99)).disagreeing([500, 501])
    server = new_server(database_url=url_of(application), api__public_badge=True).start()
    server.wait_for_checks(1)
    return server


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def strangers(page: Page, server: Server) -> list[str]:
    """The addresses elsewhere that a page asks for, from now on."""
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if not request.url.startswith((server.url, "data:", "blob:")) else None,
    )
    return asked


def test_a_token_is_made_shown_once_used_and_revoked(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/tokens")
    expect(page.get_by_text("No token yet")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("ci <b>&")
    page.get_by_role("button", name="Make token").click()
    token = page.locator(".stCode code").inner_text()
    assert re.fullmatch(r"chd_[A-Za-z0-9_-]{43}", token)
    row = page.locator('.token[data-state="active"]')
    expect(row).to_contain_text("ci <b>&")
    expect(row).to_contain_text("never used")
    assert served.get("/api/v1/health/status", bearer(token)).code == 200
    page.get_by_role("button", name="I have copied it").click()
    expect(page.locator(".stCode")).to_have_count(0)
    expect_no_error(page)

    page.get_by_role("textbox", name="Name").fill("ci <b>&")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_text("There is a token 'ci <b>&' already.")).to_be_visible()

    second = enter(visitor, served, "/tokens")
    expect(second.locator(".token")).to_have_count(1)
    assert token not in second.content(), "it is shown to nobody again"
    for tab in (page, second):  # in the second tab it is gone already when it is revoked again
        tab.get_by_role("button", name="Revoke", exact=True).click()
        tab.get_by_role("button", name="Revoke it").click()
        expect(tab.locator('.token[data-state="revoked"]')).to_be_visible()
        assert served.get("/api/v1/health/status", bearer(token)).code == 401
        expect_no_error(tab)


def test_the_reference_of_the_api_needs_no_other_host(served: Server, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    elsewhere = strangers(page, served)
    page.goto(f"{served.url}/api/v1/docs")
    expect(page.get_by_role("heading", name="Coupling Health")).to_be_visible()
    expect(page.locator(".opblock")).to_have_count(24)
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    page.locator(".opblock", has_text="/api/v1/health/status").click()
    expect(page.get_by_text("Health at this moment", exact=False).first).to_be_visible()
    assert (elsewhere, errors) == ([], [])


def test_an_operation_can_be_tried_in_the_reference(served: Server, visitor: BrowserContext) -> None:
    token = served.run("token", "create", "--name", "reference", "--scope", "read").stdout.strip()
    page = visitor.new_page()
    page.goto(f"{served.url}/api/v1/docs")
    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").fill(token)
    page.locator(".auth-btn-wrapper button", has_text="Authorize").click()
    page.locator(".auth-btn-wrapper button", has_text="Close").click()
    operation = page.locator("#operations-health-metrics_api_v1_health_metrics_get")
    operation.click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text('"total_users_monitored": 100')


def test_the_badge_is_a_picture(served: Server, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.set_content(f'<img id="badge" src="{served.url}/badge.svg">')
    badge = page.locator("#badge")
    expect(badge).to_be_visible()
    page.wait_for_function("document.getElementById('badge').complete")
    assert badge.evaluate("picture => [picture.naturalHeight, picture.naturalWidth > 100]") == [20, True]
    page.goto(f"{served.url}/badge.svg")
    texts = page.locator("text")
    expect(texts).to_have_text(["coupling", "degraded 98.00 %"])
    middle = page.locator("rect").nth(2).evaluate("part => part.getBoundingClientRect().left")
    subject, message = (texts.nth(number).evaluate("text => text.getBoundingClientRect().toJSON()") for number in (0, 1))
    assert subject["right"] < middle < message["left"], "no text runs over the edge of its side"
