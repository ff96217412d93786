"""What a repair must leave in every table, in plain Python from its specification: slow, obvious, no look at the product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.engines.oracle import fault_of, name_of
from tests.sync.application import LICENSES, LIST, PROGRESS, USERS, Contents, Schema, TableRow

TOPS = {"PLAYER": 8, "COACH": 8, "INTERNSHIP": 3}
PairName = tuple[str, str]  # the user as text, the specialization in its normal form


class Set:
    """A value that is not known beforehand, and must not be NULL."""

    def __repr__(self) -> str:
        return "something"


NOW, SOMETHING = Set(), Set()  # the moment of the run; a default of the database, or words


@dataclass
class Mended:
    """What a run does."""

    after: Contents
    new: dict[str, list[TableRow]] = field(default_factory=lambda: defaultdict(list))  # without ids
    written: dict[PairName, str] = field(default_factory=dict)  # the table that is written for a pair
    left_alone: dict[PairName, set[str]] = field(default_factory=dict)  # words of which one must be in the reason


@dataclass
class _Pair:
    user: Any = None
    progress: list[TableRow] = field(default_factory=list)
    licenses: list[TableRow] = field(default_factory=list)


def mended(before: Contents, policies: Mapping[str, str], schema: Schema) -> Mended:
    """`policies` by kind."""
    result = Mended({table: [dict(row) for row in rows] for table, rows in before.items()})
    pairs: defaultdict[PairName, _Pair] = defaultdict(_Pair)
    for row in result.after[PROGRESS]:
        if row["student_id"] is not None and row["specialization_id"] is not None:
            pairs[str(row["student_id"]), name_of(row["specialization_id"])].progress.append(row)
    for row in result.after[LICENSES]:
        if row["user_id"] is not None and row["specialization_type"] is not None:
            pairs[str(row["user_id"]), name_of(row["specialization_type"])].licenses.append(row)
    known = {str(row["id"]) for row in before[USERS]} if USERS in before else None
    for name, pair in pairs.items():
        progress = [row["current_level"] for row in pair.progress]
        licenses = [row["current_level"] for row in pair.licenses]
        fault = fault_of(progress, licenses)
        if fault is not None:
            _mend(result, name, pair, fault, policies.get(fault, "never"), known, schema)
    return result


def _mend(result: Mended, name: PairName, pair: _Pair, fault: str, policy: str, known: set[str] | None, schema: Schema) -> None:
    user, specialization = name
    progress = pair.progress[0]["current_level"] if pair.progress else None
    license_ = pair.licenses[0]["current_level"] if pair.licenses else None
    words: set[str] = set()
    match fault, policy:
        case "duplicate_rows", _:
            words.add("more than one row")
        case "level_not_set", _:
            words.add("not set")
        case _, "never":
            words.add("never")
        case ("missing_license", "license_wins") | ("missing_progress", "progress_wins"):
            words.add("never removed")
    if fault != "duplicate_rows" and (progress if pair.progress else license_) is None:
        words.add("not set")
    if words:
        result.left_alone[name] = words
        return
    to_license = fault == "missing_license" or (
        fault == "level_mismatch" and (policy == "progress_wins" or (policy == "higher_level" and progress > license_))
    )
    level = progress if to_license else license_
    if level < 1 or level > TOPS.get(specialization, level):
        words.add("range")
    if any("is_active" in row and row["is_active"] is not None and not row["is_active"] for row in pair.licenses):
        words.add("not active")
    if known is not None and user not in known:
        words.add("not in users")
    if fault == "missing_license" and not _fits(user, specialization, schema.user_types[1], 20):
        words.add("does not fit")
    if fault == "missing_progress" and not _fits(user, specialization, schema.user_types[0], 50):
        words.add("does not fit")
    if words:
        result.left_alone[name] = words
        return
    result.written[name] = LICENSES if to_license else PROGRESS
    if fault == "level_mismatch":
        _set_level(result, pair.licenses[0] if to_license else pair.progress[0], level, schema, of_license=to_license)
    elif to_license:
        _create_license(result, user, specialization, level, schema)
    else:
        result.new[PROGRESS].append(
            {"student_id": user, "specialization_id": specialization, "current_level": level, "total_xp": 0,
             "completed_sessions": 0, "last_activity": None, "created_at": SOMETHING, "updated_at": None}
        )  # fmt: skip


def _set_level(result: Mended, row: TableRow, level: int, schema: Schema, *, of_license: bool) -> None:
    old = row["current_level"]
    row["current_level"] = level
    if not of_license:
        return
    if schema.optional:
        highest = row["max_achieved_level"]
        row["max_achieved_level"] = level if highest is None else max(highest, level)
        row["last_advanced_at"] = NOW
    if schema.progressions and schema.keys:
        result.new[LIST].append(_told(row["id"], old, level))


def _create_license(result: Mended, user: str, specialization: str, level: int, schema: Schema) -> None:
    row: TableRow = {"user_id": user, "specialization_type": specialization, "current_level": level}
    if schema.optional:
        row |= {"max_achieved_level": level, "started_at": SOMETHING, "last_advanced_at": NOW, "is_active": True,
                "issued_at": None, "expires_at": None}  # fmt: skip
    result.new[LICENSES].append(row)
    if schema.progressions and schema.keys:
        result.new[LIST].append(_told(SOMETHING, None, level))


def _told(license_id: Any, old: int | None, level: int) -> TableRow:
    return {"user_license_id": license_id, "from_level": old, "to_level": level, "advanced_by": None,
            "advancement_reason": SOMETHING, "requirements_met": SOMETHING, "created_at": NOW}  # fmt: skip


def _fits(user: str, specialization: str, user_type: str, longest_name: int) -> bool:
    number = _whole(user) if user_type == "integer" else None
    return len(specialization) <= longest_name and (user_type != "integer" or (number is not None and user == str(number)))


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def differences(wanted: Mended, before: Contents, after: Contents, now: Any, schema: Schema) -> Sequence[str]:
    """In what way tables are not as they must be; ids of new rows need only be new, and lead where they should."""
    found: list[str] = []
    for table in schema.tables:
        rest = list(after[table])
        for row in wanted.after[table]:
            match = next((one for one in rest if _alike(row, one, now)), None)
            if match is None:
                found.append(f"{table} has no {row}")
            else:
                rest.remove(match)
        taken = {row["id"] for row in before[table] if "id" in row}
        for row in wanted.new[table]:
            match = next((one for one in rest if one.get("id") not in taken and _alike(row, one, now, "id")), None)
            if match is None:
                found.append(f"{table} has no new {row}")
            else:
                rest.remove(match)
        found += [f"{table} has {row}" for row in rest]
    if LIST in after and schema.keys:
        licences = {row["id"]: row for row in after[LICENSES]}
        for row in after[LIST]:
            licence = licences.get(row["user_license_id"])
            if row not in before[LIST] and (licence is None or licence["current_level"] != row["to_level"]):
                found.append(f"{row} tells of no licence at that level")
    return found


def _alike(wanted: TableRow, row: TableRow, now: Any, *ignored: str) -> bool:
    return wanted.keys() == row.keys() - set(ignored) and all(_same(value, row[name], now) for name, value in wanted.items())


def _same(wanted: Any, value: Any, now: Any) -> bool:
    if wanted is NOW:
        return bool(value == now)
    if wanted is SOMETHING:
        return value is not None and value != ""
    return bool(value == wanted) or (isinstance(wanted, str) and value is not None and str(value) == wanted)
