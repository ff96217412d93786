"""What a visitor does and sees, in the words of the tests."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlalchemy.engine import make_url

from core.state import sessions
from core.state.database import StateDatabase
from tests.browser.patience import LONGEST
from tests.browser.server import PASSWORD, Server

COOKIE = "coupling_health_session"


def log_in(page: Page, username: str = "admin", password: str = PASSWORD) -> None:
    """Fill in the form of the login page and send it."""
    user = page.get_by_role("textbox", name="User name")
    user.wait_for()
    wait_until_drawn(page)  # a form still drawn loses a click
    user.fill(username)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def enter(
    context: BrowserContext,
    server: Server,
    path: str = "/",
    state_url: str | None = None,
    until: Literal["commit", "load"] = "load",
) -> Page:
    """A tab of somebody who has just logged in: the ticket that the login page would have made is redeemed.

    `until`: "commit" returns while the page still loads.
    """
    state = StateDatabase(make_url(state_url or f"sqlite:///{server.folder / 'var' / 'coupling-health.db'}"))
    with state.write() as connection:
        ticket = sessions.issue_ticket(connection, "admin", datetime.now(UTC))
    state.dispose()
    answer = context.request.get(f"{server.url}/auth/enter", params={"ticket": ticket}, max_redirects=0)
    assert answer.status == 303
    page = context.new_page()
    page.goto(server.url + path, wait_until=until)
    return page


def wait_until_drawn(page: Page) -> None:
    """Wait until the server has nothing more to say for now."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def badge(page: Page) -> Locator:
    return page.get_by_test_id("status-badge")


def expect_status(page: Page, status: str, longest: float = LONGEST) -> None:
    expect(badge(page)).to_have_attribute("data-status", status, timeout=longest * 1000)


def row_of(page: Page, user: object, specialization: str = "PLAYER") -> Locator:
    return page.locator(f'tr[data-user="{user}"][data-specialization="{specialization}"]')


def table_rows(page: Page) -> Locator:
    return page.locator("tr[data-user]")


def tile(page: Page, key: str) -> Locator:
    return page.get_by_test_id(f"tile-{key}").locator(".value")


def run_now(page: Page) -> None:
    page.get_by_role("button", name="Run now").click()


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of one of the select boxes."""
    box = page.get_by_role("combobox", name=label)
    box.evaluate("box => box.scrollIntoView({block: 'center', behavior: 'instant'})")  # its list closes when the page scrolls
    box.click()
    page.get_by_role("option", name=option, exact=True).click()


def expect_no_error(page: Page) -> None:
    """Nothing went wrong on the page that nobody put into words."""
    expect(page.locator(".stException")).to_have_count(0)
    expect(page.get_by_text(re.compile("Traceback|This page could not be shown"))).to_have_count(0)
