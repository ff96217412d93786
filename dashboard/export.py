"""The violations as CSV, streamed to a logged-in browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.errors import StateDatabaseUnavailable
from core.model import Violation
from core.state.audit import Deed
from core.state.current_violations import SortKey
from dashboard import sessions
from dashboard.runtime import current
from dashboard.violation_query import Tab, ViolationQuery, mistakes
from dashboard.wording import ACTION_LABELS, KIND_LABELS

PATH = "/export/violations.csv"

_BATCH = 1_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_HEADER = ("user", "specialization", "progress_level", "license_level", "problem", "recommended_action", "first_seen_utc")


def as_csv(violations: Iterable[Violation]) -> Iterator[str]:
    """CSV text in pieces, a header first. No text in it starts as a spreadsheet's formula does."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_HEADER)
    for number, violation in enumerate(violations, start=1):
        writer.writerow(
            (
                harmless(violation.user_id),
                harmless(violation.specialization),
                violation.progress_level,
                violation.license_level,
                KIND_LABELS[violation.kind],
                ACTION_LABELS[violation.recommended_action],
                violation.first_seen.isoformat(timespec="seconds") if violation.first_seen else "",
            )
        )
        if number % _BATCH == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _in_words(query: ViolationQuery) -> str:
    """Which violations, for the audit trail: "kind level_mismatch, life new"."""
    chosen = replace(query, page=1, selected=None, tab=Tab.OPEN, sort=SortKey.USER, descending=False).to_params()
    return ", ".join(f"{name} {value}" for name, value in chosen.items()) or "all"


def harmless(value: int | str) -> int | str:
    """Text that a spreadsheet would run is quoted for it; integers stay integers, also negative ones."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


async def _violations(request: Request) -> Response:
    runtime = current()
    try:
        user = await run_in_threadpool(sessions.user_of, request.cookies.get(sessions.COOKIE), runtime)
    except StateDatabaseUnavailable as away:
        return PlainTextResponse(away.advice, status_code=503)
    if user is None:
        return PlainTextResponse("Please log in first, then download again.", status_code=401)
    if wrong := mistakes(request.query_params):
        return PlainTextResponse("\n".join(wrong), status_code=400)
    query = ViolationQuery.from_params(request.query_params)
    if request.method == "GET":
        try:
            await run_in_threadpool(runtime.trail.note, user, Deed.VIOLATIONS_EXPORTED, _in_words(query))
        except StateDatabaseUnavailable as away:
            return PlainTextResponse(away.advice, status_code=503)
    return StreamingResponse(
        as_csv(runtime.monitor.stream_violations(query.filter)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="violations.csv"', "Cache-Control": "no-store"},
    )


routes = [Route(PATH, _violations)]
