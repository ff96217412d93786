"""Answers come from memory: exact at once in this process, within a second in others, and never stale."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.assembly import build_monitor
from core.state import lease
from core.state.database import StateDatabase
from tests.api.served import Api
from tests.application import SqliteApplication
from tests.browser.patience import eventually
from tests.frozen_clock import FrozenClock

READS = ["status", "metrics", "latest-report", "violations", "violations?limit=20", "status?limit=0"]


def test_an_answer_that_is_known_already_is_not_sent_again(checked: Api, clock: FrozenClock) -> None:
    for path in READS:
        first = checked.get(path)
        for _ in range(2):  # before and after it is at hand
            again = checked.get(path, headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
            assert (again.code, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert checked.get(path, headers={"If-None-Match": '"other"'}).body == first.body


def test_a_new_check_makes_new_tags(checked: Api, clock: FrozenClock) -> None:
    tags = {path: checked.get(path).headers["ETag"] for path in READS}
    assert len(set(tags.values())) == len(READS)
    clock.advance(minutes=5)
    checked.monitor.check_all_users()
    for path, tag in tags.items():
        answer = checked.get(path, headers={"If-None-Match": tag})
        assert (answer.code, answer.headers["ETag"] != tag) == (200, True), path


def test_an_answer_at_hand_does_not_outlive_its_freshness(checked: Api, clock: FrozenClock) -> None:
    tag = checked.get("status").headers["ETag"]
    clock.advance(minutes=11)
    assert checked.get("status", headers={"If-None-Match": tag}).code == 304
    clock.advance(seconds=1)
    stale = checked.get("status", headers={"If-None-Match": tag})
    assert (stale.code, stale.document["status"]) == (200, "unknown")
    clock.advance(minutes=-5)
    assert checked.get("status").document["status"] == "degraded", "a clock that was set back is believed again"
    clock.advance(days=-1)
    assert "the clock was set back" in checked.get("status").document["reason"]


def test_a_check_in_this_process_shows_at_once(checked: Api, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    for user in range(600, 620):
        checked.get("status")  # at hand, so that it could be stale
        sqlite_app.disagreeing([user])
        clock.advance(seconds=1)
        expected = checked.monitor.check_all_users().totals.inconsistent
        assert checked.get("status").document["total_violations"] == expected
        assert checked.get("metrics").document["violations_count"] == expected
        assert len(checked.get("violations").document) == expected


def test_a_check_in_another_process_shows_within_a_second(
    checked: Api, sqlite_app: SqliteApplication, clock: FrozenClock
) -> None:
    elsewhere = build_monitor(checked.monitor.settings, StateDatabase(checked.runtime.state.url), clock)
    for user in (700, 701):
        checked.get("status")
        sqlite_app.disagreeing([user])
        clock.advance(seconds=1)
        expected = elsewhere.check_all_users().totals.inconsistent
        begun = time.monotonic()
        eventually(lambda want=expected: checked.get("status").document["total_violations"] == want, "it shows", longest=5)
        assert time.monotonic() - begun < 2, "one second, and the requests that asked for it"
    elsewhere.state.dispose()


def test_a_read_costs_no_query_on_the_watched_database_and_no_file(
    checked: Api, sqlite_app: SqliteApplication, tmp_path: Path
) -> None:
    """Both are gone, and every answer is as it was."""
    before = {path: checked.get(path).body for path in READS}
    Path(str(sqlite_app.url.database)).rename(tmp_path / "gone.db")
    logs = checked.monitor.settings.violation_log_dir
    logs.rename(logs.with_name("gone"))
    assert {path: checked.get(path).body for path in READS} == before


def test_many_readers_cost_few_queries(checked: Api) -> None:
    statements: list[str] = []
    sa.event.listen(checked.runtime.state.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    checked.get("status")
    statements.clear()
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(lambda _: checked.get("status").code, range(200)))
    readings = (time.monotonic() - begun) / 0.5 + 2
    assert codes == [200] * 200
    assert len(statements) <= readings * 4, "four a reading, two readings a second"


def test_a_state_database_that_hangs_holds_nobody_up_for_long(checked: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading that does not come back: the status is unknown for that reason, and every answer is there in seconds."""
    let_go = threading.Event()
    checked.get("status")
    sa.event.listen(checked.runtime.state.engine, "before_cursor_execute", lambda *_: let_go.wait(60) and None)

    def answer() -> dict[str, object]:
        document: dict[str, object] = checked.get("status?limit=0").document
        return document

    caught = [f"violations?limit={limit}" for limit in range(1, 7)] + ["status"]  # more than work at once
    hanging = [threading.Thread(target=checked.get, args=(path,)) for path in caught]
    for thread in hanging:
        thread.start()
    try:
        begun = time.monotonic()
        eventually(lambda: checked.get("metrics").document["status"] == "unknown", "the status is unknown", longest=10)
        away = answer()
        assert away["status"] == "unknown"
        assert away["reason"] == "the state database does not answer"
        assert (away["last_known"], away["consistency_rate"]) == (True, 98.67)
        assert time.monotonic() - begun < 9
        assert checked.get("/badge.svg").code == 404
        begun = time.monotonic()
        with ThreadPoolExecutor(24) as threads:
            paths = ["status", "violations", "latest-report", "metrics"] * 6
            codes = list(threads.map(lambda path: checked.get(path).code, paths))
        assert codes == [200, 503, 503, 200] * 6
        assert time.monotonic() - begun < 3, "nobody waits any more, neither for what hangs nor for those who wait"
    finally:
        let_go.set()
        for thread in hanging:
            thread.join()
    eventually(lambda: answer()["status"] == "degraded", "it is known again")


