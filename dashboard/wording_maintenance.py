"""Maintenance in words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from core.durations import in_words
from core.maintenance import Occurrence, Repeats, Window, place_in_month
from dashboard.viewer import Viewer
from dashboard.wording import moment, timed
from dashboard.wording_analysis import WEEKDAYS

REPEATS_LABELS: Mapping[Repeats, str] = {
    Repeats.ONCE: "Once",
    Repeats.DAILY: "Every day",
    Repeats.WEEKLY: "Every week",
    Repeats.MONTHLY: "Every month",
}

_PLACES = ("first", "second", "third", "fourth", "last")
_WORKDAYS = frozenset(range(5))


def when_in_words(one: Occurrence, viewer: Viewer) -> str:
    """When one time of a window is, or up to when it holds. HTML."""
    same_day = one.start.astimezone(viewer.zone).date() == one.end.astimezone(viewer.zone).date()
    shown = f"{one.end.astimezone(viewer.zone):%H:%M}" if same_day else moment(one.end, viewer.zone, viewer.now)
    end = timed(shown, one.end, viewer.zone)
    if one.holds(viewer.now):
        return f"until {end}"
    return f"{timed(moment(one.start, viewer.zone, viewer.now), one.start, viewer.zone)} to {end}"


def repeats_in_words(window: Window) -> str:
    """When a window comes: "every Sunday at 02:00 for 2 h, Europe/Budapest". HTML."""
    at = f"at {window.starts:%H:%M} for {in_words(window.length)}, {escape(window.time_zone)}"
    until = f", until {window.last_day:%d %b %Y}" if window.last_day else ""
    match window.repeats:
        case Repeats.ONCE:
            return f"once, for {in_words(window.length)}"
        case Repeats.DAILY:
            return f"every day {at}{until}"
        case Repeats.WEEKLY:
            return f"every {_days(window.weekdays)} {at}{until}"
        case Repeats.MONTHLY:
            place = _PLACES[place_in_month(window.starts.date()) - 1]
            return f"every {place} {WEEKDAYS[window.starts.weekday()]} of the month {at}{until}"


def _days(weekdays: frozenset[int]) -> str:
    if len(weekdays) == len(WEEKDAYS):
        return "day"
    if weekdays == _WORKDAYS:
        return "Monday to Friday"
    names = [WEEKDAYS[day] for day in sorted(weekdays)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
