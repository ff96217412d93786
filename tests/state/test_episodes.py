"""The violations' lives, as checks land one after the other."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.period import EpisodeFigures
from core.model import Direction, Kind, Violation
from core.state import episodes, schema
from core.state.database import StateDatabase
from core.state.episodes import Changes, Episode, scope_of
from tests.examples import examples
from tests.frozen_clock import NOON
from tests.state.records import HERE, recorded

FIVE = timedelta(minutes=5)
HOUR = timedelta(hours=1)
SCOPE = scope_of(HERE)

Levels = tuple[int, int]
Readings = list[dict[int, Levels]]  # for each check the users that are apart, with their levels


def violation(user: int, levels: Levels) -> Violation:
    return Violation(user, "PLAYER", *levels, Kind.LEVEL_MISMATCH)


def check(state: StateDatabase, at: datetime, *users: int, level: int = 2) -> str:
    return recorded(state, at, [violation(user, (level, 1)) for user in sorted(users)])


def lives(state: StateDatabase, user: int) -> list[Episode]:
    """Newest first."""
    with state.read() as connection:
        return list(episodes.of_pair(connection, SCOPE, str(user), "PLAYER"))


def test_a_life_begins_with_the_first_check_that_lists_the_pair_and_ends_with_the_first_that_does_not(
    fresh_state: StateDatabase,
) -> None:
    for number, users in enumerate([(), (1,), (1,), ()]):
        check(fresh_state, NOON + number * FIVE, *users)
    (life,) = lives(fresh_state, 1)
    assert (life.first_seen, life.last_seen, life.resolved_at) == (NOON + FIVE, NOON + 2 * FIVE, NOON + 3 * FIVE)
    assert (life.opened_in, life.resolved_in, life.earlier) == (2, 4, 0)


def test_an_open_life_has_no_end(fresh_state: StateDatabase) -> None:
    check(fresh_state, NOON, 1)
    check(fresh_state, NOON + FIVE, 1)
    (life,) = lives(fresh_state, 1)
    assert (life.first_seen, life.last_seen, life.resolved_at, life.resolved_in) == (NOON, None, None, None)


def test_a_pair_that_comes_back_has_another_life(fresh_state: StateDatabase) -> None:
    for number, users in enumerate([(1,), (), (1,)]):
        check(fresh_state, NOON + number * FIVE, *users)
    newest, first = lives(fresh_state, 1)
    assert (newest.earlier, first.earlier) == (1, 0)
    assert (newest.first_seen, newest.resolved_at) == (NOON + 2 * FIVE, None)


def test_every_change_of_kind_and_levels_is_kept(fresh_state: StateDatabase) -> None:
    recorded(fresh_state, NOON, [Violation(1, "PLAYER", 3, None, Kind.MISSING_LICENSE)])
    recorded(fresh_state, NOON + FIVE, [violation(1, (3, 2))])
    recorded(fresh_state, NOON + 2 * FIVE, [violation(1, (3, 2))])
    recorded(fresh_state, NOON + 3 * FIVE, [violation(1, (4, 2))])
    (life,) = lives(fresh_state, 1)
    assert (life.kind, life.progress_level, life.license_level) == (Kind.LEVEL_MISMATCH, 4, 2)
    with fresh_state.read() as connection:
        seen = episodes.changes_of(connection, life)
    assert [(s.at, s.kind, s.progress_level, s.license_level) for s in seen] == [
        (NOON, Kind.MISSING_LICENSE, 3, None),
        (NOON + FIVE, Kind.LEVEL_MISMATCH, 3, 2),
        (NOON + 3 * FIVE, Kind.LEVEL_MISMATCH, 4, 2),
    ]


def test_what_changed_since_the_check_before_is_counted(fresh_state: StateDatabase) -> None:
    found = []
    for number, users in enumerate([(1, 2), (2, 3), (1, 4), (1, 4)]):
        check(fresh_state, NOON + number * FIVE, *users)
        with fresh_state.read() as connection:
            found.append(episodes.changes_in(connection, SCOPE, number + 1, NOON + number * FIVE))
    assert found == [Changes(2, 0, 0, 0), Changes(1, 0, 1, 1), Changes(2, 1, 0, 2), Changes(0, 0, 2, 0)]


def test_another_database_s_lives_are_left_alone(fresh_state: StateDatabase) -> None:
    check(fresh_state, NOON, 1)
    recorded(fresh_state, NOON + FIVE, [violation(1, (2, 1))], watched="elsewhere")
    recorded(fresh_state, NOON + 2 * FIVE, [], watched="elsewhere")
    (life,) = lives(fresh_state, 1)
    assert (life.resolved_at, life.earlier) == (None, 0)


def test_figures_of_a_period_count_what_began_healed_and_stayed(fresh_state: StateDatabase) -> None:
    for hours, users in enumerate([(1, 2), (1, 3), (3,), (2, 3)]):
        check(fresh_state, NOON + hours * HOUR, *users)
    with fresh_state.read() as connection:
        whole = episodes.figures(connection, SCOPE, NOON, NOON + 4 * HOUR)
        part = episodes.figures(connection, SCOPE, NOON + HOUR, NOON + 2 * HOUR)
        before = episodes.figures(connection, SCOPE, NOON - HOUR, NOON)
    assert whole == EpisodeFigures(4, 1, 2, 2, 3 * 3_600, 2 * 3_600, 1, NOON + HOUR)
    assert whole.mean_time_to_repair == timedelta(minutes=90)
    assert part == EpisodeFigures(1, 0, 1, 2, 3_600, 3_600, 1, NOON)
    assert before == EpisodeFigures()
    assert before.mean_time_to_repair is None


def test_the_oldest_the_healed_and_the_most_often_returning_are_listed(fresh_state: StateDatabase) -> None:
    for number, users in enumerate([(1, 5), (2, 5), (1, 5), (2, 1, 5), (1, 5), (2, 5)]):
        check(fresh_state, NOON + number * FIVE, *users)
    with fresh_state.read() as connection:
        assert [life.user_id for life in episodes.oldest_open(connection, SCOPE, 9)] == [5, 2]
        often = episodes.most_returning(connection, SCOPE, NOON, NOON + HOUR, 9)
        assert [(pair.user_id, pair.times, pair.open) for pair in often] == [(2, 3, True), (1, 2, False)]
        over, count = episodes.healed(connection, SCOPE, limit=2)
        assert ([life.user_id for life in over], count) == ([1, 2], 4)


def test_what_a_stretch_is_made_of_is_told_by_specialization_kind_and_direction(fresh_state: StateDatabase) -> None:
    found = [
        Violation(1, "COACH", 3, None, Kind.MISSING_LICENSE),
        Violation(1, "PLAYER", 1, 2, Kind.LEVEL_MISMATCH),
        Violation(2, "PLAYER", 1, 2, Kind.LEVEL_MISMATCH),
        Violation(3, "PLAYER", None, 2, Kind.LEVEL_NOT_SET),
    ]
    recorded(fresh_state, NOON, found)
    with fresh_state.read() as connection:
        shares = episodes.begun_between(connection, SCOPE, NOON, NOON)
    assert [(share.specialization, share.kind, share.direction, share.count) for share in shares] == [
        ("PLAYER", Kind.LEVEL_MISMATCH, Direction.LICENSE_AHEAD, 2),
        ("COACH", Kind.MISSING_LICENSE, Direction.PROGRESS_AHEAD, 1),
        ("PLAYER", Kind.LEVEL_NOT_SET, Direction.NEITHER, 1),
    ]


def oracle(readings: Readings) -> list[tuple[object, ...]]:
    """Each life as (user, first, last, resolved, [(reading, levels) at the first and each change]), by counting."""
    found = []
    for user in {user for reading in readings for user in reading}:
        run: list[int] = []
        for number in range(len(readings) + 1):
            if number < len(readings) and user in readings[number]:
                run.append(number)
                continue
            if run:
                over = number < len(readings)
                changes = [(at, readings[at][user]) for at in run if at == run[0] or readings[at][user] != readings[at - 1][user]]
                found.append((user, run[0], run[-1] if over else None, number if over else None, changes))
            run = []
    return sorted(found, key=lambda life: (life[0], life[1]))


def kept(state: StateDatabase) -> list[tuple[object, ...]]:
    def number(at: datetime | None) -> int | None:
        return None if at is None else (at - NOON) // FIVE

    with state.read() as connection:
        users = sorted(
            {
                int(text)
                for text in connection.execute(schema.episodes.select().with_only_columns(schema.episodes.c.user_text)).scalars()
            }
        )
        return [
            (
                user,
                number(life.first_seen),
                number(life.last_seen),
                number(life.resolved_at),
                [(number(seen.at), (seen.progress_level, seen.license_level)) for seen in episodes.changes_of(connection, life)],
            )
            for user in users
            for life in reversed(episodes.of_pair(connection, SCOPE, str(user), "PLAYER"))
        ]


READINGS = st.lists(st.dictionaries(st.integers(1, 4), st.tuples(st.integers(1, 2), st.just(9)), max_size=4), max_size=8)


@settings(max_examples=examples(40))
@given(READINGS)
def test_the_lives_are_those_that_counting_gives(fresh_state: StateDatabase, readings: Readings) -> None:
    with fresh_state.write() as connection:
        for table in (schema.history, schema.episodes, schema.episode_changes, schema.violations):
            connection.execute(table.delete())
    for number, reading in enumerate(readings):
        found = [violation(user, levels) for user, levels in sorted(reading.items())]
        recorded(fresh_state, NOON + number * FIVE, found)
    assert kept(fresh_state) == oracle(readings)
