"""The product as an operator runs it: `coupling-health serve` as a process of its own, and its commands beside it."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any, Self

from tests.browser.patience import eventually
from tests.forker import Forked

PASSWORD = "correct-horse"

# Addresses of servers that are gone: at the same address the browser finds the scripts of the one before in its cache.
_resting: list[int] = []


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to a request; redirects are not followed."""

    code: int
    headers: Message
    text: str


class Server:
    """`coupling-health serve` in a folder of its own. Start it, kill it, start it again; it is gone at the end."""

    def __init__(self, folder: Path, forker: Path, **settings: object) -> None:
        """Settings are named as their environment variables without the prefix, in lower case."""
        self.folder = folder
        self._forker = forker
        self.port = _resting.pop() if _resting and is_free(_resting[-1]) else free_port()
        self.settings = settings
        self.process: Forked | None = None
        self._starts = 0
        self._over = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return environment(port=self.port, **self.settings)

    def start(self) -> Self:
        """Start, and wait until it answers."""
        self._starts += 1
        with self._errors(self._starts).open("w") as errors, Path(os.devnull).open("r+") as nothing:
            streams = [nothing.fileno(), nothing.fileno(), errors.fileno()]
            self.process = Forked(self._forker, ["serve"], self.folder, self.environment, streams)
        eventually(self._answers, "the server answers")
        return self

    def stop(self) -> int:
        """Ask it to end, as an operator does; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        """End it without asking."""
        assert self.process is not None
        self.process.kill()
        self._ended()

    def end(self) -> None:
        """Whatever state it is in, nothing of it stays."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        elif self.process is not None:
            self._ended()
        if not self._over:
            self._over = True
            _resting.append(self.port)

    def said(self, start: int | None = None) -> str:
        """What it wrote for eyes since a start (1, 2, …; None: the newest)."""
        return self._errors(start or self._starts).read_text("utf-8")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))  # noqa: S310 - http to ourselves
        try:
            with _unfollowing.open(request, timeout=30) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, refused.read().decode())

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """A `coupling-health` command in the same folder, with the same settings."""
        return subprocess.run(
            [sys.executable, "-m", "dashboard", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def history(self, state: str = "var/coupling-health.db") -> list[dict[str, Any]]:
        """Every row of history, oldest first; none while there is no table yet."""
        return rows(self.folder / state, "SELECT * FROM health_check_history ORDER BY id")

    def wait_for_checks(self, count: int, state: str = "var/coupling-health.db") -> list[dict[str, Any]]:
        """History, as soon as that many rows of our own checks stand in it."""

        def checks() -> list[dict[str, Any]]:
            own = [row for row in self.history(state) if row["source"] == "check"]
            return own if len(own) >= count else []

        return eventually(checks, f"{count} checks in the history")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended: {self.said()}"
        try:
            return self.get("/healthz").code == 200
        except OSError:
            return False

    def _ended(self) -> int:
        assert self.process is not None
        return self.process.wait(timeout=20)

    def _errors(self, start: int) -> Path:
        return self.folder.parent / f"{self.folder.name}-stderr-{start}.txt"


class _Unfollowing(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


_unfollowing = urllib.request.build_opener(_Unfollowing)


def environment(**settings: object) -> dict[str, str]:
    """The environment of a process of ours: that of the tests, and nothing but these settings of the product."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COUPLING_HEALTH_")}
    settings = {"check__settle_seconds": 0, **settings}  # nobody here wants to wait for a second look
    return plain | {f"COUPLING_HEALTH_{name.upper()}": str(value) for name, value in settings.items()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def rows(database: Path, statement: str) -> list[dict[str, Any]]:
    """What a statement finds in a SQLite file; nothing while the file or its table is not there yet."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(statement)]
        except sqlite3.OperationalError as early:
            if "no such table" in str(early):
                return []
            raise
