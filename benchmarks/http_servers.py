"""Servers to put under load, each a process of its own in a folder of its own; and what the system says about that process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy.engine import make_url

from benchmarks.http_clients import Target
from benchmarks.stopwatch import peak_bytes
from core.clock import utc_now
from core.model import Scope
from core.state import tokens
from core.state.database import StateDatabase

_START_SECONDS = 60
_STOP_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: int
    target: Target  # whose token may read
    checker: Target  # whose token may check

    @property
    def cpu_seconds(self) -> float:
        """Time that its threads spent on a core, since it began; to a hundredth."""
        numbers = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")

    def peak_bytes(self, *, forget: bool = False) -> int:
        """Its highest resident memory, since it last was told to forget."""
        return peak_bytes(str(self.process), forget=forget)

    def document(self, path: str) -> dict[str, object]:
        """The JSON that it answers a reader with."""
        headers = {"Authorization": f"Bearer {self.target.token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.target.port}{path}", headers=headers)
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - http to ourselves
            document: dict[str, object] = json.load(answer)
        return document


def missing_for_servers() -> str | None:
    """Why the HTTP API and the pages cannot be measured here; None when they can."""
    return None if Path("/proc/self/clear_refs").exists() else "it reads a process's memory and time from Linux's /proc"


@contextmanager
def dashboard(database_url: str, folder: Path, **settings: object) -> Iterator[Server]:
    """`coupling-health serve` on a database, with its state and logs in a folder.

    Settings are named as their environment variables without the prefix, in lower case.
    """
    port, state = _free_port(), f"sqlite:///{folder / 'state.db'}"
    environment = {
        "COUPLING_HEALTH_DATABASE_URL": database_url,
        "COUPLING_HEALTH_STATE_URL": state,
        "COUPLING_HEALTH_ADMIN_PASSWORD": "nobody logs in here",
        "COUPLING_HEALTH_PORT": str(port),
        "COUPLING_HEALTH_CHECK__INTERVAL_SECONDS": "86400",  # none but the first and those that are asked for
        "COUPLING_HEALTH_API__CHECKS_PER_MINUTE": "6000",
        **{f"COUPLING_HEALTH_{name.upper()}": str(value) for name, value in settings.items()},
    }
    with _running([sys.executable, "-m", "dashboard.cli", "serve"], folder, environment, port) as process:
        database = StateDatabase(make_url(state))
        with database.write() as connection:
            reader, checker = (
                tokens.create(connection, f"bench {scope} {port}", scope, utc_now()) for scope in (Scope.READ, Scope.CHECK)
            )
        database.dispose()
        yield Server(process, Target(port, reader), Target(port, checker))


@contextmanager
def bare(document: Mapping[str, object], folder: Path) -> Iterator[Server]:
    """A bare Starlette application that answers with this document and asks for no token."""
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.bare_server", str(port), json.dumps(document)]
    checkout = {"PYTHONPATH": str(Path(__file__).parents[1])}
    with _running(command, folder, checkout, port) as process:
        yield Server(process, Target(port), Target(port))


@contextmanager
def _running(command: Sequence[str], folder: Path, environment: Mapping[str, str], port: int) -> Iterator[int]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COUPLING_HEALTH_")}
    said = folder / "server.log"
    with said.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env={**inherited, **environment}, stdout=output, stderr=output)
    try:
        _wait_until_it_answers(process, port, said)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    until = monotonic() + _START_SECONDS
    while monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            sleep(0.1)
    raise RuntimeError(f"A server did not start:\n{said.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
