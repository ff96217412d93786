"""The API as one ASGI application: routes, errors in JSON, its own documentation, and the answers at hand before all of them."""

from __future__ import annotations

import logging
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import AlertProblem, CouplingHealthError, NoSuchAlert, NoSuchRun, SyncDatabaseLost, SyncProblem
from dashboard.api import alerts, badge, health, maintenance, markers, prometheus, sync
from dashboard.api.answers import is_fresh, not_modified
from dashboard.api.desk import Desk
from dashboard.runtime import Runtime

DOCS = "/api/v1/docs"
OPENAPI = "/api/v1/openapi.json"

_ICON = Path(__file__).parents[1] / "static" / "icon.png"
_DESCRIPTION = """What the dashboard shows, for programs. Send `Authorization: Bearer <token>`; tokens are made by
`coupling-health token create` or on the page *API tokens*. Errors are `{"detail": "…"}`."""

log = logging.getLogger("coupling_health.console")


def is_for_programs(path: str) -> bool:
    """Whether a path belongs to the API, and not to the pages."""
    return path.startswith("/api/") or path in ("/api", prometheus.PATH, badge.PATH)


def build_api(runtime: Runtime) -> tuple[ASGIApp, Desk]:
    """The application of a runtime, and its desk, which is to be stopped at the end."""
    desk = Desk(runtime)
    api = FastAPIOffline(
        title="Coupling Health",
        version=version("coupling-health-dashboard"),
        description=_DESCRIPTION,
        docs_url=DOCS,
        redoc_url=None,
        openapi_url=OPENAPI,
        static_url=f"{DOCS}/files",
        swagger_ui_oauth2_redirect_url=f"{DOCS}/oauth2-redirect",
        favicon_url=f"{DOCS}/icon.png",
        swagger_ui_parameters={"defaultModelsExpandDepth": 0, "tryItOutEnabled": True, "validatorUrl": None},
        redirect_slashes=False,
    )
    api.state.desk = desk
    for part in (health, markers, alerts, maintenance, sync, prometheus, badge):
        api.include_router(part.router)
    api.add_api_route(f"{DOCS}/icon.png", lambda: FileResponse(_ICON), include_in_schema=False)
    _say_errors_in_json(api)
    return AtHand(api, desk), desk


class AtHand:
    """Answers what was asked before and still holds, without a route; everything else goes on to the application."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            known = self._desk.newest.at_hand()
            kept = known and self._desk.answers.at_hand(scope["path"], scope["query_string"], known)
            if kept:
                headers = dict(scope["headers"])
                if self._desk.doorkeeper.may_read(headers.get(b"authorization", b"").decode("latin-1")):
                    wanted = headers.get(b"if-none-match")
                    if wanted is not None and is_fresh(wanted.decode("latin-1"), kept.etag):
                        await not_modified(kept.etag)(scope, receive, send)
                        return
                    await send({"type": "http.response.start", "status": 200, "headers": list(kept.headers)})
                    await send({"type": "http.response.body", "body": kept.body})
                    return
        await self._app(scope, receive, send)


def _say_errors_in_json(api: FastAPI) -> None:
    @api.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        detail = "There is no such API path." if (error.status_code, error.detail) == (404, "Not Found") else error.detail
        return _error(error.status_code, str(detail), dict(error.headers or {}))

    @api.exception_handler(RequestValidationError)
    async def wrong(_request: Request, error: RequestValidationError) -> Response:
        return _error(422, "; ".join(f"{_name(mistake['loc'])}: {_sentence(mistake)}" for mistake in error.errors()))

    @api.exception_handler(AlertProblem)
    async def unfitting(_request: Request, error: AlertProblem) -> Response:
        return _error(404 if isinstance(error, NoSuchAlert) else 409, error.advice)

    @api.exception_handler(SyncProblem)
    async def not_now(_request: Request, error: SyncProblem) -> Response:
        code = 404 if isinstance(error, NoSuchRun) else 503 if isinstance(error, SyncDatabaseLost) else 409
        return _error(code, error.advice)

    @api.exception_handler(CouplingHealthError)
    async def impossible(_request: Request, error: CouplingHealthError) -> Response:
        return _error(503, error.advice)

    @api.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _error(500, "Something went wrong that nobody foresaw. The server's log holds the details.")


def _name(location: tuple[int | str, ...]) -> str:
    """The parameter that a mistake is in: location is ("query", "limit"), or ("body", 12) for the place in a text."""
    return ".".join(part for part in location[1:] if isinstance(part, str)) or str(location[0])


def _sentence(mistake: dict[str, object]) -> str:
    return (
        "there is no such parameter"
        if mistake["type"] == "extra_forbidden"
        else str(mistake["msg"]).removeprefix("Value error, ")
    )


def _error(code: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": detail}, code, {**(headers or {}), "Cache-Control": "no-store"})
