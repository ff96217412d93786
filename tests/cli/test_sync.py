"""`coupling-health sync`: exit codes, what is printed where, and what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.application import SqliteApplication
from tests.cli.commands import Commands


@pytest.fixture
def writing(commands: Commands, sqlite_app: SqliteApplication) -> Commands:
    """May write, over a thousand pairs of which two can be mended, and one needs a person."""
    sqlite_app.agreeing(range(1_000)).pair(2001, "PLAYER", 3, 2).progress(2002, "COACH", 4).pair(2003, "PLAYER", None, 2)
    return Commands(commands.folder, **commands.settings, sync_database_url=sqlite_app.url.render_as_string())


def records(commands: Commands) -> list[str]:
    return [Path(name).name[16:] for name in commands.files() if "sync_jobs" in name]


def level(application: SqliteApplication) -> int:
    return int(application.execute("SELECT current_level FROM user_licenses WHERE user_id = 2001")[0][0])


def test_a_dry_run_shows_and_writes_nothing(writing: Commands, sqlite_app: SqliteApplication) -> None:
    done = writing("sync", "--dry-run")
    assert (done.code, done.out) == (0, "")
    for words in (
        "2 changes",
        "Set licence to level 3",
        "Create licence at level 4",
        "never guessed",
        "2003 PLAYER",
        "nothing was",
    ):
        assert words in done.err
    assert level(sqlite_app) == 2
    assert records(writing) == []
    assert writing("status", "--json").document["last_check"] is None, "its check was a dry run too"


def test_apply_writes_and_undo_takes_back(writing: Commands, sqlite_app: SqliteApplication) -> None:
    before = sqlite_app.execute("SELECT * FROM user_licenses")
    done = writing("sync", "--apply")
    assert (done.code, done.out) == (0, "")
    assert "2 written, 1 left alone" in done.err
    assert "2 of 2 agree" in done.err
    assert level(sqlite_app) == 3
    back = writing("sync", "--undo", "1")
    assert (back.code, back.out) == (0, "")
    assert "2 put back" in back.err
    assert sqlite_app.execute("SELECT * FROM user_licenses") == before
    assert records(writing) == ["sync.json", "undo.json"]
    listed = writing("sync", "--list")
    assert "2 taken back" in listed.err
    again = writing("sync", "--undo", "1")
    assert again.code == 2
    assert "Nothing of sync run 1 stands" in again.err


def test_for_programs_there_is_one_document(writing: Commands) -> None:
    plan = writing("sync", "--dry-run", "--json").document
    assert (plan["planned"], plan["left_alone"], plan["exceeds"]) == (2, 1, None)
    assert plan["changes"][0]["statements"][0].startswith("UPDATE user_licenses")
    run = writing("sync", "--apply", "--json").document
    assert (run["run"], run["status"], run["outcomes"]) == (1, "done", {"applied": 2, "left_alone": 1})
    assert run["confirmed_by"].endswith("(command line)")
    back = writing("sync", "--undo", "1", "--json").document
    assert (back["undoes"], back["outcomes"]) == (1, {"applied": 2})
    assert [one["run"] for one in writing("sync", "--list", "--json").document] == [2, 1]


def test_above_the_limits_a_person_is_asked(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(100)).disagreeing(range(500, 503))
    writing = Commands(commands.folder, **commands.settings, sync_database_url=sqlite_app.url.render_as_string())
    held = writing("sync", "--apply")
    assert held.code == 2
    assert "--changes 3" in held.err
    assert "3 of 103 pairs are 2.91 %" in held.err
    assert "--changes 3" in writing("sync", "--dry-run").err
    assert records(writing) == ["sync.json"], "that nothing was written is on record"
    wrong = writing("sync", "--apply", "--changes", "2")
    assert (wrong.code, "has 3 changes, not 2" in wrong.err) == (2, True)
    assert sqlite_app.execute("SELECT count(*) FROM user_licenses WHERE current_level = 2") == [(0,)]
    assert writing("sync", "--apply", "--changes", "3").code == 0
    assert writing("check").code == 0


def test_what_could_not_be_written_is_said_and_tells_by_the_exit_code(writing: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON user_licenses WHEN OLD.user_id = 2001"
        " BEGIN SELECT RAISE(ABORT, 'licences are frozen'); END"
    )
    done = writing("sync", "--apply")
    assert done.code == 1
    assert "1 written, 1 failed" in done.err
    assert "licences are frozen" in done.err
    assert "2001 PLAYER" in done.err


def test_what_was_written_and_does_not_agree_is_no_success(writing: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.execute(
        "CREATE TRIGGER meddle AFTER INSERT ON user_licenses WHEN NEW.user_id = 2002"
        " BEGIN UPDATE specialization_progress SET current_level = 1 WHERE student_id = 2001; END"
    )
    done = writing("sync", "--apply")
    assert done.code == 1
    assert "1 of 2 agree" in done.err
    assert "Warning" in done.err


@pytest.mark.parametrize("number", ["0", "-1", "9223372036854775808", "99999999999999999999999", "x"])
def test_a_number_that_no_run_can_have_is_refused(writing: Commands, number: str) -> None:
    assert writing("sync", "--undo", number).code == 2


def test_an_address_that_leads_elsewhere_is_refused(writing: Commands, tmp_path: Path) -> None:
    elsewhere = SqliteApplication(tmp_path / "elsewhere.db").disagreeing([1])
    for command in ("sync", "doctor"):
        arguments = ("--apply",) if command == "sync" else ()
        refused = writing(command, *arguments, sync_database_url=elsewhere.url.render_as_string())
        assert refused.code == (2 if command == "sync" else 1)
        assert "leads to another database" in refused.err
    elsewhere.close()


def test_without_write_access_it_says_what_to_set(commands: Commands, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(1_000)).disagreeing([5_000])
    for arguments in (("--apply",), ("--undo", "1")):
        refused = commands("sync", *arguments)
        assert (refused.code, refused.out) == (2, "")
        assert "COUPLING_HEALTH_SYNC_DATABASE_URL" in refused.err
    planned = commands("sync", "--dry-run")
    assert planned.code == 0
    assert "1 change would be written" in planned.err


@pytest.mark.parametrize(
    "arguments",
    [(), ("--apply", "--dry-run"), ("--undo", "1", "--apply"), ("--dry-run", "--changes", "2"), ("--list", "--policy", "never")],
)
def test_what_is_not_clear_is_not_done(writing: Commands, arguments: tuple[str, ...]) -> None:
    refused = writing("sync", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert "--dry-run, --apply, --undo RUN" in refused.err


def test_a_policy_is_named(writing: Commands, sqlite_app: SqliteApplication) -> None:
    done = writing("sync", "--apply", "--policy", "license_wins")
    assert (done.code, level(sqlite_app)) == (0, 2)
    assert sqlite_app.execute("SELECT current_level FROM specialization_progress WHERE student_id = 2001") == [(2,)]
    assert writing("sync", "--apply", "--policy", "nonsense").code == 2


def test_with_nothing_configured_it_says_what_to_set(unconfigured: Commands) -> None:
    for action in ("--dry-run", "--apply", "--list"):
        refused = unconfigured("sync", action)
        assert refused.code == 2
        assert "COUPLING_HEALTH_DATABASE_URL" in refused.err


def test_both_addresses_must_lead_to_the_same_engine(commands: Commands) -> None:
    refused = commands("sync", "--dry-run", sync_database_url="postgresql://w:hidden-word@127.0.0.1:1/app")
    assert refused.code == 2
    assert "sync_database_url" in refused.err
    assert "hidden-word" not in refused.err


def test_doctor_tells_whether_it_may_write(writing: Commands, commands: Commands, sqlite_app: SqliteApplication) -> None:
    assert "Nothing is ever written" in commands("doctor").err
    assert "Both tables can be written" in writing("doctor").err
    promised = commands("doctor", sync__scheduled="true")
    assert promised.code == 1
    assert "sync.scheduled is on" in promised.err
    elsewhere = commands("doctor", sync_database_url="sqlite:///nowhere.db")
    assert elsewhere.code == 1
    assert "nowhere.db" in elsewhere.err
