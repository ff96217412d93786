"""The presentation on a screen, and the link that shows nothing but it."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy.engine import make_url

from core.clock import utc_now
from core.shares import ShareLinks
from core.state.database import StateDatabase
from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.server import Server
from tests.browser.visit import enter, expect_no_error
from tests.dashboard.worst_case import worst_facts

pytestmark = pytest.mark.browser

SIZES = {"full hd": (1920, 1080), "beamer": (1280, 720), "4k": (3840, 2160), "phone": (390, 844)}
THEMES = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 28)"}
MESSAGES = "h1, .word, .rate, .lines p, .figure .value, .figure .label, #chip"
ENDED = "This link has expired or was revoked. Ask the person who sent it for a new one."

# What stands outside of the screen, of the place between the edges of its slide, or of its own box.
_OUTSIDE = """() => {
  const outside = [], name = (e) => `${e.tagName} ${e.getAttribute("class") || e.id}: ${e.textContent.slice(0, 40)}`;
  const visible = (e) => e.getClientRects().length && getComputedStyle(e).display !== "none";
  for (const e of document.querySelectorAll("body *")) {
    if (!visible(e)) continue;
    const box = e.getBoundingClientRect(), slide = e.parentElement.closest(".slide");
    const floor = slide ? slide.getBoundingClientRect().bottom - parseFloat(getComputedStyle(slide).paddingBottom) : innerHeight;
    if (box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > floor + 1) outside.push(name(e));
    if (e.clientWidth && e.scrollWidth > e.clientWidth + 1 && !e.closest("#owner")) outside.push(`scrolls: ${name(e)}`);
  }
  return [...outside, ...(document.documentElement.scrollHeight > innerHeight ? ["the page scrolls"] : [])];
}"""


@pytest.fixture(scope="module")
def application(new_sqlite_app: Callable[..., SqliteApplication]) -> SqliteApplication:
    return new_sqlite_app().agreeing(range(1, 990)).disagreeing([918_273_645])


@pytest.fixture(scope="module")
def served(new_server: NewServer, application: SqliteApplication) -> Server:
    """A server that checks once a day by itself; a slide stays for three seconds."""
    server = new_server(
        database_url=url_of(application),
        check__interval_seconds=86_400,
        presentation__slide_seconds=3,
        report__company="LFA <Academy> & Sons",
    ).start()
    server.wait_for_checks(1)
    return server


def shown(page: Page) -> str:
    """The name of the slide that is shown."""
    return str(page.locator(".slide.shown").get_attribute("class")).split()[1]


def expect_slide(page: Page, name: str) -> None:
    expect(page.locator(".slide.shown")).to_have_class(re.compile(rf"slide {name}\b"))


def opened(
    context: BrowserContext, address: str, *, paused: bool = True, answer: Callable[[Route], None] = Route.continue_
) -> Page:
    """A tab with the slides, whose time can be moved on; `answer` is what their facts are asked of."""
    page = context.new_page()
    page.clock.install()
    page.route("**/facts*", lambda route: answer(route))
    page.goto(address)
    expect(page.locator(".slide.shown")).to_have_count(1)
    if paused:
        page.keyboard.press("p")
        expect(page.get_by_text("Paused")).to_be_visible()
        page.keyboard.press("Home")
    return page


def one_poll_later(page: Page) -> None:
    page.clock.run_for(5_000)


def new_link(server: Server, name: str) -> str:
    state = StateDatabase(make_url(f"sqlite:///{server.folder / 'var' / 'coupling-health.db'}"))
    secret = ShareLinks(state, utc_now).create(name, timedelta(days=1), "admin")
    state.dispose()
    return f"{server.url}/share/{secret}"


@pytest.fixture(scope="module")
def link(served: Server) -> str:
    return new_link(served, "board")


def test_a_link_shows_the_slides_without_a_login_and_opens_nothing_else(
    served: Server, link: str, visitor: BrowserContext
) -> None:
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    visitor.on("console", lambda message: complaints.append(message.text))
    page = opened(visitor, link)
    expect(page.locator(".verdict")).to_have_attribute("data-status", "healthy")
    expect(page.locator(".verdict")).to_contain_text("99.90 %of 990 pairs agree")
    expect(page.locator(".verdict")).to_contain_text(re.compile(r"Last check (just now|\d+ (s|min) ago)"))
    expect(page.locator("#owner")).to_have_text("LFA <Academy> & Sons")
    assert "918273645" not in page.content()
    assert [url for url in asked if not url.startswith(served.url + "/")] == []
    assert complaints == []
    assert visitor.cookies() == []

    other = visitor.new_page()
    for path in ("/", "/violations", "/presentation", "/present"):
        other.goto(served.url + path)
        expect(other.get_by_role("textbox", name="Password")).to_be_visible()
    for path in ("/present/facts", "/export/violations.csv", "/api/v1/health/status"):
        assert other.request.get(served.url + path).status == 401


def test_keys_turn_the_slides(served: Server, link: str, visitor: BrowserContext) -> None:
    page = opened(visitor, link)
    order = ["verdict", "proof", "healing", "method"]
    for key, name in [
        ("ArrowRight", "proof"),
        ("Space", "healing"),
        ("PageDown", "method"),
        ("ArrowRight", "verdict"),
        ("ArrowLeft", "method"),
        ("PageUp", "healing"),
        ("Home", "verdict"),
        ("End", "method"),
    ]:
        page.keyboard.press(key)
        assert shown(page) == name, key
        assert page.locator("#dots i.shown").count() == 1
        expect(page.locator("#dots i").nth(order.index(name))).to_have_class("shown")
    page.keyboard.press("Control+Home")
    assert shown(page) == "method", "the browser's own keys are left to it"
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")


def test_the_slides_turn_by_themselves_until_they_are_paused(served: Server, link: str, visitor: BrowserContext) -> None:
    page = opened(visitor, link, paused=False)
    expect_slide(page, "verdict")
    for name in ("proof", "healing", "method", "verdict"):
        page.clock.run_for(3_000)
        expect_slide(page, name)
    page.keyboard.press("p")
    page.clock.run_for(20_000)
    expect_slide(page, "verdict")
    page.keyboard.press("p")
    page.clock.run_for(3_000)
    expect_slide(page, "proof")


def test_a_finger_turns_them_on_a_phone(served: Server, link: str, new_context: Callable[..., BrowserContext]) -> None:
    page = opened(new_context(390, 844), link)
    swipe = """([from, to]) => {
      const at = (x) => new Touch({ identifier: 1, target: document.body, clientX: x, clientY: 300 });
      dispatchEvent(new TouchEvent("touchstart", { touches: [at(from)], changedTouches: [at(from)] }));
      dispatchEvent(new TouchEvent("touchend", { touches: [], changedTouches: [at(to)] }));
    }"""
    for start, end, name in ((300, 100, "proof"), (100, 300, "verdict"), (200, 220, "verdict"), (100, 350, "method")):
        page.evaluate(swipe, [start, end])
        assert shown(page) == name
    page.context.close()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("awful", [False, True], ids=["as it is", "awful data"])
def test_everything_fits_every_screen(served: Server, link: str, visitor: BrowserContext, theme: str, awful: bool) -> None:
    page = opened(visitor, f"{link}?theme={theme}", answer=say_the_worst if awful else Route.continue_)
    expect(page.locator(".proof .picture")).to_have_count(1)
    page.evaluate("document.getElementById('hint').remove()")
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(_OUTSIDE) == [], f"{width} x {height}"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == THEMES[theme]
    page.set_viewport_size({"width": 1920, "height": 1080})
    sizes = page.locator(MESSAGES).evaluate_all("all => all.map((e) => parseFloat(getComputedStyle(e).fontSize))")
    assert len(sizes) > 15
    assert min(sizes) >= 48
    page.keyboard.press("d")
    other = next(name for name in THEMES if name != theme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == THEMES[other]


def say_the_worst(route: Route) -> None:
    route.fulfill(body=worst_facts().as_json(), headers={"X-Now": str(time.time()), "ETag": '"worst"'})


def test_the_theme_is_that_of_the_system_unless_chosen(served: Server, link: str, visitor: BrowserContext) -> None:
    page = opened(visitor, link)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a word from a parameter
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == THEMES[scheme]
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("ArrowRight")
    assert page.locator(".slide.shown").evaluate("e => getComputedStyle(e).transitionDuration") == "0s"


def test_a_status_that_is_not_heard_of_again_is_not_kept_green(served: Server, link: str, visitor: BrowserContext) -> None:
    """The server's word holds for two seconds, and after it the server says nothing new."""
    first: list[bool] = []

    def brief(route: Route) -> None:
        if first:
            route.fulfill(status=304, headers={"X-Now": str(time.time())})
            return
        first.append(True)
        answer = route.fetch()
        document = answer.json() | {"holds_until": float(answer.headers["x-now"]) + 2}
        route.fulfill(response=answer, json=document)

    page = opened(visitor, link, answer=brief)
    expect(page.locator(".verdict")).to_have_attribute("data-status", "healthy")
    page.evaluate("Date.now = () => 0")  # the browser's own clock is not what decides
    expect(page.locator(".verdict")).to_have_attribute("data-status", "unknown", timeout=4_000)
    expect(page.locator(".verdict")).to_contain_text("The last check is too old to tell.")


