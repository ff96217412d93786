"""Putting the parts together: settings in, a HealthMonitor out."""

from __future__ import annotations

import time

from core.clock import Clock, utc_now
from core.coupling import ProgressLicenseCoupler
from core.health_monitor import HealthMonitor
from core.settings import Settings
from core.settling import Wait
from core.state.database import StateDatabase
from core.sync.service import SyncService
from core.sync.writable import WritableDatabase
from core.watched import WatchedDatabase


def open_state(settings: Settings) -> StateDatabase:
    """The state database, made or migrated. Raises StateDatabaseUnavailable, StateDatabaseTooNew."""
    state = StateDatabase(settings.state_database_url)
    state.upgrade()
    return state


def build_watched(settings: Settings) -> WatchedDatabase:
    """The watched database, read only. Connects to nothing yet."""
    limits = settings.check
    return WatchedDatabase(settings.watched_url, limits.statement_timeout_seconds, limits.connect_timeout_seconds)


def build_coupler(settings: Settings) -> ProgressLicenseCoupler:
    """The coupler of the watched database. Connects to nothing yet."""
    return ProgressLicenseCoupler(build_watched(settings), settings.progress, settings.license)


def build_monitor(
    settings: Settings, state: StateDatabase | None = None, clock: Clock = utc_now, wait: Wait = time.sleep
) -> HealthMonitor:
    """The one door to everything. Opens the state database when none is given."""
    return HealthMonitor(settings, state or open_state(settings), build_coupler(settings), clock, wait)


def build_writable(settings: Settings) -> WritableDatabase | None:
    """The watched database with the right to write; None where nothing may be written. Connects to nothing yet."""
    url, limits = settings.writable_url, settings.check
    if url is None:
        return None
    lock_timeout = settings.sync.lock_timeout_ms
    return WritableDatabase(url, limits.connect_timeout_seconds, lock_timeout, limits.statement_timeout_seconds)


def build_sync(monitor: HealthMonitor, clock: Clock = utc_now, wait: Wait = time.sleep) -> SyncService:
    """Repairs of what a monitor watches. Writes only where the settings name a database to write to; connects to nothing yet."""
    settings = monitor.settings
    return SyncService(monitor, build_watched(settings), build_coupler(settings).label, build_writable(settings), clock, wait)
