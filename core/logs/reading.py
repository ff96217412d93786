"""Reading violation logs, whoever wrote them: tolerant of all that the earlier implementation wrote."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from core.errors import LogBroken
from core.logs import shape
from core.model import Kind, Totals, UserId, Violation

LOG_NAME = re.compile(r"\d{8}_\d{6}(_\d+)?_violations\.json")

_CHECK_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
_ACTION_KINDS: Mapping[str, Kind] = {kind.action.value: kind for kind in Kind} | {
    "sync_to_higher_level": Kind.LEVEL_MISMATCH  # the earlier implementation's older name
}
_DATE = 10  # characters at most
_LONGEST_TEXT = 500  # characters of a user id or a specialization
_MOST_REMEMBERED = 500_000  # violations, about 300 MB where no two are alike


Kept = TypeVar("Kept")  # what a reader's caller makes of a violation
Rest = tuple[str, int | None, int | None, Kind]  # specialization, both levels, kind: what a violation tells of its user
Entry = tuple[UserId, str, int | None, int | None, Kind]  # the same behind that user
Keep = Callable[[UserId, str, int | None, int | None, Kind], Kept]


class ReadLog(NamedTuple, Generic[Kept]):
    """What a log says, whoever wrote it."""

    timestamp: datetime
    totals: Totals
    violations: Sequence[Kept]
    check_id: str | None
    in_maintenance: bool = False  # only this product's own say so

    @property
    def lists_all(self) -> bool:
        """Whether it names all that it counted: only then does a pair that is not named agree."""
        return len(self.violations) >= self.totals.inconsistent


class _Known(dict[bytes, Kept]):
    """What was made of violations, by the text of each without its last brace. A new one is read as it is asked for."""

    def __init__(self, keep: Keep[Kept]) -> None:
        self.keep = keep
        self._rests: dict[bytes, Rest] = {}

    def __missing__(self, text: bytes) -> Kept:
        kept = self[text] = self.keep(*(self._usual_entry(text) or _entry(json.loads(f"{text.decode()}}}"))))
        return kept

    def _usual_entry(self, text: bytes) -> Entry | None:
        """`_entry` by less work, where the object has the shape that nearly all have. Behind the user many say the same."""
        user = shape.USER.match(text)
        if user is None:
            return None
        behind = text[user.end() :]
        rest = self._rests.get(behind) or _usual_rest(behind)
        if rest is None:
            return None
        self._rests[behind] = rest
        return int(user[1]), *rest


class LogReader(Generic[Kept]):
    """Reads log after log. A violation that stands in many of them is read once, and what `keep` made of it stands for it."""

    def __init__(self, keep: Keep[Kept]) -> None:
        self._known = _Known(keep)

    def parse(self, data: bytes) -> ReadLog[Kept]:
        """The bytes of a log as what they say. Raises LogBroken."""
        if len(self._known) > _MOST_REMEMBERED:
            self._known = _Known(self._known.keep)
        return self.by_its_shape(data) or self.as_a_whole(data)

    def by_its_shape(self, data: bytes) -> ReadLog[Kept] | None:
        """`as_a_whole` by less work, where a log has the shape that nearly all have; else None.

        The head is what it looks like. The list is cut between its objects: where every part is an object for itself, and what
        comes behind are members of an object, no other reading is possible. JSON has but one.
        """
        head = shape.HEAD.match(data)
        end = data.find(b"]", head.end()) if head else -1
        if head is None or end < 0:
            return None
        listed, tail = data[head.end() : end].strip(shape.BLANKS), data[end + 1 :].strip(shape.BLANKS)
        if listed and not listed.endswith(b"}"):
            return None
        timestamp, *figures = head.groups()
        total, consistent, inconsistent = map(int, figures)
        try:
            violations = list(map(self._known.__getitem__, listed[:-1].split(b"},"))) if listed else []
            if tail == b"}" and consistent + inconsistent == total:
                return ReadLog(_timestamp(timestamp.decode()), Totals(total, inconsistent), violations, None)
            more = json.loads(tail.decode().replace(",", "{", 1)) if tail.startswith(b",") else {}
            if not more or any(name in more for name in shape.IN_HEAD):
                return None
            in_head = zip(shape.FIGURES, (total, consistent, inconsistent), strict=True)
            return _read({"timestamp": timestamp.decode(), **dict(in_head), **more}, violations)
        except (LogBroken, ValueError, RecursionError):  # then the whole is broken as well, and says better why
            return None

    def as_a_whole(self, data: bytes) -> ReadLog[Kept]:
        """Read any JSON. Raises LogBroken."""
        content = _report_in(data)
        entries = content.get("violations")
        violations = [self._known.keep(*_entry(entry)) for entry in entries] if isinstance(entries, list) else []
        return _read(content, violations)


def parse_log(data: bytes) -> ReadLog[Violation]:
    """The bytes of a log as what they say. Raises LogBroken."""
    return reader_of_violations().parse(data)


def reader_of_violations() -> LogReader[Violation]:
    """A reader that keeps violations as they are."""
    return LogReader(Violation)


def digest_of(data: bytes) -> str:
    """By which a log is known, whatever it is called: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def too_large(largest: int) -> LogBroken:
    """A log has more than `largest` bytes."""
    return LogBroken(f"it is larger than {largest // 1_000_000} MB")


