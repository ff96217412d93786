"""Planned maintenance: windows by the clock on the wall of a time zone, once or again and again. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_DAY = timedelta(days=1)
_OF_ONE_MACHINE = {"localtime", "posixrules", "Factory"}  # names that say something else elsewhere, or nothing
_WEEK = 7


class Repeats(StrEnum):
    """When a window comes again."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"  # on its weekdays
    MONTHLY = "monthly"  # on the same weekday of the month as the first time: its second Sunday; a fifth one stands for the last


@dataclass(frozen=True, slots=True)
class Window:
    """Maintenance as it was planned. `starts` is naive: what a clock in `time_zone` shows.

    A time that the clocks skip begins as much later as they were put forward; one that comes twice, the first time.
    """

    id: int
    reason: str
    time_zone: str
    starts: datetime
    length: timedelta
    repeats: Repeats
    weekdays: frozenset[int]  # of weekly ones; 0 is Monday
    last_day: date | None  # on which one may begin, in that zone
    created_at: datetime
    created_by: str
    ended_at: datetime | None  # somebody took it back: nothing of it holds from then on
    cut_at: datetime | None = None  # somebody ended the one time of it that held then


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of a window: [start, end)."""

    window: Window
    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.end


@cache
def time_zones() -> Sequence[str]:
    """The names of the time zones that a window may be planned in, in order."""
    return sorted(available_timezones() - _OF_ONE_MACHINE)


def has_known_zone(window: Window) -> bool:
    """Whether this machine knows its time zone: another one, which planned it, may know more."""
    try:
        ZoneInfo(window.time_zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def occurrences(window: Window, start: datetime, end: datetime) -> Iterator[Occurrence]:
    """The times of a window that have a moment in common with [start, end), in order. Costs a step a day."""
    zone = ZoneInfo(window.time_zone)
    day = max((start - window.length).astimezone(zone).date() - _DAY, window.starts.date())
    final = window.starts.date() if window.repeats is Repeats.ONCE else window.last_day
    last = min(end.astimezone(zone).date(), final or date.max)
    while day <= last:
        if _comes_on(window, day):
            begins = datetime.combine(day, window.starts.time(), zone).astimezone(UTC)
            ends = _end_of(window, begins)
            if max(begins, start) < min(ends, end):
                yield Occurrence(window, begins, ends)
        day += _DAY


def of_all(windows: Sequence[Window], start: datetime, end: datetime) -> Sequence[Occurrence]:
    """The times of several windows in [start, end), by their beginning."""
    found = [occurrence for window in windows for occurrence in occurrences(window, start, end)]
    return sorted(found, key=lambda occurrence: (occurrence.start, occurrence.window.id))


def holding(windows: Sequence[Window], at: datetime) -> Sequence[Occurrence]:
    """The times of several windows that hold at a moment."""
    return of_all(windows, at, at + timedelta(microseconds=1))


def total_length(windows: Sequence[Window], start: datetime, end: datetime) -> timedelta:
    """How long at least one of them holds in [start, end)."""
    total, until = timedelta(0), start
    for occurrence in of_all(windows, start, end):
        begins, ends = max(occurrence.start, until), min(occurrence.end, end)
        if begins < ends:
            total, until = total + (ends - begins), ends
    return total


def share_of_time(repeats: Repeats, length: timedelta, weekdays: frozenset[int]) -> float:
    """How much of all time a repeating window takes: 0.5 is half; 0 for one that comes once."""
    times_a_week = {Repeats.ONCE: 0, Repeats.DAILY: _WEEK, Repeats.WEEKLY: len(weekdays), Repeats.MONTHLY: 0.25}[repeats]
    return times_a_week * length / timedelta(weeks=1)


def place_in_month(day: date) -> int:
    """Which of its weekday in the month a day is: 1 to 4; 5 for the last one that is a fifth."""
    return (day.day - 1) // _WEEK + 1


def _end_of(window: Window, begins: datetime) -> datetime:
    """Where the time that begins then ends: when it was over, or cut, or when the whole window was taken back."""
    ends = begins + window.length
    if window.cut_at is not None and begins <= window.cut_at < ends:
        ends = window.cut_at
    return ends if window.ended_at is None else min(ends, window.ended_at)


def _comes_on(window: Window, day: date) -> bool:
    first = window.starts.date()
    match window.repeats:
        case Repeats.ONCE:
            return day == first
        case Repeats.DAILY:
            return True
        case Repeats.WEEKLY:
            return day.weekday() in window.weekdays
        case Repeats.MONTHLY:
            place = place_in_month(first)
            is_last = (day + timedelta(days=_WEEK)).month != day.month
            return day.weekday() == first.weekday() and (is_last if place > 4 else place_in_month(day) == place)
