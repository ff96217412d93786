"""A table of violations as real HTML: sorted by the server, a row chosen by who it is and not by where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.durations import in_words
from core.model import Violation
from core.state.current_violations import SortKey
from dashboard.viewer import Viewer
from dashboard.violation_query import ViolationQuery
from dashboard.wording import ACTION_LABELS, KIND_LABELS, NONE, SORT_LABELS, exact

_STATIC = Path(__file__).parents[1] / "static"

Chosen = Callable[[tuple[str, str] | None], None]
Checked = Callable[[Sequence[tuple[str, str]]], None]
Sorted = Callable[[SortKey], None]


@cache
def _component() -> Any:
    return st.components.v2.component(
        "coupling_health_violations",
        html='<div class="violations"></div>',
        css=(_STATIC / "violations_table.css").read_text(encoding="utf-8"),
        js=(_STATIC / "violations_table.js").read_text(encoding="utf-8"),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: whose it is (user and specialization), its cells, the exact times on hover, a mark beside the time."""

    pair: tuple[str, str]
    cells: Sequence[str]
    title: str = ""
    mark: str = ""


def violations_table(
    violations: Sequence[Violation],
    query: ViolationQuery,
    viewer: Viewer,
    *,
    key: str,
    new_since: datetime | None = None,
    on_choose: Chosen | None = None,
    on_sort: Sorted | None = None,
    checked: Sequence[tuple[str, str]] = (),
    on_check: Checked | None = None,
) -> None:
    """Draw a page of violations.

    Without `on_choose` rows cannot be chosen, without `on_check` not ticked, without `on_sort` the order is fixed.
    """
    columns: list[dict[str, Any]] = [
        {"key": sort.value, "label": SORT_LABELS[sort], "sortable": on_sort is not None, "number": sort in _NUMBERS}
        for sort in SortKey
    ]
    columns.append({"key": "action", "label": "Action", "sortable": False, "number": False})
    rows_table(
        columns,
        [violation_row(violation, viewer, new_since) for violation in violations],
        key=key,
        selected=query.selected,
        sort=(query.sort, query.descending) if on_sort else None,
        on_choose=on_choose,
        on_sort=on_sort,
        checked=checked,
        on_check=on_check,
    )


def rows_table(
    columns: Sequence[dict[str, Any]],
    rows: Sequence[Row],
    *,
    key: str,
    selected: tuple[str, str] | None = None,
    sort: tuple[SortKey, bool] | None = None,
    on_choose: Chosen | None = None,
    on_sort: Sorted | None = None,
    checked: Sequence[tuple[str, str]] = (),
    on_check: Checked | None = None,
) -> None:
    """Draw rows about pairs; the sixth column tells a time, beside which the mark stands."""

    def chosen() -> None:
        identity = st.session_state[key].get("chosen")
        if on_choose is not None and identity is not None:
            on_choose((str(identity[0]), str(identity[1])) if identity else None)

    def sorted_by() -> None:
        column = st.session_state[key].get("sorted")
        if on_sort is not None and column in list(SortKey):
            on_sort(SortKey(column))

    ticks = f"{key}-ticks"  # how often the browser ticked: what it sees must not be older than its last tick

    def ticked() -> None:
        said = st.session_state[key].get("checked")
        if on_check is not None and said:
            st.session_state[ticks] = int(said["ticks"])
            on_check([(str(pair[0]), str(pair[1])) for pair in said["pairs"]])

    _component()(
        key=key,
        data={
            "columns": columns,
            "sort": {"key": sort[0].value, "descending": sort[1]} if sort else None,
            "selectable": on_choose is not None,
            "selected": list(selected) if selected else None,
            "checked": [list(pair) for pair in checked] if on_check is not None else None,
            "ticks": st.session_state.get(ticks, 0),
            "rows": [{"id": list(row.pair), "cells": list(row.cells), "title": row.title, "mark": row.mark} for row in rows],
        },
        on_chosen_change=chosen,
        on_sorted_change=sorted_by,
        on_checked_change=ticked,
    )


_NUMBERS = (SortKey.PROGRESS_LEVEL, SortKey.LICENSE_LEVEL)


def violation_row(violation: Violation, viewer: Viewer, new_since: datetime | None) -> Row:
    """A violation in words."""
    seen = violation.first_seen
    mark = ""
    if violation.earlier:
        mark = f"returned ×{violation.earlier}"
    elif seen is not None and seen == new_since:
        mark = "new"
    return Row(
        (str(violation.user_id), violation.specialization),
        (
            str(violation.user_id),
            violation.specialization,
            NONE if violation.progress_level is None else str(violation.progress_level),
            NONE if violation.license_level is None else str(violation.license_level),
            KIND_LABELS[violation.kind],
            in_words(viewer.now - seen) if seen else NONE,
            ACTION_LABELS[violation.recommended_action],
        ),
        exact(seen, viewer.zone) if seen else "",
        mark,
    )
