"""When two specialization names are one: upper-cased and trimmed, in SQL as in Python."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

BLANKS = " \t\n\r\v\f"
_UNICODE_UPPER = "coupling_health_upper"


class upper_case(FunctionElement[str]):  # noqa: N801 - named as SQL functions are
    """Upper case for every alphabet, where the engine's own UPPER may know ASCII only."""

    type = sa.String()
    inherit_cache = True


@compiles(upper_case)
def _upper(element: upper_case, compiler: SQLCompiler, **options: Any) -> str:
    return f"upper({compiler.process(element.clauses, **options)})"


@compiles(upper_case, "sqlite")
def _upper_sqlite(element: upper_case, compiler: SQLCompiler, **options: Any) -> str:
    """SQLite's UPPER leaves everything beyond ASCII alone: only such names pay for a call into Python."""
    name = compiler.process(element.clauses, **options)
    return f"CASE WHEN length({name}) = length(CAST({name} AS BLOB)) THEN upper({name}) ELSE {_UNICODE_UPPER}({name}) END"


def normalised(specialization: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """The name under which a specialization is compared and reported, in SQL."""
    return upper_case(sa.func.trim(specialization, BLANKS))


def normalised_name(specialization: str) -> str:
    """The same, in Python."""
    return specialization.strip(BLANKS).upper()


def register_unicode_upper(connection: sqlite3.Connection) -> None:
    """Teach a SQLite connection the function that `normalised` needs there."""
    connection.create_function(
        _UNICODE_UPPER, 1, lambda name: name.upper() if isinstance(name, str) else name, deterministic=True
    )
