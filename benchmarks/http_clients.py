"""Clients of an HTTP server, meant to run in a process of their own: as fast as they can, once a second, or one that reads much.

They keep their connections. An answer counts when it is complete and 200; everything else, a broken connection too, is a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")

_OK = 200
_BROKEN = 0  # instead of a status: the connection ended before the answer did
_PATIENCE = 120.0  # seconds for one answer
_PATIENCE_OF_READER = 1_200.0  # the same where the answer is long, or a check that has much to write comes before it


@dataclass(frozen=True)
class Target:
    """A server on this machine, and the token that its requests carry."""

    port: int
    token: str | None = None

    def request(self, path: str, method: str = "GET") -> bytes:
        """The bytes of a request for a path, without a body."""
        authorization = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{authorization}\r\n".encode()


@dataclass(frozen=True)
class Throughput:
    """What a closed loop achieved."""

    completed: int
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Complete answers a second."""
        return self.completed / self.seconds


@dataclass
class Answers:
    """What became of the requests for one thing."""

    seconds: list[float] = field(default_factory=list)  # of each complete answer, from asking to its last byte
    failures: list[str] = field(default_factory=list)
    received: int = 0  # bytes of bodies


@dataclass(frozen=True)
class Refreshing:
    """What many clients that refresh saw, and the checks that ran meanwhile."""

    answers: Mapping[str, Answers]
    checks: Answers
    seconds: float


def fire(target: Target, path: str, connections: int, seconds: float) -> Throughput:
    """Each connection asks again as soon as it has its answer, for so long."""
    return _run(_fire(target, path, connections, seconds))


def refresh(target: Target, paths: Sequence[str], clients: int, seconds: float, checker: Target | None = None) -> Refreshing:
    """Each client asks for all paths one after another, once a second; the clients are spread evenly over the second.

    With a checker a check is asked for meanwhile, and another when it ends before the time is over; the clients go on until
    the last one has ended. A client whose turn took longer than a second goes on at its next second.
    """
    return _run(_refresh(target, paths, clients, seconds, checker))


def read(target: Target, path: str, method: str = "GET") -> Answers:
    """One request by one client."""
    return _run(_read(target, path, method))


def _run(work: Coroutine[Any, Any, T]) -> T:
    import uvloop

    return uvloop.run(work)


class _Connection(asyncio.Protocol):
    """One keep-alive connection. Tells the status of each answer when its last byte is there."""

    def __init__(self, told: Callable[[_Connection, int], None]) -> None:
        import httptools

        self.received = 0
        self.alive = False
        self._told = told
        self._waits = False
        self._parser = httptools.HttpResponseParser(self)

    def ask(self, request: bytes) -> None:
        self._waits = True
        self._transport.write(request)

    def close(self) -> None:
        self._waits = False
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.alive = True
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.received += len(body)

    def on_message_complete(self) -> None:
        self._waits = False
        if not self._parser.should_keep_alive():
            self.alive = False
        self._told(self, self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        if self._waits:
            self._waits = False
            self._told(self, _BROKEN)


class _Client:
    """A client that asks for one thing after another, and connects again when the connection has ended."""

    def __init__(self, target: Target, patience: float = _PATIENCE) -> None:
        self._target = target
        self._patience = patience
        self._connection: _Connection | None = None
        self._answer: asyncio.Future[int] | None = None

    async def ask(self, request: bytes, into: Answers) -> None:
        """Ask and wait for the whole answer; how that went is put into `into`."""
        connection = self._connection
        try:
            async with asyncio.timeout(self._patience):
                if connection is None or not connection.alive:
                    connection = self._connection = await _connect(self._target, self._hear)
                before, begun = connection.received, perf_counter()
                self._answer = asyncio.get_running_loop().create_future()
                connection.ask(request)
                status = await self._answer
        except (TimeoutError, OSError) as failed:
            into.failures.append(type(failed).__name__)
            self.close()
            return
        into.received += connection.received - before
        if status == _OK:
            into.seconds.append(perf_counter() - begun)
        else:
            into.failures.append(str(status) if status else "broken off")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _hear(self, _connection: _Connection, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


async def _connect(target: Target, told: Callable[[_Connection, int], None]) -> _Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: _Connection(told), "127.0.0.1", target.port)
    return connection


async def _fire(target: Target, path: str, connections: int, seconds: float) -> Throughput:
    completed = failed = ended = 0
    request, all_ended = target.request(path), asyncio.Event()

    def told(connection: _Connection, status: int) -> None:
        nonlocal completed, failed, ended
        if status == _OK:
            completed += 1
        else:
            failed += 1
        if connection.alive and perf_counter() < until:
            connection.ask(request)
            return
        ended += 1
        if ended == connections:
            all_ended.set()

    opened = [await _connect(target, told) for _ in range(connections)]
    begun = perf_counter()
    until = begun + seconds
    for connection in opened:
        connection.ask(request)
    await all_ended.wait()
    taken = perf_counter() - begun
    for connection in opened:
        connection.close()
    return Throughput(completed, failed, taken)


async def _refresh(target: Target, paths: Sequence[str], clients: int, seconds: float, checker: Target | None) -> Refreshing:
    answers, checks, stop = {path: Answers() for path in paths}, Answers(), asyncio.Event()
    asks = [(target.request(path), answers[path]) for path in paths]
    begun = perf_counter()

    async def client(offset: float) -> None:
        mine, planned = _Client(target), begun + offset
        while not stop.is_set():
            await asyncio.sleep(max(planned - perf_counter(), 0))
            if stop.is_set():
                break
            for request, into in asks:
                await mine.ask(request, into)
            while planned <= perf_counter():
                planned += 1
        mine.close()

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number / clients))
        if checker is not None:
            while perf_counter() < begun + seconds and not checks.failures:
                asker = _Client(checker)
                await asker.ask(checker.request("/api/v1/health/check-now", "POST"), checks)
                asker.close()
        await asyncio.sleep(max(begun + seconds - perf_counter(), 0))
        stop.set()
    return Refreshing(answers, checks, perf_counter() - begun)


async def _read(target: Target, path: str, method: str) -> Answers:
    client, answers = _Client(target, _PATIENCE_OF_READER), Answers()
    await client.ask(target.request(path, method), answers)
    client.close()
    return answers
