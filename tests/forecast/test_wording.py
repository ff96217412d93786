"""What a page says about a forecast."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from core.forecast.model import Guess, Horizon, Known, Model, Refusal
from dashboard.wording_forecast import (
    GUESS_LABELS,
    HORIZON_LABELS,
    MODEL_LABELS,
    expected_sentence,
    probability,
    proof_sentence,
    refusal_sentence,
)
from tests.forecast.outlooks import BACKTEST, KNOWN, USEFUL, refused

BUDAPEST = ZoneInfo("Europe/Budapest")


def why(refusal: Refusal, horizon: Horizon = Horizon.DAY, known: Known = KNOWN) -> str:
    return refusal_sentence(refused(horizon, refusal), known, BUDAPEST)


def test_what_is_expected_names_the_average_and_the_worst_hour() -> None:
    assert expected_sentence(USEFUL.day, BUDAPEST) == (
        "71.5 violations are expected on average over the next 24 hours, most around Sun 12:00: 83, "
        "or 73 to 113 in 80 % of the cases."
    )


def test_the_proof_names_every_guess_and_the_coverage() -> None:
    assert proof_sentence(BACKTEST) == (
        "In 28 tries on this installation's own history it missed by 3.1 violations on average; “same as now” by 5.2, "
        "“same as yesterday” by 4.4, “as usual” by 6. That is 30 % less than the best of them; "
        "81 % of the values lay in the interval, which is made for 80 %."
    )


@pytest.mark.parametrize("refusal", Refusal)
@pytest.mark.parametrize("known", [KNOWN, Known()])
def test_every_refusal_is_a_sentence_without_raw_names(refusal: Refusal, known: Known) -> None:
    sentence = why(refusal, known=known)
    assert sentence.startswith("No useful forecast of the next 24 hours can be made: ")
    assert sentence.endswith(".")
    assert "_" not in sentence


def test_a_refusal_names_its_figures() -> None:
    assert why(Refusal.TOO_LITTLE_HISTORY, Horizon.WEEK, replace(KNOWN, hours=300, after_gap=True)).endswith(
        "35 days of history are needed, so that it can be tried on them, and there are 12 d 12 h since a gap of more than a day "
        "that ended on 30 Aug 15:00."
    )
    assert "every hour of the last 56 d read 60 violations" in why(Refusal.CONSTANT)
    assert "every hour of the last 56 d read no violation" in why(Refusal.CONSTANT, known=replace(KNOWN, last_violations=0.0))
    assert why(Refusal.TOO_MANY_GAPS, known=replace(KNOWN, unread=400)).endswith(
        "400 of the last 1\u202f344 hours were not read."
    )


def test_not_better_tells_which_guess_was_as_good() -> None:
    even = replace(BACKTEST, error=4.5, improvement_percent=-2.3)
    assert refusal_sentence(refused(Horizon.DAY, Refusal.NOT_BETTER, even), KNOWN, BUDAPEST).endswith(
        "in 28 tries on this installation's own history “same as yesterday” missed by 4.4 violations on average, "
        "the best model by 4.5. It has to miss by 5 % less to be worth a look."
    )
    lucky = replace(BACKTEST, luck=0.2)
    assert "may be luck" in refusal_sentence(refused(Horizon.DAY, Refusal.NOT_BETTER, lucky), KNOWN, BUDAPEST)


def test_a_probability_is_never_certain() -> None:
    assert [probability(value) for value in (0.001, 0.28, 0.998)] == ["< 1 %", "28 %", "> 99 %"]


def test_every_model_guess_and_horizon_has_its_words() -> None:
    assert (set(MODEL_LABELS), set(GUESS_LABELS), set(HORIZON_LABELS)) == (set(Model), set(Guess), set(Horizon))