def test_history_is_reduced_to_as_many_points_as_are_wanted(
    checked: Api, clock: FrozenClock, new_api: Callable[..., Api]
) -> None:
    for _ in range(20):
        clock.advance(minutes=5)
        checked.monitor.check_all_users()
    whole = checked.get("history").document
    assert len(whole["points"]) == 21
    assert (whole["lowest_rate"], whole["points"][0]["attempts"]) == (98.67, 1)
    few = checked.get("history?points=3").document
    assert 1 <= len(few["points"]) <= 3
    assert sum(point["attempts"] for point in few["points"]) == 21
    end = (clock() - timedelta(minutes=50)).isoformat()
    begin = (clock() - timedelta(minutes=75)).isoformat().replace("+00:00", "")
    part = checked.get(f"history?from={begin}&to={end}").document
    assert [point["attempts"] for point in part["points"]] == [1] * 6
    assert checked.get(f"history?from={end}&to={begin}").document == part, "either end may come first"
    assert checked.get("history?from=0001-01-01T00:00:00%2B14:00&to=9999-12-31T23:59:59").document["points"] == whole["points"]


def test_an_answer_is_made_once_for_all_who_ask_at_the_same_time(checked: Api, clock: FrozenClock) -> None:
    """Else every check would be followed by as many readings as there are clients."""
    pages: list[str] = []

    def count(*call: object) -> None:
        statement = str(call[2])
        if "ORDER BY current_violations.position" in statement:
            pages.append(statement)

    sa.event.listen(checked.runtime.state.engine, "before_cursor_execute", count)
    checked.get("violations?limit=20")
    for _ in range(3):
        pages.clear()
        clock.advance(minutes=1)
        checked.monitor.check_all_users()
        pages.clear()
        with ThreadPoolExecutor(24) as threads:
            answers = list(threads.map(lambda _: checked.get("violations?limit=20"), range(48)))
        assert {(answer.code, answer.body) for answer in answers} == {(200, answers[0].body)}
        assert len(pages) == 1


def test_a_check_that_begins_or_ends_elsewhere_changes_no_answer_at_hand(checked: Api, clock: FrozenClock) -> None:
    known = checked.monitor.known()
    for _ in range(2):
        checked.monitor._facts.forget()
        with checked.runtime.state.write() as connection:
            mine = lease.acquire(connection, lease.Name.CHECK, "elsewhere|1|x", "c0ffee", clock())
        assert checked.monitor.known() is known
        assert checked.monitor.get_health_summary().running
        checked.monitor._facts.forget()
        with checked.runtime.state.write() as connection:
            assert mine is not None
            lease.release(connection, mine)
        assert checked.monitor.known() is known
        assert not checked.monitor.get_health_summary().running
