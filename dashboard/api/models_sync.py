"""What the API answers about syncs, typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from core.model import Kind, Trigger
from core.state.sync_runs import RunStatus
from core.sync.change import ChangeOutcome, Part
from core.sync.policy import Policy, Step


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


Row = Mapping[str, object]


class SyncChange(_Model):
    """What a plan or run does to one pair."""

    position: int
    user_id: int | str
    specialization: str
    kind: Kind
    progress_level: int | None
    license_level: int | None
    step: Step | None = Field(description="what is written; null where the pair is left alone")
    level: int | None = Field(description="that is written")
    outcome: ChangeOutcome
    reason: str | None = Field(description="why it is left alone, or what went wrong")
    before: Mapping[Part, Row | None] | None = Field(description="by table; null where there is no row")
    after: Mapping[Part, Row | None] | None = Field(description="what is written; once applied exactly what stands there")


class PlannedSyncChange(SyncChange):
    """The same in a plan."""

    statements: Sequence[str] = Field(
        description="that would run, in this order, in one transaction; made for the first 1,000 entries alone"
    )


class SyncPlan(_Model):
    """What a run would do. Nothing of it is kept."""

    dry_run: bool = True
    may_write: bool = Field(description="whether this installation has write access")
    policy: Mapping[Kind, Policy]
    total_checked: int | None
    planned: int = Field(description="how many pairs would be written")
    left_alone: int = Field(description="how many need a person")
    agree_again: int = Field(description="violations of the check that agreed when the plan was made")
    not_looked_at: int = Field(description="violations beyond what one plan holds")
    exceeds: str | None = Field(description="in what way it is above the limits")
    needs_second_admin: bool
    changes: Sequence[PlannedSyncChange]


class SyncRunHead(_Model):
    """A run, without its changes."""

    run: int
    status: RunStatus
    reason: str | None = Field(description="why it waits, or ended before its end")
    undoes: int | None = Field(description="the run that it takes back")
    trigger: Trigger
    policy: Mapping[Kind, Policy]
    planned_at: datetime
    planned_by: str
    confirmed_at: datetime | None
    confirmed_by: str | None
    approved_at: datetime | None
    approved_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    total_checked: int | None
    planned: int
    left_alone: int
    not_looked_at: int
    outcomes: Mapping[ChangeOutcome, int] = Field(description="how many pairs stand where")
    check_id: str | None = Field(description="of the check that followed")
    mended: int | None = Field(description="how many written pairs that check did not list any more")
    check_problem: str | None = Field(description="why no check followed")


class SyncRun(SyncRunHead):
    """A run and what it did to each pair."""

    changes: Sequence[SyncChange]
