"""Long lists: in parts that every engine takes as parameters of one statement, or as one parameter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

Item = TypeVar("Item")

_LONGEST = 5_000


def in_parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in order, some thousand at a time."""
    rest = iter(items)
    while part := list(islice(rest, _LONGEST)):
        yield part


def is_one_of(column: sa.Column[str], texts: Iterable[str], dialect: sa.Dialect) -> sa.ColumnElement[bool]:
    """Whether a column holds one of very many texts, which become one parameter: IN would make one of each."""
    if dialect.name == "sqlite":
        each = sa.func.json_each(json.dumps(list(texts))).table_valued("value")
        return column.in_(sa.select(each.c.value))
    return column == sa.any_(sa.cast(list(texts), ARRAY(sa.Text)))
