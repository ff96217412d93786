"""Strangers' pages may not connect, and every answer carries the headers that keep a page to this host."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Scope
from starlette.websockets import WebSocket

from dashboard.protection import Protection

HOST = "watch.example:8501"


async def _page(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("page", headers={"Referrer-Policy": "no-referrer"})


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("secret")
    await socket.close()


PROTECTED = Protection(Starlette(routes=[Route("/", _page), WebSocketRoute("/_stcore/stream", _stream)]))


def said(scope: Scope) -> list[Message]:
    """What the protected application answers to a request or a connection, as it goes over the wire."""
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request" if scope["type"] == "http" else "websocket.connect"}

    async def send(message: Message) -> None:
        answers.append(message)

    with ThreadPoolExecutor(1) as thread:  # a browser that another test opened keeps a loop in this one
        thread.submit(asyncio.run, PROTECTED(scope, receive, send)).result()
    return answers


def get(path: str) -> Headers:
    answer = said({"type": "http", "method": "GET", "path": path, "headers": [(b"host", HOST.encode())], "query_string": b""})[0]
    return Headers(raw=answer["headers"])


def connect(origin: str | None) -> list[str]:
    headers = [(b"host", HOST.encode())] + ([] if origin is None else [(b"origin", origin.encode())])
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers, "query_string": b"", "subprotocols": []}
    return [message["type"] for message in said(scope)]


@pytest.mark.parametrize("origin", [None, f"http://{HOST}", f"https://{HOST}"])
def test_our_own_page_and_programs_may_connect(origin: str | None) -> None:
    assert connect(origin) == ["websocket.accept", "websocket.send", "websocket.close"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://watch.example.evil.example:8501",
        f"http://{HOST}.evil.example",
        "http://watch.example:9999",
        f"http://{HOST}@evil.example",
        f"http://evil.example/{HOST}",
        "null",
        "",
    ],
)
def test_another_sites_page_may_not_connect(origin: str) -> None:
    assert connect(origin) == ["websocket.close"]


@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_every_answer_is_protected(path: str) -> None:
    headers = get(path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert not [source for source in " ".join(policy.values()).split() if source in ("*", "http:", "https:")]


def test_what_an_answer_says_itself_is_kept() -> None:
    assert get("/").getlist("Referrer-Policy") == ["no-referrer"]
    assert get("/nowhere").getlist("Referrer-Policy") == ["same-origin"]
