"""Every word of the product has its label, and every colour can be read and is the same wherever it stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.model import Action, Kind, Status
from core.state.current_violations import SortKey
from dashboard import wording
from dashboard.components.palette import Palette
from dashboard.wording import STATUS_LOOKS, Theme
from tests.subprocesses import ROOT

NOON = datetime(2025, 10, 25, 12, 0, tzinfo=UTC)
BUDAPEST = ZoneInfo("Europe/Budapest")
THIN = wording.THIN_SPACE

_STYLE = (ROOT / "dashboard" / "static" / "style.css").read_text("utf-8")
_CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (STATUS_LOOKS, Status),
        (wording.KIND_LABELS, Kind),
        (wording.ACTION_LABELS, Action),
        (wording.ACTION_ADVICE, Action),
        (wording.SORT_LABELS, SortKey),
    ],
    ids=["status", "kind", "action", "advice", "sort key"],
)
def test_every_member_has_its_own_words(words: Mapping[str, object], members: type[Status]) -> None:
    assert set(words) == set(members)
    said = [word.label if isinstance(word, wording.Look) else word for word in words.values()]
    assert len(set(said)) == len(said), "no two members are called the same"
    assert not [word for word in said if "_" in str(word) or not str(word)[0].isupper()], "no raw names of the code"


def test_every_kind_can_be_counted() -> None:
    for kind in Kind:
        assert "_" not in wording.kinds_in_words({kind: 1})
        assert wording.kinds_in_words({kind: 2_000}).startswith(f"2{THIN}000 ")


def test_kinds_are_named_most_frequent_first() -> None:
    counts = {Kind.DUPLICATE_ROWS: 7, Kind.MISSING_LICENSE: 22, Kind.LEVEL_MISMATCH: 80, Kind.LEVEL_NOT_SET: 0}
    assert wording.kinds_in_words(counts) == "80 level mismatches, 22 licences missing, 7 pairs with duplicate rows"
    assert wording.kinds_in_words({Kind.LEVEL_MISMATCH: 1}) == "1 level mismatch"
    assert wording.kinds_in_words({}) == ""


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("status", Status)
def test_a_status_can_be_read_on_its_tint(status: Status, theme: Theme) -> None:
    look = STATUS_LOOKS[status]
    assert contrast(look.text[theme], look.tint[theme]) >= 4.5
    assert contrast(look.text[theme], _CONFIG[theme]["backgroundColor"]) >= 4.5


@pytest.mark.parametrize("theme", Theme)
def test_quiet_text_and_links_can_be_read(theme: Theme) -> None:
    palette, background = Palette.of(theme), _CONFIG[theme]["backgroundColor"]
    assert contrast(palette.quiet, background) >= 4.5
    assert contrast(palette.text, background) >= 4.5
    assert contrast(_CONFIG[theme]["linkColor"], background) >= 4.5
    assert contrast(variable("quiet", theme), background) >= 4.5


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("status", Status)
def test_the_style_sheet_has_the_colours_of_the_wording(status: Status, theme: Theme) -> None:
    assert variable(status, theme) == STATUS_LOOKS[status].text[theme]
    assert variable(f"{status}-tint", theme) == STATUS_LOOKS[status].tint[theme]


@pytest.mark.parametrize("theme", Theme)
def test_charts_style_sheet_and_theme_share_their_neutral_colours(theme: Theme) -> None:
    palette, config = Palette.of(theme), _CONFIG[theme]
    assert palette.text == config["textColor"]
    assert palette.line == config["borderColor"] == variable("line", theme)
    assert palette.quiet == variable("quiet", theme)
    assert palette.accent == variable("accent", theme)


def test_no_two_statuses_share_a_colour_or_an_icon() -> None:
    for theme in Theme:
        assert len({look.text[theme] for look in STATUS_LOOKS.values()}) == len(Status)
    assert len({look.icon for look in STATUS_LOOKS.values()}) == len(Status)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "—"), (0, "0"), (999, "999"), (8_214, f"8{THIN}214"), (1_000_000, f"1{THIN}000{THIN}000")]
)
def test_numbers_have_thin_spaces(value: int | None, text: str) -> None:
    assert wording.number(value) == text


def test_a_rate_has_two_decimals_and_is_never_lifted() -> None:
    assert wording.rate(Decimal("98.6")) == "98.60 %"
    assert wording.rate(None) == "— %"


@pytest.mark.parametrize(
    ("age", "text"),
    [
        ({"seconds": 2}, "just now"),
        ({"minutes": 4, "seconds": 59}, "4 min ago"),
        ({"hours": 3, "minutes": 5}, "3 h 5 min ago"),
        ({"days": 3, "hours": 4}, "3 d 4 h ago"),
    ],
)
def test_an_age_is_said_as_a_person_says_it(age: dict[str, int], text: str) -> None:
    assert wording.ago(NOON - timedelta(**age), NOON) == text


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        ({"seconds": -5}, "now"),
        ({"seconds": 0}, "now"),
        ({"seconds": 9}, "0:09"),
        ({"minutes": 2, "seconds": 51}, "2:51"),
        ({"hours": 2}, "2 h"),
    ],
)
def test_a_countdown_reads_like_a_clock(ahead: dict[str, int], text: str) -> None:
    assert wording.countdown(NOON + timedelta(**ahead), NOON) == text


def test_moments_are_the_viewers_and_say_the_day_when_it_is_another() -> None:
    assert wording.moment(NOON, BUDAPEST, NOON) == "14:00"
    assert wording.moment(NOON - timedelta(days=2), BUDAPEST, NOON) == "Thu 14:00"
    assert wording.moment(NOON - timedelta(days=30), BUDAPEST, NOON) == "25 Sep 2025 14:00"
    before_midnight = datetime(2025, 10, 24, 21, 59, tzinfo=UTC)
    assert wording.moment(before_midnight, BUDAPEST, before_midnight + timedelta(minutes=2)) == "Fri 23:59"


def test_the_exact_time_is_local_and_utc_across_the_end_of_summer_time() -> None:
    first, second = datetime(2025, 10, 26, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    assert wording.exact(first, BUDAPEST) == "Sun 26 Oct 2025 02:30:00 CEST · 2025-10-26 00:30:00 UTC"
    assert wording.exact(second, BUDAPEST) == "Sun 26 Oct 2025 02:30:00 CET · 2025-10-26 01:30:00 UTC"


@pytest.mark.parametrize("name", [None, "", "Nowhere/At-all", "../../etc/passwd", "/etc/passwd", "Europe\0Budapest"])
def test_an_unknown_zone_is_utc(name: str | None) -> None:
    assert wording.zone(name) == ZoneInfo("UTC")


def test_a_time_in_html_has_the_exact_time_on_hover_and_no_markup_of_others() -> None:
    html = wording.timed("<b>4 min ago</b>", NOON, BUDAPEST, role="ago")
    assert html.startswith(
        f'<time datetime="2025-10-25T12:00:00+00:00" title="{wording.exact(NOON, BUDAPEST)}" data-ago="1761393600">'
    )
    assert "&lt;b&gt;4 min ago" in html


def variable(name: str, theme: Theme) -> str:
    """The colour that the style sheet gives a variable in a theme."""
    found = re.search(rf"--{name}:\s*light-dark\((#[0-9A-Fa-f]{{6}}),\s*(#[0-9A-Fa-f]{{6}})\)", _STYLE)
    assert found, f"no variable --{name}"
    return found[1 if theme is Theme.LIGHT else 2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
