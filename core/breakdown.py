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
    """Counts the parts of one reading after another, by what changes, and writes the counts as JSON: for logs by the hundred
    thousand."""

    def __init__(self) -> None:
        self._numbers: dict[PartInText, int] = {}
        self._parts: list[PartInText] = []
        self._words: list[tuple[dict[int, str], str]] = []  # of each part: its group in JSON, and the beginning of its count
        self._groups: dict[str, dict[int, str]] = {}  # by kind and direction: the counts in JSON, by part
        self._counts: dict[int, int] = {}  # of the newest reading

    def number_of(self, part: PartInText) -> int:
        """By which a part is counted."""
        number = self._numbers.setdefault(part, len(self._parts))
        if number == len(self._parts):
            name, kind, direction = part
            group = self._groups.setdefault(f'"{kind}/{direction}"', {})
            self._parts.append(part)
            self._words.append((group, f"{json.dumps(name)}: "))
        return number

    def change(self, new: Iterable[int], gone: Iterable[int]) -> None:
        """The next reading lists violations of these parts more, and of those less."""
        for numbers, by in (new, 1), (gone, -1):
            for number in numbers:
                count = self._counts[number] = self._counts.get(number, 0) + by
                group, words = self._words[number]
                group[number] = f"{words}{count}"
                if not count:
                    del self._counts[number], group[number]

    def breakdown(self) -> str:
        """The column of the newest reading: what `as_json` makes of its counts."""
        if len(self._counts) > MOST_ENTRIES:
            return self._written(self._counts)
        groups = [f"{name}: {{{', '.join(counts.values())}}}" for name, counts in self._groups.items() if counts]
        return f"{{{', '.join(groups)}}}"

    def breakdown_of(self, numbers: Iterable[int]) -> str:
        """The same column of any reading that lists violations of these parts."""
        return self._written(Counter(numbers))

    def by_kind(self, numbers: Iterable[int]) -> str:
        """The column of such a reading that tells kinds only."""
        return json.dumps(Counter(self._parts[number][1] for number in numbers))

    def _written(self, counts: Mapping[int, int]) -> str:
        return json.dumps(as_json((self._parts[number], count) for number, count in counts.items()))
