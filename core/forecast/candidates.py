"""The models that may become the forecast: exponential smoothing by statsmodels, fitted now and then, carried on between.

statsmodels takes seconds to load, so it is imported where a forecast is made and nowhere else.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.forecast.model import Model
from core.forecast.series import Floats

_EVALUATIONS = 400  # a fit that needs more is not to be trusted here

# Where the search for each parameter begins, and its bounds.
_SEARCH: Mapping[str, tuple[float, float, float]] = {
    "smoothing_level": (0.2, 0.0001, 0.9999),
    "smoothing_trend": (0.02, 0.0001, 0.9999),
    "smoothing_seasonal": (0.1, 0.0001, 0.9999),
    "damping_trend": (0.9, 0.8, 0.98),
}
_ROOM: Mapping[str, Callable[[float], float]] = {
    "smoothing_trend": lambda level: level,
    "smoothing_seasonal": lambda level: 1 - level,
}


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
    Model.WEEK: Shape(trend=False, season=168, least_hours=15 * 24),
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
            _, states = model.smooth(self.parameters, return_raw=True)  # level, trend, season, as far as there are such
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
    """Learn a model's parameters from the past: those of the greatest likelihood. Raises FitFailed."""
    shape = SHAPES[model]
    with _failures_named():
        ets = _ets_model(past, shape, initialization_method="heuristic")
        parameters = _most_likely(ets)
    start = {"initial_level": ets.initial_level}
    if shape.trend:
        start["initial_trend"] = ets.initial_trend
    if shape.season:
        start["initial_seasonal"] = ets.initial_seasonal
    damping = parameters[ets.param_names.index("damping_trend")] if shape.trend else 1.0
    return Fitted(shape, parameters, float(damping), start)


def _most_likely(ets: Any) -> Floats:
    """The parameters of the greatest likelihood. Raises FitFailed when the search finds no end.

    ETSModel.fit() would do, but for its linear algebra, which wakes a thread for each core to divide ten numbers: on a busy
    machine it takes ten times as long. A simplex needs none.
    """
    from scipy import optimize

    names = ets.param_names
    first, lowest, highest = np.array([_SEARCH[name] for name in names]).T
    level = names.index("smoothing_level")
    # a trend or season that follows faster than the level allows is no filter any more
    room = [(names.index(name), most) for name, most in _ROOM.items() if name in names]

    def unlikelihood(parameters: Floats) -> float:
        if any(parameters[index] > most(parameters[level]) for index, most in room):
            return np.inf
        likelihood = float(ets.loglike(parameters))
        return -likelihood if np.isfinite(likelihood) else np.inf

    found = optimize.minimize(
        unlikelihood,
        first,
        method="Nelder-Mead",
        bounds=list(zip(lowest, highest, strict=True)),
        options={"maxfev": _EVALUATIONS, "xatol": 0.01, "fatol": 0.1},
    )
    if not found.success or not np.isfinite(found.fun):
        raise FitFailed
    return np.asarray(found.x, dtype=np.float64)


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
