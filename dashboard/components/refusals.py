"""What somebody asked for about alerts and could not have: said once, beside what was asked with."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import streamlit as st

from core.errors import AlertProblem

_KEY = "alert-refusal"


class Place(StrEnum):
    """Where on a page something was asked."""

    TOP = "top"
    SILENCES = "silences"
    MAINTENANCE = "maintenance"
    MESSAGES = "messages"


def at_incident(number: int) -> str:
    """The top of a page, about an incident."""
    return f"{Place.TOP}-{number}-"


def guarded(place: str, do: Callable[[], object]) -> bool:
    """Do something; whether it was done. What hinders it stands on the page until something else is asked."""
    st.session_state.pop(_KEY, None)
    try:
        do()
    except AlertProblem as problem:
        st.session_state[_KEY] = place, problem.advice
        return False
    return True


def asking(place: str, do: Callable[[], object]) -> Callable[[], None]:
    """The same for a button, as it is clicked."""

    def ask() -> None:
        guarded(place, do)

    return ask


def say_refusal(place: str) -> None:
    """Say it, if it belongs here: to the place, or to a part of it."""
    refused = st.session_state.get(_KEY)
    if refused is not None and refused[0].startswith(place):
        st.error(refused[1], icon=":material/error:")
