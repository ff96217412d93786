"""The API on a real port of this process, over a monitor whose clock stands still."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.message import Message
from typing import Any, Self

import uvicorn

from core.model import Scope
from core.settings import Settings
from core.state import tokens
from dashboard.api.app import build_api
from dashboard.http_protocol import LimitedHttpProtocol
from dashboard.protection import Protection
from dashboard.runtime import Runtime
from tests.browser.patience import eventually
from tests.frozen_clock import FrozenClock


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said."""

    code: int
    headers: Message
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        """What an error says; every error is an object with this one key."""
        document = self.document
        assert list(document) == ["detail"]
        return str(document["detail"])


class PromptServer(uvicorn.Server):
    """Ends as soon as it is told to: uvicorn looks ten times a second whether it was, for which each test would wait."""

    async def main_loop(self) -> None:
        await self.on_tick(0)  # sets the header Date
        while not self.should_exit:
            await asyncio.sleep(0.01)


class Api:
    """The API of a runtime. The jobs do not run: a test checks when it wants to."""

    def __init__(self, settings: Settings, clock: FrozenClock, mark: str = "") -> None:
        """`mark` tells the tokens of APIs apart that share a state database."""
        self.clock = clock
        self._mark = mark
        self.runtime = Runtime(settings, lambda _login, _password: None, clock)
        self.runtime.state.upgrade()
        self.monitor = self.runtime.monitor
        self._secrets: dict[Scope, str] = {}

    def __enter__(self) -> Self:
        api, self.desk = build_api(self.runtime)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(Protection(api), http=LimitedHttpProtocol, log_config=None, access_log=False, lifespan="off")
        self._server = PromptServer(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._socket])), daemon=True)
        self._thread.start()
        eventually(lambda: self._server.started, "the API answers")
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()
        self.desk.stop()
        self.runtime.state.dispose()

    def token(self, scope: Scope = Scope.READ, name: str | None = None, lifetime: timedelta | None = None) -> str:
        """A token that was made on the command line; one for each scope unless it is to be another."""
        if name is None and lifetime is None and scope in self._secrets:
            return self._secrets[scope]
        with self.runtime.state.write() as connection:
            secret = tokens.create(connection, name or f"test {scope}{self._mark}", scope, self.clock(), lifetime=lifetime)
        self.runtime.keys.forget()
        self._secrets.setdefault(scope, secret)
        return secret

    def get(self, path: str, *, token: str | None = "", headers: Mapping[str, str] | None = None) -> Answer:
        """GET below /api/v1/health unless the path is a whole one; with a token that may read, another one, or None."""
        return self.ask("GET", path, token=token, headers=headers)

    def post(self, path: str, *, token: str | None = "", headers: Mapping[str, str] | None = None) -> Answer:
        """The same with POST, and a token that may check."""
        return self.ask("POST", path, token=self.token(Scope.CHECK) if token == "" else token, headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        token = self.token() if token == "" else token
        sent = dict(headers or {}) | ({} if token is None else {"Authorization": f"Bearer {token}"})
        address = f"http://127.0.0.1:{self.port}" + (path if path.startswith("/") else f"/api/v1/health/{path}")
        request = urllib.request.Request(address, body, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - http to ourselves
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, refused.read())
