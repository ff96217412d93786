"""Links in messages that open one thing to do about one incident. Signed, for one purpose, and only for a time; they do nothing
without a login."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from core.errors import AlertProblem

LIFETIME = timedelta(days=1)


class Deed(StrEnum):
    """What a link opens."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"


@dataclass(frozen=True, slots=True)
class Link:
    """A deed about one incident, until it expires."""

    deed: Deed
    incident: int
    expires: int  # seconds since 1970


def address(base: str, key: bytes, deed: Deed, incident: int, now: datetime) -> str:
    """The link, below the dashboard's address."""
    link = Link(deed, incident, int((now + LIFETIME).timestamp()))
    asked = {"do": deed.value, "incident": incident, "expires": link.expires, "signature": _signature(key, link)}
    return f"{base.rstrip('/')}/alerts?{urlencode(asked)}"


def opened(key: bytes, deed: str, incident: str, expires: str, signature: str, now: datetime) -> Link:
    """What a link asks for. Raises AlertProblem when it is not ours, or has expired."""
    try:
        link = Link(Deed(deed), int(incident), int(expires))
    except ValueError:
        raise AlertProblem(
            "This link is not whole.", hint="Open it from the message again, or find the incident below."
        ) from None
    if not hmac.compare_digest(_signature(key, link).encode(), signature.encode(errors="replace")):
        raise AlertProblem("This link was not made here.", hint="Find the incident below.")
    if datetime.fromtimestamp(link.expires, UTC) <= now:
        raise AlertProblem("This link has expired.", hint="Find the incident below.")
    return link


def _signature(key: bytes, link: Link) -> str:
    text = f"{link.deed}|{link.incident}|{link.expires}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
