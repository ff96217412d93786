"""Links in messages: signed, for one purpose, and only for a time."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from core.alerts.book import AlertBook
from core.alerts.links import LIFETIME, Deed, address
from core.errors import AlertProblem, NoSuchAlert
from tests.alerts.test_desk import break_pairs
from tests.alerts.watch import MINUTE, Watch
from tests.application import SqliteApplication

LINK = "https://health.example.org/below/"


@pytest.fixture
def book(watch: Watch) -> AlertBook:
    return AlertBook(watch.monitor.record, watch.desk, watch.clock)


@pytest.fixture
def asked(watch: Watch, app: SqliteApplication, book: AlertBook) -> dict[str, str]:
    """The parts of a link that acknowledges an open incident."""
    break_pairs(app, 11)
    watch.pass_by(minutes=5)
    with watch.monitor.state.write() as connection:
        from core.alerts.desk import LINKS
        from core.state.signing import key_for

        url = address(LINK, key_for(connection, LINKS), Deed.ACKNOWLEDGE, watch.incidents()[0].id, watch.clock.now)
    assert url.startswith("https://health.example.org/below/alerts?")
    return dict(parse_qsl(urlsplit(url).query))


def test_a_link_opens_its_deed_and_its_incident(watch: Watch, book: AlertBook, asked: dict[str, str]) -> None:
    link, incident = book.opened(asked)
    assert (link.deed, incident.rule) == (Deed.ACKNOWLEDGE, "many_violations")


@pytest.mark.parametrize(
    "change",
    [{"do": "snooze"}, {"incident": "2"}, {"expires": "4000000000"}, {"signature": "0" * 64}],
    ids=lambda change: str(*change),
)
def test_a_link_that_was_changed_opens_nothing(book: AlertBook, asked: dict[str, str], change: dict[str, str]) -> None:
    with pytest.raises(AlertProblem, match="was not made here"):
        book.opened(asked | change)


@pytest.mark.parametrize("change", [{"do": "delete"}, {"incident": "x"}, {"expires": ""}, {"signature": ""}, {"signature": "ő"}])
def test_a_link_that_is_cut_says_so(book: AlertBook, asked: dict[str, str], change: dict[str, str]) -> None:
    with pytest.raises(AlertProblem, match=r"is not whole|was not made here"):
        book.opened(asked | change)


def test_a_link_expires(watch: Watch, book: AlertBook, asked: dict[str, str]) -> None:
    watch.clock.advance(LIFETIME - MINUTE)
    book.opened(asked)
    watch.clock.advance(MINUTE)
    with pytest.raises(AlertProblem, match="has expired"):
        book.opened(asked)


def test_a_snooze_is_quiet_for_an_hour_or_until_it_is_over(watch: Watch, book: AlertBook, asked: dict[str, str]) -> None:
    silence = book.snooze(watch.incidents()[0], "admin", " ")
    assert (silence.rule, silence.reason, silence.until_resolved) == ("many_violations", "snoozed for an hour", True)
    assert silence.until - watch.clock.now == timedelta(hours=1)


def test_what_cannot_be_done_says_why(watch: Watch, book: AlertBook, asked: dict[str, str]) -> None:
    number = int(asked["incident"])
    book.acknowledge(number, "admin")
    for refused, words in (
        (lambda: book.acknowledge(number, "bea"), "was acknowledged by admin already"),
        (lambda: book.acknowledge(99, "bea"), "There is no incident 99"),
        (lambda: book.acknowledge(number, "bea", "x" * 501), "501 characters"),
        (lambda: book.silence("nonsense", "x", "bea", MINUTE), "There is no rule 'nonsense'"),
        (lambda: book.silence(None, "x", "bea", timedelta(days=400)), "within a year"),
        (lambda: book.end_silence(7, "bea"), "There is no silence 7"),
        (lambda: book.send_again(1, "bea"), "is not given up"),
        (lambda: book.try_channel("nowhere", "bea"), "There is no channel 'nowhere'"),
    ):
        with pytest.raises(AlertProblem, match=words):
            refused()
    assert issubclass(NoSuchAlert, AlertProblem)
