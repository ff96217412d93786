"""A report in words: the same sentences, figures and tables for every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How something is to be taken; a colour stands beside the words, never for them."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"
    NEUTRAL = "neutral"
    ACCENT = "accent"


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure."""

    key: str
    value: str
    label: str
    before: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `numeric` tells from which column on figures stand to the right. Without rows, `note` says why."""

    key: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    numeric: int = 1
    shares: Sequence[float] = ()  # beside each row, 0 to 1: drawn as a bar
    tones: Sequence[Tone] = ()  # of the bars


@dataclass(frozen=True, slots=True)
class Legend:
    """What the lines, bars and fields of the chart are."""

    title: str
    mean: str
    lowest: str
    violations: str
    no_data: str
    logs: str  # empty when no reading was a log
    healthy: str
    degraded: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that a reader sees, in the order of reading. All of it is plain text."""

    language: str
    company: str
    kind: str
    subject: str
    title: str
    days: str
    made: str
    tone: Tone
    verdict: str
    sentence: str
    tiles: Sequence[Tile]
    legend: Legend
    trouble_title: str
    trouble: Sequence[str]
    details_title: str
    compare: Table
    time: Table
    budget: Table
    stretches: Table
    kinds: Table
    specializations: Table
    oldest: Table
    returning: Table
    method_title: str
    method: Sequence[tuple[str, str]]  # a name and what is said about it
    facts: Table
    page: str  # with {page} and {pages}

    @property
    def details(self) -> Sequence[Table]:
        return [
            self.compare,
            self.time,
            self.budget,
            self.stretches,
            self.kinds,
            self.specializations,
            self.oldest,
            self.returning,
        ]
