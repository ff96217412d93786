"""The violations' lives, as readings tell them one after another. Pure: no clock, no database, no files.

Logs may come late: readings of before, and of between. Then the lives around them are told anew, and those elsewhere stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import merge
from typing import NamedTuple

Pair = tuple[str, str]  # user, as text, and specialization


class Key(NamedTuple):
    """Which reading, in their order: when it was, and its row of history."""

    at: datetime
    number: int


class Levels(NamedTuple):
    """How a pair disagrees."""

    kind: str
    progress: int | None
    license: int | None


class Row(NamedTuple):
    """A violation as a reading lists it. `number` is set where the user is a number."""

    user_text: str
    specialization: str
    number: int | None
    levels: Levels


@dataclass(slots=True)
class Life:
    """One violation's life. While it goes on, `closed` and `last_seen` are None."""

    pair: Pair
    number: int | None
    opened: Key
    first: Levels
    now: Levels
    changes: list[tuple[datetime, Levels]] = field(default_factory=list)
    closed: Key | None = None
    last_seen: datetime | None = None
    id: int | None = None  # its row, when it has one


class Listing:
    """What a reading lists, as places in `Rows`: told by what changed since another listing, which most are read right after."""

    __slots__ = ("_appeared", "_before", "_gone", "_places")

    def __init__(self, appeared: Collection[int], gone: Collection[int] = (), before: Listing | None = None) -> None:
        self._appeared = appeared
        self._gone = gone
        self._before = before
        self._places: Set[int] | None = None  # all, when they were asked for

    def since(self, other: Listing) -> tuple[Collection[int], Collection[int]] | None:
        """What it lists and the other one does not, and the reverse; None when it is not told by that one."""
        return (self._appeared, self._gone) if self._before is other else None

    def places(self) -> Set[int]:
        """All that it lists. Kept until it is told to forget."""
        changes: list[Listing] = []
        known: Listing | None = self
        while known is not None and known._places is None:
            changes.append(known)
            known = known._before
        if changes:
            places = set(known._places or ()) if known else set()
            for listing in reversed(changes):
                places.difference_update(listing._gone)
                places.update(listing._appeared)
            self._places = places
        return self._places or set()

    def forget(self) -> None:
        """Hold only what changed. All places can be told again."""
        self._places = None


