"""Scheduled reports go out through the same outbox."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.alerts.delivery import Delivery
from core.health_monitor import HealthMonitor
from core.reports.schedule import make_due
from core.settings import Settings
from core.state import outbox
from core.state.outbox import LetterState
from tests.alerts.receivers import Mailbox, Receiver
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock


def test_a_report_comes_as_a_file_by_mail_and_as_a_link_to_a_webhook(
    app: SqliteApplication, new_monitor: Callable[..., HealthMonitor], clock: FrozenClock, mailbox: Mailbox, receiver: Receiver
) -> None:
    monitor = new_monitor(
        app,
        check={"settle_seconds": 0},
        alerts={"channels": {"mail": {"url": mailbox.url}, "hook": {"url": receiver.url}}, "link": "https://health.example.org"},
        report={"formats": ("html",), "monthly": False, "channels": ("mail", "hook")},
    )
    monitor.check_all_users()
    clock.advance(days=7)
    assert make_due(monitor.record, clock.now) == 1
    Delivery(monitor.state, monitor.settings.alerts.built_channels(), clock).run()

    (mail,) = mailbox.mails
    assert mail["Subject"] == "Coupling Health report 2025-W43"
    (file,) = mail.iter_attachments()
    assert file.get_filename() == "coupling-health-2025-W43.html"
    assert b"<html" in file.get_payload(decode=True)
    (request,) = receiver.received
    assert request.document["event"] == "report"
    assert request.document["link"] == "https://health.example.org/reports"
    assert request.document["sentence"].startswith("In week 43 of 2025")
    with monitor.state.read() as connection:
        assert {letter.state for letter in outbox.newest(connection, 9)} == {LetterState.SENT}
    assert make_due(monitor.record, clock.now) == 0, "it went out once"


def test_a_channel_of_reports_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match=r"report\.channels: there is no channel 'mial'"):
        Settings(report={"channels": ("mial",)})
