"""Syncs over HTTP: a dry run, writing, undoing, and who may."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from core.model import Scope
from tests.api.served import Answer, Api
from tests.application import SqliteApplication


@pytest.fixture
def writing(new_api: Callable[..., Api], sqlite_app: SqliteApplication) -> Api:
    """May write, over a thousand pairs of which two can be mended, and one needs a person."""
    sqlite_app.agreeing(range(1_000)).pair(2001, "PLAYER", 3, 2).progress(2002, "COACH", 4).pair(2003, "PLAYER", None, 2)
    return new_api(sync_database_url=sqlite_app.url.render_as_string())


def post(api: Api, path: str = "", scope: Scope = Scope.ADMIN) -> Answer:
    return api.ask("POST", f"/api/v1/sync{path}", token=api.token(scope))


def get(api: Api, path: str = "", scope: Scope = Scope.READ) -> Answer:
    return api.ask("GET", f"/api/v1/sync{path}", token=api.token(scope))


def outcomes(document: dict[str, Any]) -> dict[int, str]:
    return {change["user_id"]: change["outcome"] for change in document["changes"]}


def test_a_dry_run_tells_what_would_be_written_and_leaves_no_trace(writing: Api, sqlite_app: SqliteApplication) -> None:
    answer = post(writing, "?dry_run=true")
    assert answer.code == 200
    plan = answer.document
    assert (plan["dry_run"], plan["planned"], plan["left_alone"], plan["total_checked"]) == (True, 2, 1, 1_003)
    first, second, third = plan["changes"]
    assert (first["user_id"], first["step"], first["level"]) == (2001, "set_license_level", 3)
    assert first["before"]["license"]["current_level"] == 2
    assert first["after"]["license"]["current_level"] == 3
    assert first["statements"][0].startswith("UPDATE user_licenses SET current_level=3")
    assert (second["step"], second["level"], second["before"]["license"]) == ("create_license", 4, None)
    assert (third["outcome"], third["statements"]) == ("left_alone", [])
    assert sqlite_app.execute("SELECT current_level FROM user_licenses WHERE user_id = 2001") == [(2,)]
    assert get(writing).document == []
    assert writing.get("status").document["last_check"] is None, "the check was a dry run too"


def test_a_dry_run_is_what_is_meant_when_nothing_is_said(writing: Api) -> None:
    assert post(writing).document["dry_run"] is True


def test_it_writes_and_takes_back(writing: Api, sqlite_app: SqliteApplication) -> None:
    before = sqlite_app.execute("SELECT * FROM user_licenses")
    run = post(writing, "?dry_run=false").document
    assert (run["status"], run["outcomes"], run["mended"]) == ("done", {"applied": 2, "left_alone": 1}, 2)
    assert run["confirmed_by"] == "token test admin"
    assert sqlite_app.execute("SELECT current_level FROM user_licenses WHERE user_id = 2001") == [(3,)]
    back = post(writing, f"/{run['run']}/undo").document
    assert (back["undoes"], back["outcomes"]) == (run["run"], {"applied": 2})
    assert sqlite_app.execute("SELECT * FROM user_licenses") == before
    assert outcomes(get(writing, f"/{run['run']}").document) == {2001: "undone", 2002: "undone", 2003: "left_alone"}
    assert [one["run"] for one in get(writing).document] == [back["run"], run["run"]]
    again = post(writing, f"/{run['run']}/undo")
    assert again.code == 409
    assert "Nothing of sync run" in again.detail


def test_above_the_limits_nothing_is_written_until_the_number_is_named(
    new_api: Callable[..., Api], sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(100)).disagreeing(range(500, 503))
    api = new_api(sync_database_url=sqlite_app.url.render_as_string())
    held = post(api, "?dry_run=false")
    assert held.code == 409
    assert "Nothing was written" in held.detail
    assert "changes=3" in held.detail
    assert sqlite_app.execute("SELECT count(*) FROM user_licenses WHERE current_level = 1") == [(103,)]
    wrong = post(api, "?dry_run=false&changes=4")
    assert (wrong.code, "not 4" in wrong.detail) == (409, True)
    assert post(api, "?dry_run=false&changes=3").document["outcomes"] == {"applied": 3}


def test_a_policy_is_for_every_kind(writing: Api) -> None:
    plan = post(writing, "?policy=license_wins").document
    assert [(change["user_id"], change["step"]) for change in plan["changes"]] == [
        (2001, "set_progress_level"),
        (2002, None),
        (2003, None),
    ]
    assert set(plan["policy"].values()) == {"license_wins"}


def test_a_second_admin_is_waited_for(new_api: Callable[..., Api], sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(1_000)).disagreeing([5_000, 5_001])
    api = new_api(sync_database_url=sqlite_app.url.render_as_string(), sync={"approval_above": 1})
    waiting = post(api, "?dry_run=false")
    assert (waiting.code, waiting.document["status"]) == (202, "waiting")
    assert "second admin" in waiting.document["reason"]
    assert sqlite_app.execute("SELECT count(*) FROM user_licenses WHERE current_level = 2") == [(0,)]


@pytest.mark.parametrize("scope", [Scope.READ, Scope.CHECK])
def test_only_admins_may(writing: Api, scope: Scope) -> None:
    for path in ("", "?dry_run=false", "/1/undo"):
        assert post(writing, path, scope).code == 403
    assert get(writing, scope=scope).code == 200


def test_without_write_access_a_dry_run_works_and_nothing_else(
    new_api: Callable[..., Api], sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(1_000)).disagreeing([5_000])
    api = new_api()
    assert post(api).document["may_write"] is False
    for path in ("?dry_run=false", "/1/undo"):
        refused = post(api, path)
        assert refused.code == 409
        assert "COUPLING_HEALTH_SYNC_DATABASE_URL" in refused.detail


def test_a_run_that_there_is_not(writing: Api) -> None:
    for answer in (get(writing, "/77"), post(writing, "/77/undo")):
        assert answer.code == 404
        assert "no sync run 77" in answer.detail


def test_the_changes_of_a_run_come_in_pages(writing: Api) -> None:
    number = post(writing, "?dry_run=false").document["run"]
    first = get(writing, f"/{number}?limit=2").document["changes"]
    rest = get(writing, f"/{number}?limit=2&after={first[-1]['position']}").document["changes"]
    assert [change["user_id"] for change in first + rest] == [2001, 2002, 2003]


def test_the_record_says_the_same_as_the_api(writing: Api) -> None:
    run = post(writing, "?dry_run=false").document
    (path,) = writing.runtime.settings.scheduler_log_dir.glob("*_sync.json")
    record = json.loads(path.read_text("utf-8"))
    assert (record["run"], record["status"], record["confirmed_by"]) == (run["run"], "done", run["confirmed_by"])
    assert [{k: v for k, v in change.items() if k != "position"} for change in run["changes"]] == record["changes"]
