"""The rows that are compared: three specializations a user, and exactly as many violations as asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle

SPECIALIZATIONS = {"PLAYER": 8, "COACH": 8, "INTERNSHIP": 3}  # name and highest level

Row = tuple[int, str, int | None]  # user, specialization, level


class Variety(StrEnum):
    """In what state the two tables are."""

    HEALTHY = "healthy"  # every pair agrees
    VIOLATING = "violating"  # 1 % do not: levels differ, a side is missing, a level is NULL
    DUPLICATES = "duplicates"  # as before, and a fifth of them has two rows on a side
    ALL_VIOLATING = "all violating"  # not one pair agrees: for memory

    @property
    def in_words(self) -> str:
        return {"violating": "1 % violating", "duplicates": "1 % violating, with duplicates"}.get(self, self)


class _Fate(StrEnum):
    """What is wrong with a pair."""

    MISMATCH = "mismatch"
    NO_LICENSE = "no licence"
    NO_PROGRESS = "no progress"
    NULL_LEVEL = "NULL level"
    TWICE = "twice"  # the second row says the same as the first: nothing but counting finds it


_SINGLE = (_Fate.MISMATCH, _Fate.NO_LICENSE, _Fate.NO_PROGRESS, _Fate.NULL_LEVEL)


@dataclass(frozen=True)
class Pairs:
    """So many pairs in a given state; the same seed always gives the same rows."""

    number: int
    variety: Variety
    shuffled: bool = False  # rows in random order, each side in its own
    seed: int = 42
    _fates: Mapping[int, _Fate] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fates", self._draw_fates())

    @property
    def violations(self) -> int:
        """How many pairs do not agree."""
        return self.number if self.variety is Variety.ALL_VIOLATING else len(self._fates)

    def progress(self) -> Iterator[Row]:
        """The rows of the progress side."""
        return self._in_order(self._progress(), "progress")

    def licenses(self) -> Iterator[Row]:
        """The rows of the licence side."""
        return self._in_order(self._licenses(), "licenses")

    def _progress(self) -> Iterator[Row]:
        for index, (user, specialization, level) in enumerate(self._agreeing()):
            fate = self._fate(index)
            if fate is not _Fate.NO_PROGRESS:
                yield user, specialization, None if fate is _Fate.NULL_LEVEL else level
            if fate is _Fate.TWICE:
                yield user, specialization, level

    def _licenses(self) -> Iterator[Row]:
        for index, (user, specialization, level) in enumerate(self._agreeing()):
            fate = self._fate(index)
            if fate is not _Fate.NO_LICENSE:
                yield user, specialization, level + 1 if fate is _Fate.MISMATCH else level

    def _agreeing(self) -> Iterator[tuple[int, str, int]]:
        rng = random.Random(self.seed)
        kinds = cycle(SPECIALIZATIONS.items())
        for index, (specialization, highest) in zip(range(self.number), kinds, strict=False):
            yield index // len(SPECIALIZATIONS) + 1, specialization, 1 + int(rng.random() * highest)

    def _fate(self, index: int) -> _Fate | None:
        if self.variety is Variety.ALL_VIOLATING:
            return _SINGLE[index % len(_SINGLE)]
        return self._fates.get(index)

    def _draw_fates(self) -> Mapping[int, _Fate]:
        if self.variety not in (Variety.VIOLATING, Variety.DUPLICATES):
            return {}
        possible = _SINGLE if self.variety is Variety.VIOLATING else tuple(_Fate)
        chosen = random.Random(self.seed + 1).sample(range(self.number), self.number // 100)
        return dict(zip(chosen, cycle(possible), strict=False))

    def _in_order(self, rows: Iterator[Row], side: str) -> Iterator[Row]:
        if not self.shuffled:
            return rows
        all_rows = list(rows)
        random.Random(f"{self.seed} {side}").shuffle(all_rows)
        return iter(all_rows)
