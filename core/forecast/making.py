"""Make a forecast, or say why there is none. Pure: the series in, the forecast out.

For a job, never for a page: it loads statsmodels and takes seconds.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from core.forecast.backtest import Trial, try_models
from core.forecast.candidates import FitFailed, fit
from core.forecast.intervals import bounds, crossing
from core.forecast.model import LEAST_IMPROVEMENT, NEEDED_DAYS, Forecast, Horizon, HourAhead, Outlook, Refusal
from core.forecast.series import HourlySeries, Unbroken, hour_of, moment_of, unbroken
from core.status import Thresholds

MOST_LUCK = 0.05  # the probability that the improvement is none
_OLDEST_NOW = 3  # hours since the newest hour that was read
_MOST_UNREAD = 0.2  # of all hours


def make_forecast(series: HourlySeries, thresholds: Thresholds, made_at: datetime) -> Forecast:
    """What the next day and week may bring, as seen at `made_at`, with the proof in the backtest or the refusal.

    Takes one to two seconds of one core for eight weeks of hours. Never raises for what the series holds.
    """
    hourly = unbroken(series, made_at)
    day, week = (_outlook(hourly, horizon, thresholds, made_at) for horizon in (Horizon.DAY, Horizon.WEEK))
    return Forecast(made_at, hourly.known, day, week)


def _outlook(hourly: Unbroken, horizon: Horizon, thresholds: Thresholds, made_at: datetime) -> Outlook:
    refusal = _refused_at_sight(hourly, horizon, made_at)
    if refusal is not None:
        return Outlook(horizon, refusal)
    trial = try_models(hourly, horizon)
    if trial is None:
        return Outlook(horizon, Refusal.NO_MODEL)
    if trial.backtest.improvement_percent < LEAST_IMPROVEMENT or trial.backtest.luck > MOST_LUCK:
        return Outlook(horizon, Refusal.NOT_BETTER, trial.model, trial.backtest)
    try:
        return _shown(hourly, horizon, trial, thresholds)
    except FitFailed:
        return Outlook(horizon, Refusal.NO_MODEL)


def _refused_at_sight(hourly: Unbroken, horizon: Horizon, made_at: datetime) -> Refusal | None:
    hours = hourly.values.size
    if hours < NEEDED_DAYS[horizon] * 24:
        return Refusal.TOO_LITTLE_HISTORY
    if hour_of(made_at) - (hourly.first_hour + hours - 1) > _OLDEST_NOW:
        return Refusal.OUTDATED
    if (~hourly.read).mean() > _MOST_UNREAD:
        return Refusal.TOO_MANY_GAPS
    return Refusal.CONSTANT if np.ptp(hourly.values) == 0 else None


def _shown(hourly: Unbroken, horizon: Horizon, trial: Trial, thresholds: Thresholds) -> Outlook:
    values = hourly.values
    ahead = fit(trial.model, values).forecasts(values, [values.size], horizon)[0]
    expected = np.clip(ahead, 0.0, hourly.pairs)
    below, above = bounds(trial.errors, horizon)
    lower = np.clip(np.minimum(expected + below, expected), 0.0, hourly.pairs)
    upper = np.clip(np.maximum(expected + above, expected), 0.0, hourly.pairs)
    following = hourly.first_hour + values.size
    return Outlook(
        horizon,
        None,
        trial.model,
        trial.backtest,
        tuple(
            HourAhead(moment_of(following + step), float(expected[step]), float(lower[step]), float(upper[step]))
            for step in range(horizon)
        ),
        crossing(expected, trial.errors, hourly.pairs, thresholds),
    )
