"""What the slides say, as the page receives it: finished words and figures, so that the page decides nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from core.model import Status
from dashboard.presentation.picture import Picture

POLL_SECONDS = 5
LOST_AFTER_SECONDS = 12  # without an answer: then nothing is known any more


class Live(StrEnum):
    """How a moment is kept current in the page, by the server's time."""

    AGO = "ago"  # "4 min ago"
    FOR = "for"  # "4 min"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; {} in it stands for a moment that is kept current."""

    text: str
    live: Live | None = None
    at: float | None = None  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status, what stands behind it, and since when."""

    status: Status
    label: str
    rate: str | None
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and what it says. `kept` tells whether a promise was kept, where it is about one."""

    value: str
    label: Line
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class Slide:
    """One message."""

    name: str
    title: str
    figures: Sequence[Figure] = ()
    lines: Sequence[Line] = ()
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is shown.

    `verdict` holds until `holds_until`; then `stale` does, and `lost` while the server does not answer.
    """

    company: str
    logo: bool
    demo: bool
    slide_seconds: int
    holds_until: float | None
    verdict: Verdict
    stale: Verdict
    lost: Verdict
    slides: Sequence[Slide]
    poll_seconds: int = POLL_SECONDS
    lost_after_seconds: int = LOST_AFTER_SECONDS

    def as_json(self) -> bytes:
        """The document that travels. It changes only when something that it says changes."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()
