"""Kept reports as files, for a logged-in browser."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.errors import StateDatabaseUnavailable
from core.reports.making import MEDIA_TYPES
from core.state.reports import KeptReport
from dashboard import sessions
from dashboard.runtime import Runtime, current

PATH = "/reports"

_LARGEST_NUMBER = 2**31 - 1


async def _report(request: Request) -> Response:
    runtime, number = current(), int(request.path_params["number"])
    try:
        user = await run_in_threadpool(sessions.user_of, request.cookies.get(sessions.COOKIE), runtime)
        found = await run_in_threadpool(_find, runtime, number) if user is not None else None
    except StateDatabaseUnavailable as away:
        return PlainTextResponse(away.advice, status_code=503)
    if user is None:
        return PlainTextResponse("Please log in first, then download again.", status_code=401)
    if found is None:
        return PlainTextResponse("There is no such report.", status_code=404)
    report, content = found
    return Response(
        content,
        media_type=MEDIA_TYPES[report.format],
        headers={
            "Content-Disposition": f'attachment; filename="{report.name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _find(runtime: Runtime, number: int) -> tuple[KeptReport, bytes] | None:
    return runtime.reports.find(number) if number <= _LARGEST_NUMBER else None


routes = [Route(f"{PATH}/{{number:int}}", _report)]
