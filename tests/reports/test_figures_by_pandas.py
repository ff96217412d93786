"""Every figure of a report, computed again from the raw logs and rows by an independent program, to the last digit."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise

import pandas as pd
import pytest

from core.analysis.period import PeriodFigures
from core.analysis.sums import Sums
from core.model import ReportFormat
from core.reports.content import ReportContent, Verdict
from tests.reports import by_pandas
from tests.reports.by_pandas import Readings
from tests.reports.conftest import MakeReport
from tests.reports.lived import EVERY, Past

START, END = pd.Timestamp("2025-10-06", tz="Europe/Budapest"), pd.Timestamp("2025-10-20", tz="Europe/Budapest")
BEFORE = pd.Timestamp("2025-09-22", tz="Europe/Budapest")


@pytest.fixture(scope="module")
def readings(past: Past) -> Readings:
    return by_pandas.read(past.state, past.logs)


@pytest.fixture(scope="module")
def content(report: MakeReport) -> ReportContent:
    return report(ReportFormat.CSV, user_ids=True).statement.content


def expect_sums(sums: Sums, readings: Readings, start: pd.Timestamp, end: pd.Timestamp) -> None:
    expected = by_pandas.counts(readings.between(start, end))
    worst = expected.pop("worst")
    assert sums.ran == len(readings.all_between(start, end))
    assert {name: getattr(sums, name) for name in expected} == expected
    if worst is None:
        assert sums.worst is None
    else:
        assert sums.worst is not None
        assert (Fraction(sums.worst.consistent, sums.worst.total), sums.worst.at, sums.worst.number) == worst
    times = {kind.value: pd.Timedelta(length, "us") for kind, length in sums.microseconds.items()}
    assert times == by_pandas.time_by_class(readings, start, end)


def expect_figures(figures: PeriodFigures, readings: Readings, start: pd.Timestamp, end: pd.Timestamp) -> None:
    ran = readings.all_between(start, end)
    assert (figures.start, figures.end) == (start, end)
    assert figures.expected == (end - start) // pd.Timedelta(EVERY)
    expect_sums(figures.sums, readings, start, end)
    assert (figures.first_number, figures.last_number) == (ran["number"].min(), ran["number"].max())
    found = by_pandas.stretches(ran)
    assert figures.stretch_count == len(found)
    assert figures.time_below_healthy == sum((end - start for start, end, *_ in found), pd.Timedelta(0))
    assert [
        (one.start, one.end, one.healed, Fraction(one.worst.consistent, one.worst.total), one.worst.number, one.critical)
        for one in figures.stretches
    ] == found[:10]
    expect_budget(figures, readings, end)
    expect_lives(figures, readings, start, end)


def expect_budget(figures: PeriodFigures, readings: Readings, end: pd.Timestamp) -> None:
    def tried(length: pd.Timedelta) -> tuple[int, int]:
        part = readings.between(end - length, end)
        return len(part), sum(by_pandas.status(row.total, row.consistent) != "healthy" for row in part.itertuples())

    budget = figures.budget
    assert (budget.attempts, budget.bad) == tried(pd.Timedelta(days=30))
    assert budget.allowed == Decimal(budget.attempts) / 100
    left = Fraction(budget.attempts - 100 * budget.bad, budget.attempts) * 100
    assert budget.left_percent == left.numerator // left.denominator
    for pace in budget.paces:
        assert (pace.attempts, pace.bad) == tried(pd.Timedelta(pace.length))


def expect_lives(figures: PeriodFigures, readings: Readings, start: pd.Timestamp, end: pd.Timestamp) -> None:
    lives, found = readings.lives, figures.episodes
    outside = [life for life in lives if not life.began_in_maintenance]
    begun = [life for life in outside if start <= life.since < end]
    over = [life for life in outside if life.until is not None and start <= life.until < end and not life.ended_in_maintenance]
    left = [life for life in lives if life.since < end and (life.until is None or life.until >= end)]
    took = [by_pandas.seconds((life.since, life.until)) for life in over if life.until is not None]
    assert (found.opened, found.returned) == (len(begun), sum(life.before > 0 for life in begun))
    assert (found.healed, found.heal_seconds) == (len(over), sum(took))
    assert found.longest_heal_seconds == max(took, default=0)
    assert found.healed_within_hour == sum(length <= 3_600 for length in took)
    assert found.open_at_end == len(left)
    assert found.oldest_open == min((life.since for life in left), default=None)


def test_the_figures_of_the_period(content: ReportContent, readings: Readings) -> None:
    expect_figures(content.figures, readings, START, END)


def test_the_figures_of_the_period_before(content: ReportContent, readings: Readings) -> None:
    expect_figures(content.before, readings, BEFORE, START)


def test_the_past_has_everything_in_it(content: ReportContent) -> None:
    sums, earlier, lives = content.figures.sums, content.before.sums, content.figures.episodes
    assert all((sums.healthy, sums.degraded, sums.critical, sums.empty, sums.failed, earlier.imported, earlier.healthy))
    assert {*sums.microseconds, *earlier.microseconds} == set(type(next(iter(sums.microseconds))))
    assert lives.returned
    assert lives.healed_within_hour
    assert lives.open_at_end
    assert content.figures.stretch_count > 5
    assert any(not stretch.healed for stretch in (*content.figures.stretches, *content.before.stretches))


def test_each_day_of_the_series(content: ReportContent, readings: Readings) -> None:
    days = pd.date_range(START, END, freq="D", tz="Europe/Budapest")
    assert [(point.start, point.end) for point in content.points] == list(pairwise(days))
    for point in content.points:
        expect_sums(point.sums, readings, pd.Timestamp(point.start), pd.Timestamp(point.end))
        assert point.expected == (point.end - point.start) // EVERY


def test_the_days_add_up_to_the_period(content: ReportContent) -> None:
    names = ("healthy", "degraded", "critical", "empty", "failed", "imported", "agreeing", "compared", "in_maintenance")
    for name in names:
        assert sum(getattr(point.sums, name) for point in content.points) == getattr(content.figures.sums, name)
    lengths = Counter[str]()
    for point in content.points:
        lengths.update({kind.value: length for kind, length in point.sums.microseconds.items()})
    assert sum(lengths.values()) == timedelta(days=14) // timedelta(microseconds=1)


def test_what_disagreed(content: ReportContent, readings: Readings) -> None:
    begun = [life for life in readings.lives if START <= life.since < END and not life.began_in_maintenance]
    kinds, names = Counter(life.kind for life in begun), Counter(life.pair[1] for life in begun)
    assert {entry.name: entry.count for entry in content.by_kind} == kinds
    assert {entry.name: entry.count for entry in content.by_specialization} == names
    assert content.other_specializations == 0
    for entries in (content.by_kind, content.by_specialization):
        assert [entry.count for entry in entries] == sorted((entry.count for entry in entries), reverse=True)


def test_the_oldest_and_the_most_returning(content: ReportContent, readings: Readings) -> None:
    left = [life for life in readings.lives if life.since < END and (life.until is None or life.until >= END)]
    oldest = sorted(left, key=lambda life: (life.since, life.pair))[:10]
    assert [((str(one.user_id), one.specialization), one.kind, one.since) for one in content.oldest] == [
        (life.pair, life.kind, life.since) for life in oldest
    ]
    begun = [life for life in readings.lives if START <= life.since < END and not life.began_in_maintenance]
    assert len(begun) < sum(START <= life.since < END for life in readings.lives)
    times = Counter(life.pair for life in begun)
    newest = {life.pair: life.since for life in begun}
    most = sorted((pair for pair in times if times[pair] > 1), key=lambda pair: (-times[pair], -newest[pair].value, pair))[:10]
    assert [((str(one.user_id), one.specialization), one.times) for one in content.returning] == [
        (pair, times[pair]) for pair in most
    ]


def test_the_readings_and_their_digest(content: ReportContent, readings: Readings) -> None:
    part = readings.all_between(START, END)
    assert part["planned"].sum() == content.figures.sums.in_maintenance > 3
    lines = [
        f"{row.number},{row.at.isoformat(timespec='microseconds')},"
        + ("," if row.failed else f"{int(row.total)},{int(row.consistent)}")
        + (",maintenance\n" if row.planned else "\n")
        for row in part.itertuples()
    ]
    assert content.readings.count == len(part)
    assert content.readings.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_what_is_shown_of_them(content: ReportContent, readings: Readings, report: MakeReport) -> None:
    counted = by_pandas.counts(readings.between(START, END))
    tiles = {tile.key: tile.value for tile in report(ReportFormat.CSV, user_ids=True).said.tiles}
    rate = Decimal(100 * counted["agreeing"]) / counted["compared"]
    attempts = sum(counted[name] for name in ("healthy", "degraded", "critical", "empty", "failed"))
    share = Decimal(counted["healthy"] * 10_000 // attempts) / 100
    worst = Decimal(100 * counted["worst"][0].numerator) / counted["worst"][0].denominator
    assert tiles["rate"] == f"{rate.quantize(Decimal('0.01'), ROUND_HALF_EVEN)}\u202f%"
    assert tiles["share"] == f"{share:.2f}\u202f%"
    assert tiles["worst"] == f"{worst.quantize(Decimal('0.01'), ROUND_HALF_EVEN)}\u202f%"
    assert tiles["ran"] == str(len(readings.all_between(START, END)))
    assert content.verdict is (Verdict.KEPT if share >= 99 else Verdict.BROKEN)
