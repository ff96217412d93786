"""A plan: what would be written to each pair, and why some are left alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from typing import Any, TypeVar

import sqlalchemy as sa

from core.comparison import as_level, as_user_id, can_be_named
from core.errors import UsersUnreadable
from core.model import Kind, Pair, UserId, Violation
from core.normal_form import normalised
from core.pair_rows import as_text, bare, is_number
from core.settings import Settings
from core.sync.change import Change, ChangeOutcome, Part, Row, Rows, Value
from core.sync.policy import Policies, Wanted, decide
from core.sync.statements import missing_in_list, new_values, written_part
from core.sync.tables import Tables, fits, may_read, write_texts_alike

MOST_CHANGES = 20_000  # that one plan holds
MOST_LEFT_ALONE = 50_000  # that it lists
_CHUNK = 1_000  # pairs that are read at once

_SIDES = (Part.PROGRESS, Part.LICENSE)
_FALSE = ("", "0", "0.0", "f", "false", "n", "no", "off", "inactive")
_PairKey = tuple[str, str]
_Any = TypeVar("_Any")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Pairs that agree again when the plan is made are not in it; `healed` counts them."""

    made_at: datetime
    policies: Policies
    changes: Sequence[Change]  # those that are left alone among them, in the order of the report
    total_checked: int | None
    left_alone: int
    healed: int = 0
    not_looked_at: int = 0  # violations beyond what one plan holds: a next run takes them

    @property
    def planned(self) -> int:
        """How many pairs would be written."""
        return sum(1 for change in self.changes if change.step is not None)


@dataclass(slots=True)
class _Seen:
    """A pair's rows on one side, as they were read."""

    rows: list[Row] = field(default_factory=list)
    levels: list[object] = field(default_factory=list)


def make_plan(
    connection: sa.Connection,
    settings: Settings,
    policies: Policies,
    violations: Iterable[Violation],
    total_checked: int | None,
    violation_count: int,
    now: datetime,
) -> Plan:
    """Plan for violations in the snapshot that `connection` is in: their rows are read there, some thousand pairs a statement."""
    write_texts_alike(connection)
    tables = Tables.of(connection, settings)
    planner = _Planner(connection, settings, tables, policies, now)
    changes: list[Change] = []
    planned = left_alone = healed = looked_at = 0
    for chunk in _chunks(violations):
        for change in planner.changes(chunk):
            looked_at += 1
            if change is None:
                healed += 1
                continue
            planned += change.step is not None
            left_alone += change.step is None
            if change.step is not None or left_alone <= MOST_LEFT_ALONE:
                changes.append(replace(change, position=len(changes) + 1))
            if planned == MOST_CHANGES:
                break
        if planned == MOST_CHANGES:
            break
    return Plan(now, policies, changes, total_checked, left_alone, healed, max(violation_count - looked_at, 0))


def count_agreeing(connection: sa.Connection, settings: Settings, pairs: Iterable[Pair]) -> int:
    """How many of some pairs have one row on each side with the same level, in the snapshot that `connection` is in."""
    write_texts_alike(connection)
    rows = _Rows(connection, Tables.of(connection, settings))
    agreeing = 0
    for chunk in _chunks(pairs):
        users = list({pair.user_id for pair in chunk})
        seen = {part: rows.of(part, users) for part in _SIDES}
        for pair in chunk:
            found = [seen[part].get((str(pair.user_id), pair.specialization), _Seen()).levels for part in _SIDES]
            agreeing += bool(found[0]) and kind_of(found) is None
    return agreeing


