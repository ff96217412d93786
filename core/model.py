"""The words of the product as frozen dataclasses and enums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

UserId = int | str


class Status(StrEnum):
    """How well both sides agree, or that we do not know."""

    HEALTHY = "healthy"  # at least the healthy threshold of all pairs agree
    DEGRADED = "degraded"  # at least the degraded threshold agree
    CRITICAL = "critical"  # fewer agree
    UNKNOWN = "unknown"  # nothing checked, too long ago, or the last attempt failed


class Action(StrEnum):
    """What to do about a violation."""

    SYNC_REQUIRED = "sync_required"
    CREATE_LICENSE = "create_license_from_progress"
    CREATE_PROGRESS = "create_progress_from_license"
    SET_LEVEL = "set_level"
    RESOLVE_DUPLICATES = "resolve_duplicates"


class Kind(StrEnum):
    """In what way the two sides of a pair disagree, gravest first."""

    DUPLICATE_ROWS = "duplicate_rows"  # more than one row on a side
    MISSING_LICENSE = "missing_license"  # progress, but no licence
    MISSING_PROGRESS = "missing_progress"  # a licence, but no progress
    LEVEL_NOT_SET = "level_not_set"  # one row on each side, a level is NULL
    LEVEL_MISMATCH = "level_mismatch"  # one row on each side, two different levels

    @property
    def action(self) -> Action:
        """The action that mends this kind."""
        return _ACTIONS[self]


_ACTIONS = {
    Kind.DUPLICATE_ROWS: Action.RESOLVE_DUPLICATES,
    Kind.MISSING_LICENSE: Action.CREATE_LICENSE,
    Kind.MISSING_PROGRESS: Action.CREATE_PROGRESS,
    Kind.LEVEL_NOT_SET: Action.SET_LEVEL,
    Kind.LEVEL_MISMATCH: Action.SYNC_REQUIRED,
}


class Direction(StrEnum):
    """Which side is further."""

    PROGRESS_AHEAD = "progress_ahead"  # a higher level on the progress side, or no licence at all
    LICENSE_AHEAD = "license_ahead"  # a higher level on the licence side, or no progress at all
    NEITHER = "neither"  # a level is not set, or duplicated rows whose highest levels agree


class Trigger(StrEnum):
    """What asked for a check."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    API = "api"
    CLI = "cli"


class Outcome(StrEnum):
    """How an attempt to check ended."""

    HEALTHY = "healthy"  # pairs were compared and no violation was found
    UNHEALTHY = "unhealthy"  # violations were found
    EMPTY = "empty"  # both tables hold no pair: nothing was checked
    FAILED = "failed"  # could not check, or could not keep the result


class Source(StrEnum):
    """Where a row of history comes from."""

    CHECK = "check"  # an attempt of this product
    IMPORT = "import"  # a violation log that was read


class ReportFormat(StrEnum):
    """What a report is written as."""

    PDF = "pdf"
    PPTX = "pptx"
    HTML = "html"
    CSV = "csv"


class MarkerKind(StrEnum):
    """What a marker marks."""

    DEPLOY = "deploy"
    MIGRATION = "migration"
    OTHER = "other"


class Scope(StrEnum):
    """What a token of the HTTP API may do; each scope may also do what those before it may."""

    READ = "read"  # ask what is known
    CHECK = "check"  # run a check
    ADMIN = "admin"  # change what the product keeps or does

    def includes(self, needed: Scope) -> bool:
        """Whether a token of this scope may do what needs the other."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


def direction_of(kind: Kind, progress_level: int | None, license_level: int | None) -> Direction:
    """Which side of a violation is further."""
    if kind is Kind.MISSING_LICENSE:
        return Direction.PROGRESS_AHEAD
    if kind is Kind.MISSING_PROGRESS:
        return Direction.LICENSE_AHEAD
    if progress_level is None or license_level is None or progress_level == license_level:
        return Direction.NEITHER
    return Direction.PROGRESS_AHEAD if progress_level > license_level else Direction.LICENSE_AHEAD


@dataclass(frozen=True, slots=True)
class Pair:
    """One (user, specialization); the specialization is upper-cased and trimmed."""

    user_id: UserId
    specialization: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A pair whose two sides do not agree. A missing side's or unset level is None."""

    user_id: UserId
    specialization: str
    progress_level: int | None
    license_level: int | None
    kind: Kind
    first_seen: datetime | None = None  # the check that first found it in an unbroken row
    earlier: int = 0  # how often the pair was apart and healed before; only pages of violations know it

    @property
    def recommended_action(self) -> Action:
        return self.kind.action

    @property
    def direction(self) -> Direction:
        return direction_of(self.kind, self.progress_level, self.license_level)

    def as_json(self) -> dict[str, object]:
        """The object that stands in reports and violation logs."""
        return {
            "user_id": self.user_id,
            "specialization": self.specialization,
            "progress_level": self.progress_level,
            "license_level": self.license_level,
            "recommended_action": self.recommended_action.value,
            "kind": self.kind.value,
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of one comparison.

    Rows without a user or specialization are no pair; they are counted apart, for each side.
    """

    total_checked: int
    inconsistent: int
    unidentified_progress_rows: int = 0
    unidentified_license_rows: int = 0

    @property
    def consistent(self) -> int:
        return self.total_checked - self.inconsistent

    @property
    def outcome(self) -> Outcome:
        if self.total_checked == 0:
            return Outcome.EMPTY
        return Outcome.UNHEALTHY if self.inconsistent else Outcome.HEALTHY


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked for a check, and in what way."""

    trigger: Trigger
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one completed check.

    `violations` may be read again and again, and streams: a report of a million violations needs no more memory than one of ten.
    """

    check_id: str
    timestamp: datetime
    totals: Totals
    duration_ms: int
    trigger: Trigger
    requested_by: str | None
    by_kind: Mapping[Kind, int]
    violations: Iterable[Violation] = field(repr=False)
    consistency_rate: Decimal | None = None
    log_file: str | None = None
    dry_run: bool = False
    settled: int = 0  # pairs that were apart at the first look and agreed at the second: no violations
    in_maintenance: bool = False  # ran in a planned window: counted neither as healthy nor as bad
    breakdown: Mapping[tuple[str, Kind, Direction], int] = field(default_factory=dict)
