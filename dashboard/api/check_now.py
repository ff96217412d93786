"""Checks that are asked for over HTTP: off the event loop, one at a time for all who ask."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from core.health_monitor import HealthMonitor
from core.model import Report, Request

_DRY_RUNS_AT_ONCE = 4  # they wait for each other's turn; more would only wait here


@dataclass(frozen=True, slots=True)
class _Running:
    check_id: asyncio.Future[str]  # known as soon as the check has begun
    report: asyncio.Future[Report]


class CheckDesk:
    """Takes requests for checks. Who asks while one is running gets that one's report."""

    def __init__(self, monitor: HealthMonitor) -> None:
        self._monitor = monitor
        self._checks = ThreadPoolExecutor(1, thread_name_prefix="check-now")
        self._dry_runs = ThreadPoolExecutor(_DRY_RUNS_AT_ONCE, thread_name_prefix="dry-run")
        self._running: _Running | None = None

    async def check(self, request: Request) -> Report:
        """The report of a check that ends after this moment. Raises CouplingHealthError when it fails."""
        return await asyncio.shield(self._run(request).report)  # who goes away does not end it for the others

    async def begin(self, request: Request) -> str:
        """Begin or join a check; its id. Raises CouplingHealthError when it failed before it could begin."""
        running = self._run(request)
        either: list[asyncio.Future[Any]] = [running.check_id, running.report]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if running.check_id.done():
            return running.check_id.result()
        return running.report.result().check_id

    async def dry_run(self, request: Request) -> Report:
        """A report that leaves no trace. Raises CouplingHealthError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._dry_runs, lambda: self._monitor.check_all_users(True, request))

    def stop(self) -> None:
        """Take no more requests; what runs goes on to its end."""
        self._checks.shutdown(wait=False, cancel_futures=True)
        self._dry_runs.shutdown(wait=False, cancel_futures=True)

    def _run(self, request: Request) -> _Running:
        if self._running is None or self._running.report.done():
            loop = asyncio.get_running_loop()
            check_id: asyncio.Future[str] = loop.create_future()

            def tell(begun: str) -> None:
                if not check_id.done():
                    check_id.set_result(begun)

            def told(begun: str) -> None:
                loop.call_soon_threadsafe(tell, begun)

            check = loop.run_in_executor(self._checks, lambda: self._monitor.check_all_users(request=request, told=told))
            check.add_done_callback(lambda done: done.exception())  # seen, also when nobody waits any more
            self._running = _Running(check_id, check)
        return self._running
