"""Figures in a language: numbers, percentages, days, moments, lengths of time and the names of periods."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.reports.period import Period, PeriodKind
from core.reports.texts import Texts, filled

_CENT = Decimal("0.01")


class Words:
    """Writes figures in one language and time zone."""

    def __init__(self, texts: Texts, zone: str) -> None:
        self.text = texts
        self._zone = ZoneInfo(zone)
        self.missing = texts("format.missing")

    def number(self, value: Decimal | int) -> str:
        """A count or a decimal with the language's marks; decimals keep theirs."""
        thousands, decimal = self.text("format.thousands"), self.text("format.decimal")
        plain = f"{value:,}" if isinstance(value, int) else f"{value:,f}"
        return plain.replace(",", "\0").replace(".", decimal).replace("\0", thousands).replace("-", "−")

    def percent(self, value: Decimal | None) -> str:
        """A percentage with two decimals."""
        return self.missing if value is None else self._percent(value.quantize(_CENT))

    def bound(self, value: Decimal) -> str:
        """A threshold: without decimals that say nothing."""
        return self._percent(Decimal(f"{value.normalize():f}"))

    def share(self, part: timedelta, whole: timedelta) -> str:
        """A part of a length of time, cut to two decimals."""
        return self.percent(Decimal(10_000 * part // whole) / 100 if whole else None)

    def points(self, difference: Decimal) -> str:
        """A change in percentage points or counts, with its sign."""
        sign = "+" if difference > 0 else "±" if not difference else "−"
        return self.text("format.signed_points", sign=sign, number=self.number(abs(difference)))

    def counted(self, key: str, count: int) -> str:
        one, many = self.text.choices(f"counted.{key}")
        return filled(one if count == 1 else many, {"n": self.number(count)})

    def length(self, length: timedelta | None) -> str:
        """A length of time in its two largest units, cut."""
        if length is None:
            return self.missing
        seconds = max(int(length.total_seconds()), 0)
        units = (
            ("day", seconds // 86_400),
            ("hour", seconds // 3_600 % 24),
            ("minute", seconds // 60 % 60),
            ("second", seconds % 60),
        )
        first = next((place for place, (_, count) in enumerate(units) if count), len(units) - 1)
        said = [entry for entry in units[first : first + 2] if entry[1]] or [units[-1]]
        if said[0][0] == "minute":
            said = said[:1]
        return " ".join(self.text(f"format.unit_{unit}", n=self.number(count)) for unit, count in said).replace(" ", "\u00a0")

    def day(self, day: date) -> str:
        return self.text("format.date", **self._parts(day, "months"))

    def day_short(self, day: date) -> str:
        return self.text("format.date_short", **self._parts(day, "months_short"))

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone)

    def moment(self, at: datetime) -> str:
        """A day with its year and the time, in the report's zone."""
        local = self.local(at)
        return self.text("format.moment", date=self.day(local.date()), time=f"{local:%H:%M}")

    def moment_short(self, at: datetime) -> str:
        local = self.local(at)
        return self.text("format.moment_short", date=self.day_short(local.date()), time=f"{local:%H:%M}")

    def days(self, first: date, last: date) -> str:
        """Some days, the last one included."""
        if first == last:
            return self.day(first)
        if (first.year, first.month) == (last.year, last.month):
            return self.text("format.days", last_day=last.day, **self._parts(first, "months"))
        return self.text("format.range", first=self.day(first), last=self.day(last))

    def period(self, period: Period) -> str:
        """The period as a title."""
        return self.text(f"period.{period.kind.value}", **self._period_parts(period))

    def in_period(self, period: Period, end: datetime) -> str:
        """The period as the beginning of a sentence; one that was not over says until when."""
        said = self.text(f"period.in_{period.kind.value}", **self._period_parts(period))
        return said if end >= period.end else self.text("period.so_far", period=said, moment=self.moment(end))

    def _percent(self, value: Decimal) -> str:
        return self.text("format.percent", number=self.number(value))

    def _period_parts(self, period: Period) -> dict[str, object]:
        first, last = period.first, period.last
        if period.kind is PeriodKind.WEEK:
            year, week, _ = first.isocalendar()
            return {"week": week, "year": year}
        quarter = self.text.choices("format.quarters")[(first.month - 1) // 3]
        return {
            **self._parts(first, "months"),
            "quarter": quarter,
            "date": self.day(first),
            "range": self.days(first, last),
            "first": self.day(first),
            "last": self.day(last),
        }

    def _parts(self, day: date, months: str) -> dict[str, object]:
        return {"day": day.day, "month": self.text.choices(f"format.{months}")[day.month - 1], "year": day.year}
