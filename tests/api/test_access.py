"""Who gets in: tokens, scopes, limits; and what never does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from core.model import Scope
from core.state import accounts, sessions, tokens
from core.state.database import StateDatabase
from tests.api.served import Answer, Api
from tests.browser.patience import eventually
from tests.frozen_clock import FrozenClock

READS = ["status", "metrics", "latest-report", "violations", "history", "checks/c0ffee", "/metrics"]


def assert_refused(answer: Answer, code: int, challenge: str) -> None:
    assert (answer.code, answer.headers["WWW-Authenticate"]) == (code, challenge)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.detail


def test_without_a_token_nothing_is_told(checked: Api) -> None:
    for path in READS:
        assert_refused(checked.get(path, token=None), 401, "Bearer")
        assert_refused(checked.get(path, token="chd_guessed"), 401, 'Bearer error="invalid_token"')


def test_an_odd_header_is_no_token(checked: Api) -> None:
    for header in ["", "Bearer", "Bearer ", "Basic YWRtaW46eA==", "chd_abc", "Bearer é", "Bearer \u00ff\u0080", "bearer" * 500]:
        answer = checked.get("status", token=None, headers={"Authorization": header.encode("utf-8").decode("latin-1")})
        assert answer.code == 401, header
        assert answer.detail


def test_the_scheme_is_read_in_any_case(checked: Api) -> None:
    for _ in range(2):  # the second answer is at hand
        assert checked.get("status", token=None, headers={"authorization": f"bEARER  {checked.token()}"}).code == 200


def test_a_token_ends_at_its_time(checked: Api, clock: FrozenClock) -> None:
    brief = checked.token(name="brief", lifetime=timedelta(minutes=3))
    clock.advance(minutes=2, seconds=59)
    assert checked.get("status", token=brief).code == 200
    clock.advance(seconds=1)
    assert_refused(checked.get("status", token=brief), 401, 'Bearer error="invalid_token"')


def test_a_token_that_another_process_revokes_ends_within_a_second(checked: Api, clock: FrozenClock) -> None:
    secret = checked.token(name="leaked")
    assert checked.get("status", token=secret).code == 200
    elsewhere = StateDatabase(checked.runtime.state.url)
    with elsewhere.write() as connection:
        tokens.revoke(connection, "leaked", clock())
    elsewhere.dispose()
    begun = datetime.now(UTC)
    eventually(lambda: checked.get("status", token=secret).code == 401, "the token is refused", longest=5)
    assert datetime.now(UTC) - begun < timedelta(seconds=2), "one second, and a request that had to wait for its turn"


def test_a_token_that_is_revoked_here_ends_at_once(checked: Api) -> None:
    secret = checked.runtime.keys.create("page", Scope.READ, None, "admin")
    assert checked.get("status", token=secret).code == 200
    checked.runtime.keys.revoke("page", "ada")
    assert checked.get("status", token=secret).code == 401


def test_a_token_that_is_made_here_opens_at_once(checked: Api) -> None:
    assert checked.get("status").code == 200
    assert checked.get("status", token=checked.runtime.keys.create("new", Scope.READ, None, "admin")).code == 200


def test_a_check_needs_the_scope_for_it(checked: Api) -> None:
    refused = checked.post("check-now", token=checked.token(Scope.READ))
    assert_refused(refused, 403, 'Bearer error="insufficient_scope", scope="check"')
    assert "scope check" in refused.detail
    for scope in (Scope.CHECK, Scope.ADMIN):
        assert checked.post("check-now", token=checked.token(scope)).code == 200


def test_every_scope_may_read(checked: Api) -> None:
    assert [checked.get("status", token=checked.token(scope)).code for scope in Scope] == [200, 200, 200]


def test_a_logged_in_browsers_cookie_is_no_key(checked: Api) -> None:
    """A page of another site could make the browser send it."""
    with checked.runtime.state.write() as connection:
        accounts.add(connection, "admin", "correct-horse", checked.clock())
        ticket = sessions.issue_ticket(connection, "admin", checked.clock())
        session = sessions.redeem(connection, ticket, checked.clock())
    cookie = {"Cookie": f"coupling_health_session={session}"}
    assert checked.post("check-now", token=None, headers=cookie).code == 401
    assert checked.get("status", token=None, headers=cookie).code == 401


def test_too_many_wrong_tokens_from_one_address_wait(checked: Api) -> None:
    assert [checked.get("status", token=f"chd_{number}").code for number in range(10)] == [401] * 10
    answer = checked.get("status", token="chd_x")
    assert answer.code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert checked.get("status").code == 200, "who has the right one is not kept out by a neighbour"
    assert checked.get("status", token=None).code == 401, "no token is no guess"


def test_checks_have_a_budget_of_their_own(checked: Api, new_api: Callable[..., Api]) -> None:
    frugal = new_api(api={"checks_per_minute": 2})
    assert [frugal.post("check-now?dry_run=true").code for _ in range(2)] == [200, 200]
    answer = frugal.post("check-now")
    assert (answer.code, answer.headers["Retry-After"]) == (429, "30")
    assert frugal.get("status").code == 200
    another = frugal.token(Scope.CHECK, name="another")
    assert frugal.post("check-now", token=another).code == 200


def test_the_last_use_of_a_token_is_noted_once_a_minute(checked: Api, clock: FrozenClock) -> None:
    def used() -> datetime | None:
        (token,) = [token for token in checked.runtime.keys.everyone() if token.name == "watched"]
        return token.used_at

    secret, first = checked.token(name="watched"), clock()
    assert used() is None
    checked.get("status", token=secret)
    eventually(lambda: used() == first, "the use is noted")
    clock.advance(seconds=59)
    for _ in range(5):
        checked.get("status", token=secret)
    clock.advance(seconds=1)
    checked.get("metrics", token=secret)
    eventually(lambda: used() == clock(), "the next use is noted a minute later")


def test_nothing_of_a_token_stands_anywhere(
    checked: Api, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = checked.token(Scope.CHECK)
    with caplog.at_level(logging.DEBUG):
        checked.post("check-now")
        checked.get("status", token=secret + "x")
        checked.get("status?limit=x", token=secret)
    said = caplog.text + "".join(capfd.readouterr())
    assert secret[8:] not in said
    folder = checked.monitor.settings.violation_log_dir.parent.parent
    assert [path for path in folder.rglob("*") if path.is_file() and secret.encode()[8:] in path.read_bytes()] == []


def test_tokens_go_on_being_known_while_the_state_database_is_away(checked: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = checked.token()
    assert checked.get("status", token=secret).code == 200
    with checked.runtime.state.write() as connection:
        connection.exec_driver_sql("ALTER TABLE leases RENAME TO elsewhere")

    def status() -> dict[str, object]:
        answer = checked.get("status?limit=0", token=secret)
        assert answer.code == 200
        document: dict[str, object] = answer.document
        return document

    away = eventually(lambda: (found := status())["status"] == "unknown" and found, "the status is unknown", longest=3)
    assert "state database cannot be used" in str(away["reason"])
    assert (away["consistency_rate"], away["last_known"]) == (98.67, True)
    whole = checked.get("status", token=secret)
    assert (whole.code, whole.document["violations"]) == (200, []), "unknown is an answer, and it holds no rows"
    unread = checked.get("violations", token=secret)
    assert unread.code == 503
    assert "state database cannot be used" in unread.document["detail"]
    assert checked.post("check-now", token=checked.token(Scope.CHECK)).code == 503
    assert checked.get("status", token="chd_no").code == 401
