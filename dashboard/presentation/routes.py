"""The presentation's addresses: `/present` for who is logged in, `/share/<secret>` for who was given a link."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import cache
from html import escape
from pathlib import Path
from typing import TypeVar

import streamlit
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import StateDatabaseUnavailable
from dashboard import sessions
from dashboard.presentation.board import Board
from dashboard.runtime import Runtime
from dashboard.wording import zone

PRESENT, SHARE = "/present", "/share"
LOGIN_PAGE = "/presentation"  # where one logs in and finds the way here again
ENDED = "This link has expired or was revoked. Ask the person who sent it for a new one."
LOGGED_OUT = "You are logged out. Log in again to see the presentation."
AWAY = "The results cannot be read at the moment. This page tries again by itself."

_PATIENCE = 3.0  # seconds that an answer waits for the state database
_THREADS = 4
_RETRY = {"Refresh": "10", "Retry-After": "10"}
_STATIC = Path(__file__).parents[1] / "static"
_FILES = f"{PRESENT}/files"
_PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
_FOR_EVER = {**_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}  # their address changes with them
_PICTURE_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}

_Result = TypeVar("_Result")


class _Refusal(Enum):
    """Why somebody sees nothing: what is said, and as what."""

    ENDED = (404, ENDED)
    LOGGED_OUT = (401, LOGGED_OUT)
    AWAY = (503, AWAY)


class Presentation:
    """The routes of one runtime. Nothing here blocks the event loop, and a state database that hangs holds up only these."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._board = Board(runtime.monitor)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="presentation")

    @property
    def routes(self) -> list[BaseRoute]:
        return [
            Route(_FILES + "/{name}", _file),
            *(
                Route(base + part, answer)
                for base in (PRESENT, SHARE + "/{secret}")
                for part, answer in (("", self._page), ("/facts", self._facts), ("/logo", self._logo))
            ),
        ]

    def stop(self) -> None:
        """Let what is being computed end, and begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _page(self, request: Request) -> Response:
        refusal = await self._in_time(lambda: self._refusal(request))
        if refusal is _Refusal.LOGGED_OUT:
            return RedirectResponse(LOGIN_PAGE, 303, _HEADERS)
        if refusal is not None:
            code, sentence = refusal.value
            text = _text("message.html").replace("{{sentence}}", escape(sentence))
            return HTMLResponse(text, code, _HEADERS | (_RETRY if refusal is _Refusal.AWAY else {}))
        return HTMLResponse(_text("slides.html"), headers=_HEADERS)

    async def _facts(self, request: Request) -> Response:
        viewed_from = zone(request.query_params.get("zone"))

        def look() -> Response | _Refusal:
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            facts, at = self._board.facts(viewed_from)
            body = facts.as_json()
            etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers = _HEADERS | {
                "ETag": etag,
                "X-Now": f"{at.timestamp():.3f}",
            }  # ages count from it, whatever the browser's clock
            if request.headers.get("if-none-match") == etag:
                return Response(status_code=304, headers=headers)
            return Response(body, media_type="application/json", headers=headers)

        answer = await self._in_time(look)
        return answer if isinstance(answer, Response) else _refused(answer)

    async def _logo(self, request: Request) -> Response:
        refusal = await self._in_time(lambda: self._refusal(request))
        if refusal is not None:
            return _refused(refusal)
        logo = self._runtime.settings.report.logo
        kind = None if logo is None else _PICTURES.get(logo.suffix.lower())
        if logo is None or kind is None or not logo.is_file():
            return Response(status_code=404, headers=_HEADERS)
        return FileResponse(logo, media_type=kind, headers=_HEADERS | _PICTURE_POLICY)

    def _refusal(self, request: Request) -> _Refusal | None:
        """Why this request is shown nothing; None when it may see the presentation. Raises StateDatabaseUnavailable."""
        secret = request.path_params.get("secret")
        if secret is not None:
            return None if self._runtime.shares.opens(secret) else _Refusal.ENDED
        username = sessions.user_of(request.cookies.get(sessions.COOKIE), self._runtime)
        return None if username is not None else _Refusal.LOGGED_OUT

    async def _in_time(self, work: Callable[[], _Result]) -> _Result | _Refusal:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (TimeoutError, StateDatabaseUnavailable):
            return _Refusal.AWAY


def _refused(refusal: _Refusal) -> Response:
    code, sentence = refusal.value
    return JSONResponse({"detail": sentence}, code, _HEADERS)


async def _file(request: Request) -> Response:
    path = _files().get(request.path_params["name"])
    return Response(status_code=404, headers=_HEADERS) if path is None else FileResponse(path, headers=_FOR_EVER)


@cache
def _files() -> dict[str, Path]:
    """What the page is made of; the font is that of the other pages."""
    files = {name: _STATIC / "presentation" / name for name in ("slides.css", "slides.js")} | {"icon.png": _STATIC / "icon.png"}
    fonts = sorted((Path(streamlit.__file__).parent / "static" / "static" / "media").glob("SourceSansVF-Upright*.woff2"))
    return files | ({"font.woff2": fonts[0]} if fonts else {})


@cache
def _text(name: str) -> str:
    """A page, in which the addresses of the files tell their version."""
    text = (_STATIC / "presentation" / name).read_text(encoding="utf-8")
    made_of = b"".join(_files()[file].read_bytes() for file in ("slides.css", "slides.js"))
    return text.replace("{{files}}", _FILES).replace("{{version}}", hashlib.sha256(made_of).hexdigest()[:12])
