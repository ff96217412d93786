"""From seeing to mending: a plan, its confirmation, its result, and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.application import SqliteApplication
from tests.browser.conftest import NewContext, NewServer, url_of
from tests.browser.server import Server
from tests.browser.visit import enter, expect_no_error, log_in, row_of, run_now, table_rows, tile, wait_until_drawn

pytestmark = pytest.mark.browser

_LEVELS = (
    "SELECT p.student_id, p.current_level, l.current_level FROM specialization_progress p"
    " JOIN user_licenses l ON l.user_id = p.student_id WHERE p.student_id IN (2001, 2002) ORDER BY 1"
)


@pytest.fixture(scope="module")
def application(new_sqlite_app: Callable[..., SqliteApplication]) -> SqliteApplication:
    return new_sqlite_app()


@pytest.fixture(scope="module")
def served(new_server: NewServer, application: SqliteApplication) -> Server:
    """May write; above 6 changes a second admin is needed."""
    url = url_of(application)
    server = new_server(database_url=url, sync_database_url=url, sync__approval_above=6)
    server.start().wait_for_checks(1)
    return server


@pytest.fixture
def broken(application: SqliteApplication) -> SqliteApplication:
    """A thousand pairs that agree, three that can be mended, and one that needs a person."""
    rows = [(user, "PLAYER", 1) for user in range(1_000)]
    return application.replace_all(
        [*rows, (2001, "PLAYER", 3), (2002, "COACH", 2), (2003, "PLAYER", 5), (2004, "PLAYER", 1), (2004, "PLAYER", 2)],
        [*rows, (2001, "PLAYER", 2), (2002, "COACH", 4), (2004, "PLAYER", 1)],
    )


def plan_all(page: Page, served: Server) -> None:
    page.goto(f"{served.url}/sync")
    wait_until_drawn(page)
    page.get_by_role("button", name="Make a plan").click()


def confirm(page: Page, typed: str) -> None:
    wait_until_drawn(page)
    page.get_by_role("textbox", name=re.compile("^Type")).fill(typed)
    page.locator(".st-key-apply-sync button").click()


def test_plan_confirm_result_undo(served: Server, broken: SqliteApplication, visitor: BrowserContext) -> None:
    before = broken.execute("SELECT * FROM specialization_progress"), broken.execute("SELECT * FROM user_licenses")
    page = enter(visitor, served)
    plan_all(page, served)
    expect(page.get_by_test_id("run-answer")).to_have_text("3 changes would be written. 1 pair is left alone.")
    expect(row_of(page, 2001)).to_contain_text("Set licence to level 3")
    expect(row_of(page, 2002, "COACH")).to_contain_text("Set progress to level 4")
    expect(row_of(page, 2003)).to_contain_text("Create licence at level 5")
    expect(row_of(page, 2004)).to_contain_text("never guessed")
    page.get_by_text("Statements of all changes").click()
    expect(page.locator(".st-key-statements")).to_contain_text("UPDATE user_licenses SET current_level=3")
    page.get_by_text("Rows before and after").click()
    expect(page.locator(".st-key-rows-before-and-after")).to_contain_text("max_achieved_level")
    assert broken.execute(_LEVELS) == [(2001, 3, 2), (2002, 2, 4)], "a plan writes nothing"

    confirm(page, "4")
    expect(page.get_by_text("Nothing was written: type 3")).to_be_visible()
    assert broken.execute(_LEVELS) == [(2001, 3, 2), (2002, 2, 4)]

    confirm(page, "3")
    expect(page.get_by_test_id("run-answer")).to_have_text("3 of 3 changes written. 1 pair is left alone.")
    expect(page.get_by_test_id("mended")).to_have_text("The check after it: all of them agreed.")
    expect(row_of(page, 2001)).to_have_attribute("data-outcome", "applied")
    assert broken.execute(_LEVELS) == [(2001, 3, 3), (2002, 4, 4)]

    wait_until_drawn(page)
    page.get_by_role("button", name="Take back 3 changes").click()
    page.get_by_role("button", name="Take 3 back").click()
    expect(page.get_by_test_id("run-answer")).to_have_text("3 of 3 changes put back.")
    after = broken.execute("SELECT * FROM specialization_progress"), broken.execute("SELECT * FROM user_licenses")
    assert after == before, "byte for byte"
    page.get_by_role("link", name="← All syncs").click()
    lines = page.locator("a.run")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text("3 put back")
    expect(lines.nth(1)).to_contain_text("3 taken back, 1 left alone")
    lines.nth(1).click()
    expect(page.get_by_test_id("mended")).to_have_text("The check after it: all of them agreed. 3 of them were taken back since.")
    expect_no_error(page)


def test_rows_that_are_ticked_are_planned_alone(served: Server, broken: SqliteApplication, visitor: BrowserContext) -> None:
    page = enter(visitor, served)
    wait_until_drawn(page)
    run_now(page)
    expect(tile(page, "violations")).to_have_text("4")
    page.goto(f"{served.url}/violations")
    expect(table_rows(page)).to_have_count(4)
    wait_until_drawn(page)
    page.evaluate(
        """() => {
            const boxes = [];
            const look = (root) => root.querySelectorAll("*").forEach((one) => {
                if (one.matches("tbody input[type=checkbox]")) boxes.push(one);
                if (one.shadowRoot) look(one.shadowRoot);
            });
            look(document);
            boxes[0].click();
            boxes[1].click();
        }"""
    )  # faster than any answer
    expect(page.locator(".st-key-details")).to_have_count(0)
    page.get_by_role("button", name="Sync 2 selected").click()
    expect(page.get_by_test_id("run-answer")).to_have_text("2 changes would be written.")
    wait_until_drawn(page)
    page.get_by_role("button", name="Give it up").click()
    expect(page.get_by_test_id("run-answer")).to_have_text("Nothing was written.")
    assert broken.execute(_LEVELS) == [(2001, 3, 2), (2002, 2, 4)]


def test_two_tabs_that_confirm_the_same_plan_write_it_once(
    served: Server, broken: SqliteApplication, visitor: BrowserContext
) -> None:
    one = enter(visitor, served)
    plan_all(one, served)
    expect(one.get_by_test_id("run-answer")).to_contain_text("3 changes")
    other = visitor.new_page()
    other.goto(one.url)
    expect(other.get_by_test_id("run-answer")).to_contain_text("3 changes")
    confirm(one, "3")
    expect(other.get_by_test_id("run-answer")).to_contain_text("3 of 3 changes written")
    expect(one.get_by_test_id("run-answer")).to_contain_text("3 of 3 changes written")
    assert broken.execute("SELECT count(*) FROM user_licenses WHERE user_id = 2003") == [(1,)]


def test_many_changes_wait_for_a_second_admin(
    served: Server, broken: SqliteApplication, visitor: BrowserContext, new_context: NewContext
) -> None:
    broken.disagreeing(range(3_000, 3_005))
    assert served.run("user", "add", "berta", typed="another-word-9\n").returncode == 0
    page = enter(visitor, served)
    plan_all(page, served)
    expect(page.get_by_test_id("run-answer")).to_contain_text("8 changes")
    confirm(page, "8")
    expect(page.get_by_text("You confirmed it.")).to_be_visible()
    expect(page.locator(".st-key-apply-sync")).to_have_count(0)
    second = new_context().new_page()
    second.goto(served.url)
    log_in(second, "berta", "another-word-9")
    second.get_by_test_id("sync-strip").get_by_role("link").click()
    expect(second.get_by_text("admin confirmed it and asks you")).to_be_visible()
    confirm(second, "8")
    expect(second.get_by_test_id("run-answer")).to_contain_text("8 of 8 changes written")
    expect(page.get_by_test_id("run-answer")).to_contain_text("8 of 8 changes written")
    expect(second.get_by_text("approved by berta")).to_be_visible()
    expect(second.get_by_test_id("mended")).to_be_visible()
    wait_until_drawn(second)
    second.get_by_role("button", name="Take back 8 changes").click()
    second.get_by_role("button", name="Take 8 back").click()
    expect(second.get_by_text("You confirmed it.")).to_be_visible()
    page.goto(second.url)
    expect(page.get_by_test_id("run-answer")).to_have_text("8 changes would be put back.")
    confirm(page, "8")
    expect(page.get_by_test_id("run-answer")).to_have_text("8 of 8 changes put back.")
    second.goto(f"{served.url}/audit")
    expect(second.locator("table.trail")).to_contain_text("berta")


def test_without_write_access_there_are_no_buttons_and_the_page_says_why(
    new_server: NewServer, broken: SqliteApplication, visitor: BrowserContext
) -> None:
    reading = new_server(database_url=url_of(broken)).start()
    reading.wait_for_checks(1)
    page = enter(visitor, reading, "/violations")
    expect(table_rows(page)).to_have_count(4)
    expect(page.get_by_test_id("no-sync")).to_contain_text("COUPLING_HEALTH_SYNC_DATABASE_URL")
    expect(page.get_by_role("checkbox")).to_have_count(0)
    plan_all(page, reading)
    expect(page.get_by_test_id("run-answer")).to_contain_text("3 changes would be written")
    expect(page.get_by_text("It cannot be written from here.")).to_be_visible()
    expect(page.locator(".st-key-apply-sync")).to_have_count(0)
    assert broken.execute(_LEVELS) == [(2001, 3, 2), (2002, 2, 4)]


def test_an_address_of_a_run_that_there_is_not_is_named(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/sync?run=98765")
    expect(page.get_by_text("There is no run '98765'")).to_be_visible()
    expect_no_error(page)
