"""What a reading's violations are made of, as history keeps it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from core.breakdown import MOST_ENTRIES, REST, BreakdownEntry, Tally, as_json, from_json
from core.model import Direction, Kind, Violation

AHEAD = Violation(1, "PLAYER", 3, 2, Kind.LEVEL_MISMATCH)
BEHIND = Violation(2, "PLAYER", 1, 2, Kind.LEVEL_MISMATCH)
MISSING = Violation(3, "COACH", 1, None, Kind.MISSING_LICENSE)


def counted(violations: Iterable[Violation]) -> Counter[tuple[str, Kind, Direction]]:
    return Counter((violation.specialization, violation.kind, violation.direction) for violation in violations)


def test_violations_are_counted_by_specialization_kind_and_direction() -> None:
    counts = counted([AHEAD, BEHIND, AHEAD, MISSING])
    assert as_json(counts.items()) == {
        "level_mismatch/progress_ahead": {"PLAYER": 2},
        "level_mismatch/license_ahead": {"PLAYER": 1},
        "missing_license/progress_ahead": {"COACH": 1},
    }
    assert as_json(counts.items()) == as_json((counted([AHEAD]) + counted([BEHIND, AHEAD, MISSING])).items()), (
        "parts of a list add up"
    )


def test_what_was_written_is_read_again() -> None:
    document = json.loads(json.dumps(as_json(counted([AHEAD, MISSING, MISSING]).items())))
    assert from_json(document) == [
        BreakdownEntry("COACH", Kind.MISSING_LICENSE, Direction.PROGRESS_AHEAD, 2),
        BreakdownEntry("PLAYER", Kind.LEVEL_MISMATCH, Direction.PROGRESS_AHEAD, 1),
    ]
    assert (from_json(None), as_json([])) == ([], {})


def test_what_earlier_versions_wrote_is_read() -> None:
    earlier = [["COACH", "missing_license", "progress_ahead", 2], ["PLAYER", "level_mismatch", "progress_ahead", 1]]
    assert from_json(earlier) == from_json(as_json(counted([AHEAD, MISSING, MISSING]).items()))


def test_the_most_come_first_and_the_rest_behind() -> None:
    document = {"level_mismatch/license_ahead": {REST: 9, "B": 2, "A": 2, "C/D": 3}}
    assert [(entry.specialization, entry.count) for entry in from_json(document)] == [("C/D", 3), ("A", 2), ("B", 2), (REST, 9)]


def test_of_very_many_specializations_the_rest_is_summed_up_and_nothing_is_lost() -> None:
    many = [
        Violation(number, f"S{number % 80:02}", level, None if kind is Kind.MISSING_LICENSE else 2, kind)
        for number in range(1_000)
        for level, kind in ((3, Kind.LEVEL_MISMATCH), (1, Kind.MISSING_LICENSE))
    ]
    entries = from_json(as_json(counted(many).items()))
    assert sum(entry.count for entry in entries) == 2_000
    named = [entry for entry in entries if entry.specialization != REST]
    assert len(named) == MOST_ENTRIES
    assert {entry.kind for entry in entries if entry.specialization == REST} <= {Kind.LEVEL_MISMATCH, Kind.MISSING_LICENSE}


_parts = st.tuples(st.text(max_size=3), st.sampled_from([*Kind]).map(str), st.sampled_from([*Direction]).map(str))


@given(st.lists(st.dictionaries(_parts, st.integers(1, 9), max_size=3 * MOST_ENTRIES), max_size=3))
def test_a_tally_writes_the_same_for_one_reading_after_another(readings: list[dict[tuple[str, str, str], int]]) -> None:
    tally = Tally()
    tally.number_of(("OTHER", "level_mismatch", "neither"))
    before: list[int] = []
    for counts in readings:
        numbers = [tally.number_of(part) for part, count in counts.items() for _ in range(count)]
        tally.change(new=(Counter(numbers) - Counter(before)).elements(), gone=(Counter(before) - Counter(numbers)).elements())
        before = numbers
        assert json.loads(tally.breakdown()) == json.loads(tally.breakdown_of(numbers)) == as_json(counts.items())
        kinds: Counter[str] = Counter()
        for (_, kind, _), count in counts.items():
            kinds[kind] += count
        assert json.loads(tally.by_kind(numbers)) == kinds
