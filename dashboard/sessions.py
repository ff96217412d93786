"""The browser's session: our own cookie, the routes that set and clear it, and whose it is."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.state import audit, sessions
from core.state.audit import Deed
from dashboard.runtime import Runtime, current

COOKIE = "coupling_health_session"
ENTER, LEAVE = "/auth/enter", "/auth/leave"


def user_of(token: str | None, runtime: Runtime) -> str | None:
    """Whose session a cookie stands for, or None. Raises StateDatabaseUnavailable."""
    if not token:
        return None
    with runtime.state.read() as connection:
        return sessions.owner(connection, token, runtime.clock(), _idle(runtime))


def cookie() -> str | None:
    """The session cookie of the page's connection."""
    return st.context.cookies.get(COOKIE)


def keep_alive(token: str, runtime: Runtime) -> None:
    """The viewer did something."""
    with runtime.state.read() as connection:
        due = sessions.needs_touch(connection, token, runtime.clock())
    if due:
        with runtime.state.write() as connection:
            sessions.touch(connection, token, runtime.clock())


def begin(username: str, runtime: Runtime) -> str:
    """Start a session; the script that makes the browser fetch its cookie and come back to the page it is on."""
    with runtime.state.write() as connection:
        ticket = sessions.issue_ticket(connection, username, runtime.clock())
    return (
        f"<script>location.replace('{ENTER}?{urlencode({'ticket': ticket})}"
        "&next=' + encodeURIComponent(location.pathname + location.search))</script>"
    )


def end(token: str, runtime: Runtime) -> str:
    """End a session everywhere; the script that makes the browser drop its cookie."""
    now = runtime.clock()
    with runtime.state.write() as connection:
        username = sessions.owner(connection, token, now, _idle(runtime))
        sessions.end(connection, token)
        if username is not None:
            audit.note(connection, now, username, Deed.LOGGED_OUT)
    return f"<script>location.replace('{LEAVE}')</script>"


async def _enter(request: Request) -> Response:
    runtime = current()

    def redeem() -> str | None:
        now = runtime.clock()
        with runtime.state.write() as connection:
            token = sessions.redeem(connection, request.query_params.get("ticket", ""), now)
            username = sessions.owner(connection, token, now, _idle(runtime)) if token else None
            if username is not None:
                audit.note(connection, now, username, Deed.LOGGED_IN)
            return token

    token = await run_in_threadpool(redeem)
    response = RedirectResponse(_own_page(request.query_params.get("next", "/")), status_code=303)
    if token is not None:
        response.set_cookie(COOKIE, token, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return response


def _idle(runtime: Runtime) -> timedelta:
    return timedelta(hours=runtime.settings.login.idle_hours)


async def _leave(request: Request) -> Response:
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return response


def _own_page(target: str) -> str:
    """Only a path on this very host is returned to."""
    own = target.startswith("/") and not target.startswith(("//", "/\\", "/auth/"))
    return target if own and target.isprintable() else "/"


routes = [Route(ENTER, _enter), Route(LEAVE, _leave)]
