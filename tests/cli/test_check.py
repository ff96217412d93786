"""`coupling-health check` and `status`: exit codes, what is printed where, and what is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests.application import SqliteApplication
from tests.cli.commands import Commands

REPORT_KEYS = ["timestamp", "total_checked", "consistent", "inconsistent", "consistency_rate", "violations"]
ADDED_KEYS = ["check_id", "duration_ms", "trigger", "requested_by"]
VIOLATION_KEYS = ["user_id", "specialization", "progress_level", "license_level", "recommended_action"]
STATUS_KEYS = {"status", "reason", "since", "last_check", "consistency_rate", "total_violations", "requires_attention"}


def rows_of_history(commands: Commands) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(commands.folder / "var" / "coupling-health.db")) as connection:
        return connection.execute("SELECT outcome, trigger FROM health_check_history ORDER BY id").fetchall()


def test_everything_agrees(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(150))
    done = commands("check")
    assert (done.code, done.out) == (0, "")
    assert "Healthy: 150/150 consistent (100.00%)" in done.err
    assert rows_of_history(commands) == [("healthy", "cli")]
    assert not list(commands.folder.glob("logs/integrity_checks/*.json"))


@pytest.mark.parametrize(
    ("agreeing", "disagreeing", "code", "word"), [(99, 1, 0, "Healthy"), (98, 2, 1, "Degraded"), (94, 6, 1, "Critical")]
)
def test_the_exit_code_tells_the_status(
    commands: Commands, sqlite_app: SqliteApplication, agreeing: int, disagreeing: int, code: int, word: str
) -> None:
    sqlite_app.agreeing(range(agreeing)).disagreeing(range(1000, 1000 + disagreeing))
    done = commands("check")
    assert (done.code, done.out) == (code, "")
    assert f"{word}: {agreeing}/100 consistent" in done.err
    (log,) = commands.folder.glob("logs/integrity_checks/*_violations.json")
    assert log.name in done.err


def test_violations_are_a_table_for_eyes(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(100)).pair(4242, "COACH", 3, 2).progress(4343, "PLAYER", 5)
    done = commands("check")
    assert done.out == ""
    for word in ("4242", "COACH", "Level mismatch", "Sync required", "4343", "Licence missing", "Create licence from progress"):
        assert word in done.err
    assert "1 level mismatch" in done.err
    assert "sync_required" not in done.err, "no raw names for eyes"


def test_text_of_the_application_is_printed_as_it_is(commands: Commands, tmp_path: Path) -> None:
    application = SqliteApplication(tmp_path / "texts.db", user="varchar(40)").pair("[bold]x[/red]", "[A/B]", 1, 2)
    done = commands("check", database_url=application.url.render_as_string())
    application.close()
    assert done.code == 1
    assert "[bold]x[/red]" in done.err
    assert "[A/B]" in done.err


def test_json_is_the_report_and_nothing_else(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(1_000, 1_147)).pair(42, "PLAYER", 3, 2).license(43, "COACH", 4).pair(44, "player ", None, 1)
    done = commands("check", "--json")
    report = done.document
    assert done.code == 1
    assert list(report)[:6] == REPORT_KEYS
    assert set(ADDED_KEYS) <= set(report)
    assert (report["total_checked"], report["consistent"], report["inconsistent"]) == (150, 147, 3)
    assert report["consistency_rate"] == 98.0
    assert (report["trigger"], report["duration_ms"] >= 0) == ("cli", True)
    assert datetime.fromisoformat(report["timestamp"]).utcoffset() is not None
    assert [list(violation)[:5] for violation in report["violations"]] == [VIOLATION_KEYS] * 3
    assert [tuple(violation[key] for key in [*VIOLATION_KEYS, "kind"]) for violation in report["violations"]] == [
        (42, "PLAYER", 3, 2, "sync_required", "level_mismatch"),
        (43, "COACH", None, 4, "create_progress_from_license", "missing_progress"),
        (44, "PLAYER", None, 1, "set_level", "level_not_set"),
    ]
    assert "Error" not in done.err


def test_json_with_nothing_wrong_has_an_empty_list(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(3))
    done = commands("check", "--json")
    assert (done.code, done.document["violations"], done.document["consistency_rate"]) == (0, [], 100.0)


def test_nothing_to_check_is_not_healthy(commands: Commands) -> None:
    done = commands("check")
    assert (done.code, done.out) == (2, "")
    assert "Nothing to check" in done.err
    told = commands("check", "--json")
    assert (told.code, told.document["total_checked"], told.document["consistency_rate"]) == (2, 0, None)
    assert commands("status").code == 2


def test_a_database_that_is_not_there_is_named_with_what_to_do(commands: Commands, tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path}/missing.db"
    done = commands("check", database_url=missing)
    assert (done.code, done.out) == (2, "")
    assert "missing.db" in done.err
    assert "coupling-health doctor" in done.err
    assert not (tmp_path / "missing.db").exists(), "the watched database is never made"
    told = commands("check", "--json", database_url=missing)
    assert told.code == 2
    assert "missing.db" in told.document["error"]
    assert told.document["hint"]
    assert rows_of_history(commands) == [("failed", "cli"), ("failed", "cli")]


def test_a_postgresql_that_is_away_is_named_without_its_password(commands: Commands) -> None:
    done = commands("check", "--json", database_url="postgresql://reader:hidden-word@127.0.0.1:1/app")
    assert done.code == 2
    assert "127.0.0.1:1/app" in done.document["error"]
    assert "hidden-word" not in done.out + done.err


def test_without_a_database_it_says_what_to_set(unconfigured: Commands) -> None:
    done = unconfigured("check")
    assert (done.code, done.out) == (2, "")
    assert "COUPLING_HEALTH_DATABASE_URL" in done.err
    told = unconfigured("check", "--json")
    assert told.code == 2
    assert set(told.document) == {"error", "hint"}
    assert "COUPLING_HEALTH_DATABASE_URL" in told.document["hint"]
    assert unconfigured("doctor").code == 2
    assert unconfigured.files() == []


def test_a_dry_run_writes_nothing(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(90)).disagreeing(range(100, 110))
    commands("status")  # makes the state database
    before = commands.files()
    done = commands("check", "--dry-run")
    assert (done.code, done.out) == (1, "")
    assert "Dry run: nothing was written" in done.err
    told = commands("check", "--dry-run", "--json")
    assert (told.code, told.document["inconsistent"], len(told.document["violations"])) == (1, 10, 10)
    assert commands.files() == before
    assert rows_of_history(commands) == []


def test_a_healthy_dry_run_says_that_it_was_one(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(9))
    assert "Dry run: nothing was written" in commands("check", "--dry-run").err


def test_rows_without_a_user_are_named(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(9)).progress(None, "PLAYER", 1)
    done = commands("check")
    assert done.code == 0
    assert "1 progress row" in done.err


def test_status_before_and_after_a_check(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(97)).disagreeing(range(200, 203))
    before = commands("status")
    assert (before.code, before.out) == (2, "")
    assert "Unknown: no check has run yet" in before.err
    told = commands("status", "--json")
    assert told.code == 2
    assert set(told.document) >= STATUS_KEYS
    assert (told.document["status"], told.document["last_check"], told.document["consistency_rate"]) == ("unknown", None, None)
    assert told.document["requires_attention"] is False
    commands("check")
    after = commands("status")
    assert (after.code, after.out) == (1, "")
    assert "Degraded" in after.err
    assert "97/100 consistent (97.00%)" in after.err
    told = commands("status", "--json")
    assert told.code == 1
    assert (told.document["status"], told.document["consistency_rate"], told.document["total_violations"]) == (
        "degraded",
        97.0,
        3,
    )
    assert told.document["requires_attention"] is True


def test_status_needs_no_watched_database_and_never_stays_green_after_a_failure(
    commands: Commands, sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(10))
    assert commands("check").code == 0
    assert commands("status").code == 0
    sqlite_app.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    assert commands("status").code == 0, "it does not look at the watched database"
    assert commands("check").code == 2
    done = commands("status")
    assert done.code == 2
    assert "Unknown" in done.err
    assert "the last attempt failed: There is no table user_licenses" in done.err
    assert "Last known: 10/10 consistent (100.00%)" in done.err


def test_it_works_from_any_working_directory(commands: Commands, sqlite_app: SqliteApplication, tmp_path: Path) -> None:
    sqlite_app.agreeing(range(9)).disagreeing([10])
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    assert commands.elsewhere(tmp_path / "elsewhere" / "deep")("check").code == 1
    made = tmp_path / "elsewhere" / "deep"
    assert (made / "var" / "coupling-health.db").is_file()
    assert len(list(made.glob("logs/integrity_checks/*_violations.json"))) == 1
    assert commands.files() == []


def test_a_log_folder_that_cannot_be_written_fails_the_check(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(9)).disagreeing([10])
    (commands.folder / "in the way").write_text("a file")
    done = commands("check", "--json", log_dir="in the way")
    assert done.code == 2
    assert "in the way" in done.document["error"]
    assert commands("status").code == 2


def test_a_state_database_that_cannot_be_used_is_named(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(9))
    (commands.folder / "in the way").write_text("a file")
    for command in (["check", "--json"], ["status", "--json"], ["user", "list", "--json"]):
        done = commands(*command, state_url="sqlite:///in the way/state.db")
        assert done.code == 2
        assert "state database" in done.document["error"]
        assert "COUPLING_HEALTH_STATE_URL" in done.document["hint"]
