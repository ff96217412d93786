"""Markers by programs: a deploy tells when it happened, and whoever may read sees it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.model import MarkerKind, Scope
from tests.api.served import Answer, Api
from tests.frozen_clock import NOON, FrozenClock

PATH = "/api/v1/markers"


def post(api: Api, body: Any, scope: Scope = Scope.ADMIN, *, raw: bytes | None = None) -> Answer:
    sent = json.dumps(body).encode() if raw is None else raw
    return api.ask("POST", PATH, token=api.token(scope), headers={"Content-Type": "application/json"}, body=sent)


def test_a_deploy_marks_its_moment(api: Api) -> None:
    made = post(api, {"title": "  app 2.14\n to production ", "kind": "deploy"})
    assert made.code == 201
    assert made.document.pop("id") > 0
    assert made.document | {"id": 0, "at": ""} == {
        "id": 0,
        "at": "",
        "kind": "deploy",
        "title": "app 2.14 to production",
        "created_by": "token test admin",
    }
    assert datetime.fromisoformat(made.document["at"]) == NOON
    listed = api.get(PATH)
    assert (listed.code, listed.document) == (200, [made.document])
    assert [marker.kind for marker in api.monitor.record.markers(NOON, NOON)] == [MarkerKind.DEPLOY]


def test_a_moment_can_be_told_and_a_kind_left_out(api: Api) -> None:
    told = post(api, {"title": "migration 41", "at": "2025-10-25T10:30:00+02:00"}).document
    assert (told["kind"], datetime.fromisoformat(told["at"])) == ("other", NOON.replace(hour=8, minute=30))
    assert datetime.fromisoformat(post(api, {"title": "x", "at": "2025-10-25T10:30:00"}).document["at"]).hour == 10, "UTC"


def test_markers_are_listed_oldest_first_within_the_time_that_is_asked_for(api: Api, clock: FrozenClock) -> None:
    for days in (40, 2, 20):
        post(api, {"title": f"{days} days ago", "at": (NOON - timedelta(days=days)).isoformat()})
    assert [marker["title"] for marker in api.get(PATH).document] == ["20 days ago", "2 days ago"]
    assert [marker["title"] for marker in api.get(f"{PATH}?from=2025-01-01&to=2025-10-01").document] == ["40 days ago"]
    clock.advance(days=60)
    assert api.get(PATH).document == []
    assert len(api.get(f"{PATH}?from={NOON - timedelta(days=50):%Y-%m-%d}").document) == 3


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "title: Field required"),
        ({"title": " \n\u3000"}, "title: String should match pattern"),
        ({"title": "x" * 201}, "title: String should have at most 200 characters"),
        ({"title": "a\x00b"}, "title: String should match pattern"),
        ({"title": "x", "kind": "party"}, "kind: Input should be 'deploy', 'migration' or 'other'"),
        ({"title": "x", "at": "yesterday"}, "at: write a time as 2026-11-25T04:00:00Z"),
        ({"title": "x", "at": 1764046800}, "at: write a time as 2026-11-25T04:00:00Z"),
        ({"title": "x", "colour": "red"}, "colour: there is no such parameter"),
        ([], "body: Input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_named(api: Api, body: Any, detail: str) -> None:
    refused = post(api, body)
    assert refused.code == 422
    assert refused.detail.startswith(detail)
    assert api.get(PATH).document == []


def test_a_body_that_is_no_json_is_named(api: Api) -> None:
    refused = post(api, None, raw=b'{"title": ')
    assert (refused.code, refused.detail) == (422, "body: JSON decode error")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.CHECK])
def test_adding_needs_the_scope_admin(api: Api, scope: Scope) -> None:
    refused = post(api, {"title": "x"}, scope)
    assert refused.code == 403
    assert api.get(PATH, token=None).code == 401
    assert api.get(PATH, token=api.token(scope)).document == []