def test_a_new_check_shows_by_itself(served: Server, link: str, application: SqliteApplication, visitor: BrowserContext) -> None:
    page = opened(visitor, link)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#chip")).to_have_text("Healthy")
    application.disagreeing(range(2_000, 2_020))
    assert served.run("check").returncode == 1
    one_poll_later(page)
    expect(page.locator("#chip")).to_have_text("Degraded")
    assert shown(page) == "proof", "the slide that is looked at stays"
    page.keyboard.press("Home")
    expect(page.locator(".verdict")).to_have_attribute("data-status", "degraded")
    assert page.title() == "Degraded · Coupling Health"


def test_an_admin_opens_shares_and_unshares_it_on_its_page(served: Server, visitor: BrowserContext) -> None:
    admin = enter(visitor, served, "/presentation")
    with visitor.expect_page() as opening:
        admin.get_by_role("link", name="Open the presentation").click()
    expect(opening.value.locator(".verdict")).to_have_attribute("data-status", re.compile("healthy|degraded"))

    admin.bring_to_front()
    admin.get_by_role("textbox", name="Name").fill("wall <b>&")
    admin.get_by_role("button", name="Make link").click()
    link = admin.locator(".stCode code").inner_text()
    assert re.fullmatch(rf"{re.escape(served.url)}/share/[A-Za-z0-9_-]{{43}}", link)
    row = admin.locator('[data-link="wall <b>&"]')
    expect(row).to_have_attribute("data-state", "active")
    admin.get_by_role("button", name="I have copied it").click()
    expect(admin.locator(".stCode")).to_have_count(0)
    assert link.rsplit("/", 1)[1] not in admin.content(), "it is shown once"

    page = opened(visitor, link)
    admin.bring_to_front()
    admin.locator('[class*="st-key-link-row-"]', has=row).get_by_role("button", name="Revoke").click()
    admin.get_by_role("button", name="Revoke it").click()
    expect(row).to_have_attribute("data-state", "revoked")
    expect_no_error(admin)
    page.bring_to_front()
    one_poll_later(page)
    expect_blank(page)


