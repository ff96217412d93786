"""The page Reports: make one, download it, and open what came."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pypdf import PdfReader

from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.server import Server
from tests.browser.visit import choose, enter, expect_no_error, wait_until_drawn

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication]) -> Server:
    """A checked application with 2 of 100 pairs in violation."""
    application = new_sqlite_app().agreeing(range(1, 99)).disagreeing([500, 501])
    server = new_server(database_url=url_of(application), report__company="Acme <b>Academy").start()
    server.wait_for_checks(1)
    return server


def make(page: Page) -> None:
    wait_until_drawn(page)
    page.get_by_role("button", name="Make report").click()
    expect(page.locator(".kept-report .pill.healthy")).to_be_visible()


def download(page: Page) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.locator(".kept-report").first.get_by_role("link", name="Download").click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_a_report_is_made_kept_and_downloaded(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/reports")
    expect(page.get_by_text("One is made by itself every Monday and on the first of the month (UTC), as PDF.")).to_be_visible()
    expect(page.get_by_text("No report is kept yet.")).to_be_visible()
    make(page)
    name, content = download(page)
    assert re.fullmatch(r"coupling-health-\d{4}-\d{2}\.pdf", name)
    first = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert "Acme <b>Academy" in first
    assert "98.00" in first
    expect(page.locator(".kept-report").first).to_contain_text("by admin")
    expect_no_error(page)

    choose(page, "As", "Web page (HTML)")
    choose(page, "Language", "Magyar")
    make(page)
    expect(page.locator(".kept-report")).to_have_count(2)
    name, content = download(page)
    assert name.endswith(".html")
    assert "A vállalás" in content.decode()
    expect_no_error(page)

    path = served.folder / "downloaded.html"
    path.write_bytes(content)
    assert served.run("report", "verify", str(path)).returncode == 0


def test_days_of_one_s_choice(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/reports")
    page.get_by_role("button", name="Make report").wait_for()
    choose(page, "Period", "Days of my choice")
    expect(page.get_by_text("From and to")).to_be_visible()
    choose(page, "As", "Series (CSV)")
    make(page)
    name, content = download(page)
    assert re.fullmatch(r"coupling-health-[\d-]{10}_[\d-]{10}\.csv", name)
    assert content.startswith(b"start,end,checks_expected")
    expect_no_error(page)


def test_a_report_needs_a_login(served: Server, visitor: BrowserContext) -> None:
    enter(visitor, served, "/reports")
    known = visitor.request.get(f"{served.url}/reports/1")
    assert known.status == 200
    assert known.headers["content-type"] == "application/pdf"
    assert known.headers["x-content-type-options"] == "nosniff"
    assert known.headers["content-disposition"].startswith("attachment;")
    for number in ("999", "99999999999999999999"):
        assert visitor.request.get(f"{served.url}/reports/{number}").status == 404
    stranger = served.get("/reports/1")
    assert (stranger.code, "log in" in stranger.text) == (401, True)


@pytest.mark.parametrize("width", [390])
def test_the_page_fits_a_phone(served: Server, new_context: Callable[..., BrowserContext], width: int) -> None:
    page = enter(new_context(width=width, color_scheme="dark"), served, "/reports")
    page.get_by_role("button", name="Make report").wait_for()
    wait_until_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
