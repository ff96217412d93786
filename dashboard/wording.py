"""The only place where a status, kind or figure gets its label, icon, colour and sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from html import escape
from zoneinfo import ZoneInfo

from core.durations import in_words
from core.model import Action, Kind, Scope, Status, Trigger
from core.state.current_violations import Life, SortKey
from core.state.episodes import Changes
from core.words import KIND_WORDS

THIN_SPACE = "\u202f"
UNBROKEN = "\u00a0"  # between a number and its unit
NONE = "—"


class Theme(StrEnum):
    """The viewer's theme."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Look:
    """Word, icon (a bundled Material symbol) and colours of a status: text on its tint has at least 4.5 : 1."""

    label: str
    icon: str
    text: Mapping[Theme, str]
    tint: Mapping[Theme, str]


def _look(label: str, icon: str, light: tuple[str, str], dark: tuple[str, str]) -> Look:
    return Look(label, icon, {Theme.LIGHT: light[0], Theme.DARK: dark[0]}, {Theme.LIGHT: light[1], Theme.DARK: dark[1]})


STATUS_LOOKS: Mapping[Status, Look] = {
    Status.HEALTHY: _look("Healthy", "check_circle", ("#12703F", "#E6F4EC"), ("#5FD394", "#12301F")),
    Status.DEGRADED: _look("Degraded", "warning", ("#8A4B00", "#FDF1DC"), ("#F3B34C", "#3A2A0A")),
    Status.CRITICAL: _look("Critical", "error", ("#A61B1B", "#FCE8E6"), ("#FF8A80", "#40161A")),
    Status.UNKNOWN: _look("Unknown", "help", ("#44505F", "#EEF1F4"), ("#B6C2CF", "#242C35")),
}

KIND_LABELS: Mapping[Kind, str] = {kind: words.capitalize() for kind, words in KIND_WORDS.items()}

KINDS_COUNTED: Mapping[Kind, tuple[str, str]] = {
    Kind.DUPLICATE_ROWS: ("pair with duplicate rows", "pairs with duplicate rows"),
    Kind.MISSING_LICENSE: ("licence missing", "licences missing"),
    Kind.MISSING_PROGRESS: ("progress missing", "progress missing"),
    Kind.LEVEL_NOT_SET: ("level not set", "levels not set"),
    Kind.LEVEL_MISMATCH: ("level mismatch", "level mismatches"),
}

ACTION_LABELS: Mapping[Action, str] = {
    Action.RESOLVE_DUPLICATES: "Resolve duplicates",
    Action.CREATE_LICENSE: "Create licence from progress",
    Action.CREATE_PROGRESS: "Create progress from licence",
    Action.SET_LEVEL: "Set level",
    Action.SYNC_REQUIRED: "Sync required",
}

ACTION_ADVICE: Mapping[Action, str] = {
    Action.RESOLVE_DUPLICATES: "Find out which of the rows is the right one and remove the others, so that each side has one.",
    Action.CREATE_LICENSE: "There is progress but no licence: issue the licence at the progress's level, or remove the progress.",
    Action.CREATE_PROGRESS: "There is a licence but no progress: create the progress at its level, or revoke the licence.",
    Action.SET_LEVEL: "One of the sides has no level: set it to what the other side says, after a look at the user's sessions.",
    Action.SYNC_REQUIRED: "The levels differ: decide which side is right, usually the one that changed last, and set the other.",
}

TRIGGER_LABELS: Mapping[Trigger, str] = {
    Trigger.SCHEDULED: "By schedule",
    Trigger.MANUAL: "By hand",
    Trigger.API: "By the API",
    Trigger.CLI: "By the command line",
}

SCOPE_LABELS: Mapping[Scope, str] = {
    Scope.READ: "Read what is known",
    Scope.CHECK: "Read, and run checks",
    Scope.ADMIN: "Everything",
}

LIFE_LABELS: Mapping[Life, str] = {
    Life.NEW: "New",
    Life.RETURNING: "Returning",
}

