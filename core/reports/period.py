"""Periods as people name them: 2026-10, 2026-W41, last-month; from the first moment to the one after the last."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.errors import ReportProblem

EXAMPLES = "2026-10, 2026-W41, 2026-Q3, 2026, 2026-10-01..2026-10-15, this-month, last-week or last-month"
LONGEST = timedelta(days=3_660)

_DAY = timedelta(days=1)
_EARLIEST, _LATEST = 1971, 9998  # a year on either side, so that no neighbour lies beyond what dates can be


class PeriodKind(StrEnum):
    """How long a period is, which decides how it is called and what it is compared with."""

    DAY = "day"
    WEEK = "week"  # ISO: Monday to Sunday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    RANGE = "range"  # some days, the last one included


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in a time zone: from `first` to `last`, both included."""

    kind: PeriodKind
    first: date
    last: date
    zone: str  # a name that ZoneInfo knows

    @property
    def name(self) -> str:
        """As it is asked for; `parse` reads it back."""
        first = self.first
        match self.kind:
            case PeriodKind.DAY:
                return first.isoformat()
            case PeriodKind.WEEK:
                year, week, _ = first.isocalendar()
                return f"{year}-W{week:02}"
            case PeriodKind.MONTH:
                return f"{first:%Y-%m}"
            case PeriodKind.QUARTER:
                return f"{first:%Y}-Q{(first.month + 2) // 3}"
            case PeriodKind.YEAR:
                return f"{first:%Y}"
            case PeriodKind.RANGE:
                return f"{first}..{self.last}"

    @property
    def start(self) -> datetime:
        """Its first moment, in UTC."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment after it, in UTC."""
        return midnight(self.last + _DAY, self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def previous(self) -> Period:
        """The one before it of the same kind; before some days, as many."""
        before = self.first - _DAY
        if self.kind in (PeriodKind.RANGE, PeriodKind.DAY):
            return Period(self.kind, self.first - self.days * _DAY, before, self.zone)
        return around(before, self.kind, self.zone)


def midnight(day: date, zone: str) -> datetime:
    """When a day begins in a zone, in UTC; where the clocks skip midnight, the first moment after it."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def around(day: date, kind: PeriodKind, zone: str) -> Period:
    """The period of a kind that a day lies in."""
    if kind is PeriodKind.WEEK:
        first = day - day.weekday() * _DAY
        return Period(kind, first, first + 6 * _DAY, zone)
    months = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}.get(kind)
    if months is None:
        return Period(PeriodKind.DAY, day, day, zone)
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    after = first.year * 12 + first.month - 1 + months
    return Period(kind, first, date(after // 12, after % 12 + 1, 1) - _DAY, zone)


def parse(text: str, zone: str, now: datetime) -> Period:
    """What a person means by a period's name. Raises ReportProblem for what is none, and for one that has not begun."""
    asked = text.strip()
    try:
        period = _relative(asked.lower(), zone, now) or _named(asked.upper(), zone)
    except ValueError as impossible:
        raise ReportProblem(f"There is no such day in the period {text!r}: {impossible}.", hint=_hint()) from impossible
    if period is None:
        raise ReportProblem(f"{text!r} is no period.", hint=_hint())
    if period.last < period.first:
        raise ReportProblem(f"The period {text!r} ends before it begins.", hint=_hint())
    if not _EARLIEST <= period.first.year <= period.last.year <= _LATEST:
        raise ReportProblem(f"The period {text!r} lies outside of what can be reported.", hint=_hint())
    if period.days * _DAY > LONGEST:
        raise ReportProblem(f"The period {text!r} is longer than ten years.", hint=_hint())
    if period.start > now:
        raise ReportProblem(f"The period {period.name} has not begun yet.", hint="Name one that has, or this-month.")
    return period


def _hint() -> str:
    return f"Write it as {EXAMPLES}."


def _relative(asked: str, zone: str, now: datetime) -> Period | None:
    which, _, kind = asked.partition("-")
    if which not in ("this", "last") or kind not in ("week", "month", "quarter", "year"):
        return None
    current = around(now.astimezone(ZoneInfo(zone)).date(), PeriodKind(kind), zone)
    return current if which == "this" else current.previous


def _named(asked: str, zone: str) -> Period | None:
    for pattern, make in _FORMS.items():
        if found := re.fullmatch(pattern, asked):
            return make(*found.groups(), zone)
    return None


def _month(year: str, month: str, zone: str) -> Period:
    return around(date(int(year), int(month), 1), PeriodKind.MONTH, zone)


def _week(year: str, week: str, zone: str) -> Period:
    return around(date.fromisocalendar(int(year), int(week), 1), PeriodKind.WEEK, zone)


def _quarter(year: str, quarter: str, zone: str) -> Period:
    return around(date(int(year), int(quarter) * 3, 1), PeriodKind.QUARTER, zone)


def _year(year: str, zone: str) -> Period:
    return around(date(int(year), 1, 1), PeriodKind.YEAR, zone)


def _day(day: str, zone: str) -> Period:
    return around(date.fromisoformat(day), PeriodKind.DAY, zone)


def _range(first: str, last: str, zone: str) -> Period:
    return Period(PeriodKind.RANGE, date.fromisoformat(first), date.fromisoformat(last), zone)


_DATE = r"(\d{4}-\d{2}-\d{2})"
_FORMS: dict[str, Callable[..., Period]] = {
    r"(\d{4})-(\d{2})": _month,
    r"(\d{4})-W(\d{1,2})": _week,
    r"(\d{4})-Q([1-4])": _quarter,
    r"(\d{4})": _year,
    _DATE: _day,
    rf"{_DATE}\.\.{_DATE}": _range,
}
