"""Other people's schemas: ids as text or UUID, levels as fractions, specializations as enums."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from core.comparison import as_level, as_user_id
from core.model import Kind, Violation
from tests.application import Application, PostgresqlApplication, SqliteApplication
from tests.conftest import NewDatabase

NewApplication = Callable[..., Application]


def _violations(application: Application, *, careful: bool = False) -> list[Violation]:
    with application.coupler().compare(careful=careful) as comparison:
        return [violation for chunk in comparison.chunks() for violation in chunk]


@pytest.mark.parametrize("level", ["smallint", "bigint", "numeric(4, 1)", "real", "double precision"])
def test_levels_of_every_number_type_are_compared(new_application: NewApplication, level: str) -> None:
    application = new_application(level=level).pair(1, "PLAYER", 3, 3).pair(2, "PLAYER", 3, 2).pair(3, "PLAYER", None, 1)
    for careful in (False, True):
        assert [(v.user_id, v.progress_level, v.license_level, v.kind) for v in _violations(application, careful=careful)] == [
            (2, 3, 2, Kind.LEVEL_MISMATCH),
            (3, None, 1, Kind.LEVEL_NOT_SET),
        ]


def test_levels_that_differ_by_a_fraction_do_not_agree(new_application: NewApplication) -> None:
    application = new_application(level="numeric(4, 1)").pair(1, "PLAYER", 3.5, 3.7).pair(2, "PLAYER", 3.5, 3.5)
    assert [v.user_id for v in _violations(application)] == [1]
    assert application.coupler().pair_now(1, "PLAYER").kind is Kind.LEVEL_MISMATCH
    assert application.coupler().pair_now(2, "PLAYER").kind is None


def test_user_ids_of_type_uuid_are_reported_as_text(new_application: NewApplication) -> None:
    user = UUID("0191d3b0-7c1e-7e5b-8a52-4f7f1c3f9a11")
    application = new_application(user="uuid")
    application.pair(user if isinstance(application, PostgresqlApplication) else str(user), "PLAYER", 1, 2)
    assert [v.user_id for v in _violations(application)] == [str(user)]
    assert application.coupler().pair_now(str(user), "PLAYER").kind is Kind.LEVEL_MISMATCH


@pytest.mark.postgresql
def test_a_uuid_on_one_side_and_text_on_the_other_are_compared_as_text(new_postgresql_database: NewDatabase) -> None:
    user = UUID("0191d3b0-7c1e-7e5b-8a52-4f7f1c3f9a11")
    application = PostgresqlApplication(new_postgresql_database(), user=("uuid", "varchar(36)"))
    application.progress(user, "PLAYER", 2).license(str(user), "PLAYER", 2)
    assert _violations(application) == []
    application.set_license_level(str(user), 1)
    assert [(v.user_id, v.kind) for v in _violations(application)] == [(str(user), Kind.LEVEL_MISMATCH)]
    application.close()


def test_a_number_on_one_side_and_text_on_the_other_are_compared_as_text(new_application: NewApplication) -> None:
    application = new_application(user=("integer", "varchar(20)"))
    application.progress(7, "PLAYER", 2).license("7", "PLAYER", 2).license("007", "PLAYER", 2)
    assert [(v.user_id, v.kind) for v in _violations(application)] == [("007", Kind.MISSING_PROGRESS)]


def test_a_question_about_a_pair_keeps_ids_apart_that_the_check_keeps_apart(new_application: NewApplication) -> None:
    """7 and 007 are two users where one side keeps text."""
    application = new_application(user=("integer", "varchar(20)"))
    application.progress(7, "PLAYER", 2).license("7", "PLAYER", 2).license("007", "PLAYER", 2)
    assert application.coupler().pair_now("007", "PLAYER").kind is Kind.MISSING_PROGRESS


@pytest.mark.parametrize(
    "user", ["--5", "5-", "-", "", " ", "1e3", "٣", "²", "９", "1_000", "x", "9" * 25, "-" + "9" * 25, 10**25]
)
def test_a_question_about_a_user_who_cannot_be_finds_no_row(application: Application, user: Any) -> None:
    """What somebody types into an address is no reason to fall over."""
    application.pair(5, "PLAYER", 1, 2)
    pair = application.coupler().pair_now(user, "PLAYER")
    assert (len(pair.progress.rows), len(pair.license.rows)) == (0, 0)


@pytest.mark.postgresql
def test_specializations_can_be_an_enum(new_postgresql_database: NewDatabase) -> None:
    """The settings accept one, so the statement must, too."""
    url = new_postgresql_database()
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TYPE specialization_type AS ENUM ('PLAYER', 'COACH', 'INTERNSHIP')")
    application = PostgresqlApplication(url, specialization="specialization_type")
    application.pair(1, "PLAYER", 1, 2).pair(2, "COACH", 1, 1)
    for careful in (False, True):
        assert [(v.user_id, v.specialization) for v in _violations(application, careful=careful)] == [(1, "PLAYER")]
    assert application.coupler().pair_now(1, "player").kind is Kind.LEVEL_MISMATCH
    application.close()


@pytest.mark.postgresql
@pytest.mark.parametrize("kind", ["char(20)", "text"])
def test_padded_and_endless_text_are_specializations(new_postgresql_database: NewDatabase, kind: str) -> None:
    application = PostgresqlApplication(new_postgresql_database(), specialization=kind)
    application.pair(1, "Player", 1, 2)
    assert [(v.user_id, v.specialization) for v in _violations(application)] == [(1, "PLAYER")]
    assert application.coupler().pair_now(1, "player").kind is Kind.LEVEL_MISMATCH
    application.close()


@pytest.mark.parametrize("user", ["char(36)", "varchar(36)", "text"])
def test_text_ids_of_every_type_are_reported_without_padding(new_application: NewApplication, user: str) -> None:
    application = new_application(user=user).pair("u-1", "PLAYER", 1, 2)
    assert [v.user_id for v in _violations(application)] == ["u-1"]
    assert application.coupler().pair_now("u-1", "PLAYER").kind is Kind.LEVEL_MISMATCH


def test_ids_of_a_numeric_type_are_integers(new_application: NewApplication) -> None:
    application = new_application(user="numeric(20)").pair(10, "PLAYER", 1, 2).pair(9, "PLAYER", 1, 2)
    assert [v.user_id for v in _violations(application)] == [9, 10]
    assert application.coupler().pair_now("9", "PLAYER").kind is Kind.LEVEL_MISMATCH


def test_a_sqlite_column_without_a_type_may_hold_text_ids(tmp_path: Any) -> None:
    application = SqliteApplication(tmp_path / "untyped.db", user="")
    application.pair("u-1", "PLAYER", 1, 2).pair(5, "PLAYER", 1, 2)
    assert [v.user_id for v in _violations(application)] == [5, "u-1"]
    assert application.coupler().pair_now(5, "PLAYER").kind is Kind.LEVEL_MISMATCH
    assert application.coupler().pair_now("u-1", "PLAYER").kind is Kind.LEVEL_MISMATCH
    application.close()


@pytest.mark.parametrize(("one", "other"), [("játékos", "JÁTÉKOS"), ("ИГРОК", "игрок "), ("ÿ", "Ÿ"), ("ςa", "ΣA")])
def test_names_are_one_in_every_alphabet(application: Application, one: str, other: str) -> None:
    application.progress(1, one, 1).license(1, other, 1)
    assert [(v.specialization, v.kind) for v in _violations(application)] == []


@pytest.mark.parametrize(("one", "other"), [("straße", "STRASSE"), ("ﬁt", "FIT")])
def test_names_are_one_where_the_upper_case_has_more_letters(application: Application, one: str, other: str) -> None:
    application.progress(1, one, 1).license(1, other, 1)
    assert [(v.specialization, v.kind) for v in _violations(application)] == []


@pytest.mark.parametrize("name", ["straße", "ﬁt", "ŉ", "İstanbul", "ǰ"])
def test_a_violation_can_be_asked_about_by_the_name_that_it_is_reported_under(application: Application, name: str) -> None:
    application.progress(1, name, 1)
    (violation,) = _violations(application)
    assert application.coupler().pair_now(1, violation.specialization).kind is Kind.MISSING_LICENSE


@pytest.mark.postgresql
def test_names_are_one_in_every_alphabet_in_a_database_of_the_c_locale(new_postgresql_database: NewDatabase) -> None:
    application = PostgresqlApplication(new_postgresql_database("TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"))
    application.progress(1, "játékos", 1).license(1, "JÁTÉKOS", 1)
    assert _violations(application) == []
    application.close()


@pytest.mark.postgresql
def test_violations_come_by_code_point_whatever_the_column_is_sorted_by(new_postgresql_database: NewDatabase) -> None:
    """A collation of the column's own must not leak into the report's order."""
    application = PostgresqlApplication(new_postgresql_database(), user="varchar(20)")
    for user in ("b", "B", "a", "Z", "é", "_"):
        application.pair(user, "PLAYER", 1, 2)
    for careful in (False, True):
        assert [v.user_id for v in _violations(application, careful=careful)] == ["B", "Z", "_", "a", "b", "é"]
    application.close()


@pytest.mark.parametrize("value", [None, True, "3", "x", float("nan"), Decimal("NaN"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_level(value: object) -> None:
    assert as_level(value) is None


def test_numbers_are_levels() -> None:
    assert [as_level(value) for value in (0, 3, 3.0, Decimal("3.0"), -1)] == [0, 3, 3, 3, -1]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), 1.5, Decimal("1.5"), b"\x01"])
def test_an_odd_user_id_is_reported_as_text(value: object) -> None:
    assert as_user_id(value) == str(value)


@pytest.mark.postgresql
def test_a_level_that_is_not_a_number_is_a_violation_and_no_crash(new_postgresql_database: NewDatabase) -> None:
    application = PostgresqlApplication(new_postgresql_database(), level="numeric(10, 2)")
    application.pair(1, "PLAYER", Decimal("NaN"), 1).pair(2, "PLAYER", 1, 1)
    assert [(v.user_id, v.kind) for v in _violations(application)] == [(1, Kind.LEVEL_NOT_SET)]
    application.close()


def test_text_in_a_level_column_is_no_agreement(sqlite_app: SqliteApplication) -> None:
    """SQLite lets it in. Two sides that both say "three" have no level, which is no reason for a green light."""
    sqlite_app.pair(1, "PLAYER", "three", "three").pair(2, "PLAYER", "3", 3)
    assert [(v.user_id, v.kind) for v in _violations(sqlite_app)] == [(1, Kind.LEVEL_NOT_SET)]
