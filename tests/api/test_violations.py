"""`violations`: filters, pages that fit together, and answers of any size that are whole or break off."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.model import Kind
from core.state import current_violations
from dashboard.api import answers
from tests.api.served import Api
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock

Pair = tuple[object, str]


@pytest.fixture
def mixed(api: Api, sqlite_app: SqliteApplication) -> Api:
    """Violations of all kinds; users 1 to 40."""
    users = range(1, 41)
    sqlite_app.agreeing(range(100, 200)).disagreeing(users[:20])
    sqlite_app.add([(user, "COACH", 2) for user in users[::2]], [(user, "INTERNSHIP", 1) for user in users[::3]])
    sqlite_app.add([(7, "COACH", 1), (7, "COACH", 2)], [(9, " játékos ", 1)])
    api.monitor.check_all_users()
    return api


def pairs(violations: list[dict[str, object]]) -> list[Pair]:
    return [(violation["user_id"], str(violation["specialization"])) for violation in violations]


def pages(api: Api, query: str, limit: int) -> list[list[Pair]]:
    """All pages, by the links from one to the next."""
    found, path = [], f"/api/v1/health/violations?{query}&limit={limit}"
    while path:
        answer = api.get(path)
        assert answer.code == 200
        found.append(pairs(answer.document))
        link = re.fullmatch(r'<(.*)>; rel="next"', answer.headers["Link"] or "")
        path = link[1] if link else ""
        assert bool(link) == bool(answer.headers["X-Next-Cursor"])
    return found


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_pages_together_are_the_whole(mixed: Api, limit: int) -> None:
    queries = ["", "kind=missing_license", "specialization=coach", "user_id=7", "specialization=internship&kind=missing_progress"]
    for query in queries:
        whole = pairs(mixed.get(f"violations?{query}").document)
        found = pages(mixed, query, limit)
        assert [pair for page in found for pair in page] == whole
        assert all(len(page) == limit for page in found[:-1])
        assert whole


def test_a_filter_takes_what_it_names(mixed: Api) -> None:
    whole = mixed.get("violations").document
    assert pairs(whole) == sorted(pairs(whole), key=lambda pair: (int(str(pair[0])), pair[1]))
    for kind in Kind:
        assert mixed.get(f"violations?kind={kind}").document == [v for v in whole if v["kind"] == kind]
    assert pairs(mixed.get("violations?user_id=7").document) == [(7, "COACH"), (7, "INTERNSHIP"), (7, "PLAYER")]
    assert mixed.get("violations?user_id=70").document == []
    assert pairs(mixed.get("violations?specialization=%20j%C3%A1t%C3%A9kos").document) == [(9, "JÁTÉKOS")]


def test_pages_stay_with_the_check_they_began_with(mixed: Api, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    whole = pairs(mixed.get("violations").document)
    first = mixed.get("violations?limit=10")
    sqlite_app.delete_everything().agreeing(range(5))
    clock.advance(minutes=5)
    mixed.monitor.check_all_users()
    assert mixed.get("violations").document == []
    rest = mixed.get(f"violations?cursor={first.headers['X-Next-Cursor']}")
    assert pairs(first.document) + pairs(rest.document) == whole
    sqlite_app.disagreeing([3])
    for _ in range(2):
        mixed.monitor.check_all_users()
    gone = mixed.get(f"violations?cursor={first.headers['X-Next-Cursor']}")
    assert gone.code == 404
    assert "start again" in gone.detail


def test_status_gives_all_violations_or_as_many_as_are_wanted(mixed: Api) -> None:
    whole = mixed.get("violations").document
    assert mixed.get("status").document["violations"] == whole
    for limit in (0, 1, 3, 10_000):
        status = mixed.get(f"status?limit={limit}").document
        assert (status["violations"], status["total_violations"]) == (whole[:limit], len(whole))


def test_a_check_keeps_its_violations_until_newer_ones_took_their_place(mixed: Api) -> None:
    report = mixed.get("latest-report").document
    check = mixed.get(f"checks/{report['check_id']}").document
    assert (check["outcome"], check["inconsistent"], check["trigger"]) == ("unhealthy", report["inconsistent"], "manual")
    assert pairs(check["violations"]) == pairs(report["violations"])
    assert sum(check["by_kind"].values()) == check["inconsistent"]
    for _ in range(2):
        mixed.monitor.check_all_users()
    later = mixed.get(f"checks/{report['check_id']}").document
    assert later == {**check, "violations": None}
    log = mixed.monitor.settings.violation_log_dir / later["log_file"]
    assert json.loads(log.read_text("utf-8"))["check_id"] == report["check_id"]


MANY = 12_000


@pytest.fixture
def little_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers stream that would be kept otherwise: fewer violations will do."""
    monkeypatch.setattr(answers, "_SMALL", 256 * 1024)


