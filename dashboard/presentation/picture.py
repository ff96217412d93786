"""The drawn trend of a slide: coordinates only; the page draws them as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.analysis.trend import Gap, Trend, TrendPoint
from core.model import Status
from core.status import Thresholds

POINTS = 360  # as many as a wall can show

WIDTH, HEIGHT = 1000, 1000  # of the drawing, whatever its size on the screen

_SMALLEST_SPAN = 1.0  # percent below the healthy threshold: a quiet month does not look like a storm
_HEADROOM = 0.04  # of the height, so that a line at 100 is a line
_LABELS_APART = 0.1  # of the height
_MOST_DATES = 6


@dataclass(frozen=True, slots=True)
class Stripe:
    """A part of the drawing, in percent of its height or width, from its top or left."""

    start: float
    length: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text beside the drawing, in percent from its top or left."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Key:
    """What a part of the drawing means."""

    name: str  # of the part
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The lowest rate over time. `line`, `dots` and `failures` are SVG paths in WIDTH by HEIGHT."""

    line: str
    dots: str  # readings from logs: between two of them nothing is known
    failures: str
    bands: Sequence[Stripe]  # by status, from the top down
    gaps: Sequence[Stripe]  # nothing is known
    rates: Sequence[Label]
    dates: Sequence[Label]
    legend: Sequence[Key]


_LEGEND = (
    Key("line", "lowest rate"),
    Key("dots", "read from a log"),
    Key("gap", "nothing is known"),
    Key("failures", "a check failed"),
)


def picture_of(trend: Trend, thresholds: Thresholds, zone: ZoneInfo) -> Picture | None:
    """The picture of a trend, dated in a zone; None when nothing was tried."""
    if not trend.points:
        return None
    scale = _Scale(trend, thresholds)
    known = [point for point in trend.points if point.lowest is not None]
    line = _line([point for point in known if not point.imported], trend.gaps, scale)
    dots = " ".join(f"M{scale.x(p.start)} {scale.y(p.lowest)}h0" for p in known if p.imported)
    failures = " ".join(f"M{scale.x(p.start)} {HEIGHT}v-50" for p in trend.points if p.failed)
    gaps = [scale.across(start, end) for start, end in _merged(trend.gaps)]
    parts = {"line": line, "dots": dots, "gap": gaps, "failures": failures}
    return Picture(
        line=line,
        dots=dots,
        failures=failures,
        bands=scale.bands(thresholds),
        gaps=gaps,
        rates=scale.rates(thresholds),
        dates=_dates(trend, scale, zone),
        legend=[key for key in _LEGEND if parts[key.name]],
    )


class _Scale:
    """From moments and rates to places."""

    def __init__(self, trend: Trend, thresholds: Thresholds) -> None:
        self._start, self._length = trend.start, max(trend.end - trend.start, timedelta(seconds=1))
        lowest = min((point.lowest for point in trend.points if point.lowest is not None), default=100.0)
        self._floor = max(min(lowest - 0.15 * (100 - lowest), float(thresholds.healthy) - _SMALLEST_SPAN), 0.0)
        self._top = 100 + (100 - self._floor) * _HEADROOM

    def x(self, at: datetime) -> float:
        return round(min(max((at - self._start) / self._length, 0), 1) * WIDTH, 1)

    def y(self, rate: float | None) -> float:
        return round((self._top - (rate or 0)) / (self._top - self._floor) * HEIGHT, 1)

    def across(self, start: datetime, end: datetime) -> Stripe:
        left, right = self.x(start) * 100 / WIDTH, self.x(end) * 100 / WIDTH
        return Stripe(round(left, 2), round(right - left, 2))

    def bands(self, thresholds: Thresholds) -> Sequence[Stripe]:
        edges = [
            self._top,
            max(float(thresholds.healthy), self._floor),
            max(float(thresholds.degraded), self._floor),
            self._floor,
        ]
        places = [round(self.y(edge) * 100 / HEIGHT, 2) for edge in edges]
        statuses = (Status.HEALTHY, Status.DEGRADED, Status.CRITICAL)
        stripes = [Stripe(places[i], round(places[i + 1] - places[i], 2), status.value) for i, status in enumerate(statuses)]
        return [stripe for stripe in stripes if stripe.length > 0]

    def rates(self, thresholds: Thresholds) -> Sequence[Label]:
        """Beside 100, the healthy threshold and the next one there is room for."""
        labels: list[Label] = []
        for rate in (100.0, float(thresholds.degraded), float(thresholds.healthy), self._floor):
            place = self.y(rate) * 100 / HEIGHT
            room = all(abs(place - label.at) >= 100 * _LABELS_APART for label in labels)
            if room and rate >= self._floor and (rate != self._floor or rate == 0):
                labels.append(Label(round(place, 2), f"{rate:g} %"))
        return labels


def _line(points: Sequence[TrendPoint], gaps: Sequence[Gap], scale: _Scale) -> str:
    """One path that is lifted wherever something is not known; a single point is a dot."""
    path: list[str] = []
    before: TrendPoint | None = None
    coming = iter(sorted(gaps, key=lambda gap: gap.start))
    gap = next(coming, None)
    for point in points:
        while gap is not None and before is not None and gap.end <= before.start:
            gap = next(coming, None)
        lifted = before is None or (gap is not None and gap.start < point.start and gap.end > before.start)
        path.append(f"{'M' if lifted else 'L'}{scale.x(point.start)} {scale.y(point.lowest)}{'h0' if lifted else ''}")
        before = point
    return " ".join(path)


def _merged(gaps: Sequence[Gap]) -> Iterator[tuple[datetime, datetime]]:
    """Unknown stretches that touch are one."""
    current: tuple[datetime, datetime] | None = None
    for gap in sorted((gap for gap in gaps if gap.unknown), key=lambda gap: gap.start):
        if current is not None and gap.start <= current[1]:
            current = current[0], max(current[1], gap.end)
        else:
            if current is not None:
                yield current
            current = gap.start, gap.end
    if current is not None:
        yield current


def _dates(trend: Trend, scale: _Scale, zone: ZoneInfo) -> Sequence[Label]:
    """Midnights, or full hours when the time shown is no longer than two days."""
    length = trend.end - trend.start
    if length <= timedelta(days=2):
        step, form = timedelta(hours=max(round(length / timedelta(hours=_MOST_DATES)), 1)), "%H:%M"
        at = trend.start.astimezone(zone).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    else:
        step, form = timedelta(days=max(round(length / timedelta(days=_MOST_DATES)), 1)), "%d %b"
        at = datetime.combine(trend.start.astimezone(zone).date() + timedelta(days=1), time(), zone)
    labels = []
    while at < trend.end:
        place = scale.x(at) * 100 / WIDTH
        if place <= 90:  # its text has room
            labels.append(Label(round(place, 2), f"{at:{form}}".lstrip("0") if form != "%H:%M" else f"{at:{form}}"))
        at += step
    return labels
