"""The trend of a period as a drawing (SVG): rates above, violations below, and where nothing is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html import escape

from core.analysis.sums import TimeClass
from core.reports.content import Point, ReportContent, Step
from core.reports.words import Words

WIDTH, HEIGHT = 720, 266

_LEFT, _RIGHT = 46.0, 8.0
_TOP, _FLOOR = 10.0, 170.0  # of the rates
_BARS_TOP, _BARS_FLOOR = 190.0, 238.0
_LABELS = 256.0
_MOST_LABELS = 9

# The lowest rate of the scale, and where its lines are.
_SCALES: Sequence[tuple[float, Sequence[float]]] = (
    (99.8, (99.8, 99.9, 100)),
    (99.5, (99.5, 100)),
    (98, (98, 99, 100)),
    (95, (95, 96, 97, 98, 99, 100)),
    (90, (90, 95, 100)),
    (80, (80, 90, 100)),
    (50, (50, 75, 100)),
    (0, (0, 50, 100)),
)


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of a drawing, as CSS understands them: plain ones, or variables of the page around it."""

    text: str
    quiet: str
    line: str
    accent: str
    soft: str
    unknown: str
    good: str
    fair: str
    font: str


def trend(content: ReportContent, words: Words, ink: Ink, *, healthy: str, degraded: str, alternative: str = "") -> str:
    """The drawing. With an alternative text it stands in a web page, and each step says its figures on hover."""
    frame = _Frame(content)
    spoken = bool(alternative)
    inside = [
        *_unknown(frame, ink),
        *_grid(frame, words, ink),
        *_bounds(frame, ink, healthy, degraded),
        *_bars(frame, words, ink),
        *_rates(frame, ink),
        *_days(frame, words, ink),
        *(_hovers(frame, words) if spoken else ()),
    ]
    role = f' role="img" aria-label="{escape(alternative)}"' if spoken else ""
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"' + ("" if spoken else f' width="{WIDTH}" height="{HEIGHT}"')
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}{role}>{"".join(inside)}</svg>'


class _Frame:
    """Where things are."""

    def __init__(self, content: ReportContent) -> None:
        self.content = content
        self.points = content.points
        period, thresholds = content.period, content.figures.thresholds
        self.start, self.length = period.start, (period.end - period.start) / timedelta(microseconds=1)
        self.width = WIDTH - _LEFT - _RIGHT
        worst = content.figures.sums.worst
        lowest = min(100 * worst.share if worst else 100.0, float(thresholds.healthy) - 0.01)
        self.floor, self.lines = next((scale for scale in _SCALES if scale[0] <= lowest), _SCALES[-1])
        self.most = max((point.sums.most_violations for point in self.points), default=0)

    def left(self, point: Point) -> float:
        return _LEFT + self.width * ((point.start - self.start) / timedelta(microseconds=1)) / self.length

    def wide(self, point: Point) -> float:
        return self.width * ((point.end - point.start) / timedelta(microseconds=1)) / self.length

    def middle(self, point: Point) -> float:
        return self.left(point) + self.wide(point) / 2

    def height(self, percent: float) -> float:
        return _FLOOR - (_FLOOR - _TOP) * (percent - self.floor) / (100 - self.floor)


def _grid(frame: _Frame, words: Words, ink: Ink) -> Iterator[str]:
    for percent in frame.lines:
        y = frame.height(percent)
        yield _line(_LEFT, y, WIDTH - _RIGHT, y, ink.line, 1)
        yield _text(_LEFT - 6, y + 3.5, words.bound(Decimal(str(percent))), ink.quiet, ink.font, "end")
    yield _line(_LEFT, _BARS_FLOOR, WIDTH - _RIGHT, _BARS_FLOOR, ink.line, 1)


def _bounds(frame: _Frame, ink: Ink, healthy: str, degraded: str) -> Iterator[str]:
    thresholds = frame.content.figures.thresholds
    for bound, label, colour in ((thresholds.healthy, healthy, ink.good), (thresholds.degraded, degraded, ink.fair)):
        if float(bound) >= frame.floor:
            y = frame.height(float(bound))
            yield _line(_LEFT, y, WIDTH - _RIGHT, y, colour, 1, "4 3")
            yield _text(WIDTH - _RIGHT - 2, y + 10.5, label, colour, ink.font, "end")


def _unknown(frame: _Frame, ink: Ink) -> Iterator[str]:
    """Fields over the steps of which more than half is unknown, and over what is still to come."""
    for point in frame.points:
        if 2 * point.sums.time(TimeClass.NO_DATA) > point.end - point.start:
            yield _box(frame.left(point), _TOP, frame.wide(point), _BARS_FLOOR - _TOP, ink.unknown)