@pytest.fixture
def many(api: Api, sqlite_app: SqliteApplication, little_kept: None) -> Api:
    """More violations than one piece of an answer holds."""
    sqlite_app.disagreeing(range(MANY))
    api.monitor.check_all_users()
    return api


@pytest.mark.parametrize("path", ["violations", "latest-report", "status"])
def test_a_long_answer_is_whole(many: Api, path: str) -> None:
    answer = many.get(path)
    assert answer.headers["Content-Length"] is None, "it streams"
    found = answer.document if path == "violations" else answer.document["violations"]
    assert pairs(found) == [(user, "PLAYER") for user in range(MANY)]
    assert many.get(path, headers={"If-None-Match": answer.headers["ETag"]}).code == 304


def test_a_long_answer_that_cannot_go_on_breaks_off(api: Api, sqlite_app: SqliteApplication, little_kept: None) -> None:
    """Its client must not take a part for the whole. Here the rows are dropped while it is at it."""
    sqlite_app.disagreeing(range(40_000))  # more than what is on its way holds
    api.monitor.check_all_users()
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
    connection.request("GET", "/api/v1/health/violations", headers={"Authorization": f"Bearer {api.token()}"})
    answer = connection.getresponse()
    assert (answer.status, answer.read(10)[:1]) == (200, b"[")
    sqlite_app.delete_everything().disagreeing([1])
    for _ in range(2):
        api.monitor.check_all_users()
    current_violations.drop_superseded(api.runtime.state)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()
    assert api.get("status?limit=0").code == 200


@pytest.mark.parametrize("path", ["violations", "latest-report", "status"])
def test_a_check_that_lands_while_an_answer_waits_for_its_turn_is_answered_instead(
    many: Api, sqlite_app: SqliteApplication, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Two newer checks have landed, and the rows that the answer was to be made from are dropped."""
    original, late = answers.Answers.give, [True]

    async def delayed(self: answers.Answers, *arguments: Any, **options: Any) -> Any:
        if late:
            late.clear()
            sqlite_app.delete_everything().disagreeing([1, 2])
            for _ in range(2):
                await asyncio.to_thread(many.monitor.check_all_users)
        return await original(self, *arguments, **options)

    monkeypatch.setattr(answers.Answers, "give", delayed)
    answer = many.get(path)
    assert answer.code == 200
    found = answer.document if path == "violations" else answer.document["violations"]
    assert pairs(found) == [(1, "PLAYER"), (2, "PLAYER")]


def test_who_goes_away_in_the_middle_leaves_nothing_behind(many: Api) -> None:
    for _ in range(12):  # more than work at once
        connection = http.client.HTTPConnection("127.0.0.1", many.port, timeout=30)
        connection.request("GET", "/api/v1/health/violations", headers={"Authorization": f"Bearer {many.token()}"})
        connection.getresponse().read(10)
        connection.close()
    assert len(many.get("violations").document) == MANY


def test_text_ids_come_back_as_they_are(new_api: Callable[..., Api], tmp_path: Path) -> None:
    application = SqliteApplication(tmp_path / "texts.db", user="text")
    application.add([("007", "PLAYER", 1), ("a b/ü", "PLAYER", 1)], [])
    api = new_api(database_url=application.url.render_as_string())
    api.monitor.check_all_users()
    assert pairs(api.get("violations").document) == [("007", "PLAYER"), ("a b/ü", "PLAYER")]
    assert pairs(api.get("violations?user_id=007").document) == [("007", "PLAYER")]
    assert pairs(api.get("violations?user_id=a%20b%2F%C3%BC").document) == [("a b/ü", "PLAYER")]
    assert api.get("violations?user_id=7").document == []
    application.close()
