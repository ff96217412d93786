"""What the trend chart joins, and what it must not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from core.analysis.trend import MOST_POINTS, Gap, Trend, TrendPoint
from core.status import DEFAULT_THRESHOLDS
from dashboard.components.palette import Palette
from dashboard.components.trend_chart import trend_chart
from dashboard.wording import Theme

NOON = datetime(2025, 10, 25, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Budapest")
STEP = timedelta(minutes=5)


def at(step: float) -> datetime:
    return NOON + step * STEP


def point(
    step: int, rate: float | None = 99.5, *, usual: float | None = None, imported: bool = False, failed: int = 0
) -> TrendPoint:
    return TrendPoint(at(step), at(step), rate, rate if usual is None else usual, 3, 1, failed, imported)


def trend_of(*points: TrendPoint, gaps: tuple[Gap, ...] = ()) -> Trend:
    return Trend(at(0), at(100), points, gaps, timedelta(0), timedelta(0), 98.0, NOON)


def drawn(trend: Trend, *, with_violations: bool = True, theme: Theme = Theme.LIGHT) -> go.Figure:
    return trend_chart(trend, DEFAULT_THRESHOLDS, theme, ZONE, height=460, with_violations=with_violations)


def trace(figure: go.Figure, name: str) -> go.Scatter:
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def joined(line: go.Scatter) -> list[list[float]]:
    """The stretches of a line that are drawn without a break."""
    stretches: list[list[float]] = [[]]
    for rate in line.y:
        if rate is None:
            stretches.append([])
        else:
            stretches[-1].append(rate)
    return [stretch for stretch in stretches if stretch]


def test_checks_without_a_gap_are_one_line() -> None:
    line = trace(drawn(trend_of(point(0, 99.0), point(1, 99.1), point(2, 99.2))), "rate")
    assert joined(line) == [[99.0, 99.1, 99.2]]
    assert line.connectgaps is False


def test_no_line_crosses_a_gap() -> None:
    gaps = (Gap(at(1), at(20), unknown=True), Gap(at(21), at(22), unknown=False))
    points = [point(0, 99.0), point(1, 99.1), point(20, 98.0), point(21, 98.1), point(22, 97.0)]
    line = trace(drawn(trend_of(*points, gaps=gaps)), "rate")
    assert joined(line) == [[99.0, 99.1], [98.0, 98.1], [97.0]]


def test_gaps_in_any_order_break_the_line_all_the_same() -> None:
    gaps = (Gap(at(4), at(5), unknown=True), Gap(at(0), at(1), unknown=True), Gap(at(2), at(3), unknown=True))
    line = trace(drawn(trend_of(*(point(step, 90.0 + step) for step in range(6)), gaps=gaps)), "rate")
    assert joined(line) == [[90.0], [91.0, 92.0], [93.0, 94.0], [95.0]]


def test_a_gap_at_the_edge_breaks_nothing_and_is_hatched() -> None:
    edge = Gap(at(-50), at(0), unknown=True)
    figure = drawn(trend_of(point(0), point(1), gaps=(edge,)))
    assert len(joined(trace(figure, "rate"))) == 1
    assert len(hatched(figure)) == 1


def test_unknown_stretches_are_hatched_and_those_between_logs_are_not() -> None:
    gaps = (Gap(at(1), at(20), unknown=True), Gap(at(21), at(22), unknown=False))
    figure = drawn(trend_of(point(0), point(1), point(20), point(21), point(22), gaps=gaps))
    assert [(shape.x0, shape.x1) for shape in hatched(figure)] == [(local(at(1)), local(at(20)))]


def test_unknown_stretches_that_touch_are_hatched_as_one() -> None:
    gaps = (Gap(at(1), at(20), unknown=True), Gap(at(20), at(40), unknown=True))
    figure = drawn(trend_of(point(1), point(20), point(40), gaps=gaps))
    assert [(shape.x0, shape.x1) for shape in hatched(figure)] == [(local(at(1)), local(at(40)))]


def test_logs_are_dots_and_never_joined() -> None:
    figure = drawn(trend_of(point(0, 98.0, imported=True), point(1, 97.0, imported=True), point(2, 99.0), point(3, 99.1)))
    logs = trace(figure, "from logs")
    assert logs.mode == "markers"
    assert list(logs.y) == [98.0, 97.0]
    assert joined(trace(figure, "rate")) == [[99.0, 99.1]]
    assert all("read from a log" in text for text in logs.hovertext)


def test_failed_checks_are_marks_and_no_rate() -> None:
    figure = drawn(trend_of(point(0, 99.0), point(1, None, failed=1), point(2, 99.0, failed=2)))
    assert list(trace(figure, "failed checks").x) == [local(at(1)), local(at(2))]
    assert joined(trace(figure, "rate")) == [[99.0, 99.0]]


def test_the_lowest_rate_of_a_stretch_shows_and_the_usual_one_beside_it() -> None:
    figure = drawn(trend_of(point(0, 95.0, usual=99.9), point(1, 99.9)))
    assert list(trace(figure, "rate").y) == [95.0, 99.9]
    assert list(trace(figure, "usual").y) == [99.9, 99.9]
    low, _ = figure.layout.yaxis.range
    assert low < 95.0, "the worst point lies inside the picture"


def test_a_quiet_day_does_not_look_like_a_storm() -> None:
    low, high = drawn(trend_of(point(0, 100.0), point(1, 99.99))).layout.yaxis.range
    assert low <= 98
    assert 100 < high <= 101


def test_a_picture_has_at_most_two_thousand_points() -> None:
    points = [
        point(step, 99.0 - step % 7 / 10, usual=99.5, imported=step % 2 == 0, failed=step % 3) for step in range(MOST_POINTS)
    ]
    gaps = tuple(Gap(at(step), at(step + 1), unknown=True) for step in range(MOST_POINTS - 1))
    day = drawn(trend_of(*points, gaps=gaps), with_violations=False)
    assert sum(points_of(trace) for trace in day.data if trace.name in ("rate", "usual", "from logs")) <= 2_000


@pytest.mark.parametrize("theme", Theme)
def test_a_trend_without_a_completed_check_can_be_drawn(theme: Theme) -> None:
    figure = drawn(trend_of(point(1, None, failed=1), gaps=(Gap(at(0), at(100), unknown=True),)), theme=theme)
    assert not joined(trace(figure, "rate"))
    assert len(trace(figure, "failed checks").x) == 1


def test_times_are_the_viewers() -> None:
    figure = drawn(trend_of(point(0), point(1)))
    assert trace(figure, "rate").x[0] == datetime(2025, 10, 25, 14, 0)  # noqa: DTZ001 - a wall clock
    assert tuple(figure.layout.xaxis.range) == (local(at(0)), local(at(100)))


def local(moment: datetime) -> datetime:
    return moment.astimezone(ZONE).replace(tzinfo=None)


def hatched(figure: go.Figure) -> list[go.layout.Shape]:
    return [shape for shape in figure.layout.shapes if shape.fillcolor == Palette.of(Theme.LIGHT).unknown]


def points_of(line: go.Scatter) -> int:
    return sum(rate is not None for rate in line.y)
