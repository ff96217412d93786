"""Slow clients, endless headers, large bodies and plain nonsense do not tie up the server."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from dashboard import http_protocol
from dashboard.http_protocol import LONGEST_HEAD
from dashboard.protection import LONGEST_BODY
from tests.api.served import Api

ASK = "GET /api/v1/health/status HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def connected(api: Api) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", api.port), timeout=20)) as connection:
        yield connection


def answer(connection: socket.socket) -> bytes:
    """Everything that comes until the server ends the connection."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def test_a_request_that_does_not_end_is_given_up(checked: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "LONGEST_REQUEST", 0.6)
    beginnings = [
        b"",
        b"GET",
        ASK.encode(),
        ASK.encode() + b"X-Slow: ",
        b"POST /api/v1/health/check-now HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ]
    begun = time.monotonic()
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(checked)) for _ in beginnings * 20]
        for connection, beginning in zip(connections, beginnings * 20, strict=True):
            connection.sendall(beginning)
        assert checked.get("status").code == 200, "others are answered meanwhile"
        for connection in connections:
            assert b" 200 " not in answer(connection)
    assert time.monotonic() - begun < 15


def test_a_client_that_sends_its_headers_slowly_is_given_up_all_the_same(checked: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "LONGEST_REQUEST", 0.6)
    begun = time.monotonic()
    with connected(checked) as connection, pytest.raises(OSError):
        connection.sendall(ASK.encode())
        while time.monotonic() - begun < 15:
            connection.sendall(b"X-A: b\r\n")
            time.sleep(0.05)
    assert time.monotonic() - begun < 10


def test_a_kept_connection_that_asks_again_and_again_stays(checked: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "LONGEST_REQUEST", 0.6)
    connection = http.client.HTTPConnection("127.0.0.1", checked.port, timeout=20)
    connection.connect()
    first = connection.sock
    for _ in range(15):
        connection.request("GET", "/api/v1/health/status", headers={"Authorization": f"Bearer {checked.token()}"})
        answered = connection.getresponse()
        assert (answered.status, answered.read()[:1], connection.sock) == (200, b"{", first)
        time.sleep(0.1)
    connection.close()


def test_endless_headers_are_refused(checked: Api) -> None:
    for name in (b"X-Long: " + b"x" * (LONGEST_HEAD + 1_000), b"\r\n".join(b"X-%d: y" % number for number in range(9_000))):
        with connected(checked) as connection:
            connection.sendall(ASK.encode() + name)
            assert answer(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("path", ["/api/v1/health/check-now", "/healthz", "/metrics"])
def test_a_large_body_is_refused_before_it_is_sent(checked: Api, path: str) -> None:
    with connected(checked) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {LONGEST_BODY + 1}\r\n\r\n".encode())
        refused = answer(connection)
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert b'{"detail":' in refused


def test_a_body_that_nobody_needs_is_not_waited_for(checked: Api) -> None:
    for head in (b"Content-Length: 60000", b"Transfer-Encoding: chunked"):
        with connected(checked) as connection:
            connection.sendall(b"POST /api/v1/health/check-now HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n5\r\nabcde")
            begun = time.monotonic()
            refused = answer(connection)
        assert refused.startswith(b"HTTP/1.1 401 ")
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET\r\n\r\n",
        b"GET /api/v1/health/status HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /api/v1/health/st\xc3\xa4tus HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/v1/health/check-now HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v1/health/check-now HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        ASK.encode() + b"If-None-Match: \xff\xfe\r\nAuthorization: Bearer \xff\r\nConnection: close\r\n\r\n",
    ],
    ids=["tls", "no-path", "bad-header", "non-ascii", "negative", "twice", "bytes"],
)
def test_nonsense_is_refused(checked: Api, nonsense: bytes) -> None:
    with connected(checked) as connection:
        connection.sendall(nonsense)
        connection.shutdown(socket.SHUT_WR)
        said = answer(connection)
    assert said == b"" or said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 ", b"HTTP/1.1 404 "))
    assert checked.get("status").code == 200
