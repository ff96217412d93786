"""Maintenance for programs: planned windows, once or again and again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import JSONResponse

from core.maintenance import Occurrence, Repeats, Window
from core.maintenance_plan import LONGEST_MINUTES, LONGEST_REASON
from dashboard.api import models
from dashboard.api.health import Admin, Number, TheDesk, as_written, errors, reading

PATH = "/api/v1/maintenance"

_GONE = errors(_404="there is no such window", _409="it cannot be planned like that; the detail says why")

router = APIRouter(prefix=PATH, tags=["maintenance"], responses=errors())


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("write a number")  # noqa: TRY004 - a ValueError is what becomes an answer
    return value


class NewWindow(BaseModel):
    """Planned maintenance. Nothing can be planned for the past."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=LONGEST_REASON, pattern=r"^[^\x00]*$", description="what is done")
    starts: Annotated[datetime, BeforeValidator(as_written)] | None = Field(
        None, description="ISO 8601; without a zone by the clock in `time_zone`; default: now"
    )
    minutes: Annotated[int, BeforeValidator(_no_truth)] = Field(
        ge=1, le=LONGEST_MINUTES, description="how long each lasts; one that repeats at most a day"
    )
    time_zone: str = Field("UTC", max_length=100, pattern=r"^[^\x00]*$", description="as in Europe/Budapest")
    repeats: Repeats = Field(
        Repeats.ONCE,
        description="monthly: on the same weekday of the month as `starts`: its second Sunday; a fifth is the last",
    )
    weekdays: list[Annotated[int, BeforeValidator(_no_truth), Field(ge=0, le=6)]] = Field(
        default_factory=list, max_length=7, description="of weekly ones; 0 is Monday; default: that of `starts`"
    )
    last_day: date | None = Field(None, description="on which one may begin, in `time_zone`; default: it goes on")


class EndParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    only_this_time: bool = Field(False, description="of one that repeats: end the time that holds now, and leave the others")


@router.get("", response_model=list[models.Maintenance], dependencies=[reading])
async def windows(request: Request, desk: TheDesk) -> Response:
    """The windows that hold now or still come, the soonest first, each with its next time."""
    now = desk.runtime.clock()
    found = await run_in_threadpool(desk.runtime.maintenance.next_of_each)
    return await desk.answers.give(request, f"[{','.join(_document(one, now).model_dump_json() for one in found)}]")


@router.post("", response_model=models.PlannedMaintenance, status_code=201, responses=_GONE)
async def plan(desk: TheDesk, token: Admin, wanted: NewWindow) -> Response:
    """Plan maintenance: checks go on in it and count neither as healthy nor as bad, and nobody is told of alerts."""

    def add() -> Window:
        return desk.runtime.maintenance.plan(
            wanted.reason,
            f"token {token.name}",
            wanted.starts,
            wanted.minutes,
            time_zone=wanted.time_zone,
            repeats=wanted.repeats,
            weekdays=frozenset(wanted.weekdays),
            last_day=wanted.last_day,
        )

    made = await run_in_threadpool(add)
    document = models.PlannedMaintenance(**_planned(made))
    return JSONResponse(document.model_dump(mode="json"), 201, {"Cache-Control": "no-store"})


@router.delete("/{number}", status_code=204, responses=_GONE)
async def take_back(desk: TheDesk, token: Admin, number: Number, params: Annotated[EndParams, Query()]) -> Response:
    """Take a window back from now on. What ran in it stays marked."""
    by, only = f"token {token.name}", params.only_this_time
    await run_in_threadpool(lambda: desk.runtime.maintenance.end(number, by, only_this_time=only))
    return Response(status_code=204)


def _document(one: Occurrence, now: datetime) -> models.Maintenance:
    return models.Maintenance(**_planned(one.window), next_start=one.start, next_end=one.end, holds_now=one.holds(now))


def _planned(window: Window) -> dict[str, object]:
    return {
        "id": window.id,
        "reason": window.reason,
        "time_zone": window.time_zone,
        "starts": window.starts.isoformat(),
        "minutes": int(window.length.total_seconds() // 60),
        "repeats": window.repeats,
        "weekdays": sorted(window.weekdays),
        "last_day": window.last_day,
        "created_at": window.created_at,
        "created_by": window.created_by,
    }
