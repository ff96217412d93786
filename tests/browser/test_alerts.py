"""Somebody is told: an alert from the broken pair to the second mail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.alerts.receivers import Mailbox
from tests.application import SqliteApplication
from tests.browser.conftest import NewServer, url_of
from tests.browser.patience import eventually
from tests.browser.server import Server
from tests.browser.visit import choose, enter, expect_no_error, wait_until_drawn

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def application(new_sqlite_app: Callable[..., SqliteApplication]) -> SqliteApplication:
    """A thousand pairs that agree."""
    return new_sqlite_app().agreeing(range(1_000))


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox().open() as opened:
        yield opened


@pytest.fixture(scope="module")
def served(new_server: NewServer, application: SqliteApplication, mailbox: Mailbox) -> Server:
    """Checked once, with a channel for mail; an alert is over as soon as it is gone."""
    settings = {
        "alerts__channels__mail__url": mailbox.url,
        "alerts__rules__many_violations__quiet_minutes": 0,
    }
    server = new_server(database_url=url_of(application), **settings)
    server.settings["alerts__link"] = server.url
    server.start().wait_for_checks(1)
    return server


def run_now(page: Page, served: Server, result: str) -> None:
    page.goto(f"{served.url}/")
    wait_until_drawn(page)
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_test_id("status-badge")).to_contain_text(result)


def link_in(mail: EmailMessage, words: str) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(rf"{words}: (http\S+)", str(body.get_content()))
    assert found, body
    return found[1]


def test_an_alert_fires_is_acknowledged_and_resolves_and_both_mails_arrive(
    served: Server, application: SqliteApplication, mailbox: Mailbox, visitor: BrowserContext
) -> None:
    page = enter(visitor, served, "/alerts")
    expect(page.get_by_test_id("alerts-answer")).to_have_text("Nothing fires.")

    application.execute("UPDATE user_licenses SET current_level = 2 WHERE user_id < 11")
    run_now(page, served, "11 violations")
    expect(page.get_by_test_id("alerts-strip")).to_contain_text("More than 10 violations")
    page.get_by_role("link", name="Open alerts").click()
    expect(page.get_by_test_id("alerts-answer")).to_have_text("1 alert fires.")
    expect(page.locator('tr[data-rule="many_violations"]')).to_have_attribute("data-phase", "firing")
    eventually(lambda: len(mailbox.mails) == 1, "the mail arrives")
    assert mailbox.subjects == ["More than 10 violations [DEGRADED, 98.90 %]"]

    page.goto(link_in(mailbox.mails[0], "Acknowledge"))
    wait_until_drawn(page)
    page.get_by_label("Reason").first.fill("a broken import, on it")
    page.locator(".st-key-asked-do button").click()
    expect(page.locator(".incident")).to_contain_text(re.compile(r"acknowledged by admin .*: a broken import, on it"))
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect_no_error(page)

    application.execute("UPDATE user_licenses SET current_level = 1")
    run_now(page, served, "pairs agree")
    eventually(lambda: len(mailbox.mails) == 2, "the second mail arrives")
    assert mailbox.subjects[1] == "Resolved: More than 10 violations [HEALTHY, 100.00 %]"
    page.goto(f"{served.url}/alerts")
    expect(page.get_by_test_id("alerts-answer")).to_have_text("Nothing fires.")
    expect(page.locator(".st-key-incidents-card")).to_contain_text("admin: a broken import, on it")
    expect(page.locator(".st-key-letters-card")).to_contain_text("Resolved: More than 10 violations")
    expect(page.locator(".st-key-incidents-card")).to_contain_text("2 of 2 messages arrived")
    expect_no_error(page)

    page.goto(link_in(mailbox.mails[1], "Open"))
    expect(page.get_by_test_id("incident-state")).to_have_text("Resolved")
    story = page.get_by_test_id("story").locator("li")
    expect(story).to_have_text(
        [
            re.compile("The condition began to hold"),
            re.compile("The alert fired, with 11 violations"),
            re.compile(r"Sent through mail: More than 10 violations .*accepted"),
            re.compile("Acknowledged by admin: a broken import, on it"),
            re.compile("Resolved, after "),
            re.compile(r"Sent through mail: Resolved: More than 10 violations"),
        ]
    )
    expect_no_error(page)


def test_a_silence_is_made_shown_on_the_overview_and_ended(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/alerts")
    wait_until_drawn(page)
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_text("A silence needs a reason.")).to_be_visible()
    wait_until_drawn(page)
    page.get_by_label("Reason").fill("migration 41")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.locator("[data-silence]")).to_contain_text("migration 41 · by admin")
    page.goto(f"{served.url}/")
    expect(page.get_by_test_id("alerts-strip")).to_contain_text(re.compile("All alerts are silenced until .*migration 41"))
    page.goto(f"{served.url}/alerts")
    page.get_by_role("button", name="End it").click()
    expect(page.locator("[data-silence]")).to_have_count(0)
    expect_no_error(page)


def test_an_incident_that_is_not_there_leads_back(served: Server, visitor: BrowserContext) -> None:
    for number in ("77", "x", "99999999999999999999", ""):
        page = enter(visitor, served, f"/incident?number={number}")
        page.get_by_role("link", name="Back to the alerts.").click()
        expect(page.get_by_test_id("alerts-answer")).to_be_visible()


def test_maintenance_is_planned_shown_on_the_overview_marked_in_checks_and_ended(
    served: Server, application: SqliteApplication, visitor: BrowserContext
) -> None:
    page = enter(visitor, served, "/alerts")
    wait_until_drawn(page)
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_text("Maintenance needs a reason.")).to_be_visible()
    wait_until_drawn(page)
    page.get_by_label("What is done").fill("app 3.0")
    page.get_by_role("button", name="Plan it").click()
    planned = page.locator("[data-maintenance]")
    expect(planned).to_contain_text(re.compile(r"Now app 3.0 until .*once, for 1 h · by admin"))

    page.goto(f"{served.url}/")
    expect(page.get_by_test_id("alerts-strip")).to_contain_text(re.compile("Maintenance until .*: app 3.0 .admin."))
    application.execute("UPDATE user_licenses SET current_level = 2 WHERE user_id < 3")
    run_now(page, served, "3 violations")
    application.execute("UPDATE user_licenses SET current_level = 1")
    run_now(page, served, "pairs agree")
    page.goto(f"{served.url}/check?number={served.history()[-1]['id']}")
    expect(page.get_by_test_id("in-maintenance")).to_be_visible()
    page.goto(f"{served.url}/analysis")
    expect(page.get_by_test_id("maintenance-note")).to_contain_text("2 checks ran in planned maintenance")

    page.goto(f"{served.url}/alerts")
    page.get_by_role("button", name="End it").click()
    expect(planned).to_have_count(0)
    expect_no_error(page)


def test_maintenance_is_planned_again_and_again(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/alerts")
    wait_until_drawn(page)
    page.get_by_label("What is done").fill("nightly batch")
    choose(page, "Repeats", "Every week")
    for day in ("Saturday", "Sunday"):
        page.get_by_role("button", name=day).click()
    wait_until_drawn(page)
    page.get_by_role("button", name="Plan it").click()
    planned = page.locator("[data-maintenance]")
    expect(planned).to_contain_text(re.compile(r"nightly batch .*every Saturday and Sunday at \d\d:\d\d for 1 h, "))
    page.get_by_role("button", name="Take all of it back").click()
    expect(planned).to_have_count(0)
    expect_no_error(page)


def test_one_time_of_maintenance_that_repeats_is_ended_and_the_others_stay(served: Server, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/alerts")
    wait_until_drawn(page)
    page.get_by_label("What is done").fill("nightly batch")
    choose(page, "Repeats", "Every day")
    wait_until_drawn(page)
    page.get_by_role("button", name="Plan it").click()
    planned = page.locator("[data-maintenance]")
    expect(planned).to_contain_text("Now nightly batch")
    page.get_by_role("button", name="End it this time").click()
    expect(planned).not_to_contain_text("Now")
    expect(planned).to_contain_text("nightly batch")
    page.get_by_role("button", name="Take all of it back").click()
    expect(planned).to_have_count(0)
    expect_no_error(page)


def test_a_channel_is_tried_from_the_page(served: Server, mailbox: Mailbox, visitor: BrowserContext) -> None:
    page = enter(visitor, served, "/alerts")
    wait_until_drawn(page)
    before = len(mailbox.mails)
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("Sent: accepted")).to_be_visible()
    assert mailbox.subjects[before:] == ["Test: Coupling Health can reach you"]
