"""What an operator sets about repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field, field_validator

from core.model import Kind
from core.normal_form import normalised_name
from core.setting_groups import Group, Percentage
from core.sync.policy import Policies, Policy

_USUAL_LEVELS = {"PLAYER": 8, "COACH": 8, "INTERNSHIP": 3}

_Level = Annotated[int, Field(ge=1, le=1_000_000)]


class PolicySettings(Group):
    """Which side is right, for each kind. Duplicates and levels that are not set are left to people."""

    level_mismatch: Policy = Field(Policy.HIGHER_LEVEL, description="higher_level, progress_wins, license_wins or never")
    missing_license: Policy = Field(Policy.HIGHER_LEVEL, description="higher_level and progress_wins make the licence")
    missing_progress: Policy = Field(Policy.HIGHER_LEVEL, description="higher_level and license_wins make the progress")


class SyncSettings(Group):
    """Repairs. They need a `sync_database_url`."""

    scheduled: bool = Field(False, description="repair by itself, every sync.interval_hours")
    interval_hours: float = Field(6, ge=0.01, le=720, description="hours between two scheduled repairs")
    policy: PolicySettings = PolicySettings()
    most_changes: int = Field(100, ge=0, le=1_000_000, description="more changes than this need a person who looked at them")
    most_percent: Percentage = Field(Decimal(1), description="and so do more than this percentage of all pairs")
    approval_above: int | None = Field(None, ge=0, description="more changes than this need a second admin as well")
    highest_levels: dict[str, _Level] = Field(
        {}, validate_default=True, description="the highest level of a specialization; 1 is the lowest of all"
    )
    lock_timeout_ms: int = Field(400, ge=10, le=60_000, description="how long a pair that the application holds is waited for")
    tries: int = Field(5, ge=1, le=50, description="how often a pair is tried that the application holds")
    users_table: str = Field("users", description="users that are not in it are left alone; asked where there is such a table")
    users_column: str = Field("id", min_length=1, description="its column with the user's id")
    progressions_table: str = Field(
        "license_progressions", description="gets a row for every change of a licence, where there is such a table"
    )

    @field_validator("highest_levels")
    @classmethod
    def _by_normal_form(cls, value: Mapping[str, int]) -> Mapping[str, int]:
        return _USUAL_LEVELS | {normalised_name(name): level for name, level in value.items()}

    @property
    def policies(self) -> Policies:
        return Policies({kind: getattr(self.policy, kind.value) for kind in Kind if hasattr(self.policy, kind.value)})

    @property
    def limits(self) -> Limits:
        return Limits(self.most_changes, self.most_percent, self.approval_above)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many changes one run may make without more being asked."""

    changes: int
    percent: Decimal
    approval_above: int | None

    def exceeded(self, changes: int, total: int | None) -> str | None:
        """In what way so many changes of so many pairs are too many, as the end of a sentence; None when they are not."""
        if changes > self.changes:
            return f"{changes:,} changes are more than the {self.changes:,} that one run may make"
        if changes and total is None:
            return "nobody knows how many pairs there are"
        if changes and total is not None and changes * 100 > self.percent * total:
            share = Decimal(changes * 100) / total if total else Decimal(100)
            return f"{changes:,} of {total:,} pairs are {share:.2f} %, more than the {self.percent} % that one run may change"
        return None

    def needs_second(self, changes: int) -> bool:
        """Whether a second admin must approve."""
        return self.approval_above is not None and changes > self.approval_above
