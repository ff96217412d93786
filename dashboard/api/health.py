"""The five endpoints of the contract, and two more: history, and one check by its id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import JSONResponse

from core.errors import CouplingHealthError, StateDatabaseUnavailable, ViolationsSuperseded
from core.health_monitor import Known
from core.logs.writing import report_as_json
from core.model import Kind, Outcome, Scope, Source, Trigger
from core.model import Request as CheckRequest
from core.normal_form import normalised_name
from core.state.current_violations import EVERYTHING, ViolationFilter
from core.state.tokens import Token
from dashboard.api import documents, models
from dashboard.api.answers import Pieces
from dashboard.api.desk import Desk, desk_of
from dashboard.api.doorkeeper import may

PREFIX = "/api/v1/health"
NO_REPORT = "No health reports available yet. The first check runs in 5 minutes."

_LARGEST_PAGE = 10_000
_MOST_POINTS = 2_000
EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def errors(**said: str) -> dict[int | str, dict[str, Any]]:
    """The errors that a route may answer with, beside those that every route may: `_404="why"`."""
    usual = {
        "_401": "no token, or one that is unknown, expired or revoked",
        "_403": "the token's scope is too weak",
        "_422": "a parameter is wrong; the detail names it",
        "_429": "too often; `Retry-After` says when again",
        "_503": "the state database is away, or the check failed; the detail says why",
    }
    return {int(code[1:]): {"model": models.Error, "description": text} for code, text in (usual | said).items()}


router = APIRouter(prefix=PREFIX, tags=["health"], responses=errors())

TheDesk = Annotated[Desk, Depends(desk_of)]
reading = Depends(may(Scope.READ))
Admin = Annotated[Token, Depends(may(Scope.ADMIN))]
Number = Annotated[int, Path(ge=1, lt=2**31)]  # of what is kept


def as_written(moment: object) -> str:
    """An ISO 8601 time; the + of its zone comes as a blank from an address that was not quoted."""
    if not isinstance(moment, str) or "-" not in moment[1:]:  # a bare number would be taken for seconds since 1970
        raise ValueError("write a time as 2026-11-25T04:00:00Z")
    return moment.replace(" ", "+") if "T" in moment else moment


def _in_utc(moment: datetime) -> datetime:
    """Aware, and no further away than every engine can count."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(aware, EARLIEST), _LATEST).astimezone(UTC)


Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]  # PostgreSQL knows no NUL
Moment = Annotated[datetime, BeforeValidator(as_written), AfterValidator(_in_utc)]


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StatusParams(_Params):
    limit: int | None = Field(None, ge=0, le=_LARGEST_PAGE, description="at most so many violations; default: all of them")


class ViolationParams(_Params):
    kind: Kind | None = None
    specialization: Text | None = Field(None, description="in any case")
    user_id: Text | None = None
    limit: int | None = Field(None, ge=1, le=_LARGEST_PAGE, description="at most so many; default: all of them")
    cursor: str | None = Field(
        None, max_length=100, pattern=r"^[A-Za-z0-9._:-]{1,64}~\d{1,15}$", description="`X-Next-Cursor` of the page before"
    )


class HistoryParams(_Params):
    start: Moment | None = Field(None, alias="from", description="ISO 8601, UTC without a zone; default: a day before `to`")
    end: Moment | None = Field(None, alias="to", description="default: now")
    points: int = Field(900, ge=1, le=_MOST_POINTS, description="into how many stretches the time is divided at most")


@router.get("/status", response_model=models.HealthStatus, dependencies=[reading])
async def status(request: Request, desk: TheDesk, params: Annotated[StatusParams, Query()]) -> Response:
    """Health at this moment: an old or failed check is `unknown`, with the reason, and its figures are the last known."""

    async def answer(known: Known) -> Response:
        head = documents.status_head(known, desk.runtime.settings)
        pieces = documents.with_violations(head, documents.newest_violations(desk.runtime.monitor, known, params.limit))
        made_from = f"{head.model_dump_json()} {known.last.check_id if known.last else None}"
        return await desk.answers.give(request, pieces if known.readable else "".join(pieces), known=known, made_from=made_from)

    return await _of_the_newest(request, desk, answer)


@router.get("/metrics", response_model=models.Metrics, dependencies=[reading])
async def metrics(request: Request, desk: TheDesk) -> Response:
    """The figures alone."""
    known = await desk.newest.known()
    document = documents.metrics(known, desk.runtime.settings)
    return await desk.answers.give(request, document.model_dump_json(), known=known)


@router.get("/latest-report", response_model=models.Report, dependencies=[reading], responses=errors(_404=NO_REPORT))
async def latest_report(request: Request, desk: TheDesk) -> Response:
    """The newest completed check, healthy or not, with all its violations."""

    async def answer(known: Known) -> Response:
        _must_be_readable(known)
        if known.last is None:
            raise HTTPException(404, NO_REPORT)
        report = desk.runtime.monitor.report_of(known.last)
        return await desk.answers.give(request, report_as_json(report), known=known, made_from=report.check_id)

    return await _of_the_newest(request, desk, answer)


