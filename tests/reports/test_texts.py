"""The catalogues of texts, ours and an operator's, and figures in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import ReportProblem
from core.reports import texts
from core.reports.period import parse
from core.reports.texts import OURS, load, places
from core.reports.words import Words

THIN = "\u202f"
FREE = {"day", "month", "year", "last_day", "date", "time"}  # a date names of its parts what its language needs


@pytest.mark.parametrize("path", [path for path in OURS.glob("*.toml") if path.stem != "en"], ids=lambda path: path.stem)
def test_a_language_of_ours_has_every_text_and_every_place(path: Path) -> None:
    english, other = load("en").texts, texts._read(path)
    assert list(other) == list(english), "in the same order, so that they can be read side by side"
    for key, text in other.items():
        assert isinstance(text, str) == isinstance(english[key], str)
        assert text, f"{key} is empty"
        if not key.startswith(("format.", "period.")):
            assert places(text) == places(english[key]), key
        else:
            assert places(text) - FREE == places(english[key]) - FREE, key


def test_no_text_is_left_in_english() -> None:
    english, hungarian = load("en").texts, load("hu").texts
    same = {key for key in english if english[key] == hungarian[key] and any(letter.isalpha() for letter in str(english[key]))}
    allowed = {"format.percent", "format.thousands", "format.signed_points", "format.range", "period.day", "period.year"}
    assert same <= allowed | {"period.range", "format.moment_short", "period.days_of"}


def test_an_operator_s_language_may_leave_texts_out(tmp_path: Path) -> None:
    (tmp_path / "de.toml").write_text('[verdict]\nkept = "Zusage gehalten"\n', "utf-8")
    german = load("de", tmp_path)
    assert german("verdict.kept") == "Zusage gehalten"
    assert german("verdict.broken") == "Promise broken"
    assert german.digest != load("en").digest
    assert texts.languages(tmp_path) == ["de", "en", "hu"]


def test_an_operator_s_texts_go_before_ours(tmp_path: Path) -> None:
    (tmp_path / "hu.toml").write_text('[verdict]\nkept = "Rendben"\n', "utf-8")
    assert load("hu", tmp_path)("verdict.kept") == "Rendben"


def test_a_language_that_there_is_not_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    for language in ("xx", "../en", "EN", ""):
        with pytest.raises(ReportProblem, match="there are: en, hu") as problem:
            load(language, tmp_path)
        assert str(tmp_path) in problem.value.hint


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[verdict]\nkeptt = "x"', "verdict.keptt is no text"),
        ('[verdict]\nkept_sentence = "{rat}"', "has a place {rat} that nobody fills"),
        ('[format]\nmonths = ["a", "b"]', "format.months must be a list of 12 texts"),
        ('[format]\nmonths = "a"', "format.months must be a list of 12 texts"),
        ("[verdict", "cannot be read"),
        ('kept = "x"', "kept is no group"),
    ],
)
def test_what_is_wrong_with_an_operator_s_texts_is_named(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "de.toml").write_text(content, "utf-8")
    with pytest.raises(ReportProblem) as problem:
        load("de", tmp_path)
    assert told in str(problem.value)


def test_a_value_is_never_a_place() -> None:
    english = load("en")
    assert (
        english("oldest.named", user="{specialization}", specialization="{user.__class__}")
        == "{specialization} in {user.__class__}"
    )


@pytest.fixture
def english() -> Words:
    return Words(load("en"), "Europe/Budapest")


@pytest.fixture
def hungarian() -> Words:
    return Words(load("hu"), "Europe/Budapest")


def test_numbers(english: Words, hungarian: Words) -> None:
    assert english.number(1_234_567) == f"1{THIN}234{THIN}567"
    assert english.percent(Decimal("99.9")) == f"99.90{THIN}%"
    assert hungarian.percent(Decimal("99.98")) == f"99,98{THIN}%"
    assert hungarian.number(Decimal("-1234.5")) == f"−1{THIN}234,5"
    assert (english.bound(Decimal("99.00")), english.bound(Decimal("99.5"))) == (f"99{THIN}%", f"99.5{THIN}%")
    assert english.bound(Decimal(10)) == f"10{THIN}%"
    assert [english.points(Decimal(value)) for value in ("0.05", "-0.50", "0.00")] == ["+0.05", "−0.50", "±0.00"]
    assert english.percent(None) == "—"


@pytest.mark.parametrize(
    ("length", "said", "mondva"),
    [
        (timedelta(0), "0 s", "0 mp"),
        (timedelta(seconds=59.9), "59 s", "59 mp"),
        (timedelta(minutes=23, seconds=59), "23 min", "23 perc"),
        (timedelta(hours=3, minutes=5), "3 h 5 min", "3 óra 5 perc"),
        (timedelta(hours=3, seconds=5), "3 h", "3 óra"),
        (timedelta(days=2, hours=4, minutes=59), "2 d 4 h", "2 nap 4 óra"),
    ],
)
def test_lengths_of_time(english: Words, hungarian: Words, length: timedelta, said: str, mondva: str) -> None:
    assert english.length(length).replace("\u00a0", " ") == said
    assert hungarian.length(length).replace("\u00a0", " ") == mondva


def test_days_and_moments(english: Words, hungarian: Words) -> None:
    at = datetime(2026, 10, 1, 0, 5, tzinfo=UTC)
    assert (english.moment(at), hungarian.moment(at)) == ("1 October 2026, 02:05", "2026. október 1. 02:05")
    assert (english.moment_short(at), hungarian.moment_short(at)) == ("1 Oct 02:05", "okt. 1. 02:05")
    first, last = date(2026, 10, 1), date(2026, 10, 31)
    assert (english.days(first, last), hungarian.days(first, last)) == ("1–31 October 2026", "2026. október 1–31.")
    assert english.days(first, date(2026, 11, 2)) == "1 October 2026 – 2 November 2026"


@pytest.mark.parametrize(
    ("asked", "said", "mondva"),
    [
        ("2026-10", "In October 2026", "2026. október"),
        ("2026-W41", "In week 41 of 2026", "2026. év, 41. hét"),
        ("2026-Q3", "In the third quarter of 2026", "2026. III. negyedév"),
        ("2025", "In 2025", "2025. év"),
        ("2026-10-05", "On 5 October 2026", "2026. október 5."),
        ("2026-10-01..2026-10-15", "From 1 October 2026 to 15 October 2026", "2026. október 1. – 2026. október 15."),
    ],
)
def test_periods(english: Words, hungarian: Words, asked: str, said: str, mondva: str) -> None:
    period = parse(asked, "Europe/Budapest", datetime(2026, 12, 1, tzinfo=UTC))
    assert (english.in_period(period, period.end), hungarian.in_period(period, period.end)) == (said, mondva)
    assert english.period(period)


def test_a_period_that_is_not_over_says_until_when(english: Words) -> None:
    period = parse("2026-11", "Europe/Budapest", datetime(2026, 12, 1, tzinfo=UTC))
    end = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
    assert english.in_period(period, end) == "In November 2026 so far (until 25 November 2026, 11:00)"