def test_an_expired_link_shows_nothing(served: Server, link: str, visitor: BrowserContext) -> None:
    page = opened(visitor, link)
    with closing(sqlite3.connect(served.folder / "var" / "coupling-health.db", timeout=10)) as state, state:
        state.execute("UPDATE share_links SET expires_at = datetime('now', '-1 second') WHERE name = 'board'")
    one_poll_later(page)
    expect_blank(page)
    answer = page.reload()
    assert answer is not None
    assert answer.status == 404
    expect_blank(page)
    assert page.locator("script").count() == 0


def expect_blank(page: Page) -> None:
    """Nothing but the sentence, within one poll."""
    expect(page.locator(".message")).to_have_text(ENDED)
    assert page.locator("body").inner_text().strip() == ENDED
    expect(page.locator("img")).to_have_count(0)
    assert page.title() == "Coupling Health"
    expect(page.locator(".slide")).to_have_count(0)


def test_a_logout_ends_the_presentation_too(served: Server, visitor: BrowserContext) -> None:
    enter(visitor, served, "/healthz")
    page = opened(visitor, f"{served.url}/present")
    visitor.clear_cookies()
    one_poll_later(page)
    expect(page.locator(".message")).to_have_text("You are logged out. Log in again to see the presentation.")
    expect(page.locator(".slide")).to_have_count(0)


def test_a_server_that_is_gone_turns_the_slide_to_unknown(served: Server, visitor: BrowserContext) -> None:
    page = opened(visitor, new_link(served, "gone"))
    expect(page.locator(".verdict")).to_have_attribute("data-status", "degraded")
    served.kill()
    page.clock.run_for(15_000)
    expect(page.locator(".verdict")).to_have_attribute("data-status", "unknown", timeout=1_000)
    expect(page.locator(".verdict")).to_contain_text("No contact with the server.")
    expect(page.locator(".verdict")).to_contain_text(re.compile(r"Last known: 97\.\d\d % of 1\u202f010 pairs, .* ago"))
    assert page.title() == "Unknown · Coupling Health"
    page.keyboard.press("ArrowRight")
    expect(page.locator("#chip")).to_have_text("Unknown")
    served.start()
    one_poll_later(page)
    expect(page.locator("#chip")).to_have_text("Degraded")
