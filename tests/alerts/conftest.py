"""A watched application, a mailbox and a receiver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.health_monitor import HealthMonitor
from tests.alerts.receivers import Mailbox, Receiver
from tests.alerts.watch import Watch, channels
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock

NewWatch = Callable[..., Watch]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox().open() as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as opened:
        yield opened


@pytest.fixture
def app(sqlite_app: SqliteApplication) -> SqliteApplication:
    """A thousand pairs that agree."""
    return sqlite_app.agreeing(range(1_000))


@pytest.fixture
def new_watch(app: SqliteApplication, new_monitor: Callable[..., HealthMonitor], clock: FrozenClock) -> NewWatch:
    """Call it with settings of alerts."""

    def new(interval: int = 300, **alerts: Any) -> Watch:
        settings = {"alerts": alerts, "check": {"settle_seconds": 0, "interval_seconds": interval}}
        return Watch(new_monitor(app, **settings), clock)

    return new


@pytest.fixture
def watch(new_watch: NewWatch, receiver: Receiver) -> Watch:
    """The usual rules, and one webhook; the first check has found all pairs in agreement."""
    made = new_watch(**channels(hook=receiver.url))
    made.look()
    return made
