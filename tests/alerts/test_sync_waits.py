"""A sync that stopped before its first write asks a person: somebody is told, once, and when it waits no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.alerts.phases import Phase
from core.assembly import build_sync
from core.health_monitor import HealthMonitor
from core.model import Request, Trigger
from core.state.sync_runs import Run, RunStatus
from core.sync.service import SyncService
from tests.alerts.receivers import Receiver
from tests.alerts.test_desk import events
from tests.alerts.watch import Watch, channels
from tests.application import SqliteApplication
from tests.frozen_clock import NOON, FrozenClock

ANN = Request(Trigger.MANUAL, "ann")


@pytest.fixture
def watch(app: SqliteApplication, new_monitor: Callable[..., HealthMonitor], clock: FrozenClock, receiver: Receiver) -> Watch:
    """May write, over a thousand pairs that agree and eleven that do not: more than one percent."""
    app.disagreeing(range(5_000, 5_011))
    alerts = channels(hook=receiver.url)
    url = app.url.render_as_string()
    return Watch(new_monitor(app, alerts=alerts, check={"settle_seconds": 0}, sync_database_url=url), clock)


@pytest.fixture
def service(watch: Watch) -> SyncService:
    return build_sync(watch.monitor, watch.clock)


def test_a_scheduled_sync_above_the_limits_tells_somebody_until_it_is_given_up(
    watch: Watch, service: SyncService, receiver: Receiver
) -> None:
    run = service.run_scheduled()
    assert isinstance(run, Run)
    assert run.status is RunStatus.HELD
    watch.pass_by(minutes=1)
    assert watch.phase("sync_waits") is Phase.FIRING
    fired = [names for news, names in events(receiver) if news == "fired"]
    assert any("sync_waits" in names for names in fired)
    text = next(message["text"] for message in watch.messages() if "A sync waits for somebody" in message["text"])
    assert f"Sync run {run.id} would write 11 changes." in text
    assert "page Sync" in text
    incident = next(one for one in watch.incidents() if one.rule == "sync_waits")
    assert incident.began_at == NOON
    service.refuse(run.id, ANN)
    watch.pass_by(minutes=1)
    assert watch.phase("sync_waits") is Phase.RESOLVED
    assert ("resolved", ["sync_waits"]) in events(receiver)


def test_a_sync_that_is_written_tells_nobody(watch: Watch, service: SyncService) -> None:
    plan = service.find_desync_issues(ANN)
    service.apply(service.keep(plan, ANN).id, ANN, seen=plan.planned)
    watch.pass_by(minutes=1)
    assert watch.phase("sync_waits") is Phase.INACTIVE