def _chunks(pairs: Iterable[_Any]) -> Iterator[Sequence[_Any]]:
    rest = iter(pairs)
    for first in rest:
        yield list(chain([first], islice(rest, _CHUNK - 1)))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Reads the rows of many users at once."""

    connection: sa.Connection
    tables: Tables

    def of(self, part: Part, users: Sequence[UserId]) -> Mapping[_PairKey, _Seen]:
        """The rows of some users on one side, by pair."""
        tables, target = self.tables, self.tables.targets[part]
        side, table = target.side, target.table
        user, level = table.c[side.user_column], bare(tables.dialect, table.c[side.level_column])
        name = normalised(as_text(table.c[side.specialization_column]), tables.case_mapping)
        statement = sa.select(self.id(user), name, level, *tables.read(part, target.guarded)).where(self.one_of(user, users))
        found: defaultdict[_PairKey, _Seen] = defaultdict(_Seen)
        for row in self.connection.execute(statement):
            if row[0] is None or row[1] is None:
                continue
            seen = found[str(as_user_id(row[0])), row[1]]
            seen.rows.append(dict(zip(target.guarded, row[3:], strict=True)))
            seen.levels.append(row[2])
        return found

    def id(self, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        """An id as `as_user_id` takes it: text without the blanks that fill a CHAR up."""
        if self.tables.dialect == "sqlite" or is_number(column.type):
            return bare(self.tables.dialect, column)
        return sa.cast(column, sa.Text)

    def one_of(self, column: sa.Column[Any], users: Sequence[UserId]) -> sa.ColumnElement[bool]:
        dialect = self.tables.dialect
        plain = bare(dialect, column)
        if can_be_named(dialect, column, users):
            return plain.in_(users)
        return sa.cast(column, sa.Text).in_([str(user) for user in users])


@dataclass(frozen=True, slots=True)
class _Planner:
    connection: sa.Connection
    settings: Settings
    tables: Tables
    policies: Policies
    now: datetime

    def changes(self, violations: Sequence[Violation]) -> Iterator[Change | None]:
        """What to do about each; None where it agrees again."""
        users = list({violation.user_id for violation in violations})
        rows = _Rows(self.connection, self.tables)
        seen = {part: rows.of(part, users) for part in _SIDES}
        unknown = self._unknown(rows, users)
        for violation in violations:
            pair = str(violation.user_id), violation.specialization
            yield self._change(violation, {part: seen[part].get(pair, _Seen()) for part in _SIDES}, unknown)

    def _change(self, violation: Violation, seen: Mapping[Part, _Seen], unknown: set[str]) -> Change | None:
        kind = kind_of([seen[part].levels for part in _SIDES])
        if kind is None:
            return None
        progress, license_ = (highest(seen[part].levels) for part in _SIDES)
        before: Rows = {part: seen[part].rows[0] if seen[part].rows else None for part in _SIDES}
        change = Change(0, violation.user_id, violation.specialization, kind, progress, license_, before=before)
        wanted = decide(kind, progress, license_, self.policies.of(kind))
        reason = wanted if isinstance(wanted, str) else self._hindrance(change, wanted, seen, unknown)
        if reason is not None or isinstance(wanted, str):
            return replace(change, outcome=ChangeOutcome.LEFT_ALONE, reason=reason, before=None)
        planned = replace(change, step=wanted.step, level=wanted.level)
        values = new_values(self.tables, planned, self.now)
        if isinstance(values, str):
            return replace(change, outcome=ChangeOutcome.LEFT_ALONE, reason=values, before=None)
        return replace(planned, after={written_part(wanted.step): values})

    def _hindrance(self, change: Change, wanted: Wanted, seen: Mapping[Part, _Seen], unknown: set[str]) -> str | None:
        """Why a person must look, in a sentence."""
        name, levels = change.specialization, [level for part in _SIDES for level in seen[part].levels]
        if any(level != as_level(level) for level in levels):
            return "A level is no whole number."
        top = self.settings.sync.highest_levels.get(name)
        if wanted.level < 1 or (top is not None and wanted.level > top):
            return f"Level {wanted.level} is beyond the range of {name}, which " + (f"is 1 to {top}." if top else "begins at 1.")
        license_row = (change.before or {}).get(Part.LICENSE)
        if license_row is not None and is_false(license_row.get(self.settings.license.active_column)):
            return "The licence is not active."
        if str(change.user_id) in unknown:
            return f"The user is not in {self.settings.sync.users_table}."
        if wanted.step.of_license and (missing := missing_in_list(self.tables)) is not None:
            return f"A new row of {self.tables.targets[Part.PROGRESSION].table.fullname} needs a {missing}, which has no default."
        if wanted.step.creates:
            target = self.tables.targets[written_part(wanted.step)]
            for column, text in ((target.side.user_column, str(change.user_id)), (target.side.specialization_column, name)):
                if not fits(self.tables.dialect, target.table.c[column], text):
                    return f"{text!r} does not fit into {target.table.fullname}.{column}."
        return None

    def _unknown(self, rows: _Rows, users: Sequence[UserId]) -> set[str]:
        """Those of some users that the application does not know; none where it keeps no list."""
        column = self.tables.users
        if column is None:
            return set()
        if not may_read(self.connection, column):
            raise UsersUnreadable(f"{column.table.fullname} may not be read, so nobody can say which users there are.")
        known = self.connection.execute(sa.select(rows.id(column)).where(rows.one_of(column, users)))
        return {str(user) for user in users} - {str(as_user_id(row[0])) for row in known}


def is_false(value: Value) -> bool:
    """Whether a column says no, in whatever way an application writes it. What is not said is not no."""
    if isinstance(value, str):
        return value.strip().lower() in _FALSE
    return not any(value) if isinstance(value, bytes) else value is not None and not value


def kind_of(levels: Sequence[Sequence[object]]) -> Kind | None:
    """How a pair disagrees, by the levels of its rows on the progress and the licence side; None when it agrees or is no pair."""
    progress, license_ = levels
    if len(progress) > 1 or len(license_) > 1:
        return Kind.DUPLICATE_ROWS
    if bool(progress) != bool(license_):
        return Kind.MISSING_LICENSE if progress else Kind.MISSING_PROGRESS
    if not progress:
        return None
    one, other = progress[0], license_[0]
    if as_level(one) is None or as_level(other) is None:
        return Kind.LEVEL_NOT_SET
    return None if one == other else Kind.LEVEL_MISMATCH


def highest(levels: Sequence[object]) -> int | None:
    """A side's level; a duplicated side's highest."""
    return max((whole for whole in map(as_level, levels) if whole is not None), default=None)
