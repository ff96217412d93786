"""/badge.svg: word and rate, for everybody, when it is wanted at all."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from tests.api.served import Api
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock


@pytest.fixture
def public(new_api: Callable[..., Api]) -> Api:
    return new_api(api={"public_badge": True})


def title(api: Api) -> str:
    answer = api.get("/badge.svg", token=None)
    assert (answer.code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    picture = ET.fromstring(answer.body)  # noqa: S314 - our own
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    return str(picture.findtext("{http://www.w3.org/2000/svg}title"))


def test_there_is_none_unless_it_is_wanted(api: Api) -> None:
    answer = api.get("/badge.svg", token=None)
    assert answer.code == 404
    assert "api.public_badge" in answer.detail


def test_it_says_word_and_rate_and_nothing_of_a_user(public: Api, sqlite_app: SqliteApplication) -> None:
    assert title(public) == "coupling: unknown"
    sqlite_app.agreeing(range(1, 149)).disagreeing([4711, 4712])
    public.monitor.check_all_users()
    assert title(public) == "coupling: degraded 98.67 %"
    assert b"4711" not in public.get("/badge.svg").body


def test_it_is_kept_for_a_minute_but_never_past_its_freshness(
    public: Api, sqlite_app: SqliteApplication, clock: FrozenClock
) -> None:
    sqlite_app.agreeing(range(10))
    public.monitor.check_all_users()
    answer = public.get("/badge.svg", token=None)
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert public.get("/badge.svg", token=None, headers={"If-None-Match": answer.headers["ETag"]}).code == 304
    clock.advance(minutes=10, seconds=50)
    assert public.get("/badge.svg", token=None).headers["Cache-Control"] == "public, max-age=10"
    clock.advance(minutes=1)
    assert title(public) == "coupling: unknown"
    assert public.get("/badge.svg", token=None).headers["Cache-Control"] == "public, max-age=0"


def test_the_demos_badge_says_that_it_is_one(new_api: Callable[..., Api]) -> None:
    assert title(new_api(database_url=None, api={"public_badge": True})) == "coupling (demo): unknown"
