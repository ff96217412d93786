"""What a run does to one pair: as planned, as written, and what came of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.model import Kind, UserId
from core.sync.policy import Step

Value = int | float | str | bytes | None  # as the driver gives it on SQLite; on PostgreSQL the text that the database writes
Row = Mapping[str, Value]


class Part(StrEnum):
    """Which table a row is in. Rows are locked in this order."""

    PROGRESS = "progress"
    LICENSE = "license"
    PROGRESSION = "progression"  # the application's own list of changes of licences


Rows = Mapping[Part, Row | None]  # None: there is no such row


class ChangeOutcome(StrEnum):
    """What became of one pair."""

    PLANNED = "planned"  # nothing yet
    LEFT_ALONE = "left_alone"  # nothing was ever to be written
    APPLYING = "applying"  # may be committed at any moment; what came of it is looked up when nobody is at it any more
    APPLIED = "applied"  # written, whole
    CHANGED = "changed"  # untouched: the rows were not as planned any more
    FAILED = "failed"  # untouched: the database refused, or was busy
    NOT_TRIED = "not_tried"  # untouched: the run ended before
    UNDONE = "undone"  # written, and taken back by a later run
    UNCLEAR = "unclear"  # the run was killed, and the rows were changed before anybody could look


UNTOUCHED = (ChangeOutcome.CHANGED, ChangeOutcome.FAILED, ChangeOutcome.NOT_TRIED)


@dataclass(frozen=True, slots=True)
class Change:
    """One pair of a plan. `step` and `level` are None where it is left alone; `reason` says why, or what went wrong.

    `before` and `after` hold the columns that matter, of the rows that are there: before, all that must not have changed
    meanwhile; after, what is written. Once applied they are exact: of a row that was made, every column.
    """

    position: int
    user_id: UserId
    specialization: str
    kind: Kind
    progress_level: int | None
    license_level: int | None
    step: Step | None = None
    level: int | None = None
    outcome: ChangeOutcome = ChangeOutcome.PLANNED
    reason: str | None = None
    before: Rows | None = None
    after: Rows | None = None
    transaction: str | None = None  # its number in PostgreSQL; else what all columns of the rows are like, without and with it
    undoes: int | None = None  # the position of the change that it takes back, in the run that is undone


def rows_as_json(rows: Rows | None) -> dict[str, Any] | None:
    """Rows for the state database and the record. Bytes become {"base64": ...}."""
    if rows is None:
        return None
    return {
        part.value: None if row is None else {name: _as_json(value) for name, value in row.items()} for part, row in rows.items()
    }


def rows_from_json(document: Mapping[str, Any] | None) -> Rows | None:
    """The same back."""
    if document is None:
        return None
    return {
        Part(part): None if row is None else {name: _from_json(value) for name, value in row.items()}
        for part, row in document.items()
    }


def _as_json(value: Value) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _from_json(value: Any) -> Value:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    return value  # type: ignore[no-any-return]  # JSON has no other values than ours
