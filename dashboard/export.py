"""Violations and the audit trail as CSV, streamed to a logged-in browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.errors import StateDatabaseUnavailable
from core.model import Violation
from core.state.audit import Deed, Entry
from core.state.current_violations import SortKey
from dashboard import audit_query, sessions
from dashboard.audit_query import AuditQuery
from dashboard.runtime import Runtime, current
from dashboard.violation_query import Tab, ViolationQuery, mistakes
from dashboard.wording import ACTION_LABELS, KIND_LABELS
from dashboard.wording_audit import deed_in_words

PATH = "/export/violations.csv"

_BATCH = 1_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_HEADER = ("user", "specialization", "progress_level", "license_level", "problem", "recommended_action", "first_seen_utc")
_AUDIT_HEADER = ("at_utc", "who", "deed", "what", "about")

_Pieces = Iterator[str]


def as_csv(violations: Iterable[Violation]) -> Iterator[str]:
    """CSV text in pieces, a header first. No text in it starts as a spreadsheet's formula does."""
    return _in_pieces(_HEADER, map(_violation, violations))


def audit_as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """The same for the audit trail."""
    return _in_pieces(_AUDIT_HEADER, map(_entry, entries))


def _in_pieces(header: Sequence[str], rows: Iterable[Sequence[object]]) -> _Pieces:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % _BATCH == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _violation(violation: Violation) -> Sequence[object]:
    return (
        _harmless(violation.user_id),
        _harmless(violation.specialization),
        violation.progress_level,
        violation.license_level,
        KIND_LABELS[violation.kind],
        ACTION_LABELS[violation.recommended_action],
        violation.first_seen.isoformat(timespec="seconds") if violation.first_seen else "",
    )


def _entry(entry: Entry) -> Sequence[object]:
    texts = entry.who, entry.deed, deed_in_words(entry), entry.subject
    return (entry.at.isoformat(timespec="seconds"), *map(_harmless, texts))


def _harmless(value: int | str) -> int | str:
    """Text that a spreadsheet would run is quoted for it; integers stay integers, also negative ones."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


async def _violations(request: Request) -> Response:
    query = ViolationQuery.from_params(request.query_params)
    chosen = replace(query, page=1, selected=None, tab=Tab.OPEN, sort=SortKey.USER, descending=False).to_params()

    def pieces(runtime: Runtime) -> _Pieces:
        return as_csv(runtime.monitor.stream_violations(query.filter))

    wrong = mistakes(request.query_params)
    return await _download(request, "violations.csv", wrong, Deed.VIOLATIONS_EXPORTED, chosen, pieces)


async def _audit(request: Request) -> Response:
    query = AuditQuery.from_params(request.query_params)

    def pieces(runtime: Runtime) -> _Pieces:
        return audit_as_csv(runtime.trail.stream(query.choice))

    wrong = audit_query.mistakes(request.query_params)
    chosen = AuditQuery(query.choice).to_params()
    return await _download(request, "audit.csv", wrong, Deed.AUDIT_EXPORTED, chosen, pieces)


async def _download(
    request: Request,
    name: str,
    wrong: Sequence[str],
    deed: Deed,
    chosen: dict[str, str],
    pieces: Callable[[Runtime], _Pieces],
) -> Response:
    """A file for who is logged in, which is written down first."""
    runtime = current()
    try:
        user = await run_in_threadpool(sessions.user_of, request.cookies.get(sessions.COOKIE), runtime)
        if user is None:
            return PlainTextResponse("Please log in first, then download again.", status_code=401)
        if wrong:
            return PlainTextResponse("\n".join(wrong), status_code=400)
        if request.method == "GET":
            about = ", ".join(f"{key} {value}" for key, value in chosen.items()) or "all"
            await run_in_threadpool(runtime.trail.note, user, deed, about)
    except StateDatabaseUnavailable as away:
        return PlainTextResponse(away.advice, status_code=503)
    return StreamingResponse(
        pieces(runtime),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


routes = [Route(PATH, _violations), Route(audit_query.CSV_PATH, _audit)]
