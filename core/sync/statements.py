"""The statements of a repair: built once, for running them and for showing them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql, sqlite

from core.setting_groups import LicenseSettings
from core.sync.change import Change, Part, Row, Rows, Value
from core.sync.policy import Step
from core.sync.tables import AsIs, Tables, Target, spelled

Write = sa.Update | sa.Insert | sa.Delete

_LINE = re.compile(r" ?\n(?=FROM |WHERE )")  # and no other line's end, for a text may hold one
_PLACE = re.compile(r"(?<!:):(\w+)")
_SIDE = {True: Part.LICENSE, False: Part.PROGRESS}


def written_part(step: Step) -> Part:
    """The side that a step writes."""
    return _SIDE[step.of_license]


def new_values(tables: Tables, change: Change, now: datetime) -> Row | str:
    """What a change writes to its side: of a row that is there what changes of it; in a sentence why that is not possible."""
    if change.step is None or change.level is None or change.before is None:
        raise ValueError("nothing is written to a pair that is left alone")
    part = written_part(change.step)
    target, old = tables.targets[part], change.before.get(part)
    side, values = target.side, dict[str, Value]()
    if change.step.creates:
        values[side.user_column] = str(change.user_id) if tables.dialect != "sqlite" else change.user_id
        values[side.specialization_column] = spelled(target.table.c[side.specialization_column], change.specialization)
    values[side.level_column] = tables.value(change.level)
    if isinstance(side, LicenseSettings):
        highest = as_number(old.get(side.highest_level_column)) if old else None
        if target.has(side.highest_level_column) and (highest is None or highest < change.level):
            values[side.highest_level_column] = tables.value(change.level)
        if target.has(side.advanced_at_column) and isinstance(
            target.table.c[side.advanced_at_column].type, types.DateTime | types.Date | types.String | types.NullType
        ):
            values[side.advanced_at_column] = tables.moment(now)
    if change.step.creates:
        more = tables.fillings(target, values, now)
        return more if isinstance(more, str) else {**values, **more}
    return values


def write_side(tables: Tables, change: Change, values: Row) -> Write:
    """Write a side's values: a new row, or the pair's one row."""
    if change.step is None or change.before is None:
        raise ValueError("nothing is written to a pair that is left alone")
    part = written_part(change.step)
    table = tables.targets[part].table
    old = change.before.get(part)
    if old is None:
        return sa.insert(table).values(tables.bound(values))
    return sa.update(table).where(only(tables, part, old, change)).values(tables.bound(values))


def only(tables: Tables, part: Part, row: Row, change: Change) -> sa.ColumnElement[bool]:
    """The one row of a pair: by its primary key, or else by whose it is."""
    target = tables.targets[part]
    if not target.key:
        return tables.rows_of_pair(part, change.user_id, change.specialization)
    return by_key(tables, part, row)


def by_key(tables: Tables, part: Part, row: Row) -> sa.ColumnElement[bool]:
    """A row by its primary key; of a table without one by all that it holds."""
    target = tables.targets[part]
    if target.key:
        return sa.and_(*(target.table.c[name] == sa.literal(row[name], AsIs()) for name in target.key))
    columns = dict(zip(row, tables.read(part, list(row)), strict=True))
    return sa.and_(*(columns[name].is_not_distinct_from(sa.literal(value, AsIs())) for name, value in row.items()))


def progression(tables: Tables, change: Change, license_id: Value, reason: str, now: datetime) -> sa.Insert | None:
    """The row that tells of a licence's change in the application's own list; None where there is no such list."""
    target = tables.targets.get(Part.PROGRESSION)
    if target is None or change.step is None or not change.step.of_license or change.level is None:
        return None
    nothing_before: Value = None if target.has("from_level") and target.table.c.from_level.nullable else tables.value(0)
    values: dict[str, Value] = {
        "user_license_id": license_id,
        "from_level": nothing_before if change.license_level is None else tables.value(change.license_level),
        "to_level": tables.value(change.level),
        "advancement_reason": reason,
        "requirements_met": f"{Part.PROGRESS.value} level {change.level}",
        "created_at": tables.moment(now),
    }
    return sa.insert(target.table).values(tables.bound({name: value for name, value in values.items() if _takes(target, name)}))


def missing_in_list(tables: Tables) -> str | None:
    """A column of the application's own list that must be filled, and that we know nothing for."""
    target = tables.targets.get(Part.PROGRESSION)
    known = ("user_license_id", "from_level", "to_level", "advancement_reason", "requirements_met", "created_at")
    unfilled = [] if target is None else [name for name in target.unfilled if not (name in known and _takes(target, name))]
    return unfilled[0] if unfilled else None


def _takes(target: Target, name: str) -> bool:
    """Whether the list has such a column, and what we would write there is what it is for."""
    if not target.has(name):
        return False
    return name not in ("advancement_reason", "requirements_met") or isinstance(target.table.c[name].type, types.String)


def planned_statements(tables: Tables, change: Change, reason: str, now: datetime) -> Sequence[str]:
    """The statements of a change as text, in the order in which they run; none where it is left alone."""
    if change.step is None:
        return ()
    values = new_values(tables, change, now)
    if isinstance(values, str):
        return ()
    statements: list[Write] = [write_side(tables, change, values)]
    license_row = (change.before or {}).get(Part.LICENSE)
    key = tables.targets[Part.LICENSE].key
    told = progression(tables, change, license_row[key[0]] if license_row and key else None, reason, now)
    if told is not None:
        statements.append(told if license_row else told.values(user_license_id=_new_id(tables, values)))
    return [_as_text(tables.dialect, statement) for statement in statements]


def _new_id(tables: Tables, values: Row) -> sa.ScalarSelect[Any]:
    """The id of a licence that was just made."""
    target = tables.targets[Part.LICENSE]
    whose = [target.side.user_column, target.side.specialization_column]
    made = sa.and_(*(target.table.c[name] == sa.literal(values[name], AsIs()) for name in whose))
    return sa.select(target.table.c[target.key[0]]).where(made).scalar_subquery()


def _as_text(dialect: str, statement: Write) -> str:
    engine = postgresql.dialect if dialect == "postgresql" else sqlite.dialect
    compiled = statement.compile(dialect=engine(paramstyle="named"), compile_kwargs={"render_postcompile": True})
    values = compiled.params
    on_one_line = _LINE.sub(" ", str(compiled))
    return _PLACE.sub(lambda place: _literal(values[place[1]]) if place[1] in values else place[0], on_one_line)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def as_number(value: Value) -> Decimal | None:
    """A level as a record keeps it, as a number; None where it is none."""
    try:
        number = Decimal(value) if isinstance(value, int | float | str) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def same(now: Rows, expected: Rows, parts: Sequence[Part]) -> Part | None:
    """The first part whose row is not as expected, in the columns that the expectation names; None when all are."""
    for part in parts:
        row, wanted = now.get(part), expected.get(part)
        if (row is None) != (wanted is None):
            return part
        if row is not None and wanted is not None and any(row.get(name) != value for name, value in wanted.items()):
            return part
    return None
