"""What the violations of one reading are made of: specialization, kind and direction, with counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.model import Direction, Kind

REST = "…"  # stands for the specializations that are too many to be named
MOST_ENTRIES = 50

Part = tuple[str, Kind, Direction]


@dataclass(frozen=True, slots=True)
class BreakdownEntry:
    """So many violations of one specialization, kind and direction. The specialization REST stands for all that are not named."""

    specialization: str
    kind: Kind
    direction: Direction
    count: int


def as_json(counts: Iterable[tuple[tuple[str, str, str], int]]) -> list[list[str | int]]:
    """The column `breakdown` of history: [specialization, kind, direction, count] each, most first, from parts and counts.

    At most 50 entries name a specialization; behind them the rest stands summed up by kind and direction, under REST.
    """
    return [[name, str(kind), str(direction), count] for (name, kind, direction), count in _most_first(counts)]


def as_text(counts: Iterable[tuple[tuple[str, str, str], int]]) -> str:
    """`as_json` written as JSON, for logs by the hundred thousand, whose parts are often the same."""
    return f"[{', '.join([f'{_begun(part)}, {count}]' for part, count in _most_first(counts)])}]"


def kinds_as_text(counts: Iterable[tuple[tuple[str, str, str], int]]) -> str:
    """The column `by_kind` of history, written as JSON: how many violations of each kind there are."""
    kinds: dict[str, int] = {}
    for (_, kind, _), count in counts:
        kinds[kind] = kinds.get(kind, 0) + count
    return f"{{{', '.join([f'{json.dumps(kind)}: {count}' for kind, count in kinds.items()])}}}"


@lru_cache(maxsize=10_000)
def _begun(part: tuple[str, str, str]) -> str:
    return json.dumps(part)[:-1]


def _most_first(counts: Iterable[tuple[tuple[str, str, str], int]]) -> list[tuple[tuple[str, str, str], int]]:
    ordered = sorted([(-count, part) for part, count in counts])
    if len(ordered) > MOST_ENTRIES:
        rest: Counter[tuple[str, str]] = Counter()
        for negative, (_, kind, direction) in ordered[MOST_ENTRIES:]:
            rest[kind, direction] -= negative
        ordered[MOST_ENTRIES:] = sorted((-count, (REST, *part)) for part, count in rest.items())
    return [(part, -negative) for negative, part in ordered]


def from_json(document: Sequence[Sequence[str | int]] | None) -> Sequence[BreakdownEntry]:
    """The entries of that column; none where it is empty, as in a failed attempt."""
    return [
        BreakdownEntry(str(specialization), Kind(str(kind)), Direction(str(direction)), int(count))
        for specialization, kind, direction, count in document or ()
    ]
