"""Deciding about a plan: confirm it by typing its number of changes, approve it as a second admin, give it up, undo it."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from core.errors import CouplingHealthError
from core.state.sync_runs import Run, RunStatus
from dashboard.components.sync_opening import READ_ONLY, by_hand
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import counted, number

_REFUSED = "sync-refused"
_TYPED = "sync-typed"


def decide(runtime: Runtime, viewer: Viewer, run: Run) -> None:
    """The form that lets a plan be written, or why there is none."""
    if not runtime.sync.may_write:
        st.info(f"It cannot be written from here. {READ_ONLY}", icon=":material/lock:")
        return
    if not run.planned:
        st.html('<p class="detail">There is nothing to write.</p>')
        return
    if run.status is RunStatus.WAITING and runtime.sync.may_be_confirmed_by(run, viewer.username):
        who = "You" if run.confirmed_by == viewer.username else f"{run.confirmed_by}, who may be you,"
        st.info(f"{who} confirmed it. It waits for a second admin. {run.reason or ''}", icon=":material/group:")
        _give_up(runtime, viewer, run)
        return
    _warn(runtime, run)
    two = runtime.settings.sync.limits.needs_second(run.planned)
    verb = "Approve and write" if run.status is RunStatus.WAITING else "Confirm" if two else "Write"
    with st.form("confirm-sync", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(f"Type {run.planned} to confirm", key=_TYPED, max_chars=9, width=190, autocomplete="off")
        pressed = st.form_submit_button(f"{verb} {counted(run.planned, 'change', 'changes')}", type="primary", key="apply-sync")
    if pressed:
        _confirm(runtime, viewer, run)
    _say_refused()
    _give_up(runtime, viewer, run)


def take_back(runtime: Runtime, viewer: Viewer, run: Run, written: int) -> None:
    """The button that puts back what a run wrote."""
    if not runtime.sync.may_write or not written or run.undoes is not None:
        return
    with st.popover(f"Take back {counted(written, 'change', 'changes')}", icon=":material/undo:", key="undo-sync"):
        st.write("The old values are put back, and rows that were made are removed, where nobody has changed them since.")
        if st.button(f"Take {number(written)} back", key="undo-sync-now", type="primary"):
            _do(lambda: runtime.sync.undo(run.id, by_hand(viewer), in_background=True))
    _say_refused()


def _warn(runtime: Runtime, run: Run) -> None:
    exceeded = None if run.undoes else runtime.sync.exceeded(run)
    if exceeded:
        st.warning(
            f"**Look closely:** {exceeded}. A broken source must not be copied over a good one. If the changes below are right, "
            "confirm them.",
            icon=":material/warning:",
        )
    limits = runtime.settings.sync.limits
    if limits.needs_second(run.planned) and run.status is not RunStatus.WAITING:
        st.info(
            f"More than {number(limits.approval_above)} changes need a second admin: you confirm, another one approves.",
            icon=":material/group:",
        )
    if run.status is RunStatus.WAITING:
        st.info(f"{run.confirmed_by} confirmed it and asks you, as a second admin, to approve it.", icon=":material/group:")


def _confirm(runtime: Runtime, viewer: Viewer, run: Run) -> None:
    typed = re.sub(r"[\s,.']", "", str(st.session_state[_TYPED]))  # as people write thousands
    if typed != str(run.planned):
        st.session_state[_REFUSED] = f"Nothing was written: type {run.planned}, the number of changes, to confirm."
        return
    service, request = runtime.sync, by_hand(viewer)
    if run.status is RunStatus.WAITING:
        _do(lambda: service.approve(run.id, request, seen=run.planned, in_background=True))
    else:
        _do(lambda: service.apply(run.id, request, seen=run.planned, in_background=True))


def _give_up(runtime: Runtime, viewer: Viewer, run: Run) -> None:
    if st.button("Give it up", key="refuse-sync", type="tertiary", icon=":material/delete:"):
        _do(lambda: runtime.sync.refuse(run.id, by_hand(viewer)))


def _do(what: Callable[[], Run]) -> None:
    """Do it, then show the run that it led to; what hinders it is said on the page."""
    try:
        run = what()
    except CouplingHealthError as problem:
        st.session_state[_REFUSED] = problem.advice
        st.rerun()
    st.query_params.from_dict({"run": str(run.id)})
    st.rerun()


def _say_refused() -> None:
    refused = st.session_state.pop(_REFUSED, None)
    if refused:
        st.error(refused, icon=":material/error:")