def cannot_be_opened(unreadable: OSError) -> LogBroken:
    """The file system refused."""
    return LogBroken(f"it cannot be opened: {unreadable.strerror}")


def _report_in(data: bytes) -> Mapping[str, Any]:
    if not data.strip():
        raise LogBroken("it is empty")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as foreign:
        raise LogBroken("it is not UTF-8 text") from foreign
    except ValueError as cut:
        raise LogBroken(f"it is not whole JSON: {cut}") from cut
    except RecursionError as deep:
        raise LogBroken("it is nested too deeply to be a report") from deep
    if not isinstance(content, dict) or "timestamp" not in content:
        raise LogBroken("it is JSON, but no report")
    return content


def _read(content: Mapping[str, Any], violations: Sequence[Kept]) -> ReadLog[Kept]:
    check_id = content.get("check_id")
    return ReadLog(
        _timestamp(content["timestamp"]),
        _totals(content, len(violations)),
        violations,
        check_id if isinstance(check_id, str) and _CHECK_ID.fullmatch(check_id) else None,
        content.get("in_maintenance") is True,
    )


def _totals(content: Mapping[str, Any], listed: int) -> Totals:
    """The integers; where one is missing the others give it, and the list of violations stands in last."""
    total, consistent = _count(content, "total_checked"), _count(content, "consistent")
    inconsistent = _count(content, "inconsistent")
    if inconsistent is None:
        inconsistent = total - consistent if total is not None and consistent is not None else listed
    if total is None:
        if consistent is None:
            raise LogBroken("it is JSON, but no report: total_checked is missing")
        total = consistent + inconsistent
    if not 0 <= inconsistent <= total or (consistent is not None and consistent + inconsistent != total):
        raise LogBroken("its figures contradict each other")
    return Totals(
        total,
        inconsistent,
        _count(content, "unidentified_progress_rows") or 0,
        _count(content, "unidentified_license_rows") or 0,
    )


def _count(content: Mapping[str, Any], key: str) -> int | None:
    value = content.get(key)
    number = value if type(value) is int else None if value is None else _integer(value)
    if number is not None and not 0 <= number < 2**63:
        raise LogBroken(f"{key} is {number}")
    return number


def _integer(value: object) -> int | None:
    """An integer, also one written as a float or as text; None for everything else."""
    if type(value) is int:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}(\.0+)?\s*", value):
        return int(float(value)) if "." in value else int(value)
    return None


def _usual_rest(text: bytes) -> Rest | None:
    usual = shape.REST_OF_VIOLATION.fullmatch(text)
    if usual is None:
        return None
    name, progress, license_, action, named = usual.groups()
    kind = _KINDS.get(named.decode()) if named else _ACTION_KINDS.get(action.decode())
    if kind is None:
        return None
    levels = None if progress == b"null" else int(progress), None if license_ == b"null" else int(license_)
    return name.decode().strip().upper(), *levels, kind


def _entry(entry: object) -> Entry:
    if not isinstance(entry, dict):
        raise LogBroken("it lists a violation that is not an object")
    progress, license_ = _level(entry, "progress_level"), _level(entry, "license_level")
    user = entry.get("user_id")
    integer = None if isinstance(user, str) else _integer(user)
    user_id: UserId = integer if integer is not None and _fits(integer) else _text(user)
    return user_id, _text(entry.get("specialization") or "").strip().upper(), progress, license_, _kind(entry)


def _level(entry: Mapping[str, Any], key: str) -> int | None:
    level = _integer(entry.get(key))
    if level is not None and not _fits(level):
        raise LogBroken(f"it lists a {key} of {str(level)[:40]}")
    return level


def _fits(number: int) -> bool:
    """Whether a database can hold it."""
    return -(2**63) <= number < 2**63


def _text(value: object) -> str:
    """Text that can be written down: JSON may bring halves of characters."""
    text = str(value)
    if not text.isascii():
        text = text.encode(errors="replace").decode()
    if len(text) > _LONGEST_TEXT:
        raise LogBroken(f"it lists a user or specialization of {len(text):,} characters")
    return text


def _kind(entry: Mapping[str, Any]) -> Kind:
    kind = entry.get("kind")
    if isinstance(kind, str) and kind in _KINDS:
        return _KINDS[kind]
    action = entry.get("recommended_action")
    if isinstance(action, str) and action in _ACTION_KINDS:
        return _ACTION_KINDS[action]
    if entry.get("license_level") is None:
        return Kind.MISSING_LICENSE
    return Kind.MISSING_PROGRESS if entry.get("progress_level") is None else Kind.LEVEL_MISMATCH


def _timestamp(value: object) -> datetime:
    """ISO 8601; without a zone it is UTC."""
    try:
        text = str(value).strip()
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        # behind a time of day its zone can stand, which takes a quarter of the time
        return datetime.fromisoformat(f"{text}+00:00") if len(text) > _DATE else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as odd:
        raise LogBroken(f"its timestamp is not a time: {str(value)[:60]!r}") from odd
