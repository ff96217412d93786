"""The CSV: one line a violation, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import Kind, UserId, Violation
from dashboard.export import as_csv

HEADER = ["user", "specialization", "progress_level", "license_level", "problem", "recommended_action", "first_seen_utc"]


def lines_of(*violations: Violation) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(as_csv(violations)), newline="")))


def of_user(user: UserId, specialization: str = "PLAYER") -> Violation:
    return Violation(user, specialization, 3, None, Kind.MISSING_LICENSE)


def test_a_violation_is_a_line_in_words() -> None:
    seen = datetime(2025, 10, 25, 12, 0, 0, 123_456, tzinfo=UTC)
    assert lines_of(Violation(42, "PLAYER", 3, 2, Kind.LEVEL_MISMATCH, seen), of_user(7)) == [
        HEADER,
        ["42", "PLAYER", "3", "2", "Level mismatch", "Sync required", "2025-10-25T12:00:00+00:00"],
        ["7", "PLAYER", "3", "", "Licence missing", "Create licence from progress", ""],
    ]


def test_nothing_but_the_header_when_there_is_nothing() -> None:
    assert lines_of() == [HEADER]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "=cmd|' /C calc'!A0"])
def test_text_that_a_spreadsheet_would_run_is_quoted_for_it(text: str) -> None:
    line = lines_of(of_user(text, text))[1]
    assert line[:2] == [f"'{text}", f"'{text}"]


def test_whole_numbers_stay_numbers() -> None:
    assert [line[0] for line in lines_of(of_user(-5), of_user(2**63 - 1))[1:]] == ["-5", str(2**63 - 1)]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=20))
def test_every_violation_is_exactly_one_record_whatever_its_text(users: list[str]) -> None:
    lines = lines_of(*(of_user(user) for user in users))
    assert len(lines) == 1 + len(users)
    for user, line in zip(users, lines[1:], strict=True):
        assert line[0] in (user, f"'{user}")
        assert not line[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_a_long_list_comes_in_pieces() -> None:
    asked = 0

    def many() -> Iterator[Violation]:
        nonlocal asked
        for user in range(25_000):
            asked += 1
            yield of_user(user)

    pieces = as_csv(many())
    next(pieces)
    assert asked < 5_000, "the first piece does not wait for all"
    rest = list(pieces)
    assert max(len(piece) for piece in rest) < 500_000
    assert sum(piece.count("\r\n") for piece in rest) + 1_000 >= 25_000
