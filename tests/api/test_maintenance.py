"""Maintenance by programs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.model import Scope
from tests.api.served import Api
from tests.api.test_alerts import send
from tests.api.test_prometheus import scraped, value
from tests.application import SqliteApplication
from tests.frozen_clock import NOON, FrozenClock

MAINTENANCE = "/api/v1/maintenance"


def test_a_deployment_says_when_it_begins_and_when_it_is_through(
    api: Api, sqlite_app: SqliteApplication, clock: FrozenClock
) -> None:
    sqlite_app.agreeing(range(100))
    made = send(api, "POST", MAINTENANCE, {"reason": "app 3.0", "minutes": 30})
    assert made.code == 201
    assert (made.document["created_by"], made.document["starts"], made.document["repeats"]) == (
        "token test admin",
        "2025-10-25T12:00:00",
        "once",
    )
    (one,) = api.get(MAINTENANCE).document
    assert one == {**made.document, "next_start": one["next_start"], "next_end": one["next_end"], "holds_now": True}
    assert datetime.fromisoformat(one["next_end"]) - datetime.fromisoformat(one["next_start"]) == timedelta(minutes=30)
    assert value(scraped(api), "in_maintenance") == 1

    clock.advance(minutes=5)
    api.monitor.check_all_users()
    assert api.get("status").document["in_maintenance"]
    assert api.get("latest-report").document["in_maintenance"]
    assert [point["in_maintenance"] for point in api.get("history").document["points"]] == [1]

    assert send(api, "DELETE", f"{MAINTENANCE}/{one['id']}").code == 204
    assert api.get(MAINTENANCE).document == []
    assert send(api, "DELETE", f"{MAINTENANCE}/{one['id']}").code == 404
    clock.advance(minutes=5)
    api.monitor.check_all_users()
    assert not api.get("status").document["in_maintenance"]


def test_windows_that_repeat_are_listed_with_their_next_time(api: Api) -> None:
    wanted = {
        "reason": "nightly batch",
        "minutes": 45,
        "starts": "2025-10-27T02:15",
        "time_zone": "Europe/Budapest",
        "repeats": "weekly",
        "weekdays": [0, 4],
        "last_day": "2025-12-31",
    }
    made = send(api, "POST", MAINTENANCE, wanted)
    assert made.code == 201
    assert {key: made.document[key] for key in wanted} == {**wanted, "starts": "2025-10-27T02:15:00"}
    (one,) = api.get(MAINTENANCE).document
    assert (one["next_start"], one["holds_now"]) == ("2025-10-27T01:15:00Z", False)


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"reason": None}, 422, "reason"),
        ({"reason": "  "}, 409, "Maintenance needs a reason."),
        ({"minutes": 0}, 422, "minutes"),
        ({"starts": "2025-10-25T11:00:00Z"}, 409, "between now and a year ahead"),
        ({"starts": 1_800_000_000}, 422, "write a time as"),
        ({"time_zone": "Mars/Olympus"}, 409, "There is no time zone"),
        ({"repeats": "hourly"}, 422, "repeats"),
        ({"weekdays": [7], "repeats": "weekly"}, 422, "weekdays"),
        ({"until": "2025-12-31"}, 422, "there is no such parameter"),
    ],
)
def test_what_cannot_be_planned_is_refused_and_named(api: Api, changed: dict[str, Any], code: int, said: str) -> None:
    wanted = {key: value for key, value in {"reason": "x", "minutes": 30, **changed}.items() if value is not None}
    answer = send(api, "POST", MAINTENANCE, wanted)
    assert (answer.code, said in answer.document["detail"]) == (code, True), answer.document
    assert api.get(MAINTENANCE).document == []


def test_only_an_admin_s_token_plans(api: Api) -> None:
    assert send(api, "POST", MAINTENANCE, {"reason": "x", "minutes": 30}, scope=Scope.READ).code == 403
    assert send(api, "DELETE", f"{MAINTENANCE}/1", scope=Scope.READ).code == 403
    assert api.ask("POST", MAINTENANCE, token=None, body=b"{}").code == 401


def test_metrics_tell_which_alerts_fire(api: Api, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(1, 100)).disagreeing(range(500, 511))
    api.monitor.check_all_users()
    metrics = scraped(api)
    assert value(metrics, "alert_firing", rule="many_violations", severity="warning") == 1
    assert value(metrics, "alert_firing", rule="checks_fail", severity="page") == 0
    assert value(metrics, "alerts_evaluated_timestamp_seconds") == NOON.timestamp()
    assert value(metrics, "in_maintenance") == 0
