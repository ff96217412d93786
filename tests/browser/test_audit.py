"""The audit page in a browser: what was just done stands there, can be chosen by its address, and is downloaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlalchemy.engine import make_url

from core.state import audit
from core.state.audit import Deed
from core.state.database import StateDatabase
from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.server import Server
from tests.browser.visit import choose, enter, expect_no_error, log_in, wait_until_drawn

pytestmark = pytest.mark.browser


@pytest.fixture
def served(new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication]) -> Server:
    """A checked application in which all pairs agree; nobody has done anything yet."""
    server = new_server(database_url=url_of(new_sqlite_app().agreeing(range(1, 100)))).start()
    server.wait_for_checks(1)
    return server


def entries(page: Page) -> Locator:
    return page.locator("table.trail tr[data-entry]")


def expect_deeds(page: Page, *deeds: Deed) -> None:
    """Exactly these, newest first."""
    expect(entries(page)).to_have_count(len(deeds))
    assert [entry.get_attribute("data-deed") for entry in entries(page).all()] == [deed.value for deed in deeds]


def go_to(page: Page, served: Server, address: str) -> None:
    page.goto(f"{served.url}{address}")
    page.get_by_test_id("stMain").get_by_role("heading", name="Audit").wait_for()
    wait_until_drawn(page)


def test_what_is_done_on_the_pages_is_seen_and_found_again(served: Server, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(f"{served.url}/tokens")
    log_in(page, password="wrong-horse")
    expect(page.get_by_text("The user name or the password is wrong.")).to_be_visible()
    log_in(page)
    page.get_by_role("textbox", name="Name", exact=True).fill("ci <b>&")
    page.get_by_role("button", name="Make token").click()
    secret = page.locator(".stCode code").inner_text()
    page.get_by_role("button", name="Revoke", exact=True).click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.locator('.token[data-state="revoked"]')).to_be_visible()
    page.get_by_role("link", name="Audit", exact=True).click()
    expect_deeds(page, Deed.TOKEN_REVOKED, Deed.TOKEN_CREATED, Deed.LOGGED_IN, Deed.LOGIN_FAILED)
    made = entries(page).nth(1)
    expect(made.locator("td")).to_contain_text(["", "admin", "Made an API token", "ci <b>&, may read, for 90 d"])
    expect(made.locator("time")).to_have_attribute("title", re.compile(r" CES?T · \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    assert secret[8:] not in page.content()

    assert served.run("user", "add", "bea", typed="correct-horse\n").returncode == 0
    go_to(page, served, "/audit")
    expect_deeds(page, Deed.ACCOUNT_ADDED, Deed.TOKEN_REVOKED, Deed.TOKEN_CREATED, Deed.LOGGED_IN, Deed.LOGIN_FAILED)
    expect(entries(page).first).to_contain_text("(command line)")
    expect(page.get_by_test_id("count")).to_have_text("5 entries")

    choose(page, "Who", "admin")
    expect(page.get_by_test_id("count")).to_have_text("4 entries")
    choose(page, "What", "Made an API token")
    expect_deeds(page, Deed.TOKEN_CREATED)
    page.wait_for_url(re.compile(r"/audit\?who=admin&deed=token_created$"))
    page.reload()
    expect(page.get_by_test_id("count")).to_have_text("1 entry")
    expect_deeds(page, Deed.TOKEN_CREATED)

    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    header, line, end = download.value.path().read_text("utf-8").split("\n")
    assert header.strip() == "at_utc,who,deed,what,about"
    assert line.strip().endswith('admin,token_created,Made an API token,"ci <b>&, may read, for 90 d"')
    assert end == ""
    go_to(page, served, "/audit?who=admin&deed=audit_exported")
    expect(entries(page)).to_contain_text(["who admin, deed token_created"])
    expect_no_error(page)


def test_an_address_that_asks_for_what_there_is_not_says_so(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/audit?who=nobody&deed=nonsense&before=x")
    expect(page.get_by_text("There is no deed 'nonsense'.")).to_be_visible()
    expect(page.get_by_text("before is the number of an entry, not 'x'.")).to_be_visible()
    expect(page.get_by_text("Nothing that was done fits these choices.")).to_be_visible()
    go_to(page, served, "/audit?before=1")
    expect(page.get_by_text("Nothing is older than this.")).to_be_visible()
    page.get_by_role("button", name="Newest").click()
    expect_deeds(page, Deed.LOGGED_IN)
    expect_no_error(page)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_many_entries_are_turned_over_page_by_page(served: Server, visitor: BrowserContext, width: int, scheme: str) -> None:
    state = StateDatabase(make_url(f"sqlite:///{served.folder / 'var' / 'coupling-health.db'}"))
    with state.write() as connection:
        for number in range(249):
            who = "token " + "deployment-" * 9 if number % 2 else "ada"
            audit.note(connection, datetime.now(UTC), who, Deed.MARKER_ADDED, f"<i>{number}</i> " + "x" * (number * 4))
    state.dispose()
    page = enter(visitor, served)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    go_to(page, served, "/audit")
    expect(entries(page)).to_have_count(100)
    expect(entries(page).first).to_contain_text("Logged in")
    expect(page.get_by_test_id("count")).to_have_text("250 entries")
    for name, first in (("Older", "149"), ("Older", "49"), ("Newer", "149"), ("Newer", None), ("Older", "149"), ("Newest", None)):
        page.get_by_role("button", name=name, exact=True).click()
        expect(entries(page).first).to_contain_text("Logged in" if first is None else f"<i>{first}</i>")
        expect(entries(page)).to_have_count(50 if first == "49" else 100)
        wait_until_drawn(page)
        for part in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
            assert page.evaluate(f"{part}.scrollWidth") <= width, "no scrolling sideways"
    expect(page.get_by_role("button", name="Newest", exact=True)).to_be_disabled()
    expect_no_error(page)
