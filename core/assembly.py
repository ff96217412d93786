"""Putting the parts together: settings in, a HealthMonitor out."""

from __future__ import annotations

import time

from core.clock import Clock, utc_now
from core.coupling import ProgressLicenseCoupler
from core.health_monitor import HealthMonitor
from core.settings import Settings
from core.settling import Wait
from core.state.database import StateDatabase
from core.watched import WatchedDatabase


def open_state(settings: Settings) -> StateDatabase:
    """The state database, made or migrated. Raises StateDatabaseUnavailable, StateDatabaseTooNew."""
    state = StateDatabase(settings.state_database_url)
    state.upgrade()
    return state


def build_coupler(settings: Settings) -> ProgressLicenseCoupler:
    """The coupler of the watched database. Connects to nothing yet."""
    watched = WatchedDatabase(
        settings.watched_url, settings.check.statement_timeout_seconds, settings.check.connect_timeout_seconds
    )
    return ProgressLicenseCoupler(watched, settings.progress, settings.license)


def build_monitor(
    settings: Settings, state: StateDatabase | None = None, clock: Clock = utc_now, wait: Wait = time.sleep
) -> HealthMonitor:
    """The one door to everything. Opens the state database when none is given."""
    return HealthMonitor(settings, state or open_state(settings), build_coupler(settings), clock, wait)
