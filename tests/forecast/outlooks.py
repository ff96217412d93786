"""Forecasts as they come out, made by hand."""

from __future__ import annotations

from datetime import timedelta

from core.forecast.model import (
    Backtest,
    Crossing,
    Forecast,
    Guess,
    Horizon,
    HourAhead,
    HourRead,
    Known,
    Model,
    Outlook,
    Refusal,
)
from tests.frozen_clock import NOON

HOUR = timedelta(hours=1)

KNOWN = Known(
    first=NOON - 1343 * HOUR,
    last=NOON,
    hours=1344,
    unread=1,
    last_violations=60.0,
    pairs=10_000.0,
    newest=tuple(HourRead(NOON - (47 - step) * HOUR, None if step == 10 else 60.0 + step % 24) for step in range(48)),
)
BACKTEST = Backtest(
    tries=28,
    error=3.1,
    guesses={Guess.SAME_AS_NOW: 5.2, Guess.SAME_AS_YESTERDAY: 4.4, Guess.AS_USUAL: 6.0},
    improvement_percent=29.5,
    luck=0.001,
    coverage_percent=81.2,
)


def outlook(horizon: Horizon) -> Outlook:
    """One that may be shown."""
    hours = tuple(
        HourAhead(NOON + step * HOUR, 60.0 + step % 24, 50.0 + step % 24, 90.0 + step % 24) for step in range(1, horizon + 1)
    )
    return Outlook(horizon, None, Model.DAY, BACKTEST, hours, Crossing(0.28, 0.002))


def refused(horizon: Horizon, refusal: Refusal, backtest: Backtest | None = None) -> Outlook:
    """One that may not."""
    return Outlook(horizon, refusal, None if backtest is None else Model.DAY, backtest)


USEFUL = Forecast(NOON, KNOWN, outlook(Horizon.DAY), outlook(Horizon.WEEK))
