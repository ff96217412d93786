"""The example of docs/analysis.md comes out as it stands there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from core.analysis.budget import Budget, Pace, budget_at
from core.analysis.objective import Objective
from core.analysis.period import EpisodeFigures, period_figures
from core.analysis.sums import TimeClass
from core.status import DEFAULT_THRESHOLDS
from dashboard.wording_analysis import burn, share
from tests.analysis.readings import MINUTE, SCHEDULE, Reading, timeline_of
from tests.frozen_clock import NOON

HOUR = timedelta(hours=1)
CHECKS: tuple[tuple[int, int | None], ...] = ((0, 0), (5, 0), (10, 20), (15, 60), (20, None), (25, 5), (30, 0), (50, 0), (55, 0))


def test_the_hour_of_the_example() -> None:
    readings = [
        Reading(NOON + minute * MINUTE, number, -1 if bad is None else 1_000, bad or 0)
        for number, (minute, bad) in enumerate(CHECKS, start=1)
    ]
    figures = period_figures(
        timeline_of(readings),
        NOON,
        NOON + HOUR,
        schedule=SCHEDULE,
        thresholds=DEFAULT_THRESHOLDS,
        objective=Objective(),
        episodes=EpisodeFigures(),
    )
    sums = figures.sums
    told = {kind: (sums.time(kind) // MINUTE, share(sums.time(kind), HOUR)) for kind in TimeClass if sums.time(kind)}
    assert told == {
        TimeClass.HEALTHY: (25, "41.6 %"),
        TimeClass.DEGRADED: (5, "8.3 %"),
        TimeClass.CRITICAL: (5, "8.3 %"),
        TimeClass.NO_DATA: (25, "41.6 %"),
    }
    assert (sums.agreeing, sums.compared, sums.mean_rate(DEFAULT_THRESHOLDS)) == (7_915, 8_000, Decimal("98.94"))
    assert sums.worst_rate(DEFAULT_THRESHOLDS) == Decimal("94.00")
    assert (sums.healthy, sums.attempts, sums.healthy_share, figures.expected) == (6, 9, Decimal("66.66"), 12)
    (stretch,) = figures.stretches
    assert (stretch.start, stretch.length, stretch.healed) == (NOON + 10 * MINUTE, 15 * MINUTE, True)
    budget = budget_at(timeline_of(readings), NOON + HOUR, Objective(), DEFAULT_THRESHOLDS, timedelta(days=29))
    assert (budget.allowed, budget.bad, budget.kept) == (Decimal("0.09"), 3, False)


def test_the_month_of_the_example() -> None:
    day = Pace(timedelta(days=1), 288, 1, Decimal(1) / 288 / Objective().allowed_share)
    month = Budget(Objective(), NOON - timedelta(days=30), NOON, 8_640, 70, timedelta(0), (day,))
    assert (month.allowed, month.left_percent, month.kept) == (Decimal("86.4"), 18, True)
    assert burn(day.burn_rate) == "0.3 ×"
    lives = EpisodeFigures(healed=3, heal_seconds=(15 + 15 + 120) * 60, healed_within_hour=2)
    assert lives.mean_time_to_repair == 50 * MINUTE
