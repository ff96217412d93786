"""A hundred pairs that agree, watched, and a plan."""

from __future__ import annotations

import pytest

from core.assembly import build_monitor
from core.health_monitor import HealthMonitor
from core.maintenance_plan import MaintenancePlan
from core.settings import Settings
from core.state.database import StateDatabase
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock


@pytest.fixture
def app(sqlite_app: SqliteApplication) -> SqliteApplication:
    return sqlite_app.agreeing(range(100))


@pytest.fixture
def monitor(app: SqliteApplication, settings_of_test: Settings, sqlite_state: StateDatabase, clock: FrozenClock) -> HealthMonitor:
    return build_monitor(settings_of_test, sqlite_state, clock)


@pytest.fixture
def plan(monitor: HealthMonitor, clock: FrozenClock) -> MaintenancePlan:
    monitor.state.upgrade()
    return MaintenancePlan(monitor.state, clock)
