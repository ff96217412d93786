"""From a fresh folder to the first healed pair, as an admin sees it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.visit import badge, expect_no_error, expect_status, log_in, row_of, run_now, table_rows, tile

pytestmark = pytest.mark.browser


def test_a_pair_that_breaks_appears_and_one_that_heals_goes(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], visitor: BrowserContext
) -> None:
    application = new_sqlite_app().agreeing(range(1, 151))
    server = new_server(database_url=url_of(application)).start()

    (first,) = server.wait_for_checks(1)
    assert (first["total_checked"], first["consistent"], first["inconsistent"]) == (150, 150, 0), "checked before any visit"
    assert (first["trigger"], first["outcome"]) == ("scheduled", "healthy")
    assert not list((server.folder / "logs" / "integrity_checks").glob("*.json")), "a healthy check writes no log"

    page = visitor.new_page()
    page.goto(server.url)
    log_in(page)
    expect_status(page, "healthy")
    expect(badge(page)).to_contain_text("Healthy")
    expect(badge(page)).to_contain_text("All 150 pairs agree")
    expect(page.locator(".st-key-gauge svg.main-svg").first).to_be_visible()
    expect(page.locator(".st-key-gauge")).to_contain_text("100.00 %")
    expect(page.locator(".st-key-day svg.main-svg").first).to_be_visible()
    expect(page.locator(".st-key-violations-card")).to_contain_text("All 150 pairs agree")
    expect(table_rows(page)).to_have_count(0)

    application.set_license_level(42, 7)
    run_now(page)
    expect(row_of(page, 42)).to_be_visible()
    expect(table_rows(page)).to_have_count(1)
    cells = row_of(page, 42).locator("td").all_inner_texts()
    assert [cells[index] for index in (0, 1, 2, 3, 4, 6)] == ["42", "PLAYER", "1", "7", "Level mismatch", "Sync required"]
    expect_status(page, "healthy")
    expect(badge(page)).to_contain_text(re.compile(r"99\.33 % of 150 pairs agree"))
    expect(badge(page)).to_contain_text("1 violation: 1 level mismatch")
    expect(tile(page, "pairs")).to_have_text("150")
    expect(tile(page, "violations")).to_have_text("1")
    expect(tile(page, "new")).to_have_text("1")
    expect(tile(page, "today")).to_have_text("2 of 2")
    expect(page.get_by_role("button", name="Run now")).to_be_enabled()

    application.set_license_level(42, 1)
    run_now(page)
    expect(table_rows(page)).to_have_count(0)
    expect(badge(page)).to_contain_text("All 150 pairs agree")
    expect(tile(page, "violations")).to_have_text("0")
    expect(tile(page, "today")).to_have_text("3 of 3")
    expect_no_error(page)

    assert [(row["inconsistent"], row["trigger"], row["requested_by"]) for row in server.history()] == [
        (0, "scheduled", None),
        (1, "manual", "admin"),
        (0, "manual", "admin"),
    ]
    (log,) = (server.folder / "logs" / "integrity_checks").iterdir()
    assert '"user_id": 42' in log.read_text("utf-8")
