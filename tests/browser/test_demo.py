"""Nothing configured: a demo that says that it is one, and a password that is told once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import NewServer
from tests.browser.server import PASSWORD, Server
from tests.browser.visit import badge, expect_no_error, log_in, table_rows

pytestmark = pytest.mark.browser

STATE = "var/demo/state.db"


def password_told(server: Server, start: int) -> list[str]:
    return re.findall(r"Password:\s+(\S+)\s+\(shown this once", server.said(start))


def files_that_hold(text: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_the_demo_is_served_and_says_so_everywhere(new_server: NewServer, visitor: BrowserContext) -> None:
    server = new_server(admin_password="").start()
    assert "COUPLING_HEALTH_DATABASE_URL" in server.said(), "it says what to set for real data"
    assert "Demo data" in server.said()
    (first, *_) = server.wait_for_checks(1, STATE)
    assert first["total_checked"] > 5_000, "checked before any visit"
    assert not (server.folder / "var" / "coupling-health.db").exists(), "the demo keeps apart from real data"
    assert not (server.folder / "logs").exists()
    (password,) = password_told(server, 1)

    page = visitor.new_page()
    page.goto(server.url)
    expect(page.get_by_text("Demo data").first).to_be_visible()
    log_in(page, password=password)
    expect(badge(page)).to_be_visible()
    expect(page.locator(".demo-mark")).to_be_visible()
    expect(table_rows(page).first).to_be_visible()
    for name in ("Violations", "Trend"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=re.compile(f"^{name}"), level=1)).to_be_visible()
        expect(page.locator(".demo-mark")).to_be_visible()
        expect_no_error(page)
    expect(page.locator(".st-key-trend svg.main-svg").first).to_be_visible()
    page.goto(f"{server.url}/check?number=10")
    expect(page.locator(".st-key-parts-card")).to_contain_text(re.compile("level mismatch(es)? of (INTERNSHIP|PLAYER|COACH)"))

    server.stop()
    assert files_that_hold(password, server.folder) == [], "the password is kept as a hash alone"
    server.start()
    assert password_told(server, 2) == []
    assert "Forgotten?" in server.said(2), "it says what to do without the password"
    server.stop()
    assert files_that_hold(password, server.folder) == []


def test_a_chosen_password_is_taken_and_never_told(new_server: NewServer, visitor: BrowserContext) -> None:
    server = new_server(admin_password=PASSWORD).start()
    server.wait_for_checks(1, STATE)
    assert PASSWORD not in server.said()
    assert password_told(server, 1) == []
    page = visitor.new_page()
    page.goto(server.url)
    log_in(page, password=PASSWORD)
    expect(badge(page)).to_be_visible()
    server.stop()
    assert files_that_hold(PASSWORD, server.folder) == []
