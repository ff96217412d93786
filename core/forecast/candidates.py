"""The models that may become the forecast: exponential smoothing by statsmodels, fitted now and then, carried on between.

statsmodels takes seconds to load, so it is imported where a forecast is made and nowhere else.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.forecast.model import Model
from core.forecast.series import Floats

_ITERATIONS = 60  # a fit that needs more is not to be trusted here


class FitFailed(Exception):
    """The model does not suit these data: the numbers ran away, or the search for parameters found no end."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a model is made of: a fading trend or none, a season of so many hours or none (0), and the least history for it."""

    trend: bool
    season: int
    least_hours: int

    def options(self) -> dict[str, Any]:
        """The arguments of statsmodels' ETSModel."""
        return {
            "error": "add",
            "trend": "add" if self.trend else None,
            "damped_trend": self.trend,
            "seasonal": "add" if self.season else None,
            "seasonal_periods": self.season or None,
        }


SHAPES: Mapping[Model, Shape] = {
    Model.LEVEL: Shape(trend=False, season=0, least_hours=24),
    Model.TREND: Shape(trend=True, season=0, least_hours=24),
    Model.DAY: Shape(trend=False, season=24, least_hours=96),
    Model.DAY_AND_TREND: Shape(trend=True, season=24, least_hours=96),
    Model.WEEK: Shape(trend=False, season=168, least_hours=3 * 168),
}


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Parameters and the states before the first hour, both learnt from the same past."""

    shape: Shape
    parameters: Floats
    damping: float
    start: Mapping[str, Any]

    def forecasts(self, values: Floats, origins: Sequence[int], steps: int) -> Floats:
        """One row of `steps` values for each origin: the forecast from `values[:origin]`, no later value being used.

        The filter runs once over all hours: its state after an hour depends on that hour and those before it alone.
        Raises FitFailed.
        """
        with _failures_named():
            model = _ets_model(values, self.shape, initialization_method="known", **self.start)
            states = np.asarray(model.smooth(self.parameters).states, dtype=np.float64).reshape(values.size, -1)
            rows = np.stack([self._ahead(states, origin, steps) for origin in origins])
        if not np.isfinite(rows).all():
            raise FitFailed
        return rows

    def _ahead(self, states: Floats, origin: int, steps: int) -> Floats:
        ahead = np.arange(1, steps + 1)
        row = np.full(steps, states[origin - 1, 0])
        if self.shape.trend:
            row = row + states[origin - 1, 1] * np.cumsum(self.damping**ahead)
        if self.shape.season:
            row = row + np.resize(states[origin - self.shape.season : origin, -1], steps)
        return row


def fit(model: Model, past: Floats) -> Fitted:
    """Learn a model's parameters from the past. Raises FitFailed."""
    shape = SHAPES[model]
    with _failures_named():
        ets = _ets_model(past, shape, initialization_method="heuristic")
        result = ets.fit(disp=False, maxiter=_ITERATIONS)
    parameters = np.asarray(result.params, dtype=np.float64)
    if not result.mle_retvals["converged"] or not np.isfinite(parameters).all():
        raise FitFailed
    start = {"initial_level": ets.initial_level}
    if shape.trend:
        start["initial_trend"] = ets.initial_trend
    if shape.season:
        start["initial_seasonal"] = ets.initial_seasonal
    damping = parameters[ets.param_names.index("damping_trend")] if shape.trend else 1.0
    return Fitted(shape, parameters, float(damping), start)


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        with np.errstate(all="ignore"):
            yield
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as unsuitable:
        raise FitFailed from unsuitable


def _ets_model(values: Floats, shape: Shape, **initialization: Any) -> Any:
    # Their warnings (a search that ended early, an overflow) are for somebody who models by hand. Here a model proves itself
    # in the backtest or is out. The filter names their modules; catch_warnings() would change everybody's while threads run.
    for package in ("statsmodels", "scipy"):
        warnings.filterwarnings("ignore", module=rf"{package}\.")
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    return ETSModel(values, **shape.options(), **initialization)
