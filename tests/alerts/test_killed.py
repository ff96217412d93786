"""A process that evaluates and sends, killed at any point: nothing is lost, and what comes twice has the same key."""

from __future__ import annotations

import time
from pathlib import Path

from core.alerts.channels import KEY
from core.settings import Settings
from core.state import incidents, outbox
from core.state.database import StateDatabase
from core.state.episodes import scope_of
from core.state.outbox import LetterState
from tests.alerts.receivers import Receiver
from tests.application import SqliteApplication
from tests.subprocesses import running, wait_for_line

ROUNDS = 8

_PROGRAM = """
import sys
from datetime import timedelta
from core.alerts.delivery import Delivery
from core.alerts.desk import AlertDesk
from core.assembly import build_monitor
from core.clock import utc_now
from core.model import Request, Trigger
from core.settings import Settings
later = timedelta(seconds=float(sys.argv[4]))  # so that nobody need wait for the claim of one that was killed
clock = lambda: utc_now() + later
settings = Settings(
    database_url=sys.argv[1], state_url=sys.argv[2], log_dir="logs", check={"settle_seconds": 0},
    alerts={"channels": {"hook": {"url": sys.argv[3]}}},
)
monitor = build_monitor(settings, clock=clock)
desk = AlertDesk(monitor, clock)
monitor.check_all_users(request=Request(Trigger.SCHEDULED))
print("checked", flush=True)
desk.evaluate()
Delivery(monitor.state, desk.channels, clock).run()
print("done", flush=True)
"""


def test_killed_between_the_change_and_the_sending_every_message_comes(
    tmp_path: Path, migrated: Path, sqlite_app: SqliteApplication, receiver: Receiver
) -> None:
    sqlite_app.agreeing(range(100)).disagreeing(range(500, 511))
    ended_early = 0
    for number in range(ROUNDS):
        folder = tmp_path / f"round{number}"
        folder.mkdir()
        state_file = folder / "state.db"
        state_file.write_bytes(migrated.read_bytes())
        places = sqlite_app.url.render_as_string(), f"sqlite:///{state_file}", receiver.url
        receiver.received.clear()
        with running(_PROGRAM, *places, 0, folder=folder) as process:
            wait_for_line(process)
            time.sleep(number * 0.006)
            ended_early += process.poll() is None
            process.kill()
        with running(_PROGRAM, *places, 300, folder=folder) as process:
            assert [wait_for_line(process), wait_for_line(process)] == ["checked", "done"]
        keys = {request.headers[KEY] for request in receiver.received}
        assert len(keys) == 1, f"round {number}: {len(receiver.received)} requests"
        assert len(receiver.received) <= 2
        state = StateDatabase(Settings(state_url=places[1]).state_database_url)
        with state.read() as connection:
            watched = scope_of(connection.exec_driver_sql("SELECT watched FROM health_check_history LIMIT 1").scalar())
            assert len(incidents.newest(connection, watched, 10)) == 1
            assert [(letter.key, letter.state) for letter in outbox.newest(connection, 10)] == [(keys.pop(), LetterState.SENT)]
        state.dispose()
    assert ended_early, "no round was killed in the middle"
