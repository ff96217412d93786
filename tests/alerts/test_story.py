"""The story of an incident: everything that happened to it, in order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.alerts.book import AlertBook
from core.alerts.story import Happened
from core.maintenance_plan import MaintenancePlan
from tests.alerts.conftest import NewWatch
from tests.alerts.receivers import Receiver
from tests.alerts.test_desk import break_pairs, heal
from tests.alerts.watch import MINUTE, Watch, channels
from tests.application import SqliteApplication
from tests.frozen_clock import NOON


@pytest.fixture
def book(watch: Watch) -> AlertBook:
    return AlertBook(watch.monitor.record, watch.desk, watch.clock)


def told(book: AlertBook, number: int = 1) -> list[tuple[int, Happened]]:
    """Minutes since noon, and what happened then."""
    story = book.story(number)
    assert story is not None
    return [((entry.at - NOON) // MINUTE, entry.what) for entry in story.entries]


def test_a_plain_incident_is_told_from_its_beginning_to_the_message_of_its_end(
    watch: Watch, book: AlertBook, app: SqliteApplication
) -> None:
    break_pairs(app, 11)
    watch.pass_by(minutes=7)
    book.acknowledge(1, "ann", "on it")
    heal(app)
    watch.pass_by(minutes=20)
    assert told(book) == [
        (5, Happened.BEGAN),
        (5, Happened.FIRED),
        (5, Happened.TOLD),
        (7, Happened.ACKNOWLEDGED),
        (20, Happened.RESOLVED),
        (20, Happened.TOLD),
    ]
    story = book.story(1)
    assert story is not None
    assert story.told_at == NOON + 5 * MINUTE


def test_what_kept_it_quiet_is_part_of_the_story(watch: Watch, book: AlertBook, app: SqliteApplication) -> None:
    MaintenancePlan(watch.monitor.state, watch.clock).plan("upgrade", "kim", None, 12)
    break_pairs(app, 11)
    watch.pass_by(minutes=13)
    book.silence("many_violations", "we know", "ann", timedelta(minutes=20))
    book.silence("checks_fail", "of something else", "ann", timedelta(minutes=20))
    watch.pass_by(minutes=30)
    assert told(book) == [
        (5, Happened.BEGAN),
        (5, Happened.MAINTENANCE),
        (5, Happened.FIRED),
        (13, Happened.SILENCED),
        (33, Happened.TOLD),
    ]


def test_a_message_that_did_not_arrive_is_told_as_one_that_waits(new_watch: NewWatch, app: SqliteApplication) -> None:
    with Receiver(answers=[500] * 9).open() as refusing:
        watch = new_watch(**channels(hook=refusing.url))
        break_pairs(app, 11)
        watch.look()
        assert told(AlertBook(watch.monitor.record, watch.desk, watch.clock)) == [
            (0, Happened.BEGAN),
            (0, Happened.FIRED),
            (0, Happened.WRITTEN),
        ]


def test_there_is_no_story_of_what_was_not(book: AlertBook) -> None:
    assert book.story(1) is None