def _bars(frame: _Frame, words: Words, ink: Ink) -> Iterator[str]:
    if not frame.most:
        return
    yield _text(_LEFT - 6, _BARS_TOP + 7, words.number(frame.most), ink.quiet, ink.font, "end")
    yield _text(_LEFT - 6, _BARS_FLOOR, "0", ink.quiet, ink.font, "end")
    for point in frame.points:
        if point.sums.most_violations:
            tall = (_BARS_FLOOR - _BARS_TOP) * point.sums.most_violations / frame.most
            wide = max(frame.wide(point) * 0.64, 0.6)
            yield _box(frame.middle(point) - wide / 2, _BARS_FLOOR - tall, wide, tall, ink.soft)


def _rates(frame: _Frame, ink: Ink) -> Iterator[str]:
    """From the lowest to the mean rate of each step a stem; the means joined where checks came without a gap."""
    known = [point for point in frame.points if point.sums.compared]
    for point in known:
        x, low, mean = frame.middle(point), frame.height(_lowest(point)), frame.height(_mean(point))
        if low - mean > 0.5:
            yield _line(x, low, x, mean, ink.accent, min(max(frame.wide(point) * 0.28, 0.8), 4), opacity=0.34)
    for run in _runs(known):
        if len(run) > 1:
            path = " ".join(f"{frame.middle(point):.1f},{frame.height(_mean(point)):.1f}" for point in run)
            yield f'<polyline points="{path}" style="fill:none;stroke:{ink.accent};stroke-width:1.8;stroke-linejoin:round"/>'
    radius = min(max(frame.wide(known[0]) * 0.16, 0.8), 2.4) if known else 0
    for point in known:
        x, y = frame.middle(point), frame.height(_mean(point))
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" style="fill:{ink.accent}"/>'


def _runs(known: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """Unbroken rows of steps that this product's own checks cover; logs of others are never joined."""
    run: list[Point] = []
    for point in known:
        covered = 2 * (point.sums.uncounted_time + point.sums.time(TimeClass.LOGS_ONLY)) <= point.end - point.start
        if run and (not covered or run[-1].end != point.start):
            yield run
            run = []
        if covered:
            run.append(point)
    yield run


def _days(frame: _Frame, words: Words, ink: Ink) -> Iterator[str]:
    hourly = frame.content.step is Step.HOUR
    every = max(-(-len(_all_steps(frame)) // _MOST_LABELS), 1)
    if hourly:
        every = next(hours for hours in (1, 2, 3, 6) if hours >= every or hours == 6)
    for position, at in enumerate(_all_steps(frame)):
        if position % every == 0:
            local = words.local(frame.start + at)
            x = _LEFT + frame.width * (at / timedelta(microseconds=1)) / frame.length
            yield _line(x, _BARS_FLOOR, x, _BARS_FLOOR + 4, ink.line, 1)
            label = f"{local:%H:%M}" if hourly else words.day_short(local.date())
            yield _text(x, _LABELS, label, ink.quiet, ink.font, "start" if position == 0 else "middle")


def _all_steps(frame: _Frame) -> Sequence[timedelta]:
    """Where the steps of the whole period begin, also those that are still to come."""
    step = timedelta(hours=1) if frame.content.step is Step.HOUR else timedelta(days=1)
    whole = frame.content.period.end - frame.start
    begun = [point.start - frame.start for point in frame.points]
    following = (begun[-1] if begun else -step) + step
    while following < whole - step / 4:
        begun.append(following)
        following += step
    return begun


def _hovers(frame: _Frame, words: Words) -> Iterator[str]:
    for point in frame.points:
        said = escape(spoken(point, frame.content, words))
        place = f'x="{frame.left(point):.1f}" y="{_TOP}" width="{frame.wide(point):.2f}" height="{_BARS_FLOOR - _TOP}"'
        yield f'<rect {place} style="fill:transparent"><title>{said}</title></rect>'


def spoken(point: Point, content: ReportContent, words: Words) -> str:
    """One step in a sentence."""
    thresholds, sums = content.figures.thresholds, point.sums
    name = words.moment_short(point.start) if content.step is Step.HOUR else words.day(words.local(point.start).date())
    if not sums.compared:
        return words.text("trend.point_nothing", date=name)
    return words.text(
        "trend.point",
        date=name,
        mean=words.percent(sums.mean_rate(thresholds)),
        lowest=words.percent(sums.worst_rate(thresholds)),
        violations=words.number(sums.most_violations),
        ran=words.number(sums.ran),
        expected=words.number(point.expected),
    )


def _mean(point: Point) -> float:
    return 100 * point.sums.agreeing / point.sums.compared


def _lowest(point: Point) -> float:
    return 100 * point.sums.worst.share if point.sums.worst else 100.0


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, wide: float, dash: str = "", opacity: float = 1) -> str:
    style = f"stroke:{colour};stroke-width:{wide:.1f}" + (f";stroke-dasharray:{dash}" if dash else "")
    style += f";stroke-opacity:{opacity}" if opacity < 1 else ""
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" style="{style}"/>'


def _box(x: float, y: float, wide: float, tall: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.2f}" height="{tall:.2f}" style="fill:{colour}"/>'


def _text(x: float, y: float, text: str, colour: str, font: str, anchor: str) -> str:
    style = f"fill:{colour};font-family:{font};font-size:10px;text-anchor:{anchor}"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(text)}</text>'
