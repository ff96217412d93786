"""What the API answers, typed: the keys of the contract first, those that were added after them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from core.alerts.phases import Phase
from core.alerts.rules import Severity
from core.maintenance import Repeats
from core.model import Action, Kind, MarkerKind, Outcome, Source, Status, Trigger

RateField = Field(ge=0, le=100, description="percentage of consistent pairs, two decimals; null when nothing was checked")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Marker(_Model):
    """Something that happened elsewhere and may explain a change."""

    id: int
    at: datetime
    kind: MarkerKind
    title: str
    created_by: str = Field(description="a username, or `token` and its name")


class Alert(_Model):
    """A rule, and where it stands."""

    rule: str
    title: str
    description: str = Field(description="one sentence: when it fires, and when that is over")
    severity: Severity
    state: Phase
    since: datetime | None = Field(description="when the condition began to hold, or was gone")
    flapping: bool
    silenced: bool
    incident: int | None = Field(description="the open one")


class Incident(_Model):
    """One stretch of time in which a rule fired."""

    id: int
    rule: str
    severity: Severity
    began_at: datetime = Field(description="when the condition began to hold")
    opened_at: datetime = Field(description="when the rule fired")
    resolved_at: datetime | None
    duration_seconds: int
    violations: int | None = Field(description="when it fired")
    most_violations: int | None
    worst_rate: float | None
    returns: int = Field(description="how often the condition came back before it counted as resolved")
    told_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    closed: str | None = Field(description="why it ended, when nobody saw its condition go")


class Silence(_Model):
    """A time in which nobody is told."""

    id: int
    rule: str | None = Field(description="null: all rules")
    reason: str
    created_at: datetime
    created_by: str = Field(description="a username, or `token` and its name")
    until: datetime
    until_resolved: bool


class PlannedMaintenance(_Model):
    """A window as it was planned."""

    id: int
    reason: str
    time_zone: str
    starts: str = Field(description="the first one, by the clock in `time_zone`: 2026-12-06T02:00:00, without a zone")
    minutes: int
    repeats: Repeats
    weekdays: list[int] = Field(description="of weekly ones; 0 is Monday")
    last_day: date | None
    created_at: datetime
    created_by: str = Field(description="a username, or `token` and its name")


class Maintenance(PlannedMaintenance):
    """A window, and its present or next time."""

    next_start: datetime
    next_end: datetime
    holds_now: bool


class Error(_Model):
    """What went wrong, and what to do about it."""

    detail: str


class Violation(_Model):
    """A pair whose two sides do not agree. The level of a missing side, or one that is not set, is null."""

    user_id: int | str
    specialization: str
    progress_level: int | None
    license_level: int | None
    recommended_action: Action
    kind: Kind
    first_seen: datetime | None = Field(None, description="the check that first found it in an unbroken row; not in reports")


class Changes(_Model):
    """What the newest check found against the one before it."""

    new: int = Field(ge=0, description="violations that the check before did not list, those that returned included")
    returned: int = Field(ge=0, description="of the new ones, pairs that had been apart and healed before")
    still_open: int = Field(ge=0)
    healed: int = Field(ge=0, description="violations of the check before that are none any more")


class StatusHead(_Model):
    """`HealthStatus` without its violations."""

    status: Status
    last_check: datetime | None = Field(description="the newest completed check, UTC")
    consistency_rate: float | None = RateField
    total_violations: int = Field(ge=0)
    requires_attention: bool = Field(description="anything but healthy, once a check was tried")
    reason: str = Field(description="why the status is what it is, in words")
    since: datetime | None = Field(description="since when the status holds; null when that is not known")
    total_checked: int | None = Field(ge=0, description="pairs; null before the first check")
    last_known: bool = Field(description="the status is unknown, and the figures are those of an earlier check")
    since_last_check: Changes | None = Field(description="null when there was no check before the newest")
    settled: int = Field(ge=0, description="pairs that were apart at the newest check's first look and agreed at its second")
    in_maintenance: bool = Field(description="the newest completed check ran in planned maintenance")
    demo: bool = Field(description="no watched database is configured: nothing here is real")


class HealthStatus(StatusHead):
    """Health at this moment."""

    violations: Sequence[Violation]


class Metrics(_Model):
    """The figures alone."""

    consistency_rate: float | None = RateField
    violations_count: int = Field(ge=0)
    status: Status
    last_check: datetime | None
    requires_attention: bool
    total_users_monitored: int = Field(ge=0, description="the number of pairs checked; the name is the earlier system's")
    violations_by_kind: dict[Kind, int]
    last_known: bool
    demo: bool


class Report(_Model):
    """The result of one completed check."""

    timestamp: datetime
    total_checked: int = Field(ge=0)
    consistent: int = Field(ge=0)
    inconsistent: int = Field(ge=0)
    consistency_rate: float | None = RateField
    violations: Sequence[Violation]
    check_id: str
    duration_ms: int = Field(ge=0, description="of the comparison and of writing its results")
    trigger: Trigger
    requested_by: str | None
    unidentified_progress_rows: int = Field(ge=0, description="rows without a user or specialization, which are no pair")
    unidentified_license_rows: int = Field(ge=0)
    settled: int = Field(ge=0, description="pairs that were apart at the first look and agreed at the second: no violations")
    in_maintenance: bool = Field(description="it ran in planned maintenance, and counts neither as healthy nor as bad")


class CheckOutcome(StrEnum):
    """How an attempt to check ended, or that it has not."""

    RUNNING = "running"
    HEALTHY = Outcome.HEALTHY.value
    UNHEALTHY = Outcome.UNHEALTHY.value
    EMPTY = Outcome.EMPTY.value
    FAILED = Outcome.FAILED.value


class CheckHead(_Model):
    """`Check` without its violations."""

    check_id: str
    outcome: CheckOutcome
    timestamp: datetime = Field(description="when it began, UTC")
    source: Source
    total_checked: int | None = None
    consistent: int | None = None
    inconsistent: int | None = None
    consistency_rate: float | None = None
    by_kind: dict[Kind, int] = {}
    duration_ms: int | None = None
    trigger: Trigger | None = None
    requested_by: str | None = None
    error: str | None = Field(None, description="why it failed")
    log_file: str | None = Field(None, description="the name of its violation log")
    settled: int = Field(0, ge=0)
    in_maintenance: bool = False


class Check(CheckHead):
    """One attempt to check: running, completed or failed."""

    violations: Sequence[Violation] | None = Field(
        description="kept for the two newest checks that found any; null for older ones, which have their log, and while it runs"
    )


class CheckBegun(_Model):
    """A check runs; its result will be at `location`."""

    check_id: str
    location: str
    detail: str


class HistoryPoint(_Model):
    """A stretch of time with at least one attempt; rates are null when every attempt failed."""

    start: datetime
    end: datetime
    lowest_rate: float | None
    usual_rate: float | None
    violations: int | None = Field(description="the most that any check found")
    attempts: int
    failed: int
    in_maintenance: int = Field(description="how many of the attempts ran in planned maintenance")
    imported: bool = Field(description="at least one comes from a log: nothing is known about the time beside it")


class HistoryGap(_Model):
    """A stretch that no line may cross."""

    start: datetime
    end: datetime
    unknown: bool = Field(description="after a failed check, or longer than a check stays fresh; else it lies between two logs")


class History(_Model):
    """History between two moments, reduced."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    points: Sequence[HistoryPoint]
    gaps: Sequence[HistoryGap]
    below_healthy_seconds: float = Field(description="how long the rate is known to have been below the healthy threshold")
    unknown_seconds: float = Field(description="how long nothing is known")
    lowest_rate: float | None
    lowest_at: datetime | None