SORT_LABELS: Mapping[SortKey, str] = {
    SortKey.USER: "User",
    SortKey.SPECIALIZATION: "Specialization",
    SortKey.PROGRESS_LEVEL: "Progress",
    SortKey.LICENSE_LEVEL: "Licence",
    SortKey.KIND: "Problem",
    SortKey.FIRST_SEEN: "Since",
}


def number(value: int | None) -> str:
    """A count with thin spaces between thousands."""
    return NONE if value is None else f"{value:,}".replace(",", THIN_SPACE)


def rate(value: Decimal | None) -> str:
    """A consistency rate with two decimals."""
    return f"{NONE} %" if value is None else f"{value:.2f} %"


def counted(count: int, one: str, many: str) -> str:
    """A count with its noun."""
    return f"{number(count)} {one if count == 1 else many}"


def kinds_in_words(by_kind: Mapping[Kind, int]) -> str:
    """The violations of a check by kind, the most frequent first: "80 level mismatches, 22 licences missing"."""
    most_first = sorted(((count, kind) for kind, count in by_kind.items() if count), key=lambda entry: -entry[0])
    return ", ".join(counted(count, *KINDS_COUNTED[kind]) for count, kind in most_first)


def changes_in_words(changes: Changes | None, settled: int) -> str:
    """What the newest check found against the one before it: "4 new (1 returned), 105 still open, 3 healed since the last check."

    Empty when nothing happened and nothing is open, or when there was no check before.
    """
    parts = []
    if changes is not None:
        returned = f" ({number(changes.returned)} returned)" if changes.returned else ""
        if changes.new:
            parts.append(f"{number(changes.new)} new{returned}")
        if changes.still_open:
            parts.append(f"{number(changes.still_open)} still open")
        if changes.healed:
            parts.append(f"{number(changes.healed)} healed")
    since = f"{', '.join(parts)} since the check before." if parts else ""
    in_flight = f"{counted(settled, 'pair was', 'pairs were')} in flight and settled." if settled else ""
    return f"{since} {in_flight}".strip()


def zone(name: str | None) -> ZoneInfo:
    """The viewer's time zone; UTC when the browser does not tell a known one."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment(at: datetime, viewer: ZoneInfo, now: datetime | None = None) -> str:
    """A time in the viewer's zone: "14:10" today, "Mon 14:10" this week, else with its date."""
    local = at.astimezone(viewer)
    today = (now or at).astimezone(viewer).date()
    age = (today - local.date()).days
    if age == 0:
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if 0 < age < 7 else f"{local:%d %b %Y %H:%M}"


def exact(at: datetime, viewer: ZoneInfo) -> str:
    """A time to the second, in the viewer's zone and in UTC."""
    local, utc = at.astimezone(viewer), at.astimezone(UTC)
    return f"{local:%a %d %b %Y %H:%M:%S} {local.tzname()} · {utc:%Y-%m-%d %H:%M:%S} UTC"


def ago(at: datetime, now: datetime) -> str:
    """How long ago: "4 min ago", "just now"."""
    age = now - at
    return "just now" if age < timedelta(seconds=5) else f"{in_words(age)} ago"


def countdown(at: datetime, now: datetime) -> str:
    """How long until a moment, as a clock shows it: "2:51", "now"."""
    seconds = round((at - now).total_seconds())
    if seconds <= 0:
        return "now"
    return f"{seconds // 60}:{seconds % 60:02}" if seconds < 3600 else in_words(at - now)


def until(at: datetime, now: datetime, viewer: ZoneInfo) -> str:
    """HTML: a countdown to a moment, kept current in the browser."""
    return timed(countdown(at, now), at, viewer, role="until")


def timed(text: str, at: datetime, viewer: ZoneInfo, *, role: str = "") -> str:
    """HTML: a text about a moment, with the exact time on hover. `role` "ago" or "until" keeps it current in the browser."""
    live = f' data-{role}="{int(at.timestamp())}"' if role else ""
    return f'<time datetime="{at.isoformat()}" title="{escape(exact(at, viewer))}"{live}>{escape(text)}</time>'
