"""A hundred thousand violations: found, filtered, sorted, paged, looked at and downloaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.application import Row, SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.patience import eventually
from tests.browser.server import Server
from tests.browser.visit import choose, enter, expect_no_error, expect_status, row_of, table_rows

pytestmark = pytest.mark.browser

MISMATCHES, MISSING, COACHES = 70_000, 20_000, 9_999


@dataclass
class Watched:
    server: Server
    application: SqliteApplication


@pytest.fixture(scope="module")
def watched(new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication]) -> Watched:
    """100,000 violations of four kinds; user ids are text, one of them a spreadsheet's formula. Nothing is checked twice."""
    application = new_sqlite_app(user="varchar(40)")
    progress: list[Row] = [(f"p{user:06}", "PLAYER", 5) for user in range(MISMATCHES)]
    licenses: list[Row] = [(f"p{user:06}", "PLAYER", 2 + user % 3) for user in range(MISMATCHES)]
    progress += [(f"m{user:06}", "PLAYER", 1) for user in range(MISSING)]
    licenses += [(f"c{user:06}", "COACH", 8) for user in range(COACHES - 1)]
    progress += [("=1+1", "COACH", None)]
    licenses += [("=1+1", "COACH", 4)]
    progress += [("twice", "INTERNSHIP", 3), ("twice", "INTERNSHIP", 2)]
    application.add(progress, licenses)
    server = new_server(database_url=url_of(application), check__interval_seconds=86_400).start()
    (first,) = server.wait_for_checks(1)
    assert first["inconsistent"] == 100_000
    return Watched(server, application)


def count(page: Page) -> Locator:
    return page.get_by_test_id("count")


def expect_users(page: Page, *users: str) -> None:
    """The first rows of the table."""
    for place, user in enumerate(users):
        expect(table_rows(page).nth(place)).to_have_attribute("data-user", user)


def expect_address(page: Page, *wanted: str, unwanted: str = "") -> None:
    def fits() -> bool:
        address = str(page.evaluate("location.href"))
        return all(part in address for part in wanted) and (not unwanted or unwanted not in address)

    eventually(fits, f"an address with {wanted} and without {unwanted!r}")


def sort_by(page: Page, column: str) -> None:
    page.get_by_role("columnheader", name=column).get_by_role("button").click()


def downloaded(context: BrowserContext, page: Page) -> list[list[str]]:
    link = page.get_by_role("link", name="Download CSV")
    answer = context.request.get(page.url.split("/violations")[0] + str(link.get_attribute("href")))
    assert answer.ok
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.reader(io.StringIO(answer.text())))[1:]


def test_all_of_them_are_counted_and_the_first_hundred_shown(watched: Watched, visitor: BrowserContext) -> None:
    page = enter(visitor, watched.server, "/violations")
    expect(count(page)).to_have_text("100\u202f000 violations")
    expect(table_rows(page)).to_have_count(100)
    expect(page.locator(".st-key-pager")).to_contain_text("1–100 of 100\u202f000")
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".st-key-pager")).to_contain_text("101–200 of 100\u202f000")
    expect_address(page, "page=2")
    page.get_by_role("button", name="First").click()
    expect(page.locator(".st-key-pager")).to_contain_text("1–100 of 100\u202f000")
    page.goto(watched.server.url + "/violations?page=99999")
    expect(page.locator(".st-key-pager")).to_contain_text("99\u202f901–100\u202f000 of 100\u202f000")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    expect_no_error(page)


def test_filters_narrow_the_table_and_stand_in_the_address(watched: Watched, visitor: BrowserContext) -> None:
    page = enter(visitor, watched.server, "/violations")
    choose(page, "Problem", "Licence missing")
    expect(count(page)).to_have_text("20\u202f000 of 100\u202f000 violations")
    expect_address(page, "kind=missing_license")
    expect_users(page, "m000000")
    page.get_by_role("textbox", name="User").fill("m00001")
    page.get_by_role("textbox", name="User").press("Enter")
    expect(count(page)).to_have_text("10 of 100\u202f000 violations")
    expect(table_rows(page)).to_have_count(10)
    expect_address(page, "kind=missing_license", "user=m00001")

    page.goto(page.url)
    expect(table_rows(page)).to_have_count(10)
    expect(page.get_by_role("textbox", name="User")).to_have_value("m00001")

    page.goto(watched.server.url + "/violations")
    choose(page, "Specialization", "COACH")
    expect(count(page)).to_have_text("9\u202f999 of 100\u202f000 violations")
    expect_address(page, "specialization=COACH")
    choose(page, "Action", "Set level")
    expect(count(page)).to_have_text("1 of 100\u202f000 violations")
    expect_address(page, "specialization=COACH", "action=set_level")
    expect_users(page, "=1+1")
    choose(page, "Specialization", "PLAYER")
    expect(page.get_by_text("No violation fits these choices.")).to_be_visible()
    choose(page, "Action", "All")
    choose(page, "Specialization", "All")
    expect(count(page)).to_have_text("100\u202f000 violations")
    expect_address(page, unwanted="specialization")
    expect_no_error(page)


