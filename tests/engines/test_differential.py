"""The one statement against the rule in plain Python, over thousands of databases, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.comparison import Comparison
from core.coupling import ProgressLicenseCoupler
from core.model import Violation
from tests.application import Application, PostgresqlApplication, Row, SqliteApplication
from tests.conftest import ENGINES, NewDatabase
from tests.engines.oracle import ACTIONS, Expected, expected, name_of
from tests.examples import examples

# Few names and few users, in many spellings: what matters is that they meet.
NAMES = [
    "PLAYER", "player", " Player", "PLAYER ", "\tplayer\n", "COACH", "coach\r\n", "Coach\v\f", "INTERNSHIP",
    "GANCUJU_PLAYER", "gancuju_player", "LFA_FOOTBALL_PLAYER", "PLAYER1", "PLAYER 1", "", "  ", "\t",
    "játékos", "JÁTÉKOS", "Játékos ", "edző", "EDZŐ", "ИГРОК", "игрок", "παίκτης", "ΠΑΊΚΤΗΣ", "選手", "Żółty", "żÓŁTY",
    "per%cent", "under_score", "quo'te", 'quo"te', "back\\slash", "semi;colon", "\u00a0PLAYER", "😀",
]  # fmt: skip
TIDY_NAMES = sorted({name_of(name) for name in NAMES})  # in their normal form, as an application keeps them that takes care
INTEGER_USERS = [0, 1, 2, 3, 9, 10, 11, 100, -1, -10, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1]
TEXT_USERS = [
    "1",
    "2",
    "10",
    "9",
    "a",
    "A",
    "b",
    "B",
    "Z",
    "_",
    "-",
    "~",
    "é",
    "Ω",
    "z",
    "",
    " ",
    " a",
    "u-101",
    "u-99",
    "😀",
    "\ufb01",
]
UUID_USERS = [UUID(int=number << 96 | number) for number in (0, 1, 9, 10, 255, 2**31, 2**32 - 1)]
LEVELS = [1, 2, 3, 1, 2, 3, 8, 0, -1, 2**31 - 1]


def databases(users: list[Any], license_users: list[Any] | None = None) -> st.SearchStrategy[tuple[list[Row], list[Row]]]:
    """Rows of both sides. Half of the licences are copies of progress rows, so that agreement is as common as its faults."""

    @st.composite
    def both(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
        few = draw(st.sampled_from([1, 2, 4, len(users)]))
        names = draw(st.sampled_from([NAMES, TIDY_NAMES]))
        progress = [_row(code, users[:few], names) for code in draw(st.lists(_CODES, max_size=12))]
        licenses = [_row(code, (license_users or users)[-few:], names) for code in draw(st.lists(_CODES, max_size=8))]
        copied = draw(st.integers(0, 2 ** len(progress) - 1))
        for number, (user, name, level) in enumerate(progress):
            if copied >> number & 1:
                licenses.append((user if license_users is None or user is None else str(user), name, level))
        return progress, licenses

    return both()


_CODES = st.integers(0, 2**31 - 1)  # one number a row: drawing four choices for each is what would take the time


def _row(code: int, users: list[Any], names: list[str]) -> Row:
    code, user = divmod(code, len(users))
    code, name = divmod(code, len(names))
    code, level = divmod(code, len(LEVELS))
    which = code % 12
    return (
        None if which == 11 else users[user],
        None if which == 10 else names[name],
        None if which in (8, 9) else LEVELS[level],
    )


@dataclass(frozen=True)
class Ids:
    """A way in which an application keeps its user ids."""

    sqlite_type: str | tuple[str, str]
    postgresql_type: str | tuple[str, str]
    users: list[Any]
    license_users: list[Any] | None
    as_text: bool
    as_stored_on_sqlite: Callable[[Any], Any] = lambda user: user


IDS = {
    "integer": Ids("integer", "bigint", INTEGER_USERS, None, as_text=False),
    "text": Ids("varchar(40)", "varchar(40)", TEXT_USERS, None, as_text=True),
    "uuid": Ids("varchar(36)", "uuid", UUID_USERS, None, as_text=True, as_stored_on_sqlite=lambda user: user and str(user)),
    "integer_and_text": Ids(
        ("integer", "text"), ("bigint", "text"), INTEGER_USERS, [str(user) for user in INTEGER_USERS] + ["007", "x"], as_text=True
    ),
}


@dataclass(frozen=True)
class Subject:
    application: Application
    coupler: ProgressLicenseCoupler
    ids: Ids

    def holds(self, progress: list[Row], licenses: list[Row]) -> Expected:
        """Put these rows into the database; what a check of them must say."""
        stored = self.ids.as_stored_on_sqlite if isinstance(self.application, SqliteApplication) else lambda user: user
        self.application.replace_all(*[[(stored(user), *rest) for user, *rest in rows] for rows in (progress, licenses)])
        return expected(progress, licenses, as_text=self.ids.as_text)


@pytest.fixture(scope="module", params=IDS)
def ids(request: pytest.FixtureRequest) -> Ids:
    return IDS[request.param]


@pytest.fixture(scope="module", params=ENGINES)
def subject(request: pytest.FixtureRequest, ids: Ids, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    if request.param == "sqlite":
        application: Application = SqliteApplication(tmp_path_factory.mktemp("differential") / "app.db", user=ids.sqlite_type)
    else:
        new: NewDatabase = request.getfixturevalue("new_postgresql_database")
        application = PostgresqlApplication(new(), user=ids.postgresql_type)
    yield Subject(application, application.coupler(), ids)
    application.close()


def _as_tuple(violation: Violation) -> tuple[Any, ...]:
    return (
        violation.user_id,
        violation.specialization,
        violation.progress_level,
        violation.license_level,
        violation.kind.value,
        violation.recommended_action.value,
    )


def _listed(comparison: Comparison) -> list[tuple[Any, ...]]:
    return [_as_tuple(violation) for chunk in comparison.chunks() for violation in chunk]


def _agree(coupler: ProgressLicenseCoupler, right: Expected, *, careful: bool) -> None:
    with coupler.compare(careful=careful) as comparison:
        totals = comparison.totals
        assert _listed(comparison) == right.violations
    assert totals.total_checked == right.total_checked
    assert totals.inconsistent == len(right.violations)
    assert totals.consistent == right.total_checked - len(right.violations)
    assert totals.unidentified_progress_rows == right.unidentified_progress_rows
    assert totals.unidentified_license_rows == right.unidentified_license_rows


def test_a_check_says_what_the_rule_says(subject: Subject) -> None:
    on_sqlite = isinstance(subject.application, SqliteApplication)

    @settings(max_examples=examples(400 if on_sqlite else 100))
    @given(databases(subject.ids.users, subject.ids.license_users))
    @example(([], []))
    def says_what_the_rule_says(rows: tuple[list[Row], list[Row]]) -> None:
        right = subject.holds(*rows)
        for careful in (False,) if on_sqlite else (False, True):  # SQLite has but one statement
            _agree(subject.coupler, right, careful=careful)

    says_what_the_rule_says()


def test_asking_for_one_pair_says_what_the_check_says_of_it(subject: Subject) -> None:
    on_sqlite = isinstance(subject.application, SqliteApplication)

    @settings(max_examples=examples(80 if on_sqlite else 25))
    @given(databases(subject.ids.users, subject.ids.license_users))
    def says_what_the_check_says(rows: tuple[list[Row], list[Row]]) -> None:
        right = subject.holds(*rows)
        levels = {violation[:2]: violation[2:4] for violation in right.violations}
        for (user, name), fault in right.pairs.items():
            answer = subject.coupler.validate_consistency(user, name)
            assert answer["consistent"] is (fault is None)
            assert answer["recommended_action"] == (ACTIONS[fault] if fault else None)
            assert answer["progress_exists"] is (fault != "missing_progress") or fault == "duplicate_rows"
            assert answer["license_exists"] is (fault != "missing_license") or fault == "duplicate_rows"
            assert str(answer["message"]).endswith(".")
            if fault is not None:
                progress, license_ = levels[user, name]
                assert (answer["progress_level"], answer["license_level"]) == (progress, license_)
                known = progress is not None and license_ is not None
                assert answer["difference"] == (progress - license_ if known else None)
            pair = subject.coupler.pair_now(str(user), f" {name.lower()}\t")
            assert (pair.kind.value if pair.kind else None) == fault, "user ids also arrive as text, names in any spelling"

    says_what_the_check_says()


def test_a_pair_without_rows_is_no_violation(subject: Subject) -> None:
    subject.application.delete_everything()
    answer = subject.coupler.validate_consistency(subject.ids.users[0], "PLAYER")
    assert answer["consistent"] is True
    assert (answer["progress_exists"], answer["license_exists"]) == (False, False)
    assert answer["recommended_action"] is None


def test_many_rows_come_in_order_over_all_chunks(subject: Subject) -> None:
    """More violations than one chunk holds, inserted in an order of their own."""
    numbers = [subject.ids.users[0]]
    if subject.ids is IDS["integer"]:
        numbers = [number * 7_919 % 10_007 for number in range(10_007)]
    right = subject.holds([(number, "PLAYER", 2) for number in numbers], [(number, " player", 1) for number in numbers])
    assert len(right.violations) == len(numbers)
    for careful in (False, True):
        _agree(subject.coupler, right, careful=careful)


@pytest.mark.postgresql
def test_more_suspects_than_the_fast_statement_takes_give_the_same_answer(
    new_postgresql_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.comparison.MOST_SUSPECTS", 2)
    application = PostgresqlApplication(new_postgresql_database())
    subject = Subject(application, application.coupler(), IDS["integer"])

    @settings(max_examples=examples(40))
    @given(databases(INTEGER_USERS))
    def says_what_the_rule_says(rows: tuple[list[Row], list[Row]]) -> None:
        _agree(subject.coupler, subject.holds(*rows), careful=False)

    says_what_the_rule_says()
    application.close()


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize(("progress_rows", "license_rows"), [(2, 1), (1, 2), (2, 2), (3, 1), (1, 3)])
def test_duplicates_that_agree_with_each_other_are_still_duplicates(
    application: Application, progress_rows: int, license_rows: int, careful: bool
) -> None:
    """No row of such a pair looks odd by itself: a statement that only joins would find nothing. They stand alone here,
    since any other violation could make a fast statement look closer."""
    application.agreeing(range(50))
    application.add([(50, "PLAYER", 3)] * progress_rows, [(50, " player", 3)] * license_rows)
    with application.coupler().compare(careful=careful) as comparison:
        assert _listed(comparison) == [(50, "PLAYER", 3, 3, "duplicate_rows", "resolve_duplicates")]
        assert (comparison.totals.total_checked, comparison.totals.inconsistent) == (51, 1)


def test_among_pairs_that_all_agree_each_duplicate_is_found(subject: Subject) -> None:
    """Databases in which nothing but a repeated row is wrong."""
    user = subject.ids.users[-1]

    @settings(max_examples=examples(40))
    @given(st.sets(st.sampled_from(NAMES[:16]).map(name_of), min_size=1), st.lists(st.integers(0, 99), max_size=4))
    def each_is_found(names: set[str], repeated: list[int]) -> None:
        progress: list[Row] = [(user, name, 2) for name in sorted(names)]
        licenses: list[Row] = [(user if subject.ids.license_users is None else str(user), *rest) for _, *rest in progress]
        for number in repeated:
            side = progress if number % 2 else licenses
            side.append(side[number // 2 % len(names)])
        right = subject.holds(progress, licenses)
        assert {violation[4] for violation in right.violations} <= {"duplicate_rows"}
        for careful in (False, True):
            _agree(subject.coupler, right, careful=careful)

    each_is_found()
