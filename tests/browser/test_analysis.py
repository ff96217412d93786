"""The analysis in a browser: a click opens a check's report, a stretch tells what changed, a marker stands in the chart."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from benchmarks import year
from core.assembly import build_coupler
from core.settings import Settings
from core.state.database import StateDatabase
from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.patience import eventually
from tests.browser.server import Server
from tests.browser.visit import enter, expect_no_error, tile, wait_until_drawn

pytestmark = pytest.mark.browser

DAYS = 9
CHECKS = DAYS * 288


@pytest.fixture(scope="module")
def served(new_server: NewServer, new_sqlite_app: Callable[..., SqliteApplication]) -> Server:
    """Nine days of checks, with the batch of a Tuesday night in them, and one check of the running server."""
    application = new_sqlite_app().agreeing(range(1, 190)).disagreeing(range(500, 511))
    server = new_server(database_url=url_of(application), check__interval_seconds=300)
    settings = Settings(database_url=url_of(application), state_url=f"sqlite:///{server.folder / 'var' / 'coupling-health.db'}")
    state = StateDatabase(settings.state_database_url)
    state.upgrade()
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    year.fill(state, build_coupler(settings).label, checks=CHECKS, lives=100, end=end)
    state.dispose()
    server.start().wait_for_checks(CHECKS + 1)
    return server


def chart(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} .js-plotly-plot")


def click_lowest(page: Page, key: str) -> None:
    """Click the lowest point of a chart's line, as soon as the chart names it under the mouse: until then the page may move."""
    chart(page, key).scroll_into_view_if_needed()
    named = page.locator(f".st-key-{key} .hoverlayer .hovertext").first

    def is_named() -> bool:
        place = place_of_lowest(page, key)
        page.mouse.move(place[0] - 3, place[1] - 3)
        page.mouse.move(*place)
        page.wait_for_timeout(200)  # so long a mouse rests before it clicks
        return named.is_visible() and place_of_lowest(page, key) == place

    eventually(is_named, "the chart names the point under the mouse")
    page.mouse.down()
    page.mouse.up()


def place_of_lowest(page: Page, key: str) -> tuple[float, float]:
    """Where the lowest point of a chart's line stands on the screen."""
    x, y = chart(page, key).evaluate(
        """figure => {
            const line = figure.data.findIndex(trace => trace.name === 'rate'), y = figure.data[line].y;
            let lowest = -1;
            y.forEach((rate, at) => { if (rate !== null && (lowest < 0 || rate < y[lowest])) lowest = at; });
            const x = figure._fullLayout.xaxis, box = figure.getBoundingClientRect();
            return [box.left + x._offset + x.d2p(figure.data[line].x[lowest]),
                    box.top + figure._fullLayout.yaxis._offset + figure._fullLayout.yaxis.d2p(y[lowest])];
        }"""
    )
    return x, y


