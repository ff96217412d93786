"""How the rows of one pair are found in a table, on every engine."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import types

from core.model import UserId
from core.normal_form import normalised
from core.setting_groups import SideSettings

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}")


def of_pair(
    dialect: str, table: sa.Table, settings: SideSettings, case_mapping: str | None, user_id: UserId, specialization: str
) -> sa.ColumnElement[bool]:
    """Whether a row of a side belongs to a pair."""
    names = normalised(as_text(table.c[settings.specialization_column]), case_mapping)
    return sa.and_(
        is_user(dialect, table.c[settings.user_column], user_id), names == normalised(sa.literal(specialization), case_mapping)
    )


def is_user(dialect: str, column: sa.Column[Any], user_id: UserId) -> sa.ColumnElement[bool]:
    """Whether a row is the user's: by the text of the id, so that 7 is not "007"; by its value where an index may help."""
    text = str(user_id)
    exactly = sa.cast(column, sa.Text) == text
    whole = int(text) if _WHOLE.fullmatch(text) and abs(int(text)) < 2**63 else None
    if dialect == "sqlite":
        return sa.and_(sa.type_coerce(column, types.NullType()) == (text if whole is None else whole), exactly)
    if is_number(column.type):
        return sa.false() if whole is None else column == whole
    return exactly


def bare(dialect: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A column as the driver gives it: SQLite's declared types promise nothing about its values."""
    return sa.type_coerce(column, types.NullType()) if dialect == "sqlite" else column


def as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A name's column, where it is an enum as text."""
    return sa.cast(column, sa.Text) if isinstance(column.type, types.Enum) else column


def is_number(kind: types.TypeEngine[Any]) -> bool:
    """Whether a column of this type holds numbers, or may (SQLite)."""
    return isinstance(kind, types.Integer | types.Numeric | types.Float | types.NullType) and not isinstance(kind, types.Boolean)
