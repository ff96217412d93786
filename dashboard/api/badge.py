"""A small picture of the status for wikis and readmes: word and rate, nothing of any user."""

from __future__ import annotations

import hashlib
from html import escape

from fastapi import APIRouter, HTTPException, Request, Response

from core.model import Status
from dashboard.api import models
from dashboard.api.answers import is_fresh
from dashboard.api.desk import desk_of
from dashboard.wording import STATUS_LOOKS, Theme, rate

PATH = "/badge.svg"

_LONGEST_CACHED = 60  # seconds
_HEIGHT, _MARGIN, _CHARACTER = 20, 7, 6.6  # pixels; the last is a wide estimate, which textLength makes exact

router = APIRouter(tags=["metrics and badge"])


@router.get(
    PATH,
    response_class=Response,
    responses={
        200: {"content": {"image/svg+xml": {}}},
        304: {"description": "as it was"},
        404: {"model": models.Error, "description": "api.public_badge is off"},
    },
)
async def badge(request: Request) -> Response:
    """Word and rate as a picture; needs no token, and is there only when the setting api.public_badge is on."""
    desk = desk_of(request)
    if not desk.runtime.settings.api.public_badge:
        raise HTTPException(404, "There is no badge: the setting api.public_badge is off.")
    known = await desk.newest.known()
    word = STATUS_LOOKS[known.status].label.lower()
    of_pairs = known.last.consistency_rate if known.last and known.status is not Status.UNKNOWN else None
    subject = "coupling (demo)" if desk.runtime.settings.demo else "coupling"
    picture = draw(subject, word if of_pairs is None else f"{word} {rate(of_pairs)}", known.status)
    left = (known.holds_until - desk.runtime.clock()).total_seconds()
    seconds = int(max(min(left, _LONGEST_CACHED), 0))
    etag = f'"{hashlib.sha256(picture.encode()).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={seconds}", "ETag": etag}
    if is_fresh(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(picture, media_type="image/svg+xml", headers=headers)


def draw(subject: str, message: str, status: Status) -> str:
    """An SVG with a grey left side and a right side in the colour of the status."""
    left, right = (round(len(text) * _CHARACTER) for text in (subject, message))
    middle, width = left + 2 * _MARGIN, left + right + 4 * _MARGIN
    colour, title = STATUS_LOOKS[status].text[Theme.LIGHT], escape(f"{subject}: {message}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<clipPath id="r"><rect width="{width}" height="{_HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{middle}" height="{_HEIGHT}" fill="#3d4752"/>'
        f'<rect x="{middle}" width="{width - middle}" height="{_HEIGHT}" fill="{colour}"/></g>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{_MARGIN}" y="14" textLength="{left}">{escape(subject)}</text>'
        f'<text x="{middle + _MARGIN}" y="14" textLength="{right}">{escape(message)}</text></g></svg>'
    )
