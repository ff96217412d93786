"""Violations: exactly which pairs disagree, since when, and what to do about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape

import streamlit as st

from core.health_monitor import HealthSummary
from core.model import Status
from dashboard.components.lives import PastTable, healed_table, past_table, settled_table
from dashboard.components.pair_details import pair_details
from dashboard.components.ticked import offer_sync, tick, ticked_pairs
from dashboard.components.violations_table import violations_table
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.violation_query import PAGE_SIZE, Tab, ViolationQuery, mistakes
from dashboard.wording import ACTION_LABELS, KIND_LABELS, LIFE_LABELS, NONE, STATUS_LOOKS, ago, number, timed

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
    query = _choose_tab(query, summary)
    match query.tab:
        case Tab.OPEN:
            _open(runtime, viewer, summary, query)
        case Tab.HEALED:
            _past(runtime, viewer, query, *_healed_rows(runtime, viewer, query))
        case Tab.SETTLED:
            _past(runtime, viewer, query, *_settled_rows(runtime, viewer, query))


def _choose_tab(query: ViolationQuery, summary: HealthSummary) -> ViolationQuery:
    open_ = number(summary.totals.inconsistent) if summary.totals else NONE
    labels = {Tab.OPEN: f"Open ({open_})", Tab.HEALED: "Healed", Tab.SETTLED: "Settled"}
    st.session_state["choose-tab"] = query.tab
    st.segmented_control(
        "Which",
        list(Tab),
        format_func=labels.__getitem__,
        key="choose-tab",
        required=True,
        label_visibility="collapsed",
        on_change=lambda: _go(ViolationQuery(tab=st.session_state["choose-tab"] or Tab.OPEN)),
    )
    return query


def _open(runtime: Runtime, viewer: Viewer, summary: HealthSummary, query: ViolationQuery) -> None:
    if summary.totals is None or not summary.totals.inconsistent:
        pairs = summary.totals.total_checked if summary.totals else None
        st.html(f'<p class="empty">All {number(pairs)} pairs agree.</p>')
        return
    _choices(query, summary)
    found, count = runtime.monitor.violations_page(
        query.filter, sort=query.sort, descending=query.descending, offset=query.offset, limit=PAGE_SIZE
    )
    _not_beyond_the_end(query, count)
    _count_and_download(query, count, summary.totals.inconsistent)
    ticked = ticked_pairs() if runtime.sync.may_write else []
    offer_sync(runtime, viewer, ticked)
    if not count:
        st.html('<p class="empty">No violation fits these choices.</p>')
        return

    def table() -> None:
        violations_table(
            found,
            query,
            viewer,
            key="violations",
            new_since=summary.new_since,
            on_choose=lambda identity: _go(replace(query, selected=identity)),
            on_sort=lambda column: _go(query.sorted_by(column)),
            checked=ticked,
            on_check=tick if runtime.sync.may_write else None,
        )
        _pager(query, count)

    _beside_details(runtime, viewer, query, table)


def _healed_rows(runtime: Runtime, viewer: Viewer, query: ViolationQuery) -> tuple[PastTable, int, str]:
    found, count = runtime.monitor.record.healed(offset=query.offset, limit=PAGE_SIZE)
    nothing = "No violation has healed yet. Those that do will be listed here, with how long that took."
    return healed_table(found, viewer), count, nothing


def _settled_rows(runtime: Runtime, viewer: Viewer, query: ViolationQuery) -> tuple[PastTable, int, str]:
    found, count = runtime.monitor.record.settled(offset=query.offset, limit=PAGE_SIZE)
    seconds = runtime.settings.check.settle_seconds
    explained = (
        "An application that writes both sides one after the other always has pairs in flight. Pairs that were not apart before "
        f"are read once more after {seconds:g} s; those that agree by then are no violations. They are listed here for 30 days."
        if seconds
        else "No pair is read twice: <code>check.settle_seconds</code> is 0."
    )
    st.html(f'<p class="detail quiet">{explained}</p>')
    return settled_table(found, viewer), count, "No pair was caught in flight in the last 30 days."


def _past(runtime: Runtime, viewer: Viewer, query: ViolationQuery, table: PastTable, count: int, nothing: str) -> None:
    _not_beyond_the_end(query, count)
    if not count:
        st.html(f'<p class="empty">{nothing}</p>')
        return

    def draw() -> None:
        past_table(table, query.selected, key=f"past-{query.tab}", on_choose=lambda pair: _go(replace(query, selected=pair)))
        _pager(query, count)

    _beside_details(runtime, viewer, query, draw)


def _beside_details(runtime: Runtime, viewer: Viewer, query: ViolationQuery, table: Callable[[], None]) -> None:
    with st.container(key="table-and-details"):
        left, right = st.columns([7, 4], gap="medium") if query.selected else (st.container(), None)
        with left, st.container(border=True, key="violations-card"):
            table()
        if right is not None and query.selected is not None:
            with right, st.container(border=True, key="details"):
                pair_details(runtime, viewer, query.selected, close=lambda: _go(replace(query, selected=None)))


def _not_beyond_the_end(query: ViolationQuery, count: int) -> None:
    last_page = max(-(-count // PAGE_SIZE), 1)
    if query.page > last_page:  # an address of yesterday
        _go(replace(query, page=last_page))
        st.rerun()


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
    st.session_state["choose-life"] = wanted.life.value if wanted.life else _EVERY
    with st.container(key="choices", horizontal=True, gap="small"):
        st.text_input("User", key="choose-user", placeholder="starts with …", on_change=_choose, width=150)
        _select("Problem", {kind.value: label for kind, label in KIND_LABELS.items()}, "choose-kind", 200)
        _select("Specialization", {name: name for name in names}, "choose-specialization", 220)
        _select("Action", {action.value: label for action, label in ACTION_LABELS.items()}, "choose-action", 260)
        _select("Life", {life.value: label for life, label in LIFE_LABELS.items()}, "choose-life", 150)


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
        "life": of("choose-life"),
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
