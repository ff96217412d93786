"""From pairs to the plan of a sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import streamlit as st

from core.errors import CouplingHealthError
from core.model import Pair, Request, Trigger
from core.sync.policy import Policies
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer

SYNC_PATH = "sync"

READ_ONLY = "This installation only reads. To let it mend, set COUPLING_HEALTH_SYNC_DATABASE_URL and start it again."


def address_of(number: int) -> str:
    """Where a run stands."""
    return f"/{SYNC_PATH}?run={number}"


def by_hand(viewer: Viewer) -> Request:
    """What a viewer asks for."""
    return Request(Trigger.MANUAL, viewer.username)


def plan_and_open(
    runtime: Runtime, viewer: Viewer, *, pairs: Sequence[Pair] | None = None, policies: Policies | None = None
) -> None:
    """Make a plan, of all violations or of some pairs, and show it instead of this page; what hinders it is said here."""
    request = by_hand(viewer)
    with st.spinner("Checking, then planning …" if pairs is None else "Planning …"):
        try:
            plan = runtime.sync.find_desync_issues(request, pairs=pairs, policies=policies)
            run = runtime.sync.keep(plan, request)
        except CouplingHealthError as hindered:
            st.error(f"No plan can be made: {hindered.advice}", icon=":material/error:")
            return
    open_run(run.id)


def open_run(number: int) -> NoReturn:
    """Show a run instead of this page."""
    page = st.Page(_nothing, url_path=SYNC_PATH, visibility="hidden")  # known by its path: the registered one is drawn
    st.switch_page(page, query_params={"run": str(number)})


def _nothing() -> None:
    """Never drawn."""
