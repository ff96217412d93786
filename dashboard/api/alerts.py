"""Alerts for programs: rules, incidents, silences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from core.alerts.book import LONGEST_NOTE
from core.alerts.desk import RuleState
from core.alerts.wording import described, title
from core.errors import AlertsNotEvaluated
from core.state.incidents import Incident
from core.state.silences import LONGEST_REASON, Silence
from dashboard.api import models
from dashboard.api.health import Admin, Moment, Number, TheDesk, errors, reading

ALERTS, INCIDENTS, SILENCES = "/api/v1/alerts", "/api/v1/incidents", "/api/v1/silences"

_GONE = errors(_404="there is none of that number or name", _409="it is in no state for that; the detail says why")

router = APIRouter(tags=["alerts"], responses=errors())


class IncidentParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    open: bool = Field(False, description="only those that go on")
    limit: int = Field(100, ge=1, le=1_000, description="of all: how many of the newest")


class Acknowledgement(BaseModel):
    """Somebody cares for an incident."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=LONGEST_NOTE, pattern=r"^[^\x00]*$", description="who does what about it")


class NewSilence(BaseModel):
    """A time in which nobody is told. Give either `until` or `minutes`."""

    model_config = ConfigDict(extra="forbid")

    rule: str | None = Field(None, max_length=100, description="one rule's name; without it all are silenced")
    reason: str = Field(min_length=1, max_length=LONGEST_REASON, pattern=r"^[^\x00]*$", description="why")
    until: Moment | None = Field(None, description="ISO 8601, UTC without a zone")
    minutes: float = Field(60, gt=0, le=527_040, description="how long, when `until` is left out")
    until_resolved: bool = Field(False, description="ends when the rule resolves, if that is earlier")


@router.get(ALERTS, response_model=list[models.Alert], dependencies=[reading])
async def alerts(request: Request, desk: TheDesk) -> Response:
    """Every rule that is on, and where it stands; 503 while the rules cannot be evaluated, for then nobody knows."""
    if problem := desk.runtime.alerts.problem:
        raise AlertsNotEvaluated(f"The alert rules could not be evaluated: {problem}.")
    states = await run_in_threadpool(desk.runtime.alert_book.states)
    return await desk.answers.give(request, _listed([_alert(state) for state in states]))


@router.get(INCIDENTS, response_model=list[models.Incident], dependencies=[reading])
async def incidents(request: Request, desk: TheDesk, params: Annotated[IncidentParams, Query()]) -> Response:
    """Incidents, newest first."""
    book, now = desk.runtime.alert_book, desk.runtime.clock()
    if params.open:
        found: Sequence[Incident] = (await run_in_threadpool(book.open_incidents))[::-1][: params.limit]
    else:
        found = await run_in_threadpool(book.incidents, params.limit)
    return await desk.answers.give(request, _listed([_incident(one, now) for one in found]))


@router.post(f"{INCIDENTS}/{{number}}/acknowledge", response_model=models.Incident, responses=_GONE)
async def acknowledge(desk: TheDesk, token: Admin, number: Number, said: Acknowledgement | None = None) -> Response:
    """Say that somebody cares: the incident is not told again until it is over."""
    note = said.note if said else ""
    done = await run_in_threadpool(desk.runtime.alert_book.acknowledge, number, f"token {token.name}", note)
    return _made(_incident(done, desk.runtime.clock()), 200)


@router.get(SILENCES, response_model=list[models.Silence], dependencies=[reading])
async def silences(request: Request, desk: TheDesk) -> Response:
    """The silences that hold, oldest first."""
    found = await run_in_threadpool(desk.runtime.alert_book.silences)
    return await desk.answers.give(request, _listed([_silence(one) for one in found]))


@router.post(SILENCES, response_model=models.Silence, status_code=201, responses=_GONE)
async def silence(desk: TheDesk, token: Admin, wanted: NewSilence) -> Response:
    """Tell nobody of a rule, or of any, for a time. What still fires at its end is told then."""
    until: datetime | timedelta = wanted.until or timedelta(minutes=wanted.minutes)
    by = f"token {token.name}"

    def add() -> Silence:
        book = desk.runtime.alert_book
        return book.silence(wanted.rule, wanted.reason, by, until, until_resolved=wanted.until_resolved)

    return _made(_silence(await run_in_threadpool(add)), 201)


@router.delete(f"{SILENCES}/{{number}}", status_code=204, responses=_GONE)
async def end_silence(desk: TheDesk, token: Admin, number: Number) -> Response:
    """Tell people again."""
    await run_in_threadpool(desk.runtime.alert_book.end_silence, number, f"token {token.name}")
    return Response(status_code=204)


def _listed(found: Sequence[BaseModel]) -> str:
    return f"[{','.join(one.model_dump_json() for one in found)}]"


def _made(one: BaseModel, code: int) -> Response:
    return JSONResponse(one.model_dump(mode="json"), code, {"Cache-Control": "no-store"})


def _alert(state: RuleState) -> models.Alert:
    return models.Alert(
        rule=state.rule.name,
        title=title(state.rule),
        description=described(state.rule),
        severity=state.rule.severity,
        state=state.standing.phase,
        since=state.standing.since,
        flapping=state.standing.flapping,
        silenced=state.silenced,
        incident=state.incident.id if state.incident else None,
    )


def _incident(one: Incident, now: datetime) -> models.Incident:
    return models.Incident(
        id=one.id,
        rule=one.rule,
        severity=one.severity,
        began_at=one.began_at,
        opened_at=one.opened_at,
        resolved_at=one.resolved_at,
        duration_seconds=int(one.duration(now).total_seconds()),
        violations=one.violations,
        most_violations=one.most_violations,
        worst_rate=None if one.worst_rate is None else float(one.worst_rate),
        returns=one.returns,
        told_at=one.told_at,
        acknowledged_at=one.acknowledged_at,
        acknowledged_by=one.acknowledged_by,
        note=one.note,
        closed=one.closed,
    )


def _silence(one: Silence) -> models.Silence:
    return models.Silence(
        id=one.id,
        rule=one.rule,
        reason=one.reason,
        created_at=one.created_at,
        created_by=one.created_by,
        until=one.until,
        until_resolved=one.until_resolved,
    )
