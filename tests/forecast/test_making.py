"""What is forecast, what is refused, and that the interval holds what it promises."""

from __future__ import annotations

import warnings
from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.series import KINDS, PAIRS
from core.forecast.making import make_forecast
from core.forecast.model import LEAST_IMPROVEMENT, Forecast, Guess, Horizon, Model, Outlook, Refusal
from core.forecast.series import HourlySeries
from core.status import DEFAULT_THRESHOLDS
from tests.examples import examples
from tests.forecast.histories import NOW_HOUR, forecast_of, history
from tests.frozen_clock import NOON

HOUR = timedelta(hours=1)
WEEKS = 8 * 7


STRUCTURED = ["daily", "nightly", "drifting", "working"]


@cache
def truth(kind: str, seed: int) -> np.ndarray:
    """Nine weeks: eight to learn from, and one that nothing sees."""
    return KINDS[kind].of(WEEKS + 7, seed)


@cache
def forecast_for(kind: str, seed: int) -> Forecast:
    return forecast_of(truth(kind, seed)[: WEEKS * 24])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", STRUCTURED)
def test_structure_is_shown(kind: str, seed: int) -> None:
    forecast = forecast_for(kind, seed)
    assert forecast.day.useful
    backtest = forecast.day.backtest
    assert backtest is not None
    assert backtest.improvement_percent >= LEAST_IMPROVEMENT
    assert backtest.error < min(backtest.guesses.values())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["white", "walk"])
def test_noise_is_refused_although_it_beats_some_guesses(kind: str, seed: int) -> None:
    forecast = forecast_for(kind, seed)
    for horizon in Horizon:
        outlook = forecast.outlook(horizon)
        assert outlook.refusal is Refusal.NOT_BETTER
        assert outlook.backtest is not None, "the page tells by how little"
        assert not outlook.hours
        assert outlook.crossing is None


def test_a_week_is_shown_for_a_daily_pattern_with_eight_weeks_of_history() -> None:
    week = forecast_for("daily", 0).week
    assert week.useful
    assert len(week.hours) == 168


def test_the_pattern_of_the_week_is_found_where_there_is_one() -> None:
    assert forecast_for("working", 0).week.model is Model.WEEK
    assert forecast_for("daily", 0).day.model in (Model.DAY, Model.DAY_AND_TREND)


def test_the_forecast_goes_where_the_pattern_goes() -> None:
    pattern = 20 + 10 * np.sin(2 * np.pi * np.arange(30 * 24) / 24)
    forecast = forecast_of(pattern + np.random.default_rng(1).normal(0, 2, pattern.size))
    expected = np.array([hour.violations for hour in forecast.day.hours])
    assert np.abs(expected - pattern[:24]).max() < 2
    assert [hour.start for hour in forecast.day.hours] == [NOON + HOUR * step for step in range(1, 25)]
    for hour in forecast.day.hours:
        assert 0 <= hour.lower <= hour.violations <= hour.upper


def test_the_measured_coverage_is_near_eighty_percent() -> None:
    outlooks = [outlook for kind in STRUCTURED for seed in range(3) for outlook in _both(forecast_for(kind, seed))]
    measured = [outlook.backtest.coverage_percent for outlook in outlooks if outlook.useful and outlook.backtest is not None]
    assert len(measured) >= 20
    assert all(70 <= each <= 90 for each in measured), measured
    assert 76 <= np.mean(measured) <= 86


def test_the_interval_holds_for_hours_that_nothing_had_seen() -> None:
    for horizon in Horizon:
        inside = [
            hour.lower <= value <= hour.upper
            for kind in STRUCTURED
            for seed in range(3)
            for hour, value in zip(forecast_for(kind, seed).outlook(horizon).hours, truth(kind, seed)[WEEKS * 24 :], strict=False)
        ]
        assert len(inside) >= 10 * horizon
        assert 0.7 <= np.mean(inside) <= 0.9


def _both(forecast: Forecast) -> tuple[Outlook, Outlook]:
    return forecast.day, forecast.week


def test_a_constant_is_no_forecast() -> None:
    forecast = forecast_of(np.full(40 * 24, 7.0))
    assert {forecast.day.refusal, forecast.week.refusal} == {Refusal.CONSTANT}
    assert forecast.known.last_violations == 7.0


def test_a_perfect_pattern_needs_no_model() -> None:
    perfect = np.tile(np.arange(24.0), 14)
    forecast = forecast_of(perfect)
    assert forecast.day.refusal is Refusal.NOT_BETTER
    assert forecast.day.backtest is not None
    assert forecast.day.backtest.guesses[Guess.SAME_AS_YESTERDAY] == 0
    assert forecast.day.backtest.best_guess is Guess.SAME_AS_YESTERDAY


def test_too_little_history_is_refused_by_horizon() -> None:
    nothing = make_forecast(HourlySeries(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)), DEFAULT_THRESHOLDS, NOON)
    assert nothing.day.refusal is Refusal.TOO_LITTLE_HISTORY
    assert nothing.known.last is None
    assert forecast_of(KINDS["daily"].of(9, 0)).day.refusal is Refusal.TOO_LITTLE_HISTORY
    twenty_days = forecast_of(KINDS["daily"].of(20, 0))
    assert twenty_days.day.useful
    assert twenty_days.week.refusal is Refusal.TOO_LITTLE_HISTORY


