"""Forecasts as they are kept: the newest, whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecast.model import Backtest, Crossing, Forecast, Guess, Horizon, HourAhead, HourRead, Known, Model, Outlook, Refusal
from core.state import forecasts, schema
from core.state.database import StateDatabase
from tests.examples import examples
from tests.frozen_clock import NOON

_MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - what hypothesis asks for
_FIGURES = st.floats(0, 1e12)
_SHARES = st.floats(0, 1)
_BACKTESTS = st.builds(
    Backtest,
    tries=st.integers(1, 40),
    error=_FIGURES,
    guesses=st.fixed_dictionaries(dict.fromkeys(Guess, _FIGURES)),
    improvement_percent=st.floats(-1e6, 100),
    luck=_SHARES,
    coverage_percent=st.floats(0, 100),
)
_HOURS = st.lists(st.builds(HourAhead, start=_MOMENTS, violations=_FIGURES, lower=_FIGURES, upper=_FIGURES), max_size=3).map(
    tuple
)
_OUTLOOKS = st.builds(
    Outlook,
    horizon=st.sampled_from(Horizon),
    refusal=st.none() | st.sampled_from(Refusal),
    model=st.none() | st.sampled_from(Model),
    backtest=st.none() | _BACKTESTS,
    hours=_HOURS,
    crossing=st.none() | st.builds(Crossing, below_healthy=_SHARES, below_degraded=_SHARES),
)
_KNOWN = st.builds(
    Known,
    first=st.none() | _MOMENTS,
    last=st.none() | _MOMENTS,
    hours=st.integers(0, 1344),
    unread=st.integers(0, 1344),
    after_gap=st.booleans(),
    last_violations=_FIGURES,
    pairs=_FIGURES,
    newest=st.lists(st.builds(HourRead, start=_MOMENTS, violations=st.none() | _FIGURES), max_size=3).map(tuple),
)
_FORECASTS = st.builds(Forecast, made_at=_MOMENTS, known=_KNOWN, day=_OUTLOOKS, week=_OUTLOOKS)

NOTHING = Forecast(
    NOON, Known(), Outlook(Horizon.DAY, Refusal.TOO_LITTLE_HISTORY), Outlook(Horizon.WEEK, Refusal.TOO_LITTLE_HISTORY)
)


def keep(state: StateDatabase, watched: str, forecast: Forecast) -> None:
    with state.write() as connection:
        forecasts.keep(connection, watched, forecast)


def newest(state: StateDatabase, watched: str) -> Forecast | None:
    with state.read() as connection:
        return forecasts.newest(connection, watched)


@settings(max_examples=examples(25))
@given(forecast=_FORECASTS)
def test_what_was_kept_is_what_is_read(sqlite_state: StateDatabase, forecast: Forecast) -> None:
    keep(sqlite_state, "a" * 16, forecast)
    assert newest(sqlite_state, "a" * 16) == forecast


def test_the_newest_of_each_database_is_read_and_ten_are_kept(fresh_state: StateDatabase) -> None:
    assert newest(fresh_state, "one") is None
    keep(fresh_state, "other", NOTHING)
    for minute in range(forecasts.KEPT + 3):
        keep(fresh_state, "one", replace(NOTHING, made_at=NOON + timedelta(minutes=minute)))
    found = newest(fresh_state, "one")
    assert found is not None
    assert found.made_at == NOON + timedelta(minutes=forecasts.KEPT + 2)
    assert newest(fresh_state, "other") == NOTHING
    with fresh_state.read() as connection:
        kept = dict(connection.execute(sa.select(schema.forecasts.c.watched, sa.func.count()).group_by("watched")).all())
    assert kept == {"one": forecasts.KEPT, "other": 1}


def test_a_document_of_another_version_is_no_forecast(sqlite_state: StateDatabase) -> None:
    with sqlite_state.write() as connection:
        connection.execute(
            sa.insert(schema.forecasts).values(watched="one", made_at=NOON, document={"made_at": "yesterday", "rate": 99})
        )
    assert newest(sqlite_state, "one") is None
