"""A violation's life on the screen: new, open, healed, returned; and a pair in flight, which is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.patience import eventually
from tests.browser.server import rows
from tests.browser.visit import badge, choose, enter, expect_no_error, expect_status, row_of, run_now, table_rows

pytestmark = pytest.mark.browser


def test_a_pair_is_new_then_healed_then_returned(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], visitor: BrowserContext
) -> None:
    application = new_sqlite_app().agreeing(range(100)).disagreeing([200])
    server = new_server(database_url=url_of(application), check__interval_seconds=86_400).start()
    server.wait_for_checks(1)
    application.set_license_level(42, 7)
    server.run("check")
    application.set_license_level(42, 1)
    server.run("check")
    page = enter(visitor, server, "/")
    expect(badge(page)).to_contain_text("1 still open, 1 healed since the check before.")
    application.set_license_level(42, 3).set_license_level(43, 3)
    run_now(page)
    expect(badge(page)).to_contain_text("2 new (1 returned), 1 still open since the check before.")

    page.goto(f"{server.url}/violations")
    expect(row_of(page, 42)).to_contain_text("returned ×1")
    expect(row_of(page, 43)).to_contain_text("new")
    choose(page, "Life", "Returning")
    expect(table_rows(page)).to_have_count(1)
    row_of(page, 42).click()
    lives = page.get_by_test_id("lives")
    expect(lives).to_contain_text("level mismatch: progress 1, licence 3")
    expect(lives).to_contain_text("still open")
    expect(lives).to_contain_text("level mismatch: progress 1, licence 7")
    expect(lives).to_contain_text("healed, after")
    expect(page.locator(".st-key-details")).to_contain_text("1 time before")

    page.get_by_role("radio", name="Healed").or_(page.get_by_role("button", name="Healed")).first.click()
    expect(table_rows(page)).to_have_count(1)
    expect(row_of(page, 42)).to_be_visible()
    expect_no_error(page)


def test_a_pair_in_flight_is_settled_and_never_a_violation(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], visitor: BrowserContext
) -> None:
    application = new_sqlite_app().agreeing(range(100))
    server = new_server(database_url=url_of(application), check__interval_seconds=86_400, check__settle_seconds=4).start()
    server.wait_for_checks(1)
    page = enter(visitor, server, "/")
    application.set_license_level(42, 7)
    run_now(page)
    eventually(
        lambda: rows(server.folder / "var" / "coupling-health.db", "SELECT 1 FROM current_violations"), "the first look is over"
    )
    application.set_license_level(42, 1)
    expect(badge(page)).to_contain_text("1 pair was in flight and settled.")
    expect_status(page, "healthy")
    expect(badge(page)).to_contain_text("All 100 pairs agree")
    assert [row["inconsistent"] for row in server.history()] == [0, 0]
    page.goto(f"{server.url}/violations?tab=settled")
    expect(row_of(page, 42)).to_contain_text("Level mismatch")
    expect_no_error(page)
