"""Every page in the five states in which its data can be: each says what it is, none breaks, none is green without reason."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, forget_visitor, url_of
from tests.browser.server import Server
from tests.browser.visit import badge, enter, expect_no_error, table_rows, wait_until_drawn

pytestmark = pytest.mark.browser

PAGES = {  # link, path
    "overview": ("Overview", "/"),
    "violations": ("Violations", "/violations"),
    "sync": ("Sync", "/sync"),
    "trend": ("Trend", "/trend"),
    "alerts": ("Alerts", "/alerts"),
    "presentation": ("Presentation", "/presentation"),
    "tokens": ("API tokens", "/tokens"),
    "audit": ("Audit", "/audit"),
}
SCHEMES = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 28)"}
DAY = 86_400


@dataclass
class State:
    """A server whose data are in one of the five states, and what its pages must say then."""

    server: Server
    status: str
    overview: str
    violations: str
    trend: str
    alerts: str = "Nothing fires. Nobody is told: no channel is set up."
    presentation: str = "No link yet: only who can log in sees the presentation."
    tokens: str = "No token yet, so no program can ask."
    audit: str = "Logged in"
    sync: str = "Last known: 1 violation may be mended by a sync. A plan checks anew."


def before_the_first_check(server: Server, _application: SqliteApplication) -> State:
    no_check = "No check has completed yet"
    trend = "No check completed in the last 7 d, 1 check failed"
    return State(server, "unknown", no_check, no_check, trend, sync=no_check)


def healthy(server: Server, application: SqliteApplication) -> State:
    application.agreeing(range(1, 1_301))
    server.start().wait_for_checks(1)
    agree = "All 1\u202f300 pairs agree"
    nothing = "The last check found nothing to mend."
    return State(server, "healthy", agree, agree, "Never seen below 99 % in the last 7 d, lowest 100.00 %", sync=nothing)


def with_violations(server: Server, application: SqliteApplication) -> State:
    application.agreeing(range(1, 190)).disagreeing(range(500, 511))
    server.start().wait_for_checks(1)
    fires = "1 alert fires. Nobody is told: no channel is set up."
    mended = "11 violations may be mended by a sync."
    return State(server, "critical", "11 violations: 11 level mismatches", "11 violations", "lowest 94.50 %", fires, sync=mended)


def stale(server: Server, application: SqliteApplication) -> State:
    application.agreeing(range(1, 190)).disagreeing([500])
    server.start().wait_for_checks(1)
    server.stop()
    with closing(sqlite3.connect(server.folder / "var" / "coupling-health.db")) as connection, connection:
        connection.execute("UPDATE health_check_history SET timestamp = datetime(timestamp, '-60 hours')")
    application.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    server.start().wait_for_checks(2)
    with closing(sqlite3.connect(server.folder / "var" / "coupling-health.db")) as connection, connection:
        connection.execute("DELETE FROM health_check_history WHERE outcome = 'failed'")
    return State(
        server,
        "unknown",
        "Last completed check 2 d 12 h ago",
        "last completed check 2 d 12 h ago",
        "Nearly nothing of it is known.",
    )


def failing(server: Server, application: SqliteApplication) -> State:
    application.agreeing(range(1, 190)).disagreeing([500])
    server.start().wait_for_checks(1)
    application.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    assert server.run("check").returncode == 2
    reason = "the last attempt failed: There is no table user_licenses"
    return State(server, "unknown", reason, reason, "1 check failed")


STATES = [before_the_first_check, healthy, with_violations, stale, failing]


@pytest.fixture(scope="module", params=STATES, ids=lambda state: state.__name__)
def state(
    request: pytest.FixtureRequest, new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication]
) -> Iterator[State]:
    application = new_sqlite_app()
    if request.param is before_the_first_check:
        application.execute("DROP TABLE user_licenses")
    server = new_server(database_url=url_of(application), check__interval_seconds=DAY)
    if request.param is before_the_first_check:
        server.start().wait_for_checks(1)
    made: State = request.param(server, application)
    yield made
    server.end()


@pytest.fixture(scope="module")
def tabs(state: State, kept_tab: Page) -> Iterator[dict[str, Page]]:
    """A wide light tab and a narrow dark one of a logged-in admin."""
    browser = kept_tab.context
    light, dark = enter(browser, state.server), browser.new_page()
    dark.emulate_media(color_scheme="dark")
    dark.set_viewport_size({"width": 390, "height": 844})
    dark.goto(state.server.url)
    yield {"light": light, "dark": dark}
    forget_visitor(kept_tab)


def go_to(page: Page, state: State, name: str) -> None:
    """Through the navigation, as loading it all again takes longest; on a narrow screen it has to be opened first."""
    title, path = PAGES[name]
    page.bring_to_front()  # a tab behind another is drawn seldom
    if page.url == state.server.url + path:
        return
    if page.get_by_role("button", name="Expand sidebar").is_visible():
        page.get_by_role("button", name="Expand sidebar").click()
    page.get_by_role("link", name=title, exact=True).click()
    page.wait_for_url(state.server.url + path)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_is_known_and_fits_the_screen(state: State, tabs: dict[str, Page], name: str, scheme: str) -> None:
    page = tabs[scheme]
    go_to(page, state, name)
    green = page.locator('[data-status="healthy"], .pill.healthy, .st-key-banner-healthy')
    if name == "overview":
        expect(badge(page)).to_have_attribute("data-status", state.status)
        expect(page.locator(".st-key-gauge svg.main-svg").first).to_be_visible()
        expect(green).to_have_count(2 if state.status == "healthy" else 0)
    elif name == "violations":
        expect(page.locator(f".pill.{state.status}")).to_be_visible()
        expect(green).to_have_count(1 if state.status == "healthy" else 0)
        expect(table_rows(page)).to_have_count({"critical": 11, "unknown": 1}.get(state.status, 0) if known(state) else 0)
    elif name == "sync":
        expect(page.get_by_role("button", name="Make a plan")).to_be_visible()
        expect(page.get_by_text("COUPLING_HEALTH_SYNC_DATABASE_URL")).to_be_visible()
        expect(green).to_have_count(0)
    elif name == "presentation":
        expect(page.get_by_role("button", name="Make link")).to_be_visible()
        expect(green).to_have_count(0)
    elif name == "alerts":
        expect(page.locator("tr[data-rule]")).to_have_count(8)
        expect(green).to_have_count(0)
    elif name == "tokens":
        expect(page.get_by_role("button", name="Make token")).to_be_visible()
        expect(green).to_have_count(0)
    elif name == "audit":
        expect(page.locator("table.trail tr[data-entry]").first).to_have_attribute("data-deed", "logged_in")
        expect(green).to_have_count(0)
    else:
        expect(page.locator(".st-key-trend svg.main-svg").first).to_be_visible()
        expect(green).to_have_count(0)
    wait_until_drawn(page)  # nothing is left of the page before
    expect(page.get_by_test_id("stMain")).to_contain_text(re.compile(re.escape(getattr(state, name)), re.IGNORECASE))
    expect_no_error(page)
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "no scrolling sideways"
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width, "no scrolling sideways"
    assert page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor") == SCHEMES[scheme]


def known(state: State) -> bool:
    return "No check has completed" not in state.overview


def test_last_known_figures_are_marked_as_such(state: State, tabs: dict[str, Page]) -> None:
    page = tabs["light"]
    go_to(page, state, "overview")
    expect(badge(page)).to_have_attribute("data-status", state.status)
    marks = page.get_by_text(re.compile("last known", re.IGNORECASE))
    if state.status == "unknown" and known(state):
        expect(page.locator(".tiles.last-known")).to_be_visible()
        expect(badge(page)).to_contain_text(re.compile(r"Last known: 99\.47 % of 190 pairs"))
        expect(page.locator(".st-key-gauge-card")).to_contain_text("last known")
        expect(page.get_by_text("Last known violations (1)")).to_be_visible()
    else:
        expect(marks).to_have_count(0)
