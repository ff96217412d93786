"""What every answer and connection passes: who may connect, how much may be sent, what the browser may do with the page."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 64 * 1024  # bytes; nothing that anybody sends us needs a body at all

_CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss: blob: data:; worker-src 'self' blob:; "
    "frame-ancestors 'self'; base-uri 'self'; form-action 'self'; object-src 'none'"
)
_HEADERS = (
    (b"content-security-policy", _CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),
)


class Protection:
    """Closes websockets that another site's page opens, refuses large bodies, and sends the headers that keep a page here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and _from_another_site(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"] = list(message.get("headers", ()))
                names = {name for name, _ in given}
                given += [header for header in _HEADERS if header[0] not in names]
                if body:  # what of it was not read is not waited for
                    given.append((b"connection", b"close"))
            await send(message)

        if not body:
            await self._app(scope, receive, send_protected)
            return
        if _declared(Headers(scope=scope)) > LONGEST_BODY:
            refusal = JSONResponse({"detail": f"The body is larger than {LONGEST_BODY} bytes."}, 413)
            await refusal(scope, receive, send_protected)
            return
        await self._app(scope, _limited(receive), send_protected)


def _limited(receive: Receive) -> Receive:
    """The same body, cut off like a lost connection when it goes on too long."""
    left = LONGEST_BODY

    async def receive_limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return receive_limited


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _from_another_site(headers: Headers) -> bool:
    origin, host = headers.get("origin"), headers.get("host")
    return origin is not None and urlsplit(origin).netloc != host
