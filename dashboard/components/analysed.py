"""What the analysis shows, asked for once a minute and version, whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.analysis.heat import HeatMap
from core.analysis.period import PeriodFigures
from core.analysis.trend import Trend
from core.over_time import Bucket
from dashboard.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Analysed:
    """The figures of a time, its trend, and what its violations were made of."""

    figures: PeriodFigures
    trend: Trend
    buckets: Sequence[Bucket]


def read(runtime: Runtime, start: datetime, end: datetime, version: str) -> Analysed:
    """The analysis of a time, to the minute."""
    return _analysed(runtime, *_to_the_minute(start, end), version)


def heat(runtime: Runtime, start: datetime, end: datetime, zone: ZoneInfo, version: str) -> HeatMap:
    """The hours of the week in that time, in a zone."""
    return _heat(runtime, *_to_the_minute(start, end), zone, version)


def _to_the_minute(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    minute = end.replace(second=0, microsecond=0)
    return start.replace(second=0, microsecond=0), minute + timedelta(minutes=1) if minute < end else minute


@lru_cache(maxsize=16)
def _analysed(runtime: Runtime, start: datetime, end: datetime, version: str) -> Analysed:
    record = runtime.monitor.record
    return Analysed(record.period(start, end), record.trend(start, end), record.violations_over_time(start, end))


@lru_cache(maxsize=16)
def _heat(runtime: Runtime, start: datetime, end: datetime, zone: ZoneInfo, version: str) -> HeatMap:
    return runtime.monitor.record.heat_map(start, end, zone)
