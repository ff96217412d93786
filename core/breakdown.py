"""What the violations of one reading are made of: specialization, kind and direction, with counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.model import Direction, Kind

REST = "…"  # stands for the specializations that are too many to be named
MOST_ENTRIES = 50

Part = tuple[str, Kind, Direction]
PartInText = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class BreakdownEntry:
    """So many violations of one specialization, kind and direction. The specialization REST stands for all that are not named."""

    specialization: str
    kind: Kind
    direction: Direction
    count: int


def as_json(counts: Iterable[tuple[PartInText, int]]) -> dict[str, dict[str, int]]:
    """The column `breakdown` of history: counts by specialization, by "kind/direction", from parts and counts.

    At most 50 counts are of a specialization with a name; the rest stands summed up by kind and direction, under REST.
    """
    document: dict[str, dict[str, int]] = {}
    for (name, kind, direction), count in _named(counts):
        document.setdefault(f"{kind}/{direction}", {})[name] = count
    return document


def _named(counts: Iterable[tuple[PartInText, int]]) -> Collection[tuple[PartInText, int]]:
    """The counts, or those of the most and what the rest sums up to."""
    counts = list(counts)
    if len(counts) <= MOST_ENTRIES:
        return counts
    ordered = sorted(counts, key=_most_first)
    rest: Counter[PartInText] = Counter()
    for (_, kind, direction), count in ordered[MOST_ENTRIES:]:
        rest[REST, kind, direction] += count
    return [*ordered[:MOST_ENTRIES], *rest.items()]


def _most_first(counted: tuple[PartInText, int]) -> tuple[bool, int, tuple[str, str, str]]:
    part, count = counted
    return part[0] == REST, -count, part


def from_json(document: Mapping[str, Mapping[str, int]] | Sequence[Sequence[str | int]] | None) -> Sequence[BreakdownEntry]:
    """The entries of that column, most first and the rest behind; none where it is empty, as in a failed attempt.

    Rows of earlier versions hold a list of [specialization, kind, direction, count].
    """
    if isinstance(document, Mapping):
        counts = [
            ((name, *_kind_and_direction(group)), count) for group, names in document.items() for name, count in names.items()
        ]
    else:
        counts = [((str(name), str(kind), str(direction)), int(count)) for name, kind, direction, count in document or ()]
    return [
        BreakdownEntry(name, Kind(kind), Direction(direction), count)
        for (name, kind, direction), count in sorted(counts, key=_most_first)
    ]


def _kind_and_direction(group: str) -> tuple[str, str]:
    kind, _, direction = group.partition("/")
    return kind, direction


class Tally:
    """Counts parts for one reading after another, and writes the counts as JSON: for logs by the hundred thousand."""

    def __init__(self) -> None:
        self._numbers: dict[PartInText, int] = {}
        self._parts: list[PartInText] = []
        self._words: list[tuple[int, str]] = []  # of each part: the place of its group, and the beginning of its count
        self._groups: dict[tuple[str, str], int] = {}

    def number_of(self, part: PartInText) -> int:
        """By which a part is counted."""
        number = self._numbers.setdefault(part, len(self._parts))
        if number == len(self._parts):
            name, *group = part
            self._parts.append(part)
            self._words.append((self._groups.setdefault((group[0], group[1]), len(self._groups)), f"{json.dumps(name)}: "))
        return number

    def written(self, numbers: Iterable[int]) -> tuple[str, str]:
        """The columns `by_kind` and `breakdown` of a reading that lists violations of these parts."""
        counts: dict[int, int] = {}
        for number in numbers:
            counts[number] = counts.get(number, 0) + 1
        sums = [0] * len(self._groups)
        texts: list[list[str]] = [[] for _ in sums]
        words = self._words
        for number, count in counts.items():
            group, name = words[number]
            sums[group] += count
            texts[group].append(f"{name}{count}")
        kinds: dict[str, int] = {}
        groups = []
        for (kind, direction), sum_, names in zip(self._groups, sums, texts, strict=True):
            if sum_:
                kinds[kind] = kinds.get(kind, 0) + sum_
                groups.append(f'"{kind}/{direction}": {{{", ".join(names)}}}')
        by_kind = "{" + ", ".join([f'"{kind}": {count}' for kind, count in kinds.items()]) + "}"
        if len(counts) > MOST_ENTRIES:
            return by_kind, json.dumps(as_json((self._parts[number], count) for number, count in counts.items()))
        return by_kind, f"{{{', '.join(groups)}}}"
