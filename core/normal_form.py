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


class normal_form(FunctionElement[str]):  # noqa: N801 - named as SQL functions are
    """A name in upper case, for every alphabet, and without blanks around it."""

    type = sa.String()
    inherit_cache = True  # the clauses tell all: without it every check would compile its statement anew, which takes the longest

    def __init__(self, name: sa.ColumnElement[Any], case_mapping: str | None) -> None:
        super().__init__(name, *([sa.literal_column(case_mapping)] if case_mapping else []))


@compiles(normal_form)
def _normal_form(element: normal_form, compiler: SQLCompiler, **options: Any) -> str:
    name, *case_mapping = element.clauses
    trimmed = sa.func.trim(name, _blanks(), type_=sa.String)
    mapped = sa.collate(trimmed, str(case_mapping[0])) if case_mapping else trimmed
    return compiler.process(sa.func.upper(mapped), **options)


@compiles(normal_form, "sqlite")
def _normal_form_sqlite(element: normal_form, compiler: SQLCompiler, **options: Any) -> str:
    """SQLite's UPPER leaves everything beyond ASCII alone, and TRIM costs as much as the comparison: usual names need neither."""
    name = next(iter(element.clauses))
    unusual = name.op("GLOB")(sa.literal("*[^!-~]*", literal_execute=True))
    ours = getattr(sa.func, _UNICODE_UPPER)(sa.func.trim(name, _blanks()))
    return compiler.process(sa.case((unusual, ours), else_=sa.func.upper(name)), **options)


def _blanks() -> sa.BindParameter[str]:
    return sa.literal(BLANKS, literal_execute=True)


def normalised(specialization: sa.ColumnElement[Any], case_mapping: str | None = None) -> sa.ColumnElement[str]:
    """The name under which a specialization is compared and reported, in SQL; `case_mapping` as `WatchedDatabase` gives it."""
    return normal_form(specialization, case_mapping)


def normalised_name(specialization: str) -> str:
    """The same, in Python."""
    return specialization.strip(BLANKS).upper()


def register_unicode_upper(connection: sqlite3.Connection) -> None:
    """Teach a SQLite connection the function that `normalised` needs there."""
    connection.create_function(
        _UNICODE_UPPER, 1, lambda name: name.upper() if isinstance(name, str) else name, deterministic=True
    )
