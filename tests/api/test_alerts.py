"""Alerts by programs."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.model import Scope
from tests.api.served import Answer, Api
from tests.application import SqliteApplication
from tests.frozen_clock import NOON, FrozenClock

ALERTS, INCIDENTS, SILENCES = "/api/v1/alerts", "/api/v1/incidents", "/api/v1/silences"


def send(api: Api, method: str, path: str, body: Any = None, scope: Scope = Scope.ADMIN) -> Answer:
    sent = b"" if body is None else json.dumps(body).encode()
    return api.ask(method, path, token=api.token(scope), headers={"Content-Type": "application/json"}, body=sent)


@pytest.fixture
def firing(api: Api, sqlite_app: SqliteApplication) -> Api:
    """Eleven violations, and the rule that fires for them."""
    sqlite_app.agreeing(range(1, 100)).disagreeing(range(500, 511))
    api.monitor.check_all_users()
    return api


def test_every_rule_tells_where_it_stands(firing: Api) -> None:
    answer = firing.get(ALERTS)
    assert answer.code == 200
    states = {one["rule"]: one["state"] for one in answer.document}
    assert states == {
        "rate_low": "pending",
        "status_critical": "pending",
        "many_violations": "firing",
        "checks_fail": "inactive",
        "checks_late": "inactive",
        "pairs_dropped": "inactive",
        "violation_old": "inactive",
        "sync_waits": "inactive",
    }
    (one,) = [one for one in answer.document if one["rule"] == "many_violations"]
    assert (one["title"], one["silenced"], one["incident"]) == ("More than 10 violations", False, 1)
    assert datetime.fromisoformat(one["since"]) == NOON


def test_an_incident_is_listed_and_acknowledged_once(firing: Api, clock: FrozenClock) -> None:
    clock.advance(minutes=3)
    (one,) = firing.get(f"{INCIDENTS}?open=true").document
    assert (one["rule"], one["violations"], one["duration_seconds"], one["acknowledged_by"]) == ("many_violations", 11, 180, None)
    done = send(firing, "POST", f"{INCIDENTS}/{one['id']}/acknowledge", {"note": "  on \n it "})
    assert (done.code, done.document["acknowledged_by"], done.document["note"]) == (200, "token test admin", "on it")
    again = send(firing, "POST", f"{INCIDENTS}/{one['id']}/acknowledge")
    assert again.code == 409
    assert "was acknowledged by token test admin already" in again.document["detail"]
    assert send(firing, "POST", f"{INCIDENTS}/99/acknowledge").code == 404
    assert firing.get(INCIDENTS).document == [done.document]


def test_a_silence_is_made_listed_and_ended(firing: Api) -> None:
    made = send(firing, "POST", SILENCES, {"rule": "many_violations", "reason": "migration", "minutes": 90})
    assert made.code == 201
    assert datetime.fromisoformat(made.document["until"]) == NOON + timedelta(minutes=90)
    assert firing.get(SILENCES).document == [made.document]
    (one,) = [one for one in firing.get(ALERTS).document if one["rule"] == "many_violations"]
    assert one["silenced"]
    assert send(firing, "DELETE", f"{SILENCES}/{made.document['id']}").code == 204
    assert firing.get(SILENCES).document == []
    assert send(firing, "DELETE", f"{SILENCES}/{made.document['id']}").code == 404


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ({}, 422, "reason: Field required"),
        ({"reason": "x", "minutes": 0}, 422, "minutes: Input should be greater than 0"),
        ({"reason": "x", "until": "2025-01-01T00:00:00Z"}, 409, "A silence ends in the future"),
        ({"reason": "x", "rule": "nonsense"}, 404, "There is no rule 'nonsense'"),
        ({"reason": "x", "whom": "bea"}, 422, "whom: there is no such parameter"),
        ({"reason": " "}, 409, "A silence needs a reason"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused_with_its_reason(api: Api, body: Any, code: int, detail: str) -> None:
    refused = send(api, "POST", SILENCES, body)
    assert refused.code == code
    assert detail in refused.document["detail"]


def test_reading_needs_a_token_and_changing_one_of_an_admin(firing: Api) -> None:
    for path in (ALERTS, INCIDENTS, SILENCES):
        assert firing.ask("GET", path, token=None).code == 401
    for method, path, body in (
        ("POST", SILENCES, {"reason": "x"}),
        ("DELETE", f"{SILENCES}/1", None),
        ("POST", f"{INCIDENTS}/1/acknowledge", {}),
    ):
        assert send(firing, method, path, body, Scope.CHECK).code == 403


def test_while_the_rules_cannot_be_evaluated_nobody_is_told_that_nothing_fires(firing: Api, clock: FrozenClock) -> None:
    clock.advance(minutes=2, seconds=1)
    answer = firing.get(ALERTS)
    assert answer.code == 503
    assert "could not be evaluated: nobody has evaluated them for minutes." in answer.document["detail"]
    assert "alert_firing" not in firing.get("/metrics").body.decode()
    firing.monitor.check_all_users()
    assert firing.get(ALERTS).code == 200
    assert "alert_firing" in firing.get("/metrics").body.decode()
