"""The presentation's routes, asked as a browser asks, over a runtime whose clock stands still."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Scope

from core.settings import Settings
from core.state import sessions
from dashboard.presentation.routes import Presentation
from dashboard.protection import Protection
from dashboard.runtime import Runtime
from dashboard.sessions import COOKIE
from tests.frozen_clock import FrozenClock


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    code: int
    headers: Headers
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def ask(app: ASGIApp, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    """What an application answers, without a port."""
    path, _, query = path.partition("?")
    sent = [(name.encode(), value.encode()) for name, value in {"host": "watch.example", **(headers or {})}.items()]
    scope: Scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": sent}
    said: list[Message] = []
    to_come: list[Message] = [{"type": "http.request"}]

    async def receive() -> Message:
        if not to_come:  # the visitor stays until the answer is there
            await asyncio.Event().wait()
        return to_come.pop()

    async def send(message: Message) -> None:
        said.append(message)

    with ThreadPoolExecutor(1) as thread:  # a browser that another test opened keeps a loop in this one
        thread.submit(asyncio.run, app(scope, receive, send)).result()
    body = b"".join(message.get("body", b"") for message in said[1:])
    return Answer(said[0]["status"], Headers(raw=said[0]["headers"]), body)


class Presented:
    """A presentation with a state database of its own, and who may see it."""

    def __init__(self, settings: Settings, clock: FrozenClock) -> None:
        self.clock = clock
        self.runtime = Runtime(settings, lambda _login, _password: None, clock)
        self.runtime.state.upgrade()
        self.presentation = Presentation(self.runtime)
        self._app = Protection(Starlette(routes=self.presentation.routes))

    def link(self, **lifetime: float) -> str:
        """The path of a new share link."""
        return f"/share/{self.runtime.shares.create('board', timedelta(**lifetime or {'days': 1}), 'ada')}"

    def login(self) -> dict[str, str]:
        """The headers of somebody who has just logged in."""
        with self.runtime.state.write() as connection:
            token = sessions.redeem(connection, sessions.issue_ticket(connection, "admin", self.clock()), self.clock())
        return {"cookie": f"{COOKIE}={token}"}

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
        return ask(self._app, path, headers, method)

    def end(self) -> None:
        self.presentation.stop()
        self.runtime.state.dispose()
