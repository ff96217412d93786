"""The plan of maintenance: what pages and programs ask about it, and how they change it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from core.clock import Clock
from core.durations import in_words
from core.errors import AlertProblem, NoSuchAlert
from core.maintenance import Occurrence, Repeats, Window, holding, occurrences, of_all, share_of_time, time_zones
from core.state import audit, maintenance
from core.state.audit import Deed
from core.state.database import StateDatabase
from core.words import one_line

LONGEST_REASON = 500
LONGEST_MINUTES = 7 * 24 * 60
LONGEST_REPEATED_MINUTES = 24 * 60
MOST_WINDOWS = 100

_GRACE = timedelta(minutes=1)  # that "now" may be ago when it is planned
_AHEAD = timedelta(days=366)  # that a window may begin; also how far the next time of one is looked for
_MOST_OF_TIME = 0.5  # that windows which repeat may take together
_NO_DAYS: frozenset[int] = frozenset()


class MaintenancePlan:
    """Safe to share between threads. Every method raises StateDatabaseUnavailable when that is away."""

    def __init__(self, state: StateDatabase, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def now(self) -> Sequence[Occurrence]:
        """What holds at this moment."""
        now = self._clock()
        with self._state.read() as connection:
            return holding(maintenance.windows(connection, now), now)

    def between(self, start: datetime, end: datetime) -> Sequence[Occurrence]:
        """Every time of every window in [start, end), by its beginning."""
        with self._state.read() as connection:
            return of_all(maintenance.windows(connection, start), start, end)

    def next_of_each(self) -> Sequence[Occurrence]:
        """Each window that still comes, or holds now, with its next time; the soonest first."""
        with self._state.read() as connection:
            return _next_of_each(connection, self._clock())

    def plan(
        self,
        reason: str,
        by: str,
        starts: datetime | None,
        minutes: int,
        *,
        time_zone: str = "UTC",
        repeats: Repeats = Repeats.ONCE,
        weekdays: frozenset[int] = _NO_DAYS,
        last_day: date | None = None,
    ) -> Window:
        """Plan maintenance from `starts` on: when it is naive, what the clock in `time_zone` shows; None: from now.

        `weekdays` are those of weekly ones, 0 is Monday; by default that of `starts`. Nothing can be planned for the past: what
        was counted stays counted. Raises AlertProblem when a value is not possible.
        """
        now, reason = self._clock(), one_line(reason)
        _require_fitting(repeats, weekdays, last_day)
        zone = _zone(time_zone)
        if repeats is Repeats.ONCE and (starts is None or starts.tzinfo is not None):
            zone = ZoneInfo("UTC")  # a moment, not a time on the wall: in UTC none comes twice
        first = _on_the_wall(starts or now, zone)
        if repeats is Repeats.WEEKLY:
            weekdays = weekdays or frozenset([first.weekday()])
        _require_possible(reason, minutes, repeats)
        begins = first.replace(tzinfo=zone)
        if not now - _GRACE <= begins <= now + _AHEAD:
            hint = "What was counted stays counted: plan it from now on, and by the clock of the time zone that you name."
            raise AlertProblem("Maintenance begins between now and a year ahead.", hint=hint)
        length = timedelta(minutes=minutes)
        window = Window(0, reason, zone.key, first, length, repeats, weekdays, last_day, now, by, None)
        with self._state.write() as connection:
            if next(occurrences(window, now, now + 2 * _AHEAD), None) is None:
                raise AlertProblem("This window never comes.", hint="Its last day lies before its first time.")
            others = [one.window for one in _next_of_each(connection, now)]
            if len(others) >= MOST_WINDOWS:
                raise AlertProblem(f"There are {MOST_WINDOWS} windows already.", hint="Take back those that nobody needs.")
            _require_time_to_count([*others, window])
            audit.note(connection, now, by, Deed.MAINTENANCE_PLANNED, _in_words(window))
            return maintenance.add(connection, window)

    def end(self, number: int, by: str, *, only_this_time: bool = False) -> None:
        """Take a window back from now on, or end only the time of it that holds now. What ran in it stays marked."""
        now = self._clock()
        with self._state.write() as connection:
            if only_this_time:
                found = holding(maintenance.windows(connection, now), now)
                ended = number in {one.window.id for one in found} and maintenance.cut(connection, number, now)
            else:
                ended = maintenance.end(connection, number, by, now)
            window = maintenance.find(connection, number) if ended else None
            if window is not None:
                deed = Deed.MAINTENANCE_CUT if only_this_time else Deed.MAINTENANCE_ENDED
                audit.note(connection, now, by, deed, _in_words(window))
        if not ended:
            what = "holds now" if only_this_time else "could be taken back"
            raise NoSuchAlert(f"There is no maintenance {number} that {what}.", hint="See the alerts page for what is planned.")


def _next_of_each(connection: sa.Connection, now: datetime) -> Sequence[Occurrence]:
    windows = maintenance.windows(connection, now)
    found = [next(occurrences(window, now, now + _AHEAD), None) for window in windows]
    return sorted((one for one in found if one is not None), key=lambda one: (one.start, one.window.id))


def _in_words(window: Window) -> str:
    """For the audit trail: "app 3.0, from 2025-10-25 12:00 UTC for 30 min, once"."""
    starts = f"{window.starts:%Y-%m-%d %H:%M} {window.time_zone}"
    return f"{window.reason}, from {starts} for {in_words(window.length)}, {window.repeats}"


def _on_the_wall(at: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in a zone shows, to the second."""
    try:
        shown = at if at.tzinfo is None else at.astimezone(zone).replace(tzinfo=None)
    except OverflowError as far:
        raise AlertProblem("There is no such time.", hint="Plan it within a year.") from far
    return shown.replace(microsecond=0, fold=0)


def _zone(name: str) -> ZoneInfo:
    if name not in time_zones():
        raise AlertProblem(f"There is no time zone {name[:100]!r}.", hint="Name it as in Europe/Budapest, or UTC.")
    return ZoneInfo(name)


def _require_fitting(repeats: Repeats, weekdays: frozenset[int], last_day: date | None) -> None:
    if weekdays and repeats is not Repeats.WEEKLY:
        raise AlertProblem("Only weekly maintenance has weekdays.", hint="Leave them out, or let it repeat weekly.")
    if last_day and repeats is Repeats.ONCE:
        raise AlertProblem("Maintenance that comes once has no last day.", hint="Leave it out, or let it repeat.")
    if any(not 0 <= day <= 6 for day in weekdays):
        raise AlertProblem("There are seven weekdays.", hint="0 is Monday, 6 is Sunday.")


def _require_possible(reason: str, minutes: int, repeats: Repeats) -> None:
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise AlertProblem("Maintenance needs a reason.", hint=f"Say in 1 to {LONGEST_REASON} characters what is done.")
    longest = LONGEST_MINUTES if repeats is Repeats.ONCE else LONGEST_REPEATED_MINUTES
    if not 1 <= minutes <= longest:
        hint = f"One that comes once lasts at most a week, one that comes again at most a day: 1 to {longest:,} minutes here."
        raise AlertProblem(f"Maintenance cannot last {minutes:,} minutes.", hint=hint)


def _require_time_to_count(windows: Sequence[Window]) -> None:
    if sum(share_of_time(window.repeats, window.length, window.weekdays) for window in windows) > _MOST_OF_TIME:
        hint = "Make it shorter, let it come on fewer days, or take others back."
        raise AlertProblem("There would be maintenance for more than half of the time: nothing could be proved.", hint=hint)
