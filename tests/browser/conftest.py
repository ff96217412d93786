"""One Chromium, real server processes, and applications in known states."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.application import SqliteApplication
from tests.browser.chromium import get_chromium
from tests.browser.patience import LONGEST
from tests.browser.postgresql import Postgresql
from tests.browser.server import PASSWORD, Server

expect.set_options(timeout=LONGEST * 1000)

NewServer = Callable[..., Server]
NewContext = Callable[..., BrowserContext]

_servers: list[Server] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what the running servers said."""
    report = yield
    if report.failed:
        for server in _servers:
            if server.process is not None:
                report.sections.append((f"server at {server.url}, exit code {server.process.poll()}", server.said()[-6_000:]))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=get_chromium(),
            # process per site: a tab beside another one need not compile the same scripts again
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--process-per-site"],
        )
        yield browser
        browser.close()


def _context_of(browser: Browser, width: int = 1440, height: int = 960, color_scheme: str = "light") -> BrowserContext:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if color_scheme == "dark" else "light",
        timezone_id="Europe/Budapest",
    )
    context.set_default_timeout(LONGEST * 1000)
    return context


@pytest.fixture(scope="module")
def new_context(browser: Browser) -> Iterator[NewContext]:
    """Call it for a browser that nobody has used yet."""
    made: list[BrowserContext] = []

    def new(width: int = 1440, height: int = 960, color_scheme: str = "light") -> BrowserContext:
        made.append(_context_of(browser, width, height, color_scheme))
        return made[-1]

    yield new
    for context in made:
        context.close()


@pytest.fixture
def newcomer(new_context: NewContext) -> Iterator[BrowserContext]:
    """A browser that nobody has used yet, closed after the test; its first page takes some seconds longer."""
    context = new_context()
    yield context
    context.close()


@pytest.fixture(scope="session")
def kept_tab(browser: Browser) -> Iterator[Page]:
    """The one tab that stays open in the browser of all visitors, so that it need not compile our scripts again."""
    context = _context_of(browser)
    page = context.new_page()
    page.route("http://127.0.0.1/", lambda route: route.fulfill(body="kept"))
    page.goto("http://127.0.0.1/")
    yield page
    context.close()


@pytest.fixture
def visitor(kept_tab: Page) -> Iterator[BrowserContext]:
    """A browser in which the visitor before left files in the cache, and no tab, no cookie and nothing stored."""
    yield kept_tab.context
    forget_visitor(kept_tab)


def forget_visitor(kept_tab: Page) -> None:
    for page in kept_tab.context.pages:
        if page != kept_tab:
            page.close()
    session = kept_tab.context.new_cdp_session(kept_tab)
    session.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    session.detach()
    kept_tab.context.clear_cookies()


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory, forker: Path) -> Iterator[NewServer]:
    """Call it with settings for a server that is not started yet, in a folder of its own."""
    made: list[Server] = []

    def new(folder: Path | None = None, **settings: object) -> Server:
        settings.setdefault("admin_password", PASSWORD)
        made.append(Server(folder or tmp_path_factory.mktemp("served"), forker, **settings))
        _servers.append(made[-1])
        return made[-1]

    yield new
    for server in made:
        server.end()
        _servers.remove(server)


@pytest.fixture(scope="module")
def new_sqlite_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., SqliteApplication]]:
    """Call it for an application on SQLite, without rows."""
    made: list[SqliteApplication] = []

    def new(**types: str) -> SqliteApplication:
        made.append(SqliteApplication(tmp_path_factory.mktemp("application") / "app.db", **types))
        return made[-1]

    yield new
    for application in made:
        application.close()


@pytest.fixture(scope="module")
def stoppable_postgresql() -> Iterator[Postgresql]:
    """A running PostgreSQL that belongs to the tests of one file alone."""
    server = Postgresql()
    try:
        yield server.start()
    finally:
        server.remove()


def url_of(application: SqliteApplication) -> str:
    return application.url.render_as_string()
