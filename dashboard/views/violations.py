"""Violations: exactly which pairs disagree, since when, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape

import streamlit as st

from core.coupling import PairNow, SideRows
from core.errors import CouplingHealthError
from core.health_monitor import HealthSummary
from core.model import Status, Violation
from dashboard.components.violations_table import violations_table
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.violation_query import PAGE_SIZE, ViolationQuery, mistakes
from dashboard.wording import (
    ACTION_ADVICE,
    ACTION_LABELS,
    KIND_LABELS,
    NONE,
    STATUS_LOOKS,
    ago,
    moment,
    number,
    timed,
)

_EVERY = "All"


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """Choices, table, details."""
    params = st.query_params.to_dict()
    query = ViolationQuery.from_params(params)
    _title(viewer, summary)
    for mistake in mistakes(params):
        st.warning(f"Left out from the address: {mistake}", icon=":material/link_off:")
    if summary.last is None or summary.totals is None:
        st.html('<p class="empty">No check has completed yet, so nothing is known. Press Run now on the overview.</p>')
        return
    if not summary.totals.inconsistent:
        st.html(f'<p class="empty">All {number(summary.totals.total_checked)} pairs agree.</p>')
        return
    _choices(query, summary)
    found, count = runtime.monitor.violations_page(
        query.filter, sort=query.sort, descending=query.descending, offset=query.offset, limit=PAGE_SIZE
    )
    last_page = max(-(-count // PAGE_SIZE), 1)
    if query.page > last_page:  # an address of yesterday
        _go(replace(query, page=last_page))
        st.rerun()
    _count_and_download(query, count, summary.totals.inconsistent)
    if not count:
        st.html('<p class="empty">No violation fits these choices.</p>')
        return
    with st.container(key="table-and-details"):
        table, details = st.columns([7, 4], gap="medium") if query.selected else (st.container(), None)
        with table, st.container(border=True, key="violations-card"):
            violations_table(
                found,
                query,
                viewer,
                key="violations",
                new_since=summary.new_since,
                on_choose=lambda identity: _go(replace(query, selected=identity)),
                on_sort=lambda column: _go(query.sorted_by(column)),
            )
            _pager(query, count)
        if details is not None and query.selected is not None:
            with details, st.container(border=True, key="details"):
                _details(runtime, viewer, query)


def _title(viewer: Viewer, summary: HealthSummary) -> None:
    note = ""
    if summary.last is not None:
        at = summary.last.timestamp
        known = "last known, " if summary.status is Status.UNKNOWN else "as of the check "
        note = f'<span class="note">{known}{timed(ago(at, viewer.now), at, viewer.zone, role="ago")}</span>'
    look = STATUS_LOOKS[summary.status]
    st.html(f'<h1 class="page">Violations <span class="pill {summary.status}">{look.label}</span> {note}</h1>')
    if summary.status is Status.UNKNOWN and summary.last is not None:
        st.warning(f"The status is unknown: {summary.assessment.reason}.", icon=":material/help:")


def _choices(query: ViolationQuery, summary: HealthSummary) -> None:
    wanted = query.filter
    names = list(summary.specializations)
    if wanted.specialization and wanted.specialization not in names:
        names.append(wanted.specialization)
    st.session_state["choose-user"] = wanted.user or ""
    st.session_state["choose-kind"] = wanted.kind.value if wanted.kind else _EVERY
    st.session_state["choose-specialization"] = wanted.specialization or _EVERY
    st.session_state["choose-action"] = wanted.action.value if wanted.action else _EVERY
    with st.container(key="choices", horizontal=True, gap="small"):
        st.text_input("User", key="choose-user", placeholder="starts with …", on_change=_choose, width=150)
        _select("Problem", {kind.value: label for kind, label in KIND_LABELS.items()}, "choose-kind", 200)
        _select("Specialization", {name: name for name in names}, "choose-specialization", 220)
        _select("Action", {action.value: label for action, label in ACTION_LABELS.items()}, "choose-action", 260)


def _select(title: str, labels: Mapping[str, str], key: str, width: int) -> None:
    st.selectbox(
        title,
        [_EVERY, *labels],
        format_func=lambda choice: labels.get(choice, choice),
        key=key,
        on_change=_choose,
        width=width,
    )


def _choose() -> None:
    query = ViolationQuery.from_params(st.query_params.to_dict())
    state = st.session_state

    def of(key: str) -> str | None:
        return None if state[key] == _EVERY else str(state[key])

    params = {
        "user": state["choose-user"],
        "kind": of("choose-kind"),
        "specialization": of("choose-specialization"),
        "action": of("choose-action"),
    }
    chosen = ViolationQuery.from_params({key: value for key, value in params.items() if value})
    _go(replace(query, filter=chosen.filter, page=1, selected=None))


def _go(query: ViolationQuery) -> None:
    st.query_params.from_dict(query.to_params())


def _count_and_download(query: ViolationQuery, count: int, all_: int) -> None:
    shown = f"{number(count)} of {number(all_)}" if count != all_ else number(count)
    st.html(
        f'<div class="count-and-download"><span class="count" data-testid="count">{shown} violations</span>'
        f'<a class="button" href="{escape(query.csv_address)}" download="violations.csv">Download CSV</a></div>'
    )


def _pager(query: ViolationQuery, count: int) -> None:
    pages = -(-count // PAGE_SIZE)
    if pages <= 1:
        return
    last = min(query.offset + PAGE_SIZE, count)
    with st.container(key="pager", horizontal=True, vertical_alignment="center", horizontal_alignment="right", gap="small"):
        shown = f"{number(query.offset + 1)}–{number(last)}"
        st.html(f'<p class="count">{shown} of {number(count)}</p>')
        st.button("First", key="first-page", disabled=query.page <= 1, on_click=_go, args=(replace(query, page=1),))
        st.button(
            "Previous",
            key="previous-page",
            disabled=query.page <= 1,
            on_click=_go,
            args=(replace(query, page=min(query.page - 1, pages)),),
        )
        st.button(
            "Next", key="next-page", disabled=query.page >= pages, on_click=_go, args=(replace(query, page=query.page + 1),)
        )


def _details(runtime: Runtime, viewer: Viewer, query: ViolationQuery) -> None:
    user, specialization = query.selected or ("", "")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(f'<h2 class="card strong">User {escape(user)} · {escape(specialization)}</h2>')
        st.button(
            "Close",
            icon=":material/close:",
            key="close-details",
            type="tertiary",
            on_click=_go,
            args=(replace(query, selected=None),),
        )
    violation = runtime.monitor.find_violation(user, specialization)
    try:
        now = runtime.monitor.pair_now(violation.user_id if violation else user, specialization)
    except CouplingHealthError as unreadable:
        st.error(f"The rows cannot be read right now: {unreadable}", icon=":material/error:")
        now = None
    _verdict(viewer, violation, now)
    if now is not None:
        _side("Progress", now.progress)
        _side("Licence", now.license)


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
