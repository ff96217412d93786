"""What the violations of one reading are made of: specialization, kind and direction, with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
    ordered = sorted((-count, *part) for part, count in counts)
    rest: Counter[tuple[str, str]] = Counter()
    for negative, _, kind, direction in ordered[MOST_ENTRIES:]:
        rest[kind, direction] -= negative
    summed = sorted((-count, REST, *part) for part, count in rest.items())
    return [[name, str(kind), str(direction), -negative] for negative, name, kind, direction in ordered[:MOST_ENTRIES] + summed]


def from_json(document: Sequence[Sequence[str | int]] | None) -> Sequence[BreakdownEntry]:
    """The entries of that column; none where it is empty, as in a failed attempt."""
    return [
        BreakdownEntry(str(specialization), Kind(str(kind)), Direction(str(direction)), int(count))
        for specialization, kind, direction, count in document or ()
    ]


def kinds_in(document: Sequence[Sequence[str | int]]) -> Mapping[str, int]:
    """How many violations of each kind that column tells of."""
    counts: dict[str, int] = {}
    for _, kind, _, count in document:
        counts[str(kind)] = counts.get(str(kind), 0) + int(count)
    return counts
