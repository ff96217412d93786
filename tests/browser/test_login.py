"""Nothing shows before login, and a login ends everywhere when it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from http.cookies import SimpleCookie
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy.engine import URL

from core.clock import utc_now
from core.state import sessions
from core.state.database import StateDatabase
from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.patience import eventually
from tests.browser.server import PASSWORD, Server, rows
from tests.browser.visit import COOKIE, badge, enter, expect_no_error, expect_status, log_in, row_of, table_rows

pytestmark = pytest.mark.browser

STATE = "var/coupling-health.db"
SECRETS = ("Violations", "Trend", "Overview", "Run now", "424242", "pairs")


@pytest.fixture(scope="module")
def served(new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication]) -> Server:
    """A server that has found two of 200 pairs to disagree."""
    application = new_sqlite_app().agreeing(range(1, 199)).disagreeing([424242]).pair(7, "COACH", 3, None)
    server = new_server(database_url=url_of(application)).start()
    server.wait_for_checks(1)
    return server


def cookie_of(context: BrowserContext) -> dict[str, object]:
    (cookie,) = [dict(cookie) for cookie in context.cookies() if cookie["name"] == COOKIE]
    return cookie


def csv_with(server: Server, token: object) -> int:
    return server.get("/export/violations.csv", {"Cookie": f"{COOKIE}={token}"}).code


def expect_login_page(page: Page, longest: float = 30) -> None:
    expect(page.get_by_role("textbox", name="User name")).to_be_visible(timeout=longest * 1000)
    expect(badge(page)).to_have_count(0, timeout=longest * 1000)


def new_ticket(server: Server) -> str:
    state = StateDatabase(URL.create("sqlite", database=str(server.folder / STATE)))
    with state.write() as connection:
        ticket = sessions.issue_ticket(connection, "admin", utc_now())
    state.dispose()
    return ticket


@pytest.mark.parametrize("path", ["/", "/violations", "/trend"])
def test_nothing_of_the_product_shows_before_login(served: Server, visitor: BrowserContext, path: str) -> None:
    page = visitor.new_page()
    page.goto(served.url + path)
    expect_login_page(page)
    content = page.content()
    assert [secret for secret in SECRETS if secret in content] == []
    assert page.get_by_role("dialog").count() == 0, "a page that exists is not called missing"


def test_a_wrong_password_is_said_to_be_wrong(served: Server, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(served.url)
    log_in(page, "somebody", "not the password")
    expect(page.get_by_text("The user name or the password is wrong.")).to_be_visible()
    assert [secret for secret in SECRETS if secret in page.content()] == []
    assert COOKIE not in {cookie["name"] for cookie in visitor.cookies()}


def test_the_csv_is_for_the_logged_in_alone(served: Server) -> None:
    answer = served.get("/export/violations.csv")
    assert answer.code == 401
    assert "424242" not in answer.text
    assert csv_with(served, "made-up") == 401


def test_a_login_is_kept_over_a_reload_and_its_cookie_is_guarded(served: Server, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(served.url)
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)  # once loaded, a frame would draw the page anew and a click just then be lost
    log_in(page, " Admin ")
    expect_status(page, "healthy")
    cookie = cookie_of(visitor)
    assert cookie["httpOnly"] is True
    assert cookie["sameSite"] in ("Lax", "Strict")
    assert COOKIE not in page.evaluate("document.cookie")
    page.reload()
    expect_status(page, "healthy")
    assert "ticket" not in page.url, "the ticket does not stay in the address"


def test_an_address_with_filters_survives_the_login(served: Server, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(served.url + "/violations?kind=level_not_set&specialization=COACH")
    log_in(page)
    expect(row_of(page, 7, "COACH")).to_be_visible()
    expect(table_rows(page)).to_have_count(1)
    assert page.url == served.url + "/violations?kind=level_not_set&specialization=COACH"
    expect_no_error(page)


def test_logging_out_ends_the_session_in_every_tab(served: Server, visitor: BrowserContext) -> None:
    first = enter(visitor, served)
    second = visitor.new_page()
    second.goto(served.url + "/violations")
    expect(row_of(second, 424242)).to_be_visible()
    expect_status(first, "healthy")
    token = cookie_of(visitor)["value"]
    assert csv_with(served, token) == 200
    first.bring_to_front()
    first.get_by_role("button", name="admin").click()
    first.get_by_role("button", name="Log out").click()
    expect_login_page(first)
    expect_login_page(second, longest=10)
    expect(table_rows(second)).to_have_count(0)
    assert csv_with(served, token) == 401, "the old cookie is worth nothing"
    assert COOKIE not in {cookie["name"] for cookie in visitor.cookies()}
    log_in(first)
    expect_status(first, "healthy")


def test_a_new_password_ends_the_sessions_of_its_user(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served)
    expect_status(page, "healthy")
    token = cookie_of(visitor)["value"]
    changed = served.run("user", "passwd", "admin", typed="another-horse\n")
    try:
        assert changed.returncode == 0, changed.stderr
        assert csv_with(served, token) == 401
        expect_login_page(page, longest=10)
        log_in(page)
        expect(page.get_by_text("The user name or the password is wrong.")).to_be_visible()
        log_in(page, password="another-horse")
        expect_status(page, "healthy")
    finally:
        served.run("user", "passwd", "admin", typed=f"{PASSWORD}\n")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "/auth/leave",
        "/\r\nSet-Cookie: a=b",
    ],
)
def test_nobody_is_sent_to_another_host_after_login(served: Server, target: str) -> None:
    answer = served.get(f"/auth/enter?ticket={new_ticket(served)}&next={quote(target)}")
    assert (answer.code, answer.headers["Location"]) == (303, "/")
    assert "a=b" not in str(answer.headers)


def test_a_ticket_works_once(served: Server) -> None:
    ticket = new_ticket(served)
    first = served.get(f"/auth/enter?ticket={ticket}&next=/trend")
    assert (first.code, first.headers["Location"]) == (303, "/trend")
    cookie = SimpleCookie(first.headers["Set-Cookie"])[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"].lower() in ("lax", "strict")
    assert csv_with(served, cookie.value) == 200
    second = served.get(f"/auth/enter?ticket={ticket}&next=/trend")
    assert second.code == 303
    assert "Set-Cookie" not in second.headers
    assert served.get("/auth/enter?ticket=made-up").headers["Set-Cookie"] is None
    assert served.get("/auth/enter").headers["Set-Cookie"] is None


def test_five_wrong_passwords_make_the_name_wait_also_over_a_restart(
    new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication], visitor: BrowserContext
) -> None:
    server = new_server(database_url=url_of(new_sqlite_app().agreeing(range(3)))).start()
    page = visitor.new_page()
    page.goto(server.url)
    waiting = page.get_by_text(re.compile(r"Too many wrong passwords\. Please wait \d+ (s|min)"))

    def try_five_times(username: str) -> None:
        for attempt in range(1, 6):
            log_in(page, username, f"not the password {attempt}")
            eventually(partial(has_failed, server, username, attempt), f"wrong password {attempt} is counted")
            expect(page.get_by_text("The user name or the password is wrong.")).to_be_visible()
            expect(waiting).to_have_count(0)

    try_five_times("nobody-of-that-name")
    log_in(page, "nobody-of-that-name", "one more")
    expect(waiting).to_be_visible()
    try_five_times("admin")
    log_in(page, "ADMIN ", PASSWORD)
    expect(waiting).to_be_visible()
    assert failures_of(server, "admin") == 5, "waiting does not lengthen the wait"
    expect(badge(page)).to_have_count(0)

    server.stop()
    server.start()
    page.close()
    visitor.clear_cookies()  # nothing that a browser keeps makes it wait
    page = visitor.new_page()
    waiting = page.get_by_text(re.compile(r"Too many wrong passwords\. Please wait \d+ (s|min)"))
    page.goto(server.url)
    log_in(page)
    expect(waiting).to_be_visible()
    assert server.run("user", "passwd", "admin", typed=f"{PASSWORD}\n").returncode == 0
    log_in(page)
    expect_status(page, "healthy")


def has_failed(server: Server, username: str, times: int) -> bool:
    return failures_of(server, username) == times


def failures_of(server: Server, username: str) -> int:
    found = rows(server.folder / STATE, "SELECT username, failures FROM login_failures")
    return sum(row["failures"] for row in found if row["username"] == username)
