"""Slides with as much on them as there can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from core.analysis.budget import Budget
from core.analysis.period import EpisodeFigures, PeriodFigures
from core.analysis.stretches import Stretch
from core.analysis.sums import Sums, TimeClass, Worst
from core.analysis.trend import Gap, Trend, TrendPoint
from core.facts import Facts as StateFacts
from core.health_monitor import HealthSummary, Known
from core.model import Outcome, Source, Totals
from core.setting_groups import CheckSettings, ReportSettings
from core.settings import Settings
from core.state.history import Attempt
from core.status import DEFAULT_THRESHOLDS, Evidence, assess, holds_until, rate_of
from dashboard.presentation.document import Facts
from dashboard.presentation.slides import facts_of
from tests.frozen_clock import NOON

MONTH = timedelta(days=30)
TOTALS = Totals(999_999_999, 888_888_888)


def worst_facts() -> Facts:
    """A check every second for a month, of which most failed; nothing ever heals."""
    settings = Settings(check=CheckSettings(interval_seconds=1), report=ReportSettings(company="W" * 100))
    start, sums = NOON - MONTH, _sums()
    stretch = Stretch(start, NOON - timedelta(hours=1), healed=False, worst=Worst(1, start, 1, 2), critical=True)
    figures = PeriodFigures(
        start=start,
        end=NOON,
        expected=2_592_000,
        sums=sums,
        stretches=(stretch,),
        stretch_count=1,
        time_below_healthy=MONTH,
        episodes=EpisodeFigures(
            opened=999_999_999,
            healed=999_999_999,
            heal_seconds=999_999_999 * 25 * 86_400,
            longest_heal_seconds=29 * 86_400 + 23 * 3_600,
            healed_within_hour=999_999_998,
        ),
        budget=Budget(settings.promised, start, NOON, sums.attempts, sums.unhealthy, MONTH, ()),
        thresholds=DEFAULT_THRESHOLDS,
        first_number=1,
        last_number=2,
    )
    return facts_of(settings, _summary(settings), figures, _trend(), ZoneInfo("UTC"))


def _sums() -> Sums:
    return Sums(
        healthy=1,
        critical=600_000,
        failed=1_991_998,
        imported=1_991_998,
        agreeing=10**12,
        compared=10**14,
        most_violations=10**12,
        microseconds={TimeClass.NO_DATA: (29 * 86_400 + 23 * 3_600) * 1_000_000},
    )


def _summary(settings: Settings) -> HealthSummary:
    newest = Attempt(
        id=1,
        check_id="1",
        timestamp=NOON - timedelta(days=29, hours=23),
        outcome=Outcome.UNHEALTHY,
        source=Source.CHECK,
        totals=TOTALS,
        consistency_rate=rate_of(TOTALS),
        by_kind={},
        duration_ms=1,
        trigger=None,
        requested_by=None,
        log_file=None,
        error=None,
    )
    evidence = Evidence(newest.timestamp, TOTALS, newest.timestamp, 1_991_998, newest.timestamp, "no")
    assessment = replace(assess(evidence, NOON), since=newest.timestamp)
    facts = StateFacts(1, evidence, newest, 1, newest.timestamp, ())
    known = Known(facts, (), assessment, NOON, holds_until(evidence, assessment, NOON, settings.schedule))
    return HealthSummary(NOON, known, running=False, running_since=None, next_check=None, version="1")


def _trend() -> Trend:
    """Up and down from 0 to 100, with a failure and a gap beside every point."""
    step = MONTH / 360
    moments = [NOON - MONTH + number * step for number in range(360)]
    points = [TrendPoint(at, at, 100.0 * (n % 2), 50.0, 1, 2, n % 3, n % 5 == 0) for n, at in enumerate(moments)]
    gaps = [Gap(at, at + step / 2, unknown=True) for at in moments[::4]]
    return Trend(NOON - MONTH, NOON, points, gaps, MONTH, MONTH, 0.0, NOON - MONTH)
