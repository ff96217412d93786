"""Replicas that share a state database, on both engines, evaluating and sending at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from core.health_monitor import HealthMonitor
from core.state.database import StateDatabase
from core.state.outbox import LetterState
from tests.alerts.receivers import Receiver
from tests.alerts.test_desk import break_pairs, events, heal
from tests.alerts.watch import MINUTE, Watch, channels
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock

REPLICAS = 4


def test_they_fire_tell_and_resolve_once(
    app: SqliteApplication,
    new_monitor: Callable[..., HealthMonitor],
    fresh_state: StateDatabase,
    clock: FrozenClock,
    receiver: Receiver,
) -> None:
    watches = [
        Watch(new_monitor(app, state=fresh_state, check={"settle_seconds": 0}, alerts=channels(hook=receiver.url)), clock)
        for _ in range(REPLICAS)
    ]
    break_pairs(app, 60)
    watches[0].monitor.check_all_users()
    for _ in range(8):
        clock.advance(5 * MINUTE)
        watches[0].monitor.check_all_users()
        _at_once(watches)
    heal(app)
    for _ in range(4):
        clock.advance(5 * MINUTE)
        watches[0].monitor.check_all_users()
        _at_once(watches)
    assert events(receiver) == [
        ("fired", ["many_violations"]),
        ("fired", ["rate_low"]),
        ("fired", ["status_critical"]),
        ("resolved", ["status_critical", "rate_low", "many_violations"]),
    ]
    assert {letter.state for letter in watches[0].letters()} == {LetterState.SENT}


def _at_once(watches: list[Watch]) -> None:
    with ThreadPoolExecutor(REPLICAS) as pool:
        list(pool.map(lambda watch: watch.desk.evaluate(), watches))
        list(pool.map(lambda watch: watch.delivery.run(), watches))