def test_the_verdict_stands_first_and_the_hours_of_trouble_are_named(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/analysis?range=7+d")
    expect(page.get_by_test_id("verdict")).to_contain_text(re.compile(r"9\d\.\d\d % of all comparisons agreed over the last 7 d"))
    expect(page.get_by_test_id("verdict")).to_contain_text("The promise of 99 % healthy checks over 30 d")
    expect(page.get_by_test_id("time-healthy")).to_be_visible()
    expect(page.get_by_test_id("heat-sentence")).to_contain_text(re.compile(r"Most trouble on Tuesdays at 0[34]:00"))
    expect(page.locator(".st-key-heat .hm image, .st-key-heat .hm")).not_to_have_count(0)
    expect(tile(page, "ran")).to_have_text(re.compile(r"2.?01\d"))
    expect_no_error(page)


def test_a_click_on_a_point_opens_that_check_s_report(served: Server, visitor: BrowserContext) -> None:
    for path, key in (("/analysis?range=7+d", "analysis-chart"), ("/trend", "trend")):
        page = enter(visitor, served, path)
        expect(chart(page, key)).to_be_visible()
        wait_until_drawn(page)
        click_lowest(page, key)
        page.wait_for_url(re.compile(r"/check\?number=\d+"))
        expect(page.get_by_test_id("outcome")).to_have_text(re.compile("Degraded|Critical"))
        expect(tile(page, "violations")).not_to_have_text("0")
        expect_no_error(page)
        number = int(page.url.rpartition("=")[2])
        page.get_by_role("button", name="Previous check").click()
        page.wait_for_url(f"**/check?number={number - 1}")
        page.get_by_role("link", name="Analysis", exact=True).click()
        expect(page.get_by_test_id("verdict")).to_be_visible()
        wait_until_drawn(page)
        assert page.url.startswith(f"{served.url}/analysis"), "an old click opens nothing"
        page.close()


def test_the_newest_check_s_report_lists_its_violations_and_an_old_one_says_that_they_went(
    served: Server, visitor: BrowserContext
) -> None:
    page = enter(visitor, served, f"/check?number={CHECKS + 1}")
    expect(page.get_by_test_id("outcome")).to_have_text("Critical")
    expect(page.locator("tr[data-user]")).to_have_count(11)
    expect(page.get_by_text("level mismatches of PLAYER")).to_be_visible()
    expect(page.get_by_role("button", name="Next check")).to_be_disabled()
    page.goto(f"{served.url}/check?number=999999")
    expect(page.get_by_text("There is no check 999999")).to_be_visible()
    page.goto(f"{served.url}/check?number=%3Cb%3E")
    expect(page.get_by_text("There is no check <b>")).to_be_visible()
    expect_no_error(page)


def test_a_stretch_that_is_dragged_over_tells_what_changed(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/analysis?range=7+d")
    expect(page.get_by_test_id("changed-sentence")).to_be_visible()
    figure = chart(page, "made-of-chart")
    figure.scroll_into_view_if_needed()
    wait_until_drawn(page)
    box = figure.locator(".draglayer .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"since=.*until="))
    expect(page.locator(".st-key-stretch-times")).to_be_visible()
    expect(page.get_by_test_id("changed-sentence")).to_contain_text("level mismatches")
    expect_no_error(page)
    again = enter(visitor, served, page.url.removeprefix(served.url))
    expect(again.locator(".st-key-stretch-times")).to_be_visible()


def test_a_marker_that_is_added_stands_in_the_chart_until_it_is_deleted(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/analysis?range=7+d")
    form = page.locator(".st-key-marker-form")
    form.scroll_into_view_if_needed()
    page.get_by_role("button", name="Add marker").click()
    expect(page.get_by_text("A marker needs a title.")).to_be_visible()
    page.get_by_role("textbox", name="What happened").fill("app 2.14 <i>& more")
    page.get_by_role("button", name="Add marker").click()
    expect(page.get_by_test_id("marker")).to_contain_text("app 2.14 <i>& more")
    marks = "figure => (figure.data.find(trace => trace.name === 'markers') || {hovertext: []}).hovertext.length"
    page.wait_for_function(
        f"""() => {{ const figure = document.querySelector('.st-key-analysis-chart .js-plotly-plot');
                     return figure && ({marks})(figure) === 1; }}"""
    )
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_test_id("marker")).to_have_count(0)
    expect_no_error(page)


def mark(served: Server, token: str, title: str) -> None:
    """Something happens elsewhere: from now on the server draws another chart, which no page has been told of."""
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"title": title}).encode()
    request = urllib.request.Request(f"{served.url}/api/v1/markers", body, sent)  # noqa: S310 - http to ourselves
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
        assert answer.status == 201


def test_a_click_on_a_chart_that_has_changed_since_it_was_drawn_opens_the_check(served: Server, visitor: BrowserContext) -> None:
    token = served.run("token", "create", "--name", "deploys", "--scope", "admin").stdout.strip()
    page = enter(visitor, served, "/trend")
    wait_until_drawn(page)
    mark(served, token, "app 2.14")
    click_lowest(page, "trend")
    page.wait_for_url(re.compile(r"/check\?number=\d+"))
