"""Syncs for programs: what would be written, writing it, taking it back, and what earlier runs did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from core.model import Request as Asked
from core.model import Trigger
from core.state.sync_runs import Run, RunStatus
from core.state.tokens import Token
from core.sync.change import Change, ChangeOutcome
from core.sync.policy import Policies, Policy
from core.sync.record import change_as_json, plan_as_json, run_as_json
from core.sync.service import SyncService
from dashboard.api import models_sync as models
from dashboard.api.health import Admin, Number, TheDesk, errors, reading

PATH = "/api/v1/sync"

_LARGEST_PAGE = 10_000
_STATEMENTS = 1_000  # of so many changes: making them takes far longer than the plan
_REFUSED = errors(
    _404="there is no such run",
    _409="it cannot be written now: no write access, above the limits, another run at work; the detail says what to do",
)

router = APIRouter(prefix=PATH, tags=["sync"], responses=errors())


class SyncParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(True, description="answer what would be written, and write nothing")
    policy: Policy | None = Field(None, description="which side is right, for every kind; default: as is set")
    changes: int | None = Field(
        None, ge=0, lt=2**31, description="the number of changes that a person saw in a dry run; above the limits it is needed"
    )


class ChangesParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, lt=2**31, description="`position` of the last change of the page before")
    limit: int = Field(1_000, ge=1, le=_LARGEST_PAGE, description="at most so many changes")


@router.post("", response_model=models.SyncPlan | models.SyncRun, responses={**_REFUSED, 202: {"model": models.SyncRun}})
async def sync(desk: TheDesk, token: Admin, params: Annotated[SyncParams, Query()]) -> Response:
    """Plan, and with `dry_run=false` write: check, plan, write pair by pair, check again. The answer comes at the end.

    202: it waits for a second admin, who approves on the page *Sync*.
    """
    desk.doorkeeper.grant_check(token)
    service, asked = desk.runtime.sync, _asked(token)
    policies = None if params.policy is None else Policies.all(params.policy)
    if params.dry_run:
        plan = await run_in_threadpool(lambda: service.find_desync_issues(asked, policies=policies, dry_run=True))
        texts = await run_in_threadpool(service.statements, plan.changes[:_STATEMENTS], plan.policies)
        return _answer(models.SyncPlan(**plan_as_json(plan, service.settings.sync.limits, texts, may_write=service.may_write)))
    run = await run_in_threadpool(_apply, service, asked, policies, params.changes)
    if run.status is RunStatus.HELD:
        hint = f"Look at a dry run, or at run {run.id} on the page Sync; then send changes={run.planned}."
        raise HTTPException(409, f"Nothing was written. {run.reason} {hint}")
    return _answer(await _with_changes(service, run, ChangesParams()), 202 if run.status is RunStatus.WAITING else 200)


@router.get("", response_model=list[models.SyncRunHead], dependencies=[reading])
async def runs(request: Request, desk: TheDesk) -> Response:
    """The newest 50 runs, the newest first."""
    service = desk.runtime.sync
    found = await run_in_threadpool(service.runs)
    text = ",".join(models.SyncRunHead(**run_as_json(run, counts)).model_dump_json() for run, counts in found)
    return await desk.answers.give(request, f"[{text}]")


@router.get("/{number}", response_model=models.SyncRun, dependencies=[reading], responses=errors(_404="there is no such run"))
async def run_of(request: Request, desk: TheDesk, number: Number, params: Annotated[ChangesParams, Query()]) -> Response:
    """A run and what it did to each pair, some at a time."""
    service = desk.runtime.sync
    found = await run_in_threadpool(service.run, number)
    return await desk.answers.give(request, (await _with_changes(service, found, params)).model_dump_json())


@router.post("/{number}/undo", response_model=models.SyncRun, responses=_REFUSED)
async def undo(desk: TheDesk, token: Admin, number: Number) -> Response:
    """Put back what a run wrote, where nobody has changed it since; the run that did so. The answer comes at the end."""
    service, asked = desk.runtime.sync, _asked(token)
    run = await run_in_threadpool(lambda: service.undo(number, asked))
    return _answer(await _with_changes(service, run, ChangesParams()))


def _asked(token: Token) -> Asked:
    return Asked(Trigger.API, f"token {token.name}")


def _apply(service: SyncService, asked: Asked, policies: Policies | None, seen: int | None) -> Run:
    service.require_write_access()
    plan = service.find_desync_issues(asked, policies=policies)
    return service.apply(service.keep(plan, asked).id, asked, seen=seen)


async def _with_changes(service: SyncService, run: Run, page: ChangesParams) -> models.SyncRun:
    def read() -> tuple[Mapping[ChangeOutcome, int], Sequence[Change]]:
        return service.counts(run.id), service.changes(run.id, after=page.after, limit=page.limit)

    counts, found = await run_in_threadpool(read)
    return models.SyncRun(**run_as_json(run, counts), changes=[_change(change) for change in found])


def _change(change: Change) -> dict[str, Any]:
    return {"position": change.position, **change_as_json(change)}


def _answer(document: BaseModel, code: int = 200) -> Response:
    return JSONResponse(document.model_dump(mode="json"), code, {"Cache-Control": "no-store"})
