"""Every deed through the doors that people, programs and commands use: all of them stand in the audit trail, and nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette

from core.audit_trail import Choice
from core.errors import AlertProblem, CouplingHealthError, TokenProblem
from core.maintenance import Repeats
from core.model import MarkerKind, ReportFormat, Request, Scope, Trigger
from core.reports import period
from core.state import accounts, outbox
from core.state.audit import Deed
from core.state.outbox import LetterState
from dashboard import export, sessions
from dashboard.login import _Passwords
from dashboard.runtime import Runtime
from tests.alerts.receivers import Receiver
from tests.api.served import Api
from tests.api.test_alerts import send
from tests.application import SqliteApplication
from tests.cli.commands import Commands
from tests.cli.test_import_logs import SAMPLES
from tests.dashboard.presented import Answer, ask
from tests.frozen_clock import FrozenClock

PASSWORD = "correct-horse"
SYNCS = {deed for deed in Deed if deed.startswith("sync_")}  # tests/sync has theirs
DAY = timedelta(days=1)

Told = tuple[str, str, str]  # who, deed, subject


@dataclass
class World:
    """A server with a broken application, an account and a channel; and a terminal beside it."""

    api: Api
    commands: Commands
    cookie: dict[str, str]

    @property
    def runtime(self) -> Runtime:
        return self.api.runtime

    def told(self) -> list[Told]:
        """The trail, oldest first."""
        return [(entry.who, entry.deed, entry.subject) for entry in self.runtime.trail.page(Choice(), limit=500).entries][::-1]

    def visit(self, path: str, method: str = "GET") -> Answer:
        return ask(Starlette(routes=[*sessions.routes, *export.routes]), path, self.cookie, method)

    def log_in(self, username: str) -> None:
        ticket = re.search(r"ticket=([\w-]+)", sessions.begin(username, self.runtime))
        assert ticket
        self.cookie = {"cookie": self.visit(f"/auth/enter?ticket={ticket[1]}").headers["set-cookie"].partition(";")[0]}

    def log_out(self) -> None:
        sessions.end(self.cookie["cookie"].partition("=")[2], self.runtime)


@pytest.fixture
def world(
    new_api: Callable[..., Api], sqlite_app: SqliteApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("LOGNAME", "olga")
    with Receiver().open() as receiver:
        api = new_api(alerts={"channels": {"ops": {"url": receiver.url}}})
        monkeypatch.setattr("dashboard.runtime._current", api.runtime)
        with api.runtime.state.write() as connection:
            accounts.add(connection, "ada", PASSWORD, api.clock())
        sqlite_app.agreeing(range(1, 100)).disagreeing(range(500, 511))
        api.monitor.check_all_users(request=Request(Trigger.SCHEDULED))  # nobody's deed; its alert fires
        made = api.runtime.settings
        commands = Commands(
            tmp_path,
            database_url=made.database_url.get_secret_value(),
            state_url=made.state_url.get_secret_value(),  # type: ignore[union-attr]
        )
        yield World(api, commands, {})


def on_the_pages(world: World) -> list[Told]:
    runtime, now = world.runtime, world.api.clock()
    passwords = _Passwords(runtime)
    assert not passwords.check_credentials("ada", "not the password")
    assert not passwords.check_credentials("my secret", "typed into the wrong field")
    assert passwords.check_credentials("ada", PASSWORD)
    world.log_in("ada")

    runtime.monitor.check_all_users(request=Request(Trigger.MANUAL, "ada"))
    runtime.monitor.check_all_users(True, Request(Trigger.MANUAL, "ada"))

    book = runtime.alert_book
    (incident,) = book.open_incidents()
    book.snooze(incident, "ada", "")
    book.acknowledge(incident.id, "ada", "I look\nat it")
    silence = book.silence(None, "migration", "ada", DAY)
    book.end_silence(silence.id, "ada")
    with runtime.state.write() as connection:
        letter = outbox.newest(connection, 1)[0]
        outbox.settle(connection, letter.id, LetterState.GIVEN_UP, "refused", now)
    book.send_again(letter.id, "ada")
    assert book.try_channel("ops", "ada").sent

    window = runtime.maintenance.plan("app 3.0", "ada", None, 30, repeats=Repeats.DAILY)
    runtime.maintenance.end(window.id, "ada", only_this_time=True)
    runtime.maintenance.end(window.id, "ada")

    record = runtime.monitor.record
    marker = record.add_marker("app 2.14", MarkerKind.DEPLOY, None, "ada")
    assert record.remove_marker(marker.id, "ada")

    about = period.parse("2025-10-24..2025-10-25", "UTC", now)
    runtime.reports.make(about, ReportFormat.CSV, "ada", language="en", user_ids=False)
    runtime.shares.create("the board", DAY, "ada")
    runtime.shares.revoke(runtime.shares.everyone()[0].id, "ada")
    runtime.keys.create("ci", Scope.READ, None, "ada")
    runtime.keys.revoke("ci", "ada")

    assert world.visit("/export/violations.csv?kind=level_mismatch&sort=kind").code == 200
    assert world.visit("/export/audit.csv?who=ada").code == 200
    world.log_out()
    return [
        ("ada", Deed.LOGIN_FAILED, ""),
        ("ada", Deed.LOGGED_IN, ""),
        ("ada", Deed.CHECK_RUN, "99 of 110 pairs agree"),
        ("ada", Deed.CHECK_TRIED, "99 of 110 pairs agree"),
        ("ada", Deed.INCIDENT_SNOOZED, f"incident {incident.id}, many_violations: snoozed for an hour"),
        ("ada", Deed.INCIDENT_ACKNOWLEDGED, f"incident {incident.id}, many_violations: I look at it"),
        ("ada", Deed.SILENCE_ADDED, "all rules until 2025-10-26 12:00 UTC: migration"),
        ("ada", Deed.SILENCE_ENDED, "all rules: migration"),
        ("ada", Deed.MESSAGE_SENT_AGAIN, f"ops: {letter.subject}"),
        ("ada", Deed.CHANNEL_TRIED, "ops"),
        ("ada", Deed.MAINTENANCE_PLANNED, "app 3.0, from 2025-10-25 12:00 UTC for 30 min, daily"),
        ("ada", Deed.MAINTENANCE_CUT, "app 3.0, from 2025-10-25 12:00 UTC for 30 min, daily"),
        ("ada", Deed.MAINTENANCE_ENDED, "app 3.0, from 2025-10-25 12:00 UTC for 30 min, daily"),
        ("ada", Deed.MARKER_ADDED, "app 2.14 (deploy)"),
        ("ada", Deed.MARKER_REMOVED, "app 2.14 (deploy)"),
        ("ada", Deed.REPORT_MADE, "coupling-health-2025-10-24_2025-10-25.csv, en, without naming users"),
        ("ada", Deed.LINK_CREATED, "the board, for 1 d"),
        ("ada", Deed.LINK_REVOKED, "the board"),
        ("ada", Deed.TOKEN_CREATED, "ci, may read, without an end"),
        ("ada", Deed.TOKEN_REVOKED, "ci"),
        ("ada", Deed.VIOLATIONS_EXPORTED, "kind level_mismatch"),
        ("ada", Deed.AUDIT_EXPORTED, "who ada"),
        ("ada", Deed.LOGGED_OUT, ""),
    ]


def through_the_api(world: World) -> list[Told]:
    api, who = world.api, "token test admin"
    assert send(api, "POST", "/api/v1/health/check-now").code == 200
    assert send(api, "POST", "/api/v1/health/check-now?dry_run=true").code == 200
    assert send(api, "POST", "/api/v1/markers", {"title": "app 3"}).code == 201
    silence = send(api, "POST", "/api/v1/silences", {"reason": "import", "rule": "many_violations", "minutes": 5}).document["id"]
    assert send(api, "DELETE", f"/api/v1/silences/{silence}").code == 204
    incident = send(api, "GET", "/api/v1/incidents?open=true").document[-1]
    assert send(api, "POST", f"/api/v1/incidents/{incident['id']}/acknowledge", {"note": "cared for"}).code == 200
    window = send(api, "POST", "/api/v1/maintenance", {"reason": "app 3.1", "minutes": 30, "repeats": "weekly"}).document["id"]
    assert send(api, "DELETE", f"/api/v1/maintenance/{window}?only_this_time=true").code == 204
    assert send(api, "DELETE", f"/api/v1/maintenance/{window}").code == 204
    planned = "app 3.1, from 2025-10-25 12:00 UTC for 30 min, weekly"
    return [
        (who, Deed.CHECK_RUN, "99 of 110 pairs agree"),
        (who, Deed.CHECK_TRIED, "99 of 110 pairs agree"),
        (who, Deed.MARKER_ADDED, "app 3"),
        (who, Deed.SILENCE_ADDED, "many_violations until 2025-10-25 12:05 UTC: import"),
        (who, Deed.SILENCE_ENDED, "many_violations: import"),
        (who, Deed.INCIDENT_ACKNOWLEDGED, f"incident {incident['id']}, {incident['rule']}: cared for"),
        (who, Deed.MAINTENANCE_PLANNED, planned),
        (who, Deed.MAINTENANCE_CUT, planned),
        (who, Deed.MAINTENANCE_ENDED, planned),
    ]


def at_a_terminal(world: World) -> list[Told]:
    commands, who = world.commands, "olga (command line)"
    assert commands("user", "add", "Bea", typed=f"{PASSWORD}\n").code == 0
    assert commands("user", "passwd", "BEA", typed="another-horse\n").code == 0
    assert commands("user", "remove", "bea").code == 0
    assert commands("token", "create", "--name", " ci ", "--scope", "check", "--expires", "90d").code == 0
    assert commands("token", "revoke", "ci").code == 0
    assert commands("check").code == 1
    assert commands("check", "--dry-run").code == 1
    shutil.copytree(SAMPLES, commands.folder / "old logs")
    place = commands.folder / "old logs"
    assert commands("import-logs", str(place)).code == 0
    assert commands("import-logs", str(place)).code == 0, "the second time there is nothing new, and nothing is done"
    assert commands("logs", "compact", "--dry-run", log_dir=place).code == 0
    assert commands("logs", "compact", log_dir=place).code == 0
    assert commands("logs", "compact", log_dir=place).code == 0, "nothing is left to archive"
    return [
        (who, Deed.ACCOUNT_ADDED, "bea"),
        (who, Deed.PASSWORD_CHANGED, "bea"),
        (who, Deed.ACCOUNT_REMOVED, "bea"),
        (who, Deed.TOKEN_CREATED, "ci, may check, for 90 d"),
        (who, Deed.TOKEN_REVOKED, "ci"),
        (who, Deed.CHECK_RUN, "99 of 110 pairs agree"),
        (who, Deed.CHECK_TRIED, "99 of 110 pairs agree"),
        (who, Deed.LOGS_IMPORTED, f"from {place}"),
        (who, Deed.LOGS_ARCHIVED, f"8 logs of 2025-10 in {place}"),
    ]


@pytest.mark.parametrize("do", [on_the_pages, through_the_api, at_a_terminal], ids=lambda do: do.__name__)
def test_what_was_done_is_what_is_told(world: World, do: Callable[[World], list[Told]]) -> None:
    assert world.told() == []
    assert do(world) == world.told()


def test_there_is_a_door_to_every_deed(world: World) -> None:
    on_the_pages(world)
    at_a_terminal(world)
    assert {deed for _, deed, _ in world.told()} | SYNCS == set(Deed)


def test_what_could_not_be_done_is_not_told(world: World) -> None:
    runtime, book, commands = world.runtime, world.runtime.alert_book, world.commands
    nothing: list[tuple[Callable[[], object], type[CouplingHealthError]]] = [
        (lambda: book.acknowledge(99, "ada"), AlertProblem),
        (lambda: book.silence("nonsense", "x", "ada", DAY), AlertProblem),
        (lambda: book.end_silence(7, "ada"), AlertProblem),
        (lambda: book.send_again(99, "ada"), AlertProblem),
        (lambda: book.try_channel("nowhere", "ada"), AlertProblem),
        (lambda: runtime.maintenance.plan("", "ada", None, 30), AlertProblem),
        (lambda: runtime.maintenance.end(9, "ada"), AlertProblem),
        (lambda: runtime.maintenance.end(9, "ada", only_this_time=True), AlertProblem),
        (lambda: runtime.keys.create("", Scope.READ, None, "ada"), TokenProblem),
        (lambda: runtime.keys.revoke("ci", "ada"), TokenProblem),
        (lambda: runtime.shares.create("", DAY, "ada"), CouplingHealthError),
    ]
    for deed, refusal in nothing:
        with pytest.raises(refusal):
            deed()
    runtime.shares.revoke(9, "ada")
    assert not runtime.monitor.record.remove_marker(9, "ada")
    for path in ("/export/violations.csv", "/export/audit.csv"):
        assert world.visit(path).code == 401
    assert world.visit("/auth/enter?ticket=nonsense").code == 303
    sessions.end("nonsense", runtime)
    for typed in (("user", "remove", "eve"), ("user", "passwd", "eve"), ("user", "add", "ada"), ("token", "revoke", "ci")):
        assert commands(*typed, typed=f"{PASSWORD}\n").code == 2
    assert commands("import-logs", "nowhere").code == 2
    assert send(world.api, "POST", "/api/v1/silences", {"reason": "x", "rule": "nonsense"}).code == 404
    assert send(world.api, "POST", "/api/v1/health/check-now", scope=Scope.READ).code == 403
    assert world.told() == []


def test_an_address_that_is_wrong_or_only_looked_at_downloads_nothing(world: World) -> None:
    world.log_in("ada")
    assert world.visit("/export/audit.csv?deed=nonsense").code == 400
    assert world.visit("/export/audit.csv", "HEAD").code == 200
    assert [deed for _, deed, _ in world.told()] == [Deed.LOGGED_IN]


def test_a_check_that_failed_was_asked_for_as_well(world: World, sqlite_app: SqliteApplication) -> None:
    sqlite_app.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    for dry_run in (False, True):
        with pytest.raises(CouplingHealthError):
            world.runtime.monitor.check_all_users(dry_run, Request(Trigger.MANUAL, "ada"))
    (_, run, why), (_, tried, _) = world.told()
    assert (run, tried) == (Deed.CHECK_RUN, Deed.CHECK_TRIED)
    assert re.fullmatch(r"it failed: .+ no such table: user_licenses\.", why)


def test_no_secret_stands_in_the_trail(world: World, clock: FrozenClock) -> None:
    runtime = world.runtime
    secrets = [
        runtime.keys.create("ci", Scope.ADMIN, DAY, "ada"),
        runtime.shares.create("board", DAY, "ada"),
        world.commands("token", "create", "--name", "cd").out.strip(),
    ]
    world.commands("user", "add", "bea", typed=f"{PASSWORD}\n")
    world.log_in("ada")
    told = str(world.told())
    assert len(world.told()) == 5
    assert not [secret for secret in (*secrets, PASSWORD, world.cookie["cookie"].partition("=")[2]) if secret in told]