def test_short_gaps_and_a_lost_night_do_not_spoil_a_forecast() -> None:
    values = KINDS["daily"].of(30, 0)
    values[[100, 101, 300]] = np.nan
    values[400:412] = np.nan
    forecast = forecast_of(values)
    assert forecast.day.useful
    assert (forecast.known.hours, forecast.known.unread) == (30 * 24, 15)


def test_what_lies_before_a_gap_of_more_than_a_day_is_left_out() -> None:
    values = KINDS["daily"].of(30, 0)
    values[-14 * 24 - 25 : -14 * 24] = np.nan
    forecast = forecast_of(values)
    assert forecast.known.hours == 14 * 24
    assert forecast.known.after_gap
    assert forecast.day.useful
    values[-8 * 24 - 25 : -8 * 24] = np.nan
    assert forecast_of(values).day.refusal is Refusal.TOO_LITTLE_HISTORY


def test_too_many_gaps_are_refused() -> None:
    values = KINDS["daily"].of(30, 0)
    values[np.arange(values.size) % 4 == 1] = np.nan
    assert forecast_of(values).day.refusal is Refusal.TOO_MANY_GAPS


def test_nothing_read_for_hours_leaves_no_now_to_start_from() -> None:
    daily = KINDS["daily"].of(30, 0)
    assert forecast_of(daily, until=NOW_HOUR - 3).day.useful
    assert forecast_of(daily, until=NOW_HOUR - 4).day.refusal is Refusal.OUTDATED


def test_hours_of_the_future_come_from_a_clock_that_was_set_back() -> None:
    assert forecast_of(KINDS["daily"].of(12, 0), until=NOW_HOUR + 30).known.last == NOON


def test_the_probability_of_crossing_is_plain_in_plain_cases() -> None:
    daily = KINDS["daily"].of(20, 0)  # up to 40 violations
    far, below, far_below = (forecast_of(daily, pairs=pairs).day.crossing for pairs in (100_000.0, 1_000.0, 400.0))
    assert far is not None and far.below_healthy < 0.05 and far.below_degraded < 0.05
    assert below is not None and below.below_healthy > 0.95 and below.below_degraded < 0.05
    assert far_below is not None and far_below.below_degraded > 0.95


def test_rates_are_those_of_the_newest_number_of_pairs() -> None:
    forecast = forecast_for("daily", 0)
    assert forecast.known.pairs == PAIRS
    for hour, rate in zip(forecast.day.hours, forecast.rates(Horizon.DAY), strict=True):
        assert rate.rate == pytest.approx(100 - hour.violations / 100)
        assert rate.lower <= rate.rate <= rate.upper


def test_no_warning_of_a_library_reaches_anybody() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        forecast_of(KINDS["spikes"].of(12, 3))
    assert not caught


def test_order_and_doubles_do_not_matter() -> None:
    series = history(KINDS["daily"].of(12, 0))
    order = np.random.default_rng(0).permutation(series.hours.size)
    doubled = HourlySeries(
        np.concatenate((series.hours, series.hours))[np.concatenate((order, order + order.size))],
        np.concatenate((np.zeros_like(series.violations), series.violations))[np.concatenate((order, order + order.size))],
        np.concatenate((series.total, series.total))[np.concatenate((order, order + order.size))],
    )
    assert make_forecast(doubled, DEFAULT_THRESHOLDS, NOON) == make_forecast(series, DEFAULT_THRESHOLDS, NOON)


def test_an_hour_is_the_mean_of_its_readings() -> None:
    series = HourlySeries.of_readings(np.array([8, 7, 7, 7]), np.array([4, 1, 2, 3]), np.array([90, 80, 80, 83]))
    assert series.hours.tolist() == [7, 8]
    assert series.violations.tolist() == [2.0, 4.0]
    assert series.total.tolist() == [81.0, 90.0]
    nothing = np.empty(0, dtype=np.int64)
    assert HourlySeries.of_readings(nothing, nothing, nothing).hours.size == 0


_FIGURES = st.one_of(
    st.floats(0, 50), st.sampled_from([np.nan, np.inf, -np.inf, -1.0, 0.0, 1e300, 5e-324]), st.floats(allow_subnormal=True)
)


@settings(max_examples=examples(6))
@given(values=arrays.arrays(np.float64, st.integers(0, 300), elements=_FIGURES), pairs=_FIGURES)
def test_nothing_that_a_series_can_hold_raises(values: np.ndarray, pairs: float) -> None:
    forecast = forecast_of(values, pairs=pairs)
    for horizon in Horizon:
        assert forecast.outlook(horizon).useful == bool(forecast.outlook(horizon).hours)


@settings(max_examples=examples(4))
@given(
    seed=st.integers(0, 1000), scale=st.sampled_from([1e-300, 1e-9, 1.0, 1e9]), broken=st.lists(st.integers(0, 287), max_size=40)
)
def test_nothing_that_long_history_can_hold_raises(seed: int, scale: float, broken: list[int]) -> None:
    values = np.random.default_rng(seed).exponential(1, 288) ** 4 * scale
    values[broken] = np.nan
    forecast = forecast_of(values, pairs=1e12)
    assert forecast.week.refusal is not None
