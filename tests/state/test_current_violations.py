"""The violations of the newest check, page by page."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ViolationsSuperseded
from core.model import Action, Kind, Violation
from core.state import current_violations, schema
from core.state.current_violations import EVERYTHING, Life, SortKey, ViolationFilter
from core.state.database import StateDatabase
from tests.examples import examples
from tests.frozen_clock import NOON
from tests.state.records import recorded, staged

LATER = NOON + timedelta(minutes=5)
MIXED = [
    Violation(1, "COACH", 3, None, Kind.MISSING_LICENSE),
    Violation(1, "PLAYER", 3, 2, Kind.LEVEL_MISMATCH),
    Violation(9, "PLAYER", None, 2, Kind.MISSING_PROGRESS),
    Violation(10, "COACH", 8, 1, Kind.LEVEL_MISMATCH),
    Violation(10, "PLAYER", None, 2, Kind.LEVEL_NOT_SET),
    Violation(100, "INTERNSHIP", 2, 2, Kind.DUPLICATE_ROWS),
]


def page(state: StateDatabase, check_id: str, wanted: ViolationFilter = EVERYTHING, **options: object) -> list[Violation]:
    with state.read() as connection:
        return list(current_violations.page(connection, check_id, wanted, **options))  # type: ignore[arg-type]


def pairs(found: list[Violation]) -> list[tuple[object, str]]:
    return [(violation.user_id, violation.specialization) for violation in found]


def test_violations_come_back_as_they_were_with_the_moment_of_the_check(fresh_state: StateDatabase) -> None:
    check_id = recorded(fresh_state, NOON, MIXED, chunk=4)
    read = page(fresh_state, check_id)
    assert pairs(read) == pairs(MIXED)
    assert [(v.progress_level, v.license_level, v.kind) for v in read] == [
        (v.progress_level, v.license_level, v.kind) for v in MIXED
    ]
    assert {v.first_seen for v in read} == {NOON}
    assert list(current_violations.stream(fresh_state, check_id)) == read


def test_text_ids_and_any_name_come_back_as_they_were(fresh_state: StateDatabase) -> None:
    odd = [
        Violation(user, name, 1, 2, Kind.LEVEL_MISMATCH)
        for user, name in [("007", "JÁTÉKOS"), ("", ""), ("a%_\\'", "😀"), (-5, "X")]
    ]
    check_id = staged(fresh_state, NOON, odd)
    assert pairs(page(fresh_state, check_id)) == pairs(odd)
    with fresh_state.read() as connection:
        for violation in odd:
            found = current_violations.find(connection, check_id, str(violation.user_id), violation.specialization)
            assert found is not None
            assert found.user_id == violation.user_id
        assert current_violations.find(connection, check_id, "7", "JÁTÉKOS") is None


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (EVERYTHING, [0, 1, 2, 3, 4, 5]),
        (ViolationFilter(kind=Kind.LEVEL_MISMATCH), [1, 3]),
        (ViolationFilter(specialization="PLAYER"), [1, 2, 4]),
        (ViolationFilter(user="1"), [0, 1, 3, 4, 5]),
        (ViolationFilter(user="10"), [3, 4, 5]),
        (ViolationFilter(user_id="1"), [0, 1]),
        (ViolationFilter(user_id="0"), []),
        (ViolationFilter(user="%"), []),
        (ViolationFilter(user="_"), []),
        (ViolationFilter(action=Action.SYNC_REQUIRED), [1, 3]),
        (ViolationFilter(kind=Kind.LEVEL_MISMATCH, specialization="COACH", user="10", action=Action.SYNC_REQUIRED), [3]),
        (ViolationFilter(kind=Kind.LEVEL_NOT_SET, action=Action.SYNC_REQUIRED), []),
    ],
)
def test_a_filter_takes_what_it_names(fresh_state: StateDatabase, wanted: ViolationFilter, numbers: list[int]) -> None:
    check_id = recorded(fresh_state, NOON, MIXED)
    expected = pairs([MIXED[number] for number in numbers])
    assert pairs(page(fresh_state, check_id, wanted)) == expected
    assert pairs(list(current_violations.stream(fresh_state, check_id, wanted))) == expected
    with fresh_state.read() as connection:
        assert current_violations.count(connection, check_id, wanted) == len(expected)


def test_a_user_is_found_by_the_beginning_of_the_id_as_it_is_written(fresh_state: StateDatabase) -> None:
    """The same on both engines: an id is no word, so its case matters."""
    check_id = staged(fresh_state, NOON, [Violation(user, "PLAYER", 1, 2, Kind.LEVEL_MISMATCH) for user in ("Ab", "ab")])
    assert pairs(page(fresh_state, check_id, ViolationFilter(user="a"))) == [("ab", "PLAYER")]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", SortKey)
def test_every_order_puts_what_is_missing_last_and_ties_in_the_report_s_order(
    fresh_state: StateDatabase, sort: SortKey, descending: bool
) -> None:
    check_id = staged(fresh_state, NOON, MIXED)
    keys = {
        SortKey.USER: lambda v: MIXED.index(v),
        SortKey.SPECIALIZATION: lambda v: v.specialization,
        SortKey.PROGRESS_LEVEL: lambda v: v.progress_level,
        SortKey.LICENSE_LEVEL: lambda v: v.license_level,
        SortKey.KIND: lambda v: v.kind.value,
        SortKey.FIRST_SEEN: lambda v: 0,
    }
    known = sorted((v for v in MIXED if keys[sort](v) is not None), key=keys[sort], reverse=descending)
    expected = known + [v for v in MIXED if keys[sort](v) is None]
    if descending:  # a stable sort in reverse keeps ties as they were, which is what we want of the pages, too
        assert pairs(sorted(known, key=keys[sort], reverse=True)) == pairs(known)
    assert pairs(page(fresh_state, check_id, sort=sort, descending=descending)) == pairs(expected)


@settings(max_examples=examples(30))
@given(st.integers(1, 7), st.sampled_from(SortKey), st.booleans())
def test_pages_of_any_size_are_the_whole(sqlite_state: StateDatabase, size: int, sort: SortKey, descending: bool) -> None:
    with sqlite_state.write() as connection:
        connection.execute(schema.violations.delete())
    check_id = staged(sqlite_state, NOON, MIXED)
    whole = page(sqlite_state, check_id, sort=sort, descending=descending)
    pieces = [
        page(sqlite_state, check_id, sort=sort, descending=descending, offset=offset, limit=size)
        for offset in range(0, len(MIXED) + size, size)
    ]
    assert [violation for piece in pieces for violation in piece] == whole
    assert all(len(piece) <= size for piece in pieces)


def test_a_violation_keeps_the_moment_at_which_it_was_first_seen(fresh_state: StateDatabase) -> None:
    recorded(fresh_state, NOON, MIXED[:4])
    changed = Violation(1, "PLAYER", 5, 2, Kind.LEVEL_MISMATCH)  # other levels, the same pair
    second = recorded(fresh_state, LATER, [changed, *MIXED[3:]], chunk=2)
    seen = {(v.user_id, v.specialization): v.first_seen for v in page(fresh_state, second)}
    assert seen == {(1, "PLAYER"): NOON, (10, "COACH"): NOON, (10, "PLAYER"): LATER, (100, "INTERNSHIP"): LATER}
    assert pairs(page(fresh_state, second, ViolationFilter(life=Life.NEW))) == [(10, "PLAYER"), (100, "INTERNSHIP")]
    with fresh_state.read() as connection:
        overview = current_violations.overview(connection, second)
    assert overview.oldest == NOON
    assert list(overview.specializations) == ["COACH", "INTERNSHIP", "PLAYER"]


def test_a_violation_that_was_away_for_a_check_is_new_again_and_returning(fresh_state: StateDatabase) -> None:
    recorded(fresh_state, NOON, MIXED[:1])
    recorded(fresh_state, LATER, [])
    moment = LATER + timedelta(minutes=5)
    third = recorded(fresh_state, moment, MIXED[:2])
    assert [(v.first_seen, v.earlier) for v in page(fresh_state, third)] == [(moment, 1), (moment, 0)]
    assert pairs(page(fresh_state, third, ViolationFilter(life=Life.RETURNING))) == pairs(MIXED[:1])
    elsewhere = recorded(fresh_state, moment, MIXED[:1], watched="elsewhere")
    assert [v.earlier for v in page(fresh_state, elsewhere)] == [0], "another database's past is not this one's"


def test_superseded_rows_are_dropped_also_where_there_are_many(fresh_state: StateDatabase) -> None:
    many = [Violation(number, "PLAYER", 1, 2, Kind.LEVEL_MISMATCH) for number in range(12_000)]
    old = recorded(fresh_state, NOON, many, chunk=5_000)
    crashed = staged(fresh_state, NOON, MIXED)
    before = recorded(fresh_state, LATER, MIXED)
    newest = recorded(fresh_state, LATER + timedelta(minutes=5), MIXED)
    current_violations.drop_superseded(fresh_state)
    assert page(fresh_state, old) == page(fresh_state, crashed) == []
    assert pairs(page(fresh_state, before)) == pairs(page(fresh_state, newest)) == pairs(MIXED)


def test_each_watched_database_keeps_its_own_violations(fresh_state: StateDatabase) -> None:
    here = recorded(fresh_state, NOON, MIXED, watched="here")
    for minutes in (5, 10, 15):
        recorded(fresh_state, NOON + timedelta(minutes=minutes), MIXED, watched="there")
    current_violations.drop_superseded(fresh_state)
    assert pairs(page(fresh_state, here)) == pairs(MIXED)


@pytest.mark.parametrize("count", [0, 1, 4_999, 5_000, 5_001, 10_000])
def test_a_stream_gives_each_violation_once(sqlite_state: StateDatabase, count: int) -> None:
    many = [Violation(number, "PLAYER", 1, 2, Kind.LEVEL_MISMATCH) for number in range(count)]
    check_id = recorded(sqlite_state, NOON, many, chunk=5_000)
    assert [v.user_id for v in current_violations.stream(sqlite_state, check_id)] == list(range(count))


@pytest.mark.parametrize("wanted", [EVERYTHING, ViolationFilter(user_id="11999"), ViolationFilter(specialization="COACH")])
def test_a_stream_whose_rows_are_dropped_meanwhile_ends_with_an_error(
    fresh_state: StateDatabase, wanted: ViolationFilter
) -> None:
    """A part of the violations is never given for all of them."""
    many = [Violation(number, "PLAYER", 1, 2, Kind.LEVEL_MISMATCH) for number in range(12_000)]
    slow = current_violations.stream(fresh_state, recorded(fresh_state, NOON, many, chunk=5_000), EVERYTHING)
    assert next(slow).user_id == 0
    for minutes in (5, 10):
        newest = recorded(fresh_state, NOON + timedelta(minutes=minutes), MIXED)
    current_violations.drop_superseded(fresh_state)
    with pytest.raises(ViolationsSuperseded):
        list(slow)
    with fresh_state.write() as connection:  # as a drop leaves it that is killed after its first step
        connection.execute(schema.history.update().where(schema.history.c.check_id == newest).values(violations_kept=False))
    with pytest.raises(ViolationsSuperseded):
        list(current_violations.stream(fresh_state, newest, wanted))
    with pytest.raises(ViolationsSuperseded):
        list(current_violations.stream(fresh_state, "no such check", wanted))
    newest = recorded(fresh_state, NOON + timedelta(minutes=20), MIXED)
    assert pairs(list(current_violations.stream(fresh_state, newest))) == pairs(MIXED)


def test_a_walk_by_positions_gives_each_wanted_violation_once(fresh_state: StateDatabase) -> None:
    check_id = recorded(fresh_state, NOON, MIXED)
    wanted, found, after = ViolationFilter(specialization="PLAYER"), [], -1
    with fresh_state.read() as connection:
        while page := current_violations.following(connection, check_id, wanted, after=after, limit=1):
            after = page[0][0]
            found.append(page[0][1])
    assert pairs(found) == pairs([violation for violation in MIXED if violation.specialization == "PLAYER"])


def test_figures_of_no_violation_are_none(fresh_state: StateDatabase) -> None:
    check_id = staged(fresh_state, NOON, [])
    with fresh_state.read() as connection:
        overview = current_violations.overview(connection, check_id)
    assert (overview.oldest, list(overview.specializations)) == (None, [])


def _moments_are_aware(moment: datetime | None) -> bool:
    return moment is not None and moment.utcoffset() == timedelta(0)


def test_moments_are_utc_on_both_engines(fresh_state: StateDatabase) -> None:
    check_id = staged(fresh_state, NOON, MIXED)
    assert all(_moments_are_aware(v.first_seen) for v in page(fresh_state, check_id))
