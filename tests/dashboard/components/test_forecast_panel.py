"""The forecast's panel before the first forecast, with one, and refused."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _panel(name: str) -> None:
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from core.forecast.model import Forecast, Horizon, Refusal
    from core.status import DEFAULT_THRESHOLDS
    from dashboard.components.forecast_panel import forecast_panel
    from dashboard.viewer import Viewer
    from dashboard.wording import Theme
    from tests.forecast.outlooks import KNOWN, USEFUL, refused
    from tests.forecast.test_promise import HOLDING
    from tests.frozen_clock import NOON

    no_week = Forecast(NOON, KNOWN, USEFUL.day, refused(Horizon.WEEK, Refusal.TOO_LITTLE_HISTORY))
    constant = Forecast(NOON, KNOWN, refused(Horizon.DAY, Refusal.CONSTANT), refused(Horizon.WEEK, Refusal.CONSTANT))
    forecast = {"none": None, "useful": USEFUL, "day": no_week, "constant": constant}[name]
    viewer = Viewer("ada", Theme.LIGHT, ZoneInfo("UTC"), NOON + timedelta(minutes=12))
    forecast_panel(forecast, HOLDING if name == "useful" else None, DEFAULT_THRESHOLDS, viewer)


def drawn(name: str) -> tuple[str, AppTest]:
    page = AppTest.from_function(_panel, args=(name,), default_timeout=30).run()
    assert not page.exception
    return "\n".join(str(element.proto.body) for element in page.get("html")), page


def test_before_the_first_forecast_it_says_what_happens_next() -> None:
    text, page = drawn("none")
    assert "No forecast was made yet" in text
    assert not page.get("plotly_chart")


def test_a_useful_forecast_has_chart_proof_and_probabilities() -> None:
    text, page = drawn("useful")
    assert "made <time" in text
    assert "71.5 violations are expected" in text
    assert "holds: 12 of 89 allowed bad checks are used" in text
    assert "28 %" in text and "below 99 %" in text and "&lt; 1 %" in text
    assert len(page.get("plotly_chart")) == 1
    assert "In 28 tries" in page.caption[0].value
    assert "No useful forecast" not in text


def test_a_horizon_that_was_refused_is_said_beside_the_other() -> None:
    text, page = drawn("day")
    assert "No useful forecast of the next 7 days can be made" in text
    assert len(page.get("plotly_chart")) == 1


def test_a_refusal_draws_no_chart() -> None:
    text, page = drawn("constant")
    assert text.count("No useful forecast") == 2
    assert not page.get("plotly_chart")
