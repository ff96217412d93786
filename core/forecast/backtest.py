"""Would it have been right? Forecasts from hours of the past, beside the simple guesses, where the outcome is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, gcd, sqrt

import numpy as np

from core.forecast.candidates import SHAPES, FitFailed, fit
from core.forecast.guesses import guess
from core.forecast.intervals import coverage
from core.forecast.model import Backtest, Guess, Horizon, Model
from core.forecast.series import Floats, Unbroken

MOST_TRIES = 32
_FITS = 4  # of each model in a backtest: parameters hardly change from one try to the next
_LEAST_TRAINING, _MOST_TRAINING = 96, 3 * 168  # hours before the first try
_ENOUGH_TRIES = 15 * 24  # hours of tries for the day's horizon; what is there beyond them is better used to learn from
_LEAST_BLOCKS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Tries:
    """The hours at which forecasts are tried, and what then really came: NaN where it was not read."""

    origins: Sequence[int]
    actual: Floats

    def losses(self, forecasts: Floats) -> Floats:
        """The mean absolute error of each try."""
        return np.asarray(np.nanmean(np.abs(self.actual - forecasts), axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The best model, how it did, and by how much it was wrong: one row a try, one column an hour ahead."""

    model: Model
    backtest: Backtest
    errors: Floats


def training_hours(hours: int, horizon: Horizon) -> int:
    """How many of so many hours come before the first try: three eighths or more, four days at least, three weeks at most."""
    spare = hours - _ENOUGH_TRIES if horizon is Horizon.DAY else 0
    return min(max(hours * 3 // 8, spare, _LEAST_TRAINING), _MOST_TRAINING)


def try_models(series: Unbroken, horizon: Horizon) -> Trial | None:
    """Backtest every model that has history enough, and give the one with the lowest error; None when none could be fitted."""
    tries = _tries(series, horizon)
    if not tries.origins:
        return None
    forecasts = {}
    for model, shape in SHAPES.items():
        if tries.origins[0] >= shape.least_hours:
            try:
                forecasts[model] = _rolling(model, series.values, tries.origins, horizon)
            except FitFailed:
                continue
    if not forecasts:
        return None
    model = min(forecasts, key=lambda each: float(tries.losses(forecasts[each]).mean()))
    guessed = {kind: np.stack([guess(kind, series.values[:o], horizon) for o in tries.origins]) for kind in Guess}
    errors = tries.actual - forecasts[model]
    losses = {kind: tries.losses(rows) for kind, rows in guessed.items()}
    return Trial(model, _judged(tries, tries.losses(forecasts[model]), losses, errors, horizon), errors)


def _tries(series: Unbroken, horizon: Horizon) -> Tries:
    newest, oldest = series.values.size - horizon, training_hours(series.values.size, horizon)
    spacing = max(ceil((newest - oldest) / (MOST_TRIES - 1)), 1)
    while gcd(spacing, 24) > 1:  # so that tries stand at every hour of the day
        spacing += 1
    outcome = np.where(series.read, series.values, np.nan)
    origins = [
        origin
        for origin in range(newest, oldest - 1, -spacing)
        if series.read[origin - 1] and series.read[origin : origin + horizon].mean() > 0.5
    ][::-1]
    return Tries(origins, np.array([outcome[origin : origin + horizon] for origin in origins]))


def _rolling(model: Model, values: Floats, origins: Sequence[int], horizon: Horizon) -> Floats:
    rows = []
    for group in np.array_split(np.asarray(origins), min(_FITS, len(origins))):
        fitted = fit(model, values[: group[0]])
        rows.append(fitted.forecasts(values[: group[-1]], [int(origin) for origin in group], horizon))
    return np.maximum(np.concatenate(rows), 0.0)


def _judged(tries: Tries, losses: Floats, guessed: Mapping[Guess, Floats], errors: Floats, horizon: Horizon) -> Backtest:
    error = float(losses.mean())
    means = {kind: float(rows.mean()) for kind, rows in guessed.items()}
    best = min(means.values())
    blocks = max(round((tries.origins[-1] - tries.origins[0]) / horizon), _LEAST_BLOCKS)
    return Backtest(
        tries=len(tries.origins),
        error=error,
        guesses=means,
        improvement_percent=100 * (1 - error / best) if best > 0 else 0.0,
        luck=max(_luck(rows - losses, blocks) for rows in guessed.values()),
        coverage_percent=100 * coverage(errors),
    )


def _luck(gains: Floats, blocks: int) -> float:
    """How probable such gains are when there is nothing to gain (one-sided t test, 0 to 1).

    Tries that are closer than the horizon share hours and are no independent witnesses: each block of them is one.
    """
    from scipy import stats

    witnesses = np.array([block.mean() for block in np.array_split(gains, min(blocks, gains.size))])
    if witnesses.size < _LEAST_BLOCKS:
        return 1.0
    spread = float(witnesses.std(ddof=1)) / sqrt(witnesses.size)
    if spread == 0:
        return 0.0 if witnesses.mean() > 0 else 1.0
    return float(stats.t.sf(float(witnesses.mean()) / spread, witnesses.size - 1))
