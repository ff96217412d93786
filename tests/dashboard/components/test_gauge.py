"""The gauge tells both thresholds apart and never shows a doubtful rate in colour."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.model import Status
from core.status import DEFAULT_THRESHOLDS, Thresholds
from dashboard.components.gauge import gauge, scale_start
from dashboard.wording import STATUS_LOOKS, Theme


@pytest.mark.parametrize(
    ("rate", "start"),
    [("100", 90), ("98.67", 90), ("90.00", 90), ("89.99", 0), ("50", 0), ("0", 0), (None, 90)],
)
def test_the_scale_starts_at_90_unless_the_rate_lies_below(rate: str | None, start: float) -> None:
    assert scale_start(None if rate is None else Decimal(rate), DEFAULT_THRESHOLDS) == start


@pytest.mark.parametrize(("degraded", "start"), [("95", 90), ("90.5", 90), ("90", 0), ("70", 0)])
def test_the_scale_holds_both_thresholds_whatever_they_are(degraded: str, start: float) -> None:
    assert scale_start(Decimal(100), Thresholds(Decimal(99), Decimal(degraded))) == start


@pytest.mark.parametrize("theme", Theme)
def test_zones_meet_at_the_thresholds_and_cover_the_scale(theme: Theme) -> None:
    figure = gauge(Decimal("98.67"), Status.DEGRADED, DEFAULT_THRESHOLDS, theme)
    indicator = figure.data[0]
    assert indicator.value == 98.67
    assert tuple(indicator.gauge.axis.range) == (90, 100)
    assert [tuple(step.range) for step in indicator.gauge.steps] == [(90, 95), (95, 99), (99, 100)]
    assert [step.color for step in indicator.gauge.steps] == [
        STATUS_LOOKS[status].tint[theme] for status in (Status.CRITICAL, Status.DEGRADED, Status.HEALTHY)
    ]
    assert indicator.gauge.bar.color == STATUS_LOOKS[Status.DEGRADED].text[theme]
    assert figure.layout.annotations[0].text == "<b>98.67 %</b>"


def test_an_unknown_status_is_grey_throughout() -> None:
    figure = gauge(Decimal("100.00"), Status.UNKNOWN, DEFAULT_THRESHOLDS, Theme.LIGHT)
    colours = {step.color for step in figure.data[0].gauge.steps} | {figure.data[0].gauge.bar.color}
    coloured = {STATUS_LOOKS[status].text[Theme.LIGHT] for status in Status if status is not Status.UNKNOWN}
    coloured |= {STATUS_LOOKS[status].tint[Theme.LIGHT] for status in Status if status is not Status.UNKNOWN}
    assert not colours & coloured
    assert figure.layout.annotations[0].font.color == STATUS_LOOKS[Status.UNKNOWN].text[Theme.LIGHT]


def test_without_a_rate_there_is_a_scale_and_no_figure() -> None:
    figure = gauge(None, Status.UNKNOWN, DEFAULT_THRESHOLDS, Theme.DARK)
    assert figure.data[0].value is None
    assert figure.layout.annotations[0].text == "<b>—</b>"


def test_a_rate_of_less_than_100_never_reads_100() -> None:
    figure = gauge(Decimal("99.99"), Status.HEALTHY, DEFAULT_THRESHOLDS, Theme.LIGHT)
    assert figure.layout.annotations[0].text == "<b>99.99 %</b>"
