"""`check-now`: one check for all who ask, off the event loop, or at once with an address to ask."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import CouplingHealthError
from core.model import Scope
from tests.api.served import Api
from tests.application import SqliteApplication
from tests.browser.patience import eventually
from tests.engines.statements import holding_before
from tests.frozen_clock import NOON, FrozenClock
from tests.monitored import in_thread

ASYNC = {"Prefer": "respond-async"}


def checks(api: Api) -> int:
    return sum(point.attempts for point in api.monitor.trend(None, NOON.replace(year=2030)).points)


def test_who_asks_while_a_check_runs_gets_that_ones_report(api: Api, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(99)).disagreeing([200])
    api.token(Scope.CHECK)
    with holding_before("specialization_progress") as (reached, go), ThreadPoolExecutor(6) as threads:
        scheduled = in_thread(api.monitor.check_all_users)
        assert reached.wait(30)
        asked = [threads.submit(api.post, "check-now") for _ in range(5)]
        for path in ("status", "metrics", "violations"):
            assert api.get(path).code == 200, "the others are answered meanwhile"
        go.set()
        reports = [answer.result().document for answer in asked]
    assert {report["check_id"] for report in reports} == {scheduled().check_id}
    assert all([violation["user_id"] for violation in report["violations"]] == [200] for report in reports)
    assert checks(api) == 1


def test_who_does_not_want_to_wait_is_told_where_to_ask(api: Api, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(99)).disagreeing([200])
    with holding_before("specialization_progress") as (reached, go):
        begun = api.post("check-now", headers={"Prefer": "wait=1, Respond-Async"})
        assert begun.code == 202
        assert begun.headers["Preference-Applied"] == "respond-async"
        location = begun.document["location"]
        assert location == begun.headers["Location"] == f"/api/v1/health/checks/{begun.document['check_id']}"
        assert reached.wait(30)
        running = api.get(location).document
        assert (running["outcome"], running["consistent"], running["violations"]) == ("running", None, None)
        joined = api.post("check-now", headers=ASYNC)
        assert joined.document == begun.document
        assert api.get("status").document["status"] == "unknown", "a running check has said nothing yet"
        go.set()
        done = eventually(
            lambda: (found := api.get(location).document)["outcome"] != "running" and found, "the check is completed"
        )
    assert (done["outcome"], done["consistency_rate"], done["trigger"]) == ("unhealthy", 99.0, "api")
    assert [violation["user_id"] for violation in done["violations"]] == [200]
    assert checks(api) == 1


def test_a_check_that_fails_later_says_so_at_its_address(checked: Api, sqlite_app: SqliteApplication) -> None:
    sqlite_app.execute("DROP TABLE user_licenses")
    begun = checked.post("check-now", headers=ASYNC)
    assert begun.code == 202
    failed = eventually(
        lambda: (found := checked.get(begun.document["location"]).document)["outcome"] == "failed" and found, "it failed"
    )
    assert "user_licenses" in failed["error"]
    assert (failed["total_checked"], failed["violations"]) == (None, None)


@pytest.mark.parametrize("headers", [{}, ASYNC], ids=["wait", "async"])
def test_a_check_that_cannot_be_recorded_is_refused_with_the_reason(checked: Api, headers: dict[str, str]) -> None:
    checked.get("status")
    checked.token(Scope.CHECK)
    checked.get("status", token=checked.token(Scope.CHECK))
    with checked.runtime.state.write() as connection:
        connection.exec_driver_sql("ALTER TABLE leases RENAME TO elsewhere")
    answer = checked.post("check-now", headers=headers)
    assert answer.code == 503
    assert "state database" in answer.detail


def test_the_watched_database_away_is_the_reason(new_api: Callable[..., Api]) -> None:
    away = new_api(database_url="postgresql://reader:hidden-word@127.0.0.1:1/away")
    answer = away.post("check-now")
    assert answer.code == 503
    assert "127.0.0.1:1" in answer.detail
    assert "hidden-word" not in answer.detail
    assert away.get("status").document["status"] == "unknown"
    assert away.get("status").document["requires_attention"] is True


def test_dry_runs_wait_for_their_turn_and_each_has_its_own_report(api: Api, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(10)).disagreeing(range(100, 110))
    api.token(Scope.CHECK)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: api.post("check-now?dry_run=true"), range(6)))
    assert [answer.code for answer in answers] == [200] * 6
    for answer in answers:
        assert [violation["user_id"] for violation in answer.document["violations"]] == list(range(100, 110))
    assert checks(api) == 0
    assert api.get("status").document["status"] == "unknown"


def test_a_check_that_meets_a_dry_run_runs_after_it(api: Api, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(10))
    with holding_before("specialization_progress") as (reached, go):
        dry = in_thread(lambda: api.monitor.check_all_users(dry_run=True))
        assert reached.wait(30)
        begun = in_thread(lambda: api.post("check-now", headers=ASYNC))
        go.set()
        assert dry().dry_run
    location = begun().document["location"]
    assert eventually(lambda: api.get(location).document["outcome"] == "healthy", "it ran")
    assert checks(api) == 1


def test_an_unforeseen_crash_of_a_check_is_a_503_and_no_green(checked: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = checked.monitor.settings.violation_log_dir
    folder.rename(folder.with_name("before"))
    folder.write_text("a file where the folder should be")
    answer = checked.post("check-now")
    assert answer.code == 503
    assert "violation log" in answer.detail
    assert checked.get("status").document["status"] == "unknown"


def test_who_asked_stands_in_history(api: Api, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    sqlite_app.agreeing(range(3))
    api.post("check-now", token=api.token(Scope.CHECK, name="nightly build"))
    check_id = api.get("latest-report").document["check_id"]
    assert api.get(f"checks/{check_id}").document["requested_by"] == "token nightly build"


def test_a_failed_check_is_found_by_its_id_also_before_it_is_recorded(checked: Api) -> None:
    with checked.runtime.state.write() as connection:
        connection.exec_driver_sql("ALTER TABLE health_check_history RENAME TO elsewhere")
    with pytest.raises(CouplingHealthError):
        checked.monitor.check_all_users()
    with checked.runtime.state.write() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO health_check_history")
    (unrecorded,) = checked.monitor._checker.unrecorded
    assert checked.get(f"checks/{unrecorded.check_id}").document["outcome"] == "failed"
