"""The choices of the audit page as they stand in its address, so that a view can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from core.audit_trail import EVERYTHING, Choice
from core.state.audit import LARGEST_NUMBER, Deed

PAGE_SIZE = 100
CSV_PATH = "/export/audit.csv"

_PLACES = ("before", "after")


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries are wanted, and where the page begins: before or after an entry's number, else with the newest.

    What an address holds wrongly is left out; `mistakes` names it.
    """

    choice: Choice = EVERYTHING
    before: int | None = None
    after: int | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Self:
        """Read an address's parameters."""
        choice = Choice(params.get("who") or None, _deed(params.get("deed", "")))
        before, after = (_number(params.get(place, "")) for place in _PLACES)
        return cls(choice, before, after if before is None else None)

    def to_params(self) -> dict[str, str]:
        """The parameters of this query; what is as usual is left out."""
        params = {
            "who": self.choice.who,
            "deed": self.choice.deed.value if self.choice.deed else None,
            "before": None if self.before is None else str(self.before),
            "after": None if self.after is None else str(self.after),
        }
        return {key: value for key, value in params.items() if value is not None}

    @property
    def csv_address(self) -> str:
        """Where all that fits the choices is downloaded."""
        params = AuditQuery(self.choice).to_params()
        return CSV_PATH + (f"?{urlencode(params)}" if params else "")


def mistakes(params: Mapping[str, str]) -> list[str]:
    """What an address asks for that there is not, in sentences: a filter that is left out shows more than was wanted."""
    named = [f"There is no deed {params['deed']!r}."] if params.get("deed") and _deed(params["deed"]) is None else []
    return named + [
        f"{place} is the number of an entry, not {params[place]!r}."
        for place in _PLACES
        if params.get(place) and _number(params[place]) is None
    ]


def _deed(text: str) -> Deed | None:
    return Deed(text) if text in list(Deed) else None


def _number(text: str) -> int | None:
    whole = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))
    return int(text) if whole and int(text) <= LARGEST_NUMBER else None
