"""From a point of a chart to the report of its check."""

from __future__ import annotations

from typing import Any, NoReturn

import streamlit as st

CHECK_PATH = "check"

_CHOSEN = "chosen-check"


def address_of(number: int) -> str:
    """Where the report of a check stands, by its row of history."""
    return f"/{CHECK_PATH}?number={number}"


def open_check(number: int) -> NoReturn:
    """Show the report of a check instead of this page."""
    page = st.Page(_nothing, url_path=CHECK_PATH, visibility="hidden")  # known by its path: the registered one is drawn
    st.switch_page(page, query_params={"number": str(number)})


def remember_chosen(key: str) -> None:
    """Keep which point of a chart was clicked, by what `st.plotly_chart` left under its key.

    To be called back: then a click counts also when the chart has become another one since it was drawn, as it does every minute.
    """
    number = chosen_number(st.session_state[key]["selection"])
    if number is not None:
        st.session_state[_CHOSEN] = number


def open_chosen() -> None:
    """Open the check of the point that was clicked, if one was."""
    number = st.session_state.pop(_CHOSEN, None)
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
