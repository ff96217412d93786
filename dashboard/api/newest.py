"""The newest facts and tokens for the event loop: from memory, or read by one thread for all who wait."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from fastapi import HTTPException

from core.errors import StateDatabaseUnavailable
from core.facts import ASKED_EVERY
from core.health_monitor import Known
from dashboard.runtime import Runtime

_LONGEST_AGE = 0.95  # seconds; another process's check shows after one second at most
_PATIENCE = 3.0  # seconds that a request waits for the state database
_HANGS = "the state database does not answer"


class Newest:
    """Knows what is known. Nothing here blocks the event loop, however slow the state database is."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="newest")
        self._reading: asyncio.Future[Known] | None = None
        self._begun = 0.0  # that reading, by the event loop's clock

    def at_hand(self) -> Known | None:
        """What is known, when memory is young enough for it and for the tokens; a reading is begun before it is too old."""
        known = self._runtime.monitor.known_in_memory(_LONGEST_AGE)
        if known is None or self._runtime.keys.age > _LONGEST_AGE or self._runtime.problem is not None:
            return None
        if self._runtime.keys.age > ASKED_EVERY:
            self._read()
        return known

    async def known(self) -> Known:
        """What is known, read if need be. When the state database does not answer, the status is unknown."""
        if self._runtime.problem is not None:
            return self._runtime.monitor.known_without(str(self._runtime.problem))
        at_hand = self.at_hand()
        if at_hand is not None:
            return at_hand
        others = self._reading
        if others is not None and not others.done() and asyncio.get_running_loop().time() - self._begun > _PATIENCE:
            return self._runtime.monitor.known_without(_HANGS)  # others were patient already
        try:
            async with asyncio.timeout(_PATIENCE):
                if others is not None and not others.done():
                    await asyncio.shield(others)  # it may have begun before what this request must see
                known = self.at_hand()
                return await asyncio.shield(self._read()) if known is None else known
        except TimeoutError:
            return self._runtime.monitor.known_without(_HANGS)

    async def keys(self) -> None:
        """See that the tokens are known. Raises HTTPException 503 when none were ever read and none can be."""
        if self.at_hand() is None:
            known = await self.known()
            if not self._runtime.keys.loaded:
                raise HTTPException(503, f"No token can be checked: {known.assessment.reason}")

    def stop(self) -> None:
        """Let a reading end, and begin no other."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self) -> asyncio.Future[Known]:
        if self._reading is None or self._reading.done():
            loop = asyncio.get_running_loop()
            self._reading, self._begun = loop.run_in_executor(self._thread, self._read_now), loop.time()
        return self._reading

    def _read_now(self) -> Known:
        known = self._runtime.monitor.known()
        try:
            self._runtime.keys.refresh()
        except StateDatabaseUnavailable as away:
            return self._runtime.monitor.known_without(str(away))
        return known
