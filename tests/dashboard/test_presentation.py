"""Who sees the presentation, and what everybody else sees: nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.routing import Route

from core.settings import Settings
from dashboard.presentation.routes import AWAY, ENDED, LOGGED_OUT
from tests.application import SqliteApplication
from tests.dashboard.presented import Presented
from tests.frozen_clock import FrozenClock
from tests.subprocesses import ROOT

SECRET_USER = 918_273_645


@pytest.fixture
def presented(settings_of_test: Settings, clock: FrozenClock) -> Iterator[Presented]:
    made = Presented(settings_of_test, clock)
    yield made
    made.end()


@pytest.fixture
def with_logo(settings_of_test: Settings, clock: FrozenClock, tmp_path: Path) -> Iterator[Presented]:
    report = settings_of_test.report.model_copy(update={"logo": tmp_path / "logo.svg", "company": "LFA <Academy>"})
    made = Presented(settings_of_test.model_copy(update={"report": report}), clock)
    yield made
    made.end()


def policy(answer: Any) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))


def test_a_link_shows_the_slides_and_their_facts_without_a_login(presented: Presented, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(1, 200)).disagreeing([SECRET_USER])
    presented.runtime.monitor.check_all_users()
    link = presented.link()
    assert b"slides.js" in presented.get(link).body
    facts = presented.get(f"{link}/facts")
    assert facts.code == 200
    assert facts.document["verdict"]["status"] == "healthy"
    assert facts.document["verdict"]["rate"] == "99.50 %"


def test_a_login_shows_them_too_and_a_stranger_is_led_to_the_login(presented: Presented) -> None:
    admin = presented.login()
    assert presented.get("/present", admin).code == 200
    assert presented.get("/present/facts", admin).document["verdict"]["status"] == "unknown"
    for stranger in ({}, {"cookie": "coupling_health_session=made-up"}):
        sent_away = presented.get("/present", stranger)
        assert (sent_away.code, sent_away.headers["Location"], sent_away.body) == (303, "/presentation", b"")
        facts = presented.get("/present/facts", stranger)
        assert (facts.code, facts.document) == (401, {"detail": LOGGED_OUT})
        assert presented.get("/present/logo", stranger).code == 401


@pytest.mark.parametrize("how", ["expired", "revoked", "unknown", "empty"])
def test_a_link_that_has_ended_shows_one_sentence_and_nothing_else(presented: Presented, clock: FrozenClock, how: str) -> None:
    link = {"unknown": "/share/" + "x" * 43, "empty": "/share/%20"}.get(how) or presented.link(minutes=10)
    if how == "expired":
        clock.advance(minutes=10)
    elif how == "revoked":
        presented.runtime.shares.revoke(presented.runtime.shares.everyone()[0].id, "ada")
    page = presented.get(link)
    assert page.code == 404
    assert ENDED in page.body.decode()
    assert b"script" not in page.body
    assert page.body.count(b"<p") == 1
    for part in ("facts", "logo"):
        answer = presented.get(f"{link}/{part}")
        assert (answer.code, answer.document) == (404, {"detail": ENDED})


@pytest.mark.parametrize("path", ["", "/facts", "/logo"])
def test_every_answer_is_kept_by_nobody_and_told_to_nobody(presented: Presented, path: str) -> None:
    for answer in (presented.get(presented.link() + path), presented.get("/share/gone" + path), presented.get("/present" + path)):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert policy(answer)["default-src"] == "'none'"
        assert policy(answer)["script-src"] == "'self'"
        assert answer.headers.getlist("Content-Security-Policy") == [answer.headers["Content-Security-Policy"]]


def test_pages_hold_no_script_or_style_of_their_own(presented: Presented) -> None:
    for page in (presented.get(presented.link()), presented.get("/share/gone")):
        text = page.body.decode()
        assert "<style" not in text
        assert " style=" not in text
        assert " on" not in text.replace(" one", "")
        assert "{{" not in text
        assert "<script>" not in text


def test_the_files_that_it_is_made_of_are_there(presented: Presented) -> None:
    page = presented.get(presented.link()).body.decode()
    addresses = [part.split('"')[1] for part in page.split() if "/present/files/" in part]
    assert len(addresses) == 3
    for address in [*addresses, "/present/files/font.woff2"]:
        file = presented.get(address)
        assert (file.code, len(file.body) > 500) == (200, True), address
        assert "immutable" in file.headers["Cache-Control"]
    for other in ("/present/files/slides.html", "/present/files/..%2Fstyle.css", "/present/files/x"):
        assert presented.get(other).code == 404


def test_every_address_is_in_the_guide(presented: Presented) -> None:
    guide = (ROOT / "docs" / "presentation.md").read_text("utf-8")
    for route in presented.presentation.routes:
        assert isinstance(route, Route)
        path = route.path.replace("{secret}", "{link}").replace("{name}", "…")
        assert f"`GET {path}`" in guide


def test_facts_that_did_not_change_are_not_sent_again_but_the_time_is(
    presented: Presented, clock: FrozenClock, sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(1, 11))
    presented.runtime.monitor.check_all_users()
    link = presented.link()
    first = presented.get(f"{link}/facts")
    clock.advance(seconds=20)
    again = presented.get(f"{link}/facts", {"if-none-match": first.headers["ETag"]})
    assert (again.code, again.body) == (304, b"")
    assert float(again.headers["X-Now"]) - float(first.headers["X-Now"]) == 20
    clock.advance(minutes=11)  # two intervals and the grace
    stale = presented.get(f"{link}/facts", {"if-none-match": first.headers["ETag"]})
    assert stale.code == 200
    assert stale.document["verdict"]["status"] == "unknown"


def test_times_are_told_in_the_viewers_zone(presented: Presented, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(1, 11))
    presented.runtime.monitor.check_all_users()
    link = presented.link()
    said = {
        zone: presented.get(f"{link}/facts?zone={zone}").document["verdict"]["lines"][1]["text"]
        for zone in ("Europe/Budapest", "Asia/Tokyo", "Nowhere/../etc")
    }
    assert list(said.values()) == ["since 14:00 · {}", "since 21:00 · {}", "since 12:00 · {}"]


def test_a_logo_shows_to_who_may_see_the_slides(with_logo: Presented) -> None:
    logo = with_logo.runtime.settings.report.logo
    assert logo is not None
    link = with_logo.link()
    assert with_logo.get(f"{link}/logo").code == 404, "there is no such file"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    answer = with_logo.get(f"{link}/logo")
    assert (answer.code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert "sandbox" in answer.headers["Content-Security-Policy"], "opened by itself, it runs nothing"
    assert with_logo.get("/share/gone/logo").code == 404
    facts = with_logo.get(f"{link}/facts").document
    assert (facts["logo"], facts["company"]) == (True, "LFA <Academy>")


def test_a_state_database_that_is_away_shows_nothing_to_anybody(presented: Presented) -> None:
    link, admin = presented.link(), presented.login()
    with presented.runtime.state.write() as connection:
        connection.execute(sa.text("ALTER TABLE share_links RENAME TO elsewhere"))
        connection.execute(sa.text("ALTER TABLE sessions RENAME TO elsewhere_too"))
    for path, headers in ((link, {}), ("/present", admin)):
        page = presented.get(path, headers)
        assert (page.code, page.headers["Refresh"]) == (503, "10")
        assert AWAY in page.body.decode()
        facts = presented.get(f"{path}/facts", headers)
        assert (facts.code, facts.document) == (503, {"detail": AWAY})
        assert b"elsewhere" not in page.body + facts.body


def test_a_state_database_that_hangs_holds_nobody_up(presented: Presented, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patience is shortened; what hangs is a real lock that every reader waits for."""
    monkeypatch.setattr("dashboard.presentation.routes._PATIENCE", 0.2)
    link = presented.link()
    presented.runtime.state.dispose()
    with closing(sqlite3.connect(str(presented.runtime.state.url.database), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        assert [presented.get(f"{link}/facts").code for _ in range(6)] == [503] * 6
        assert time.monotonic() - begun < 3
        other.execute("ROLLBACK")


def test_the_period_is_computed_once_for_all_who_look(
    presented: Presented, clock: FrozenClock, sqlite_app: SqliteApplication
) -> None:
    sqlite_app.agreeing(range(1, 11))
    presented.runtime.monitor.check_all_users()
    asked: list[str] = []
    sa.event.listen(
        presented.runtime.state.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: asked.append(statement),
    )
    links = [presented.link() for _ in range(5)]
    assert presented.get(f"{links[0]}/facts").code == 200
    once = period_statements(asked)
    assert once > 0
    for link in links:
        assert presented.get(f"{link}/facts?zone=Europe/Budapest").code == 200
    clock.advance(timedelta(minutes=2))  # a new minute, but never twice within a poll
    assert presented.get(f"{links[0]}/facts").code == 200
    assert period_statements(asked) == once


def period_statements(asked: list[str]) -> int:
    return len([statement for statement in asked if "daily_figures" in statement])
