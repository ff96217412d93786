"""When windows come, against the calendar rules of iCalendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from core.maintenance import Repeats, Window, occurrences
from tests.examples import examples
from tests.frozen_clock import NOON
from tests.maintenance.walls import DAY, HOUR, MINUTE, WALL_NOON, wall

BUDAPEST = ZoneInfo("Europe/Budapest")


def window(starts: datetime, repeats: Repeats = Repeats.ONCE, zone: str = "UTC", **values: Any) -> Window:
    length = values.pop("length", HOUR)
    weekdays = frozenset(values.pop("weekdays", [starts.weekday()] if repeats is Repeats.WEEKLY else []))
    rest = {"last_day": None, "ended_at": None, **values}
    return Window(1, "upgrade", zone, starts, length, repeats, weekdays, created_at=NOON, created_by="kim", **rest)


def times(planned: Window, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    return [(one.start, one.end) for one in occurrences(planned, start, end)]


_walls = st.datetimes(wall(2025, 1, 1), wall(2026, 6, 30)).map(lambda at: at.replace(second=0, microsecond=0))
_places = {1: 1, 2: 2, 3: 3, 4: 4, 5: -1}


def by_dateutil(planned: Window, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The same by the calendar rules of iCalendar."""
    first = planned.starts
    until = datetime.combine(planned.last_day, datetime.max.time()) if planned.last_day else None
    common = {"dtstart": first, "until": until}
    weekday = rrule.weekday(first.weekday())(_places[(first.day - 1) // 7 + 1])
    rule = {
        Repeats.ONCE: lambda: rrule.rrule(rrule.DAILY, dtstart=first, count=1),
        Repeats.DAILY: lambda: rrule.rrule(rrule.DAILY, **common),
        Repeats.WEEKLY: lambda: rrule.rrule(rrule.WEEKLY, byweekday=sorted(planned.weekdays), **common),
        Repeats.MONTHLY: lambda: rrule.rrule(rrule.MONTHLY, byweekday=weekday, **common),
    }[planned.repeats]()
    begins = [
        shown.replace(tzinfo=ZoneInfo(planned.time_zone)).astimezone(UTC)
        for shown in rule.between(wall(2024, 1, 1), end.replace(tzinfo=None) + 2 * DAY, inc=True)
    ]
    return [(at, at + planned.length) for at in begins if at < end and at + planned.length > start]


@trying(max_examples=examples(150))
@given(
    _walls,
    st.sampled_from(Repeats),
    st.sampled_from(["UTC", "Europe/Budapest", "America/New_York", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu"]),
    st.sets(st.integers(0, 6), min_size=1),
    st.none() | st.integers(0, 90),
    st.integers(1, 7 * 24 * 60),
    st.datetimes(wall(2025, 1, 1), wall(2026, 12, 31), timezones=st.just(UTC)),
    st.timedeltas(timedelta(microseconds=1), timedelta(days=90)),
)
def test_windows_come_when_the_calendar_rules_say(
    starts: datetime,
    repeats: Repeats,
    zone: str,
    weekdays: set[int],
    days: int | None,
    length: int,
    at: datetime,
    span: timedelta,
) -> None:
    last_day = None if days is None else starts.date() + days * DAY
    chosen = weekdays if repeats is Repeats.WEEKLY else set()
    planned = window(starts, repeats, zone, weekdays=chosen, last_day=last_day, length=length * MINUTE)
    assert times(planned, at, at + span) == by_dateutil(planned, at, at + span)


def test_a_window_keeps_to_the_clock_on_the_wall_when_the_clocks_change() -> None:
    """In Budapest, summer time ended on 26 October 2025."""
    nightly = window(wall(2025, 10, 24, 4), Repeats.DAILY, "Europe/Budapest")
    begins = [start.isoformat() for start, _ in times(nightly, NOON - 36 * HOUR, NOON + 20 * HOUR)]
    assert begins == ["2025-10-24T02:00:00+00:00", "2025-10-25T02:00:00+00:00", "2025-10-26T03:00:00+00:00"]


def test_a_time_that_the_clocks_skip_begins_as_much_later() -> None:
    skipped = window(wall(2026, 3, 29, 2, 30), zone="Europe/Budapest")
    ((start, end),) = times(skipped, datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
    assert (start.astimezone(BUDAPEST).strftime("%H:%M"), end - start) == ("03:30", HOUR)


def test_a_fifth_weekday_stands_for_the_last_of_each_month() -> None:
    last_friday = window(wall(2025, 10, 31, 22), Repeats.MONTHLY)
    begins = [start.date() for start, _ in times(last_friday, NOON, NOON + 100 * DAY)]
    assert begins == [date(2025, 10, 31), date(2025, 11, 28), date(2025, 12, 26), date(2026, 1, 30)]


def test_what_was_taken_back_holds_up_to_then_and_never_after() -> None:
    planned = window(WALL_NOON, Repeats.DAILY, ended_at=NOON + DAY + 10 * MINUTE)
    assert times(planned, NOON, NOON + 9 * DAY) == [(NOON, NOON + HOUR), (NOON + DAY, NOON + DAY + 10 * MINUTE)]
