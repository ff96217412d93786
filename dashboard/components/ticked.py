"""The violations that a viewer ticked, over all pages of the table, to be mended together."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.model import Pair
from dashboard.components.sync_opening import READ_ONLY, SYNC_PATH, plan_and_open
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import number

_KEY = "ticked-violations"


def ticked_pairs() -> list[tuple[str, str]]:
    """Whose rows are ticked: users and specializations."""
    return list(st.session_state.get(_KEY, ()))


def tick(pairs: Sequence[tuple[str, str]]) -> None:
    """Remember whose rows are ticked."""
    st.session_state[_KEY] = list(pairs)


def offer_sync(runtime: Runtime, viewer: Viewer, ticked: Sequence[tuple[str, str]]) -> None:
    """The button that plans a sync of what is ticked; how to come to it when nothing is, or why it is not there."""
    if not runtime.sync.may_write:
        st.html(f'<p class="detail quiet" data-testid="no-sync">No row can be ticked for a sync. {READ_ONLY}</p>')
        return
    with st.container(key="sync-ticked", horizontal=True, vertical_alignment="center", gap="small"):
        if not ticked:
            st.html(f'<p class="detail quiet">Tick rows to mend them, or <a href="/{SYNC_PATH}" target="_self">mend all</a>.</p>')
            return
        pressed = st.button(f"Sync {number(len(ticked))} selected …", key="sync-selected", type="primary", icon=":material/sync:")
        st.button("Clear", key="clear-ticked", type="tertiary", on_click=tick, args=([],))
    if pressed:
        tick([])
        plan_and_open(runtime, viewer, pairs=[Pair(user, specialization) for user, specialization in ticked])
