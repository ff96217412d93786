"""What a monitor left behind, and working beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from core.errors import (
    CouplingHealthError,
)
from core.health_monitor import HealthMonitor
from core.model import Kind
from core.state import schema
from core.state.database import StateDatabase

NewMonitor = Callable[..., HealthMonitor]


def history(state: StateDatabase) -> list[sa.Row[Any]]:
    with state.read() as connection:
        return list(connection.execute(sa.select(schema.history).order_by(schema.history.c.id)))


def logs(monitor: HealthMonitor) -> list[str]:
    folder = monitor.settings.violation_log_dir
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def pairs(monitor: HealthMonitor) -> list[tuple[object, str, Kind]]:
    return [(v.user_id, v.specialization, v.kind) for v in monitor.stream_violations()]


def staged_chunks(state: StateDatabase) -> set[str]:
    """The checks whose violations are kept, current or not."""
    with state.read() as connection:
        return set(connection.execute(sa.select(schema.violations.c.check_id).distinct()).scalars())


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Start `work` in a thread; call the answer for its result, or the error that it met."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except CouplingHealthError as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(60)
        assert results, "it hangs, or met an unforeseen error"
        return results[0]

    return result
