"""Everything about one pair: its rows now, what differs, since when, and its lives before."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from core.coupling import PairNow, SideRows
from core.errors import CouplingHealthError
from core.model import Pair, Violation
from core.sync.policy import PLANNABLE
from dashboard.components.lives import timeline
from dashboard.components.sync_opening import plan_and_open
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import ACTION_ADVICE, ACTION_LABELS, KIND_LABELS, NONE, ago, moment, timed


def pair_details(runtime: Runtime, viewer: Viewer, pair: tuple[str, str], close: Callable[[], None]) -> None:
    """Both rows of a pair as they are now, what differs, since when, what was seen before, and what to do."""
    user, specialization = pair
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(f'<h2 class="card strong">User {escape(user)} · {escape(specialization)}</h2>')
        st.button(
            "Close",
            icon=":material/close:",
            key="close-details",
            type="tertiary",
            on_click=close,
        )
    violation = runtime.monitor.find_violation(user, specialization)
    try:
        now = runtime.monitor.pair_now(violation.user_id if violation else user, specialization)
    except CouplingHealthError as unreadable:
        st.error(f"The rows cannot be read right now: {unreadable}", icon=":material/error:")
        now = None
    _verdict(viewer, violation, now)
    if violation is not None and now is not None and now.kind in PLANNABLE and runtime.sync.may_write:
        _offer_sync(runtime, viewer, Pair(violation.user_id, specialization))
    if now is not None:
        _side("Progress", now.progress)
        _side("Licence", now.license)
    timeline(runtime.monitor.record.lives(user, specialization), viewer)


def _verdict(viewer: Viewer, violation: Violation | None, now: PairNow | None) -> None:
    kind = (now.kind if now else None) or (violation.kind if violation and now is None else None)
    if now is not None and kind is None:
        _say_agreed(violation, now)
    elif kind is not None:
        changed = (
            f" (the last check saw: {KIND_LABELS[violation.kind].lower()})" if violation and violation.kind is not kind else ""
        )
        st.html(
            f'<p class="detail"><b>{KIND_LABELS[kind]}</b>{changed}</p>'
            f'<p class="detail"><b>{ACTION_LABELS[kind.action]}.</b> {ACTION_ADVICE[kind.action]}</p>'
        )
    if violation is not None and violation.first_seen is not None:
        seen = violation.first_seen
        st.html(
            f'<p class="detail quiet">Seen by every check since {timed(moment(seen, viewer.zone, viewer.now), seen, viewer.zone)}'
            f" ({timed(ago(seen, viewer.now), seen, viewer.zone, role='ago')}).</p>"
        )
    elif violation is None:
        st.html('<p class="detail quiet">The last check did not list this pair.</p>')


def _offer_sync(runtime: Runtime, viewer: Viewer, pair: Pair) -> None:
    if st.button("Sync this pair …", key="sync-pair", icon=":material/sync:"):
        plan_and_open(runtime, viewer, pairs=[pair])


def _say_agreed(violation: Violation | None, now: PairNow) -> None:
    gone = not now.progress.rows and not now.license.rows
    if violation is None:
        st.info("Neither side has a row for this pair." if gone else "Both sides agree.", icon=":material/info:")
    else:
        healed = "both rows are gone" if gone else "both sides agree now"
        st.success(f"Healed meanwhile: {healed}. The next check will say so.", icon=":material/check_circle:")


def _side(title: str, side: SideRows) -> None:
    st.html(f'<h3 class="side">{title} <span class="note">{escape(side.table)}, read just now</span></h3>')
    if not side.rows:
        st.html('<p class="detail quiet">No row.</p>')
    for row in side.rows:
        cells = "".join(f"<tr><th>{escape(str(name))}</th><td>{_value(value)}</td></tr>" for name, value in row.items())
        st.html(f'<table class="row">{cells}</table>')


def _value(value: object) -> str:
    return NONE if value is None else escape(str(value))
