"""The forecast on a page: what is expected and how well that did before, or why nothing is said."""

from __future__ import annotations

from datetime import timedelta
from html import escape

import streamlit as st

from core.forecast.model import INTERVAL_PERCENT, Crossing, Forecast, Horizon, Model
from core.forecast.promise import PromiseOutlook
from core.status import Thresholds
from dashboard.components.forecast_chart import Measure, forecast_chart
from dashboard.components.tiles import Tile, tiles
from dashboard.viewer import Viewer
from dashboard.wording import ago, timed
from dashboard.wording_forecast import (
    HORIZON_LABELS,
    MODEL_LABELS,
    expected_sentence,
    outlook_sentence,
    probability,
    proof_sentence,
    refusal_sentence,
)

_HEIGHT = 300
_STILL_NEW = timedelta(hours=3)
_CONFIG = {"displayModeBar": False, "scrollZoom": False}
_MEASURES = {"Violations": Measure.VIOLATIONS, "Rate": Measure.RATE}


def forecast_panel(forecast: Forecast | None, promise: PromiseOutlook | None, thresholds: Thresholds, viewer: Viewer) -> None:
    """Heading, promise, and each horizon: a chart with its proof, or the refusal. `promise` None: no check ran this month."""
    with st.container(border=True, key="forecast-card"):
        st.html(f'<h2 class="card">Forecast {_made(forecast, viewer)}</h2>')
        if promise is not None:
            _paragraph(outlook_sentence(promise, viewer.now), "promise")
        if forecast is None:
            st.html('<p class="empty">No forecast was made yet. One is made in the background, within an hour of a check.</p>')
            return
        useful = [horizon for horizon in Horizon if forecast.outlook(horizon).useful]
        if useful:
            _outlook(forecast, useful, thresholds, viewer)
        for horizon in Horizon:
            outlook = forecast.outlook(horizon)
            if not outlook.useful:
                _paragraph(refusal_sentence(outlook, forecast.known, viewer.zone), f"refusal-{horizon:d}")


def _made(forecast: Forecast | None, viewer: Viewer) -> str:
    if forecast is None:
        return ""
    made = timed(ago(forecast.made_at, viewer.now), forecast.made_at, viewer.zone, role="ago")
    old = "" if viewer.now - forecast.made_at < _STILL_NEW else "; no newer one could be made"
    return f'<span class="note">made {made}{old}</span>'


def _outlook(forecast: Forecast, useful: list[Horizon], thresholds: Thresholds, viewer: Viewer) -> None:
    horizon, measure = _choices(useful)
    outlook = forecast.outlook(horizon)
    _paragraph(expected_sentence(outlook, viewer.zone), "expected")
    st.plotly_chart(
        forecast_chart(forecast, horizon, measure, thresholds, viewer.theme, viewer.zone, height=_HEIGHT),
        key="forecast",
        theme=None,
        config=_CONFIG,
        alt=f"The last two days and the forecast of the next {HORIZON_LABELS[horizon]}",
    )
    if outlook.crossing is not None:
        tiles(_crossings(outlook.crossing, horizon, thresholds))
    if outlook.backtest is not None and outlook.model is not None:
        st.caption(f"{proof_sentence(outlook.backtest)} {_method(outlook.model)}")


def _method(model: Model) -> str:
    return (
        f"The model is {MODEL_LABELS[model]}; dotted is what it expects, shaded the {INTERVAL_PERCENT} % interval. "
        "Figures are means of an hour; rates assume as many pairs as now."
    )


def _choices(useful: list[Horizon]) -> tuple[Horizon, Measure]:
    horizons = {HORIZON_LABELS[horizon]: horizon for horizon in useful}
    with st.container(horizontal=True):
        horizon = _choice("Horizon", list(horizons))
        measure = _choice("Measure", list(_MEASURES))
    return horizons.get(horizon, useful[0]), _MEASURES[measure]


def _choice(name: str, labels: list[str]) -> str:
    chosen = st.segmented_control(
        name, labels, default=labels[0], key=f"forecast-{name.lower()}", required=True, label_visibility="collapsed"
    )
    return chosen or labels[0]


def _crossings(crossing: Crossing, horizon: Horizon, thresholds: Thresholds) -> list[Tile]:
    return [
        Tile(
            escape(probability(value)), f"probability of an hour below {threshold:f} % in the next {HORIZON_LABELS[horizon]}", key
        )
        for value, threshold, key in (
            (crossing.below_healthy, thresholds.healthy, "below-healthy"),
            (crossing.below_degraded, thresholds.degraded, "below-degraded"),
        )
    ]


def _paragraph(sentence: str, name: str) -> None:
    st.html(f'<p class="sentence" data-testid="forecast-{name}">{escape(sentence)}</p>')
