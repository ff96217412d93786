"""A product that watches an application, with alerts, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from core.alerts.delivery import Delivery
from core.alerts.desk import AlertDesk
from core.alerts.phases import Phase
from core.errors import CouplingHealthError
from core.health_monitor import HealthMonitor
from core.model import Request, Trigger
from core.state import incidents, outbox
from core.state.incidents import Incident
from core.state.outbox import Letter
from tests.frozen_clock import FrozenClock

MINUTE = timedelta(minutes=1)


class Watch:
    """Checks every interval, as the scheduler would; the watchdog looks every minute; messages go out at once."""

    def __init__(self, monitor: HealthMonitor, clock: FrozenClock) -> None:
        self.monitor = monitor
        self.clock = clock
        self.desk = AlertDesk(monitor, clock)
        self.delivery = Delivery(monitor.state, self.desk.channels, clock)
        self.checking = True  # False: the checker hangs
        self.delivering = True
        self._next_check = clock.now

    def pass_by(self, every: timedelta = MINUTE, **length: float) -> None:
        """Let time pass, up to and with the minute in which it ends."""
        end = self.clock.now + timedelta(**length)
        while self.clock.now < end:
            self.clock.advance(every)
            self.look()

    def look(self) -> None:
        """What happens in a minute."""
        if self.checking and self.clock.now >= self._next_check:
            self._next_check = self.clock.now + self.monitor.settings.schedule.interval
            with suppress(CouplingHealthError):
                self.monitor.check_all_users(request=Request(Trigger.SCHEDULED))
        self.desk.evaluate()
        if self.delivering:
            self.delivery.run()

    def phase(self, rule: str) -> Phase:
        return next(state.standing.phase for state in self.desk.states() if state.rule.name == rule)

    def fired_at(self, rule: str) -> datetime | None:
        return next((one.opened_at for one in self.incidents() if one.rule == rule), None)

    def resolved_at(self, rule: str) -> datetime | None:
        return next((one.resolved_at for one in self.incidents() if one.rule == rule), None)

    def incidents(self) -> Sequence[Incident]:
        with self.monitor.state.read() as connection:
            return incidents.newest(connection, self.monitor.record.scope(connection), 100)

    def letters(self) -> Sequence[Letter]:
        with self.monitor.state.read() as connection:
            return outbox.newest(connection, 100)[::-1]

    def messages(self) -> Sequence[Mapping[str, Any]]:
        """What the messages say, oldest first."""
        with self.monitor.state.read() as connection:
            return [outbox.message_of(connection, letter.id) for letter in outbox.newest(connection, 100)[::-1]]


def channels(**urls: str) -> dict[str, Any]:
    """Settings for these channels."""
    return {"channels": {name: {"url": url} for name, url in urls.items()}}
