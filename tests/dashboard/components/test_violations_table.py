"""What a row of the table says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.model import Kind, Violation
from core.state.current_violations import SortKey
from dashboard.components.violations_table import violation_row
from dashboard.viewer import Viewer
from dashboard.wording import Theme

NOON = datetime(2025, 10, 25, 12, 0, tzinfo=UTC)
ADMIN = Viewer("admin", Theme.LIGHT, ZoneInfo("Europe/Budapest"), NOON)
COLUMNS = len(SortKey) + 1  # and the action


def violation(kind: Kind = Kind.LEVEL_MISMATCH, seen: datetime | None = NOON - timedelta(hours=3)) -> Violation:
    return Violation(42, "PLAYER", 3, None, kind, seen)


@pytest.mark.parametrize("kind", Kind)
def test_a_row_has_a_word_for_every_column_and_no_raw_name(kind: Kind) -> None:
    cells = violation_row(violation(kind), ADMIN, None).cells
    assert len(cells) == COLUMNS
    assert not [cell for cell in cells if "_" in cell or cell in ("", "None")]


def test_a_row_is_known_by_its_pair_and_not_by_its_place() -> None:
    assert violation_row(violation(), ADMIN, None).pair == ("42", "PLAYER")
    assert violation_row(Violation("0042", "PLAYER", 1, 2, Kind.LEVEL_MISMATCH), ADMIN, None).pair == ("0042", "PLAYER")


def test_a_missing_level_is_a_dash() -> None:
    assert violation_row(violation(), ADMIN, None).cells == ("42", "PLAYER", "3", "—", "Level mismatch", "3 h", "Sync required")


def test_a_row_is_new_only_when_the_newest_check_saw_it_first() -> None:
    assert violation_row(violation(seen=NOON), ADMIN, NOON).mark == "new"
    assert violation_row(violation(seen=NOON - timedelta(minutes=5)), ADMIN, NOON).mark == ""
    assert violation_row(violation(seen=NOON), ADMIN, None).mark == ""
    assert violation_row(violation(seen=None), ADMIN, None).mark == ""


def test_the_exact_time_is_on_hover() -> None:
    assert violation_row(violation(seen=NOON), ADMIN, None).title == "Sat 25 Oct 2025 14:00:00 CEST · 2025-10-25 12:00:00 UTC"


def test_a_row_that_returned_says_how_often() -> None:
    assert violation_row(replace(violation(seen=NOON), earlier=2), ADMIN, NOON).mark == "returned ×2"
