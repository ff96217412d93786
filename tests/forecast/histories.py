"""Histories to make a forecast from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.series import PAIRS
from core.forecast.making import make_forecast
from core.forecast.model import Forecast
from core.forecast.series import HourlySeries, hour_of
from core.status import DEFAULT_THRESHOLDS
from tests.frozen_clock import NOON

NOW_HOUR = hour_of(NOON)


def history(violations: npt.ArrayLike, *, pairs: float = PAIRS, until: int = NOW_HOUR) -> HourlySeries:
    """One value an hour, the newest at `until`."""
    values = np.asarray(violations, dtype=np.float64)
    hours = np.arange(until - values.size + 1, until + 1)
    return HourlySeries(hours, values, np.where(np.isnan(values), np.nan, pairs))


def forecast_of(violations: npt.ArrayLike, *, pairs: float = PAIRS, until: int = NOW_HOUR) -> Forecast:
    """The forecast that is made at noon."""
    return make_forecast(history(violations, pairs=pairs, until=until), DEFAULT_THRESHOLDS, NOON)