@router.get(
    "/violations",
    response_model=list[models.Violation],
    dependencies=[reading],
    responses=errors(_404="the cursor belongs to a check that is not kept any more"),
)
async def violations(request: Request, desk: TheDesk, params: Annotated[ViolationParams, Query()]) -> Response:
    """The violations of the newest completed check, by user and specialization; all of them, or page by page.

    With `limit`, the headers `Link` (rel="next") and `X-Next-Cursor` lead to the next page, of the same check.
    """
    wanted = ViolationFilter(
        kind=params.kind,
        specialization=None if params.specialization is None else normalised_name(params.specialization),
        user_id=params.user_id,
    )

    async def answer(known: Known) -> Response:
        _must_be_readable(known)
        cursor_check, _, position = (params.cursor or "").partition("~")
        newest = (known.last.check_id if known.last else None) or ""
        check_id, after = (cursor_check, int(position)) if params.cursor else (newest, -1)
        if not check_id:
            return await desk.answers.give(request, "[]", known=known)
        monitor, limit = desk.runtime.monitor, params.limit
        headers: dict[str, str] = {}

        def page(limit: int) -> Pieces:
            found = monitor.violations_following(check_id, wanted, after, limit + 1)
            if len(found) > limit:
                cursor = f"{check_id}~{found[limit - 1][0]}"
                query = {**params.model_dump(mode="json", exclude_none=True), "cursor": cursor}
                headers.update({"Link": f'<{PREFIX}/violations?{urlencode(query)}>; rel="next"', "X-Next-Cursor": cursor})
            yield from documents.array(violation for _, violation in found[:limit])

        pieces = documents.array(documents.followed(monitor, check_id, wanted, after)) if limit is None else page(limit)
        return await desk.answers.give(request, pieces, known=known, made_from=check_id, headers=headers)

    try:
        return await _of_the_newest(request, desk, answer)
    except ViolationsSuperseded as gone:
        if params.cursor is None:
            raise
        raise HTTPException(404, gone.advice) from gone


@router.get("/history", response_model=models.History, dependencies=[reading])
async def history(request: Request, desk: TheDesk, params: Annotated[HistoryParams, Query()]) -> Response:
    """How the rate developed, reduced so that no minimum is lost; stretches of which nothing is known are named as gaps."""
    end = params.end or desk.runtime.clock()
    start = params.start or max(end - timedelta(days=1), EARLIEST)
    first, last = sorted((start, end))
    trend = await run_in_threadpool(desk.runtime.monitor.trend, first, last, params.points)
    document = documents.history(trend, desk.runtime.settings.status_thresholds)
    return await desk.answers.give(request, document.model_dump_json())


@router.get(
    "/checks/{check_id}", response_model=models.Check, dependencies=[reading], responses=errors(_404="there is no such check")
)
async def check(request: Request, desk: TheDesk, check_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]) -> Response:
    """One check: running, completed or failed."""
    monitor = desk.runtime.monitor
    since = await run_in_threadpool(monitor.running_since, check_id)
    attempt = await run_in_threadpool(monitor.find_check, check_id)
    if attempt is None:
        if since is None:
            raise HTTPException(404, f"There is no check {check_id}.")
        return await desk.answers.give(request, documents.without_violations(documents.running_head(check_id, since)))
    head = documents.check_head(attempt)
    if attempt.outcome is not Outcome.FAILED and attempt.source is Source.CHECK:
        try:
            pieces = documents.with_violations(head, documents.followed(monitor, check_id, EVERYTHING))
            return await desk.answers.give(request, pieces, made_from=check_id)
        except ViolationsSuperseded:
            pass  # nothing was sent yet
    return await desk.answers.give(request, documents.without_violations(head))


@router.post(
    "/check-now",
    response_model=models.Report,
    responses={202: {"model": models.CheckBegun, "description": "with `Prefer: respond-async`"}},
)
async def check_now(
    request: Request,
    desk: TheDesk,
    token: Annotated[Token, Depends(may(Scope.CHECK))],
    dry_run: Annotated[bool, Query(description="write neither log nor history")] = False,
    prefer: Annotated[str, Header(description="`respond-async` answers at once")] = "",
) -> Response:
    """Run a check, or join the one that runs, and answer with its report."""
    desk.doorkeeper.grant_check(token)
    asked = CheckRequest(Trigger.API, f"token {token.name}")
    try:
        if dry_run:
            report = await desk.checks.dry_run(asked)
        elif "respond-async" in (preference.strip().lower() for preference in prefer.split(",")):
            return _begun(await desk.checks.begin(asked))
        else:
            report = await desk.checks.check(asked)
        return await desk.answers.give(request, report_as_json(report), headers={"Cache-Control": "no-store"})
    except CouplingHealthError as failed:
        raise HTTPException(503, failed.advice) from failed


async def _of_the_newest(request: Request, desk: Desk, answer: Callable[[Known], Awaitable[Response]]) -> Response:
    """An answer about the newest check, made once for all who ask at the same time; about a newer one that lands meanwhile."""
    known = await desk.newest.known()
    if not known.readable:
        return await answer(known)
    async with desk.answers.turn(request):
        known = desk.newest.at_hand() or known
        given = desk.answers.again(request, known)
        if given is not None:
            return given
        try:
            return await answer(known)
        except ViolationsSuperseded:
            return await answer(await desk.newest.known())
        except StateDatabaseUnavailable as away:
            return await answer(desk.runtime.monitor.known_without(str(away)))


def _must_be_readable(known: Known) -> None:
    """Rows can be had, and nobody waits for those of a state database that does not answer."""
    if not known.readable:
        raise HTTPException(503, known.assessment.reason)


def _begun(check_id: str) -> Response:
    begun = models.CheckBegun(
        check_id=check_id, location=f"{PREFIX}/checks/{check_id}", detail="The check runs; ask at `location` for its result."
    )
    headers = {"Location": begun.location, "Preference-Applied": "respond-async", "Cache-Control": "no-store"}
    return JSONResponse(begun.model_dump(), 202, headers)
