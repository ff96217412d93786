"""What violations were made of: bars as wide as the time they stand for."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from streamlit.testing.v1 import AppTest

from core.breakdown import BreakdownEntry
from core.model import Direction, Kind
from core.over_time import Bucket
from dashboard.components.violations_over_time import Measure, violations_over_time
from dashboard.wording import Theme
from tests.frozen_clock import NOON

HOUR = timedelta(hours=1)
PARTS = (BreakdownEntry("PLAYER", Kind.LEVEL_MISMATCH, Direction.PROGRESS_AHEAD, 3),)


def test_two_checks_in_quick_succession_do_not_make_all_bars_thin() -> None:
    starts = [0, 1, 2, 3, 3.01, 4]
    buckets = [Bucket(NOON + hours * HOUR, NOON + hours * HOUR, 3, PARTS, number) for number, hours in enumerate(starts)]
    (bars,) = violations_over_time(buckets, Measure.KIND, Theme.LIGHT, ZoneInfo("UTC"), 280).data
    hours = [width / 3_600_000 for width in bars.width]
    assert [round(width, 2) for width in hours] == [1, 1, 1, 0.01, 0.99, 1]
    assert bars.offset == 0


def test_checks_of_one_moment_keep_bars_that_can_be_seen() -> None:
    buckets = [Bucket(NOON + hours * HOUR, NOON + hours * HOUR, 3, PARTS, hours) for hours in (0, 1, 1, 2)]
    (bars,) = violations_over_time(buckets, Measure.KIND, Theme.DARK, ZoneInfo("UTC"), 280).data
    assert all(width > 0 for width in bars.width)
    assert violations_over_time([], Measure.KIND, Theme.DARK, ZoneInfo("UTC"), 280).data == ()


def _nothing() -> None:
    from zoneinfo import ZoneInfo

    from dashboard.components import charts
    from dashboard.components.violations_over_time import Measure
    from dashboard.viewer import Viewer
    from dashboard.wording import Theme
    from tests.frozen_clock import NOON

    charts.made_of(Viewer("ada", Theme.LIGHT, ZoneInfo("UTC"), NOON), (), Measure.KIND, lambda _since, _until: None)


def test_where_no_check_compared_anything_that_is_said_and_no_empty_axes_are_drawn() -> None:
    page = AppTest.from_function(_nothing, default_timeout=30).run()
    assert not page.exception
    assert not page.get("plotly_chart")
    assert "No check compared anything" in str(page.get("html")[0].proto.body)
