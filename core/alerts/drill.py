"""A drill: a planted mismatch goes all the way from check to alert to delivery, in a throw-away copy of the schema."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from core.alerts.channels import Attachment, Channel, Tried
from core.alerts.delivery import Delivery
from core.alerts.desk import AlertDesk
from core.alerts.rules import DEFAULT_RULES
from core.assembly import build_monitor
from core.clock import utc_now
from core.model import Request, Trigger
from core.setting_groups import SideSettings
from core.settings import Settings

EVERY = timedelta(days=1)

_MARK = "Drill: "
_USERS = 10  # that agree, beside the one that does not


@dataclass(frozen=True, slots=True)
class Drilled:
    """What came of a drill. Seconds are counted from the planting; None for what was not reached."""

    channel: str
    detected: float | None  # until the check had found the mismatch
    fired: float | None  # until the rule fired
    delivered: float | None  # until the channel had taken the message
    answer: str  # the channel's, or why it did not come so far

    @property
    def passed(self) -> bool:
        return self.delivered is not None


def drill(settings: Settings, channel: Channel) -> Drilled:
    """Run one. Touches neither the watched nor the state database; what it sends is real and says that it is a drill."""
    tries: list[Tried] = []

    def send(message: Mapping[str, Any], key: str, attachment: Attachment | None) -> Tried:
        tries.append(channel.send(_marked(message), key, attachment))
        return tries[-1]

    with TemporaryDirectory(prefix="coupling-health-drill-", ignore_cleanup_errors=True) as folder:
        here = _throw_away(settings, Path(folder))
        _make_schema(here)
        monitor = build_monitor(here)
        try:
            begun = time.perf_counter()
            _plant(here)
            report = monitor.check_all_users(request=Request(Trigger.CLI))
            detected = time.perf_counter() - begun
            if report.totals.inconsistent != 1:
                return Drilled(channel.name, None, None, None, f"the check found {report.totals.inconsistent} violations, not 1")
            desk = AlertDesk(monitor, utc_now)
            desk.channels = {channel.name: Channel(channel.name, channel.kind, send)}
            desk.evaluate()
            fired = time.perf_counter() - begun
            Delivery(monitor.state, desk.channels, utc_now).run()
            if not tries:
                return Drilled(channel.name, detected, None, None, "no rule fired")
            delivered = time.perf_counter() - begun if tries[-1].sent else None
            return Drilled(channel.name, detected, fired, delivered, tries[-1].answer)
        finally:
            monitor.state.dispose()


def _marked(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message, so that nobody takes it for real."""
    words = {"text": "This is a drill: nothing has happened.\n\n", "markdown": "This is a drill: nothing has happened.\n\n"}
    changed = {name: f"{words[name]}{message[name]}" for name in words}
    changed["html"] = f"<p>This is a drill: nothing has happened.</p>{message['html']}"
    changed["subject"] = f"{_MARK}{message['subject']}"
    changed["short"] = f"{_MARK}{message['short']}"[:160]
    return {**message, **changed, "tone": "info", "document": {**message["document"], "drill": True}}


def _throw_away(settings: Settings, folder: Path) -> Settings:
    """The same tables and columns in a database of their own, and one rule that fires at once."""
    off = {rule.name: {"enabled": False} for rule in DEFAULT_RULES}
    rules = {**off, "drill": {"when": "violations_above", "than": 0}}
    return Settings(
        database_url=f"sqlite:///{folder / 'app.db'}",
        state_url=f"sqlite:///{folder / 'state.db'}",
        log_dir=folder / "logs",
        progress=_plain(settings.progress),
        license=_plain(settings.license),
        check={"settle_seconds": 0},
        alerts={"rules": rules, "user_ids": settings.alerts.user_ids},
    )


def _plain(side: SideSettings) -> Any:
    """The side without the name of a schema, which a SQLite file has none of."""
    return side.model_copy(update={"table": side.table.rpartition(".")[2]})


def _table(side: SideSettings) -> sa.Table:
    return sa.Table(
        side.table,
        sa.MetaData(),
        sa.Column(side.user_column, sa.Integer),
        sa.Column(side.specialization_column, sa.String(50)),
        sa.Column(side.level_column, sa.Integer),
    )


def _make_schema(settings: Settings) -> None:
    engine = sa.create_engine(settings.watched_url)
    with engine.begin() as connection:
        for side in (settings.progress, settings.license):
            table = _table(side)
            table.create(connection)
            _insert(connection, side, [(user, 1) for user in range(1, _USERS + 1)])
    engine.dispose()


def _plant(settings: Settings) -> None:
    engine = sa.create_engine(settings.watched_url)
    with engine.begin() as connection:
        _insert(connection, settings.progress, [(_USERS + 1, 2)])
        _insert(connection, settings.license, [(_USERS + 1, 1)])
    engine.dispose()


def _insert(connection: sa.Connection, side: SideSettings, rows: list[tuple[int, int]]) -> None:
    names = side.user_column, side.specialization_column, side.level_column
    connection.execute(sa.insert(_table(side)), [dict(zip(names, (user, "DRILL", level), strict=True)) for user, level in rows])
