"""An application with its whole schema, and repairs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.assembly import build_monitor, build_sync
from core.clock import Clock
from core.model import Request, Trigger
from core.settings import Settings
from core.state.database import StateDatabase
from core.state.sync_runs import Run
from core.sync.change import Change, ChangeOutcome
from core.sync.plan import Plan
from core.sync.policy import Policies
from core.sync.service import SyncService
from tests.conftest import NewDatabase
from tests.frozen_clock import FrozenClock
from tests.sync.application import NewWhole, Schema, Whole, WholePostgresql, WholeSqlite

ANNA, BELA = Request(Trigger.MANUAL, "anna"), Request(Trigger.MANUAL, "bela")

_UNLIMITED = {"most_percent": 100, "most_changes": 100_000}


def nothing(_seconds: float) -> None:
    """Wait no time at all."""


def plain_url(application: Whole) -> str:
    """The application's address as an operator writes it."""
    url = application.url
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)


def settings_for(application: Whole, folder: Path, state_url: str, **more: Any) -> Settings:
    """Repairs without limits, unless they are given."""
    url = plain_url(application)
    sync = {**_UNLIMITED, **more.pop("sync", {})}
    given = {
        "database_url": url,
        "sync_database_url": url,
        "check": {"settle_seconds": 0},
        "log_dir": folder / "integrity_checks",
        "job_log_dir": folder / "sync_jobs",
    }
    return Settings(state_url=state_url, sync=sync, **{**given, **more})


@dataclass
class Repairs:
    """What a person does with repairs, in few words."""

    service: SyncService
    application: Whole
    clock: Clock
    jobs: Path

    def plan(self, policies: Policies | None = None) -> Plan:
        return self.service.find_desync_issues(ANNA, policies=policies, dry_run=True)

    def keep(self, policies: Policies | None = None) -> Run:
        return self.service.keep(self.plan(policies), ANNA)

    def apply(self, policies: Policies | None = None, request: Request = ANNA) -> Run:
        """Plan, look at it, let it be written."""
        run = self.keep(policies)
        return self.service.apply(run.id, request, seen=run.planned)

    def undo(self, run: Run) -> Run:
        return self.service.undo(run.id, ANNA)

    def outcomes(self, run: Run) -> dict[str, int]:
        return {outcome.value: count for outcome, count in self.service.counts(run.id).items()}

    def change(self, run: Run, user: object) -> Change:
        """What a run did to the only pair of a user."""
        return next(change for change in self.service.changes(run.id, limit=None) if str(change.user_id) == str(user))

    def outcome(self, run: Run, user: object) -> ChangeOutcome:
        return self.change(run, user).outcome

    def reason(self, run: Run, user: object) -> str:
        return self.change(run, user).reason or ""


@pytest.fixture
def new_whole(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NewWhole]:
    """Call it with a schema for an application without rows."""
    made: list[Whole] = []

    def new(schema: Schema | None = None) -> Whole:
        if engine == "sqlite":
            made.append(WholeSqlite(tmp_path / f"whole{len(made) or ''}.db", schema))
        else:
            url: NewDatabase = request.getfixturevalue("new_postgresql_database")
            made.append(WholePostgresql(url(), schema))
        return made[-1]

    yield new
    for application in made:
        application.close()


@pytest.fixture
def whole(new_whole: NewWhole) -> Whole:
    """With the contract's schema, without rows."""
    return new_whole()


NewRepairs = Callable[..., Repairs]


@pytest.fixture
def new_repairs(tmp_path: Path, sqlite_state: StateDatabase, clock: FrozenClock) -> NewRepairs:
    """Call it with an application and settings; all of them share one state database."""

    def new(application: Whole, *, wait: Callable[[float], None] = nothing, clock: Clock = clock, **more: Any) -> Repairs:
        state_url = f"sqlite:///{sqlite_state.url.database}"
        settings = settings_for(application, tmp_path / "logs", state_url, **more)
        service = build_sync(build_monitor(settings, sqlite_state, clock, wait), clock, wait)
        return Repairs(service, application, clock, settings.scheduler_log_dir)

    return new


@pytest.fixture
def repairs(whole: Whole, new_repairs: NewRepairs) -> Repairs:
    return new_repairs(whole)