def test_headers_sort_all_rows_not_only_those_shown(watched: Watched, visitor: BrowserContext) -> None:
    page = enter(visitor, watched.server, "/violations?kind=level_mismatch")
    expect_users(page, "p000000", "p000001")
    sort_by(page, "Licence")
    expect_address(page, "sort=license_level")
    expect_users(page, "p000000", "p000003", "p000006")
    expect(page.get_by_role("columnheader", name="Licence")).to_have_attribute("aria-sort", "ascending")
    sort_by(page, "Licence")
    expect_address(page, "sort=license_level", "order=desc")
    expect_users(page, "p000002", "p000005")
    page.get_by_role("button", name="Next").click()
    expect_address(page, "page=2", "sort=license_level", "order=desc", "kind=level_mismatch")
    expect(table_rows(page).first).not_to_have_attribute("data-user", "p000002")
    sort_by(page, "User")
    expect_address(page, unwanted="page=2")
    expect_users(page, "p000000", "p000001")
    expect_no_error(page)


def test_a_row_is_chosen_by_mouse_or_keyboard_and_its_rows_are_read_fresh(watched: Watched, visitor: BrowserContext) -> None:
    page = enter(visitor, watched.server, "/violations?kind=level_mismatch")
    details = page.locator(".st-key-details")
    row_of(page, "p000004").click()
    expect(details).to_contain_text("User p000004 · PLAYER")
    expect(details).to_contain_text("Level mismatch")
    expect(details).to_contain_text("Sync required")
    expect(details.locator("table.row")).to_have_count(2)
    expect(details).to_contain_text("specialization_progress, read just now")
    expect(details).to_contain_text("user_licenses, read just now")
    expect(details).to_contain_text("Seen by every check since")
    expect_address(page, "selected=p000004%7CPLAYER")

    row_of(page, "p000004").press("ArrowDown")
    expect(row_of(page, "p000005")).to_be_focused()
    row_of(page, "p000005").press("Enter")
    expect(details).to_contain_text("User p000005 · PLAYER")
    expect(row_of(page, "p000005")).to_have_attribute("aria-selected", "true")
    expect(row_of(page, "p000004")).to_have_attribute("aria-selected", "false")
    expect(row_of(page, "p000005")).to_be_focused()

    watched.application.set_license_level("p000006", 5)
    row_of(page, "p000006").click()
    expect(details).to_contain_text("Healed meanwhile: both sides agree now")
    watched.application.delete_license("p000007")
    row_of(page, "p000007").click()
    expect(details).to_contain_text("Licence missing (the last check saw: level mismatch)")
    expect(details).to_contain_text("No row.")
    page.get_by_role("button", name="Close").click()
    expect(details).to_have_count(0)
    expect_address(page, unwanted="selected")
    expect_no_error(page)


def test_a_user_id_that_is_a_formula_is_shown_as_it_is(watched: Watched, visitor: BrowserContext) -> None:
    page = enter(visitor, watched.server, "/violations?kind=level_not_set")
    row_of(page, "=1+1", "COACH").click()
    expect(page.locator(".st-key-details")).to_contain_text("User =1+1 · COACH")
    page.reload()
    expect(page.locator(".st-key-details")).to_contain_text("User =1+1 · COACH")
    expect_no_error(page)


def test_the_csv_holds_exactly_the_filtered_rows(watched: Watched, visitor: BrowserContext) -> None:
    page = enter(visitor, watched.server, "/violations?specialization=COACH&sort=user&order=desc")
    expect(count(page)).to_have_text("9\u202f999 of 100\u202f000 violations")
    lines = downloaded(visitor, page)
    assert len(lines) == COACHES
    assert {line[1] for line in lines} == {"COACH"}
    assert [line[0] for line in lines if "1+1" in line[0]] == ["'=1+1"]
    page.goto(watched.server.url + "/violations")
    expect(count(page)).to_have_text("100\u202f000 violations")
    lines = downloaded(visitor, page)
    assert len(lines) == 100_000
    assert len({(line[0], line[1]) for line in lines}) == 100_000


def test_a_misspelt_filter_is_named_and_no_csv_pretends_to_be_filtered(watched: Watched, visitor: BrowserContext) -> None:
    page = enter(visitor, watched.server, "/violations?kind=typo")
    expect(page.get_by_text("Left out from the address: There is no kind 'typo'; it is one of duplicate_rows,")).to_be_visible()
    answer = visitor.request.get(f"{watched.server.url}/export/violations.csv?kind=typo")
    assert answer.status == 400
    assert answer.text().startswith("There is no kind 'typo'")


def test_the_overview_shows_the_first_few_and_the_way_to_the_rest(watched: Watched, visitor: BrowserContext) -> None:
    page = enter(visitor, watched.server)
    expect_status(page, "critical")
    expect(table_rows(page)).to_have_count(8)
    expect(page.locator(".st-key-gauge-card")).to_contain_text("scale from 0")
    page.get_by_role("link", name="Show all 100\u202f000 violations").click()
    expect(count(page)).to_have_text("100\u202f000 violations")
    expect_no_error(page)
