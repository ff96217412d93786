"""From a point of a chart to the report of its check."""

from __future__ import annotations

from typing import Any, NoReturn

import streamlit as st

CHECK_PATH = "check"


def address_of(number: int) -> str:
    """Where the report of a check stands, by its row of history."""
    return f"/{CHECK_PATH}?number={number}"


def open_check(number: int) -> NoReturn:
    """Show the report of a check instead of this page."""
    page = st.Page(_nothing, url_path=CHECK_PATH, visibility="hidden")  # known by its path: the registered one is drawn
    st.switch_page(page, query_params={"number": str(number)})


def open_chosen(selection: Any) -> None:
    """Open the check of the point that was clicked in a chart, if one was; in what `st.plotly_chart` gives for a selection."""
    number = chosen_number(selection)
    if number is not None:
        open_check(number)


def chosen_number(selection: Any) -> int | None:
    """The row of history of the first point that was clicked; None when none was, or when its checks are not kept."""
    for point in selection.get("points", ()):
        number = point.get("customdata")
        number = number[0] if isinstance(number, list) and number else number
        if isinstance(number, int | float):
            return int(number)
    return None


def _nothing() -> None:
    """Never drawn."""
