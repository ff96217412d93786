"""What a database can refuse, in sentences that name the thing and the next step."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.engine import URL, make_url

from core.coupling import ProgressLicenseCoupler
from core.errors import (
    CheckImpossible,
    WatchedDatabaseFailed,
    WatchedDatabaseUnreachable,
    WatchedPermissionDenied,
    WatchedSchemaUnsuitable,
)
from core.setting_groups import LicenseSettings, ProgressSettings
from core.watched import WatchedDatabase
from tests.application import Application, PostgresqlApplication


def _compare(coupler: ProgressLicenseCoupler) -> int:
    with coupler.compare() as comparison:
        return sum(len(chunk) for chunk in comparison.chunks())


def _coupler(url: URL | str) -> ProgressLicenseCoupler:
    return ProgressLicenseCoupler(WatchedDatabase(make_url(url), 5, 2), ProgressSettings(), LicenseSettings())


def test_a_missing_table_is_named_beside_those_that_exist(application: Application) -> None:
    coupler = application.coupler(license=LicenseSettings(table="licences"))
    with pytest.raises(WatchedSchemaUnsuitable, match=r"no table licences.*specialization_progress, user_licenses"):
        _compare(coupler)


def test_a_database_without_tables_says_so(application: Application) -> None:
    application.execute("DROP TABLE specialization_progress")
    application.execute("DROP TABLE user_licenses")
    with pytest.raises(WatchedSchemaUnsuitable, match=r"no table specialization_progress; the database has no table at all"):
        _compare(application.coupler())


def test_every_missing_column_is_named_beside_those_that_exist(application: Application) -> None:
    coupler = application.coupler(progress=ProgressSettings(user_column="pupil", level_column="grade"))
    with pytest.raises(
        WatchedSchemaUnsuitable, match=r"specialization_progress has no column pupil and no column grade; it has id, student_id,"
    ) as refused:
        _compare(coupler)
    assert "[progress]" in refused.value.hint


def test_a_level_that_is_no_number_is_named(new_application: Any) -> None:
    application = new_application(level="varchar(10)")
    with pytest.raises(WatchedSchemaUnsuitable, match=r"specialization_progress\.current_level is VARCHAR\(10\), .* number"):
        _compare(application.coupler())


def test_a_specialization_that_is_no_text_is_named(new_application: Any) -> None:
    application = new_application(specialization="integer")
    with pytest.raises(WatchedSchemaUnsuitable, match=r"specialization_id is INTEGER, .* text"):
        _compare(application.coupler())


def test_a_schema_that_was_mended_is_seen_by_the_next_check(application: Application) -> None:
    coupler = application.pair(1, "PLAYER", 1, 2).coupler()
    assert _compare(coupler) == 1
    application.execute("ALTER TABLE user_licenses RENAME COLUMN current_level TO level_now")
    for _ in range(2):
        with pytest.raises(WatchedSchemaUnsuitable, match="current_level"):
            _compare(coupler)
    application.execute("ALTER TABLE user_licenses RENAME COLUMN level_now TO current_level")
    assert _compare(coupler) == 1


def test_a_question_about_a_pair_looks_afresh_after_a_schema_change(application: Application) -> None:
    """A column that the comparison does not need was renamed: no check fails over it, so only the question itself can notice."""
    coupler = application.pair(1).coupler()
    assert coupler.pair_now(1, "PLAYER").kind is None
    application.execute("ALTER TABLE user_licenses RENAME COLUMN max_achieved_level TO highest_level")
    with pytest.raises(WatchedSchemaUnsuitable):
        coupler.pair_now(1, "PLAYER")
    assert coupler.pair_now(1, "PLAYER").kind is None


def test_a_view_can_be_a_side(application: Application) -> None:
    application.pair(1, "PLAYER", 1, 2).pair(2, "COACH", 1, 2)
    application.execute(
        "CREATE VIEW coaches AS SELECT user_id, specialization_type, current_level FROM user_licenses "
        "WHERE specialization_type = 'COACH'"
    )
    assert _compare(application.coupler(license=LicenseSettings(table="coaches"))) == 2


def test_names_that_need_quotes_work(application: Application) -> None:
    application.execute('CREATE TABLE "Order; --Progress" ("User" bigint, "select" varchar(50), "Le vel" integer)')
    application.execute("""INSERT INTO "Order; --Progress" VALUES (1, 'PLAYER', 5)""")
    application.license(1, "PLAYER", 4)
    side = ProgressSettings(table="Order; --Progress", user_column="User", specialization_column="select", level_column="Le vel")
    coupler = application.coupler(progress=side)
    assert _compare(coupler) == 1
    assert coupler.pair_now(1, "player").level("progress") == 5


@pytest.mark.postgresql
def test_a_table_in_another_schema_is_found(postgresql_app: PostgresqlApplication) -> None:
    postgresql_app.execute("CREATE SCHEMA app")
    postgresql_app.execute("ALTER TABLE user_licenses SET SCHEMA app")
    postgresql_app.progress(1)
    coupler = postgresql_app.coupler(license=LicenseSettings(table="app.user_licenses"))
    assert _compare(coupler) == 1
    assert coupler.pair_now(1, "PLAYER").license.table == "app.user_licenses"
    with pytest.raises(WatchedSchemaUnsuitable, match=r"no table elsewhere\.user_licenses"):
        _compare(postgresql_app.coupler(license=LicenseSettings(table="elsewhere.user_licenses")))


@pytest.mark.postgresql
def test_a_user_who_may_not_read_is_told_what_to_grant(postgresql_app: PostgresqlApplication) -> None:
    reader = f"reader_{uuid4().hex[:8]}"
    postgresql_app.execute(f"CREATE ROLE {reader} LOGIN PASSWORD 'hush-hush'")
    try:
        coupler = _coupler(postgresql_app.url.set(username=reader, password="hush-hush"))
        with pytest.raises(WatchedPermissionDenied, match="permission denied for table") as denied:
            _compare(coupler)
        assert "Grant SELECT" in denied.value.hint
        assert "hush-hush" not in denied.value.advice
        postgresql_app.execute(f"GRANT SELECT ON specialization_progress TO {reader}")
        with pytest.raises(WatchedPermissionDenied, match="user_licenses"):
            _compare(coupler)
        postgresql_app.execute(f"GRANT SELECT ON user_licenses TO {reader}")
        assert _compare(coupler) == 0
    finally:
        postgresql_app.execute(f"DROP OWNED BY {reader}")
        postgresql_app.execute(f"DROP ROLE {reader}")


@pytest.mark.postgresql
def test_a_host_that_does_not_answer_is_unreachable_and_keeps_its_password() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(WatchedDatabaseUnreachable, match=rf"127\.0\.0\.1:{port}/app.*refused") as away:
        _compare(_coupler(f"postgresql+psycopg://watcher:s3cret-word@127.0.0.1:{port}/app"))
    assert "s3cret-word" not in away.value.advice
    assert away.value.permanent is False


@pytest.mark.postgresql
def test_a_host_whose_name_is_unknown_is_unreachable() -> None:
    with pytest.raises(WatchedDatabaseUnreachable, match=r"no-such-host\.invalid"):
        _compare(_coupler("postgresql+psycopg://u:p@no-such-host.invalid/app"))


@pytest.mark.postgresql
def test_a_database_that_does_not_exist_is_unreachable(postgresql_server: str) -> None:
    with pytest.raises(WatchedDatabaseUnreachable, match="no_such_app"):
        _compare(_coupler(make_url(postgresql_server).set(drivername="postgresql+psycopg", database="no_such_app")))


@pytest.mark.postgresql
def test_a_server_that_ends_the_connection_midway_is_a_sentence_and_the_next_check_works(
    postgresql_app: PostgresqlApplication,
) -> None:
    postgresql_app.disagreeing(range(30))
    coupler = postgresql_app.coupler()
    with pytest.raises(CheckImpossible) as ended, postgresql_app.watched().snapshot() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        postgresql_app.execute("SELECT pg_terminate_backend(%s)", (pid,))
        connection.exec_driver_sql("SELECT count(*) FROM user_licenses").scalar()
    assert isinstance(ended.value, WatchedDatabaseUnreachable | WatchedDatabaseFailed)
    assert "terminating connection" in str(ended.value)
    assert _compare(coupler) == 30


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    path.write_bytes(b"this is a shopping list, not a database" * 100)
    with pytest.raises(CheckImpossible, match=r"app\.db.*not a database"):
        _compare(_coupler(f"sqlite:///{path}"))


def test_a_folder_in_the_place_of_the_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckImpossible, match=re.escape(str(tmp_path))):
        _compare(_coupler(f"sqlite:///{tmp_path}"))


def test_text_that_is_not_utf_8_is_a_sentence(tmp_path: Path, sqlite_app: Application) -> None:
    sqlite_app.execute(
        "INSERT INTO user_licenses (user_id, specialization_type, current_level) VALUES (1, CAST(x'ff504c' AS TEXT), 1)"
    )
    with pytest.raises(CheckImpossible):
        _compare(sqlite_app.coupler())


def test_a_path_with_spaces_and_signs_can_be_watched(tmp_path: Path) -> None:
    from tests.application import SqliteApplication

    folder = tmp_path / "with space & 100% #1?"
    folder.mkdir()
    application = SqliteApplication(folder / "app.db").disagreeing([1])
    assert _compare(application.coupler()) == 1
    application.close()


@pytest.mark.parametrize("word", ["locked", "interrupted"])
def test_a_name_is_not_taken_for_a_symptom(application: Application, word: str) -> None:
    """A column may be called what an engine says when it is busy."""
    coupler = application.coupler()
    application.execute(f"ALTER TABLE user_licenses ADD COLUMN {word}_at integer")
    assert coupler.pair_now(1, "PLAYER").kind is None
    application.execute(f"ALTER TABLE user_licenses DROP COLUMN {word}_at")
    with pytest.raises(WatchedSchemaUnsuitable):
        coupler.pair_now(1, "PLAYER")
