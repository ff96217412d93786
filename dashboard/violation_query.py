"""The choices of the violations page as they stand in its address, so that a view can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self, TypeVar
from urllib.parse import quote, unquote, urlencode

from core.model import Action, Kind
from core.state.current_violations import EVERYTHING, Life, SortKey, ViolationFilter

PAGE_SIZE = 100

_BETWEEN = "|"  # of user and specialization, which are quoted


class Tab(StrEnum):
    """Which violations a page is about."""

    OPEN = "open"  # those of the newest check
    HEALED = "healed"  # those that are over
    SETTLED = "settled"  # pairs that were caught in flight, and are no violations


_CHOICES: dict[str, type[StrEnum]] = {"kind": Kind, "action": Action, "sort": SortKey, "life": Life, "tab": Tab}

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ViolationQuery:
    """Which violations are wanted, in what order, and which page of them (from 1).

    What an address holds wrongly is left out; `mistakes` names it.
    """

    filter: ViolationFilter = EVERYTHING
    sort: SortKey = SortKey.USER
    descending: bool = False
    page: int = 1
    tab: Tab = Tab.OPEN
    selected: tuple[str, str] | None = None  # user and specialization of the row whose details are shown

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Self:
        """Read an address's parameters."""
        page, selected = params.get("page", "1"), params.get("selected", "")
        user, separator, specialization = selected.partition(_BETWEEN)
        return cls(
            filter=ViolationFilter(
                kind=_choice(Kind, params.get("kind")),
                specialization=params.get("specialization") or None,
                user=params.get("user", "").strip() or None,
                action=_choice(Action, params.get("action")),
                life=_choice(Life, params.get("life")),
            ),
            tab=_choice(Tab, params.get("tab")) or Tab.OPEN,
            sort=_choice(SortKey, params.get("sort")) or SortKey.USER,
            descending=params.get("order") == "desc",
            page=int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 9 and int(page) > 0 else 1,
            selected=(unquote(user), unquote(specialization)) if separator else None,
        )

    def to_params(self) -> dict[str, str]:
        """The parameters of this query; what is as usual is left out."""
        wanted = self.filter
        params = {
            "kind": wanted.kind.value if wanted.kind else None,
            "specialization": wanted.specialization,
            "user": wanted.user,
            "action": wanted.action.value if wanted.action else None,
            "life": wanted.life.value if wanted.life else None,
            "tab": self.tab.value if self.tab is not Tab.OPEN else None,
            "sort": self.sort.value if self.sort is not SortKey.USER else None,
            "order": "desc" if self.descending else None,
            "page": str(self.page) if self.page > 1 else None,
            "selected": _BETWEEN.join(quote(part, safe="") for part in self.selected) if self.selected else None,
        }
        return {key: value for key, value in params.items() if value is not None}

    @property
    def csv_address(self) -> str:
        """Where the filtered rows are downloaded."""
        params = replace(self, page=1, selected=None, tab=Tab.OPEN).to_params()
        return "/export/violations.csv" + (f"?{urlencode(params)}" if params else "")

    @property
    def offset(self) -> int:
        return (self.page - 1) * PAGE_SIZE

    def sorted_by(self, key: SortKey) -> ViolationQuery:
        """By another column, or the other way round by the same."""
        return replace(self, sort=key, descending=key is self.sort and not self.descending, page=1)


def mistakes(params: Mapping[str, str]) -> list[str]:
    """What an address asks for that there is not, in sentences: a filter that is left out shows more than was wanted."""
    return [
        f"There is no {key} {params[key]!r}; it is one of {', '.join(choices)}."
        for key, choices in _CHOICES.items()
        if params.get(key) and _choice(choices, params[key]) is None
    ]


def _choice(kind: type[_Choice], text: str | None) -> _Choice | None:
    try:
        return kind(text) if text else None
    except ValueError:
        return None
