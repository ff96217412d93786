"""Markers: what happened elsewhere and may explain a change, told by those who did it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from core.model import MarkerKind
from core.state.markers import LONGEST_TITLE, Marker
from dashboard.api import models
from dashboard.api.health import EARLIEST, Admin, Moment, TheDesk, errors, reading

PATH = "/api/v1/markers"

_MOST = 1_000
_USUAL = timedelta(days=30)
# at least one character that can be seen, and no NUL, which PostgreSQL does not know
_VISIBLE = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff]"

router = APIRouter(prefix=PATH, tags=["markers"], responses=errors())


class MarkerParams(BaseModel):
    model_config = ConfigDict(extra="forbid")

    start: Moment | None = Field(None, alias="from", description="ISO 8601, UTC without a zone; default: 30 days before `to`")
    end: Moment | None = Field(None, alias="to", description="default: now")


class NewMarker(BaseModel):
    """Something that happened."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(
        min_length=1, max_length=LONGEST_TITLE, pattern=rf"^[^\x00]*{_VISIBLE}[^\x00]*$", description="what, in a few words"
    )
    kind: MarkerKind = Field(MarkerKind.OTHER, description="by this it is drawn")
    at: Moment | None = Field(None, description="when, ISO 8601, UTC without a zone; default: now")


@router.get("", response_model=list[models.Marker], dependencies=[reading])
async def markers(request: Request, desk: TheDesk, params: Annotated[MarkerParams, Query()]) -> Response:
    """The markers of a time, oldest first; of more than 1,000 the newest."""
    end = params.end or desk.runtime.clock()
    start = params.start or max(end - _USUAL, EARLIEST)
    first, last = sorted((start, end))
    found = await run_in_threadpool(desk.runtime.monitor.record.markers, first, last, _MOST)
    return await desk.answers.give(request, f"[{','.join(_document(marker).model_dump_json() for marker in found)}]")


@router.post("", response_model=models.Marker, status_code=201)
async def add_marker(desk: TheDesk, token: Admin, marker: NewMarker) -> Response:
    """Mark a moment: it stands in the charts, and beside trouble that began within the hour after it."""
    title, by = " ".join(marker.title.split()), f"token {token.name}"
    added = await run_in_threadpool(desk.runtime.monitor.record.add_marker, title, marker.kind, marker.at, by)
    return JSONResponse(_document(added).model_dump(mode="json"), 201, {"Cache-Control": "no-store"})


def _document(marker: Marker) -> models.Marker:
    return models.Marker(id=marker.id, at=marker.at, kind=marker.kind, title=marker.title, created_by=marker.created_by)