class Rows:
    """Every row once, so that listings can be compared as sets of small numbers."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.pairs: list[Pair] = []  # of each row
        self._places: dict[Row, int] = {}

    def place_of(self, row: Row) -> int:
        place = self._places.setdefault(row, len(self.rows))
        if place == len(self.rows):
            self.rows.append(row)
            self.pairs.append((row.user_text, row.specialization))
        return place


@dataclass(frozen=True, slots=True)
class Told:
    """What is told already around new readings."""

    lives: Sequence[Life]  # those that had begun by `after` and were not over before the first new reading
    readings: Sequence[Key]  # from the first new reading to the last one
    before: datetime | None  # the last reading before the first new one
    after: Key | None  # the first reading after the last new one


def retold(told: Told, new: Mapping[Key, Listing], rows: Rows) -> list[Life]:
    """The lives in place of those told, with new readings among the others.

    A life that stays as it was is equal to the one told. Cost: the changes from reading to reading, and the lists themselves.
    """
    return _Telling(told, new, rows).lives()


class _Telling:
    def __init__(self, told: Told, new: Mapping[Key, Listing], rows: Rows) -> None:
        self._told = told
        self._new = new
        self._rows = rows
        self._over: list[Life] = []
        self._running: dict[Pair, Life] = {}
        self._listed = Listing(())  # by the reading before
        self._whole = self._listed  # the newest of which all places are known
        self._before = told.before
        self._old = _OldTelling(told.lives)

    def lives(self) -> list[Life]:
        first = min(self._new)
        self._old.go_to(first)
        for life, levels in self._old.present():
            past = [change for change in life.changes if change[0] <= first.at]
            self._running[life.pair] = replace(life, changes=past, now=levels, closed=None, last_seen=None)
        self._listed = self._old.listed(self._rows)
        old = [*self._told.readings, *([self._told.after] if self._told.after else [])]
        after_new = False
        for key in merge(sorted(self._new), old):
            listed = self._new.get(key)
            if listed is not None:
                self._read(key, listed)
            elif self._old.go_to(key) or after_new:
                self._read(key, self._old.listed(self._rows))
            self._before, after_new = key.at, listed is not None
        if self._told.after:
            self._hand_over(self._told.after)
        return [*self._over, *self._running.values()]

    def _read(self, key: Key, listed: Listing) -> None:
        """Compare a reading with the one before."""
        rows, pairs = self._rows.rows, self._rows.pairs
        new, gone = listed.since(self._listed) or self._compared(listed)
        appeared = {pairs[place]: rows[place] for place in new}
        for place in gone:
            pair = pairs[place]
            if pair not in appeared:
                life = self._running.pop(pair)
                life.closed, life.last_seen = key, self._before or life.opened.at
                self._over.append(life)
        for pair, row in appeared.items():
            running = self._running.get(pair)
            if running is None:
                self._running[pair] = Life(
                    pair, row.number, key, row.levels, row.levels, id=self._old.id_of_life_begun_at(pair, key)
                )
            elif running.now != row.levels:
                if running.changes and running.changes[-1][0] == key.at:  # a clock that stands still: the later one holds
                    running.changes.pop()
                running.changes.append((key.at, row.levels))
                running.now = row.levels
        self._listed = listed

    def _compared(self, listed: Listing) -> tuple[Collection[int], Collection[int]]:
        """As `Listing.since`, of any two. Lists can be long: those of two readings are held at a time."""
        now, before = listed.places(), self._listed.places()
        for listing in {self._whole, self._listed} - {listed}:
            listing.forget()
        self._whole = listed
        return now - before, before - now

    def _hand_over(self, after: Key) -> None:
        """From here on everything goes on as it was told."""
        for life, _ in self._old.present():
            running = self._running[life.pair]
            running.changes += [change for change in life.changes if change[0] > after.at]
            running.now, running.closed, running.last_seen = life.now, life.closed, life.last_seen


class _OldTelling:
    """The lives told already, walked through in the order of their readings."""

    def __init__(self, lives: Iterable[Life]) -> None:
        self._events: list[tuple[Key, int, int, Life, Levels | None]] = []
        for place, life in enumerate(lives):
            self._events.append((life.opened, 1, place, life, life.first))
            for at, levels in life.changes:
                self._events.append((Key(at, life.opened.number if at == life.opened.at else 0), 2, place, life, levels))
            if life.closed is not None:
                self._events.append((life.closed, 0, place, life, None))
        self._events.sort(key=lambda event: event[:3])
        self._next = 0
        self._present: dict[Pair, tuple[Life, Levels]] = {}

    def go_to(self, key: Key) -> bool:
        """Take in what happened up to a reading; whether anything did."""
        begun = self._next
        while self._next < len(self._events) and self._events[self._next][0] <= key:
            _, what, _, life, levels = self._events[self._next]
            known = self._present.get(life.pair)
            if what == 1 and levels is not None:
                self._present[life.pair] = life, levels
            elif known is not None and known[0] is life:
                if levels is None:
                    del self._present[life.pair]
                else:
                    self._present[life.pair] = life, levels
            self._next += 1
        return self._next > begun

    def present(self) -> list[tuple[Life, Levels]]:
        """The lives that go on, and how their pairs disagree."""
        return list(self._present.values())

    def listed(self, rows: Rows) -> Listing:
        """What a reading at this moment lists."""
        return Listing({rows.place_of(Row(*life.pair, life.number, levels)) for life, levels in self._present.values()})

    def id_of_life_begun_at(self, pair: Pair, key: Key) -> int | None:
        known = self._present.get(pair)
        return known[0].id if known and known[0].opened == key else None
