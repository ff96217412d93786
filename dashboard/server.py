"""One ASGI application: pages, logins, and the jobs that start and stop with it, on one port."""

from __future__ import annotations

import gc
import logging
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config as streamlit_config

from dashboard import export, kept_reports, sessions
from dashboard import login as _login  # noqa: F401 - its libraries take a third of a second, which the first page would wait for
from dashboard.api.app import build_api, is_for_programs
from dashboard.components import charts
from dashboard.http_protocol import LimitedHttpProtocol
from dashboard.presentation.routes import Presentation
from dashboard.protection import Protection
from dashboard.runtime import Runtime, set_current

_HERE = Path(__file__).parent
_SHUTDOWN_SECONDS = 5
_CONNECTIONS = 65_536
_FRAMEWORK_METRICS = "/_stcore/metrics"  # how many pages are open and what they hold is nobody's business


def serve(runtime: Runtime) -> None:
    """Serve until the process is told to stop. Ends the process with 2 when the port is taken."""
    settings = runtime.settings
    _allow_many_connections()
    uvicorn.run(
        build_app(runtime),
        host=settings.host,
        port=settings.port,
        http=LimitedHttpProtocol,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


def build_app(runtime: Runtime) -> ASGIApp:
    """The application of a runtime; starting it starts the jobs."""
    configure_streamlit(runtime)
    set_current(runtime)
    api, desk = build_api(runtime)
    presentation = Presentation(runtime)

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        await run_in_threadpool(charts.load_libraries)
        await run_in_threadpool(runtime.start)
        gc.collect()
        gc.freeze()  # what was loaded at the start stays: no collection needs to look at it again
        try:
            yield
        finally:
            desk.stop()
            presentation.stop()
            await run_in_threadpool(runtime.stop)

    pages = st.App(
        _HERE / "main.py",
        lifespan=lifespan,
        routes=[
            Route("/healthz", _healthz),
            Route("/overview", _to_the_overview),
            *sessions.routes,
            *export.routes,
            *kept_reports.routes,
            *presentation.routes,
        ],
        on_script_error=_log_script_error,
    )

    async def by_path(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if is_for_programs(path):
            await api(scope, receive, send)
        elif path == _FRAMEWORK_METRICS:
            await PlainTextResponse("Not found. The figures are at /metrics.", 404)(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return Protection(by_path)


def configure_streamlit(runtime: Runtime) -> None:
    """Apply our theme and switches, from the wheel or from the checkout, whatever the working directory."""
    packaged, checkout = _HERE / "static" / "streamlit.toml", _HERE.parent / ".streamlit" / "config.toml"
    path = packaged if packaged.exists() else checkout
    for key, value in _flat(tomllib.loads(path.read_text(encoding="utf-8"))):
        streamlit_config.set_option(key, value)
    streamlit_config.set_option("server.port", runtime.settings.port)
    streamlit_config.set_option("server.address", runtime.settings.host)


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def _to_the_overview(_request: Request) -> Response:
    """It stands at the root, and people look for it beside the other pages. Relative: a proxy may put all below a path."""
    return RedirectResponse("./")


def _allow_many_connections() -> None:
    """As many as the machine lets this process have: the usual 1,024 are easily taken up by idle ones."""
    if sys.platform != "win32":
        import resource

        usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _CONNECTIONS if most == resource.RLIM_INFINITY else min(most, _CONNECTIONS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(usual, wanted), most))


def _flat(group: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in group.items():
        flat += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return flat


def _log_script_error(error: Exception) -> bool:
    logging.getLogger("coupling_health.console").error("A page failed", exc_info=error)
    st.error("This page could not be shown. The server's log says why; please reload.", icon=":material/error:")
    return True


def log_to_console() -> None:
    """What the server and its jobs say goes to the terminal, with the time."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    for name in ("core", "coupling_health"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
