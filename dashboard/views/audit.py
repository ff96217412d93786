"""Audit: what admins did, when, and to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from core.audit_trail import EVERYTHING, Choice, TrailPage
from core.health_monitor import HealthSummary
from core.state.audit import Deed, Entry
from dashboard.audit_query import PAGE_SIZE, AuditQuery, mistakes
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import NONE, counted, moment, timed
from dashboard.wording_audit import DEED_LABELS, deed_in_words

_EVERY = "All"
_WHO, _DEED = "choose-who", "choose-deed"
_NOTHING_YET = (
    "Nothing is written down yet. What admins do from now on will stand here: logging in, running checks, silencing alerts, "
    "making tokens, links and reports, syncs, and commands. What was done with an earlier version was not written down."
)


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """What the trail is, choices, the entries, and the way to the others."""
    params = st.query_params.to_dict()
    query = AuditQuery.from_params(params)
    st.html('<h1 class="page">Audit</h1>')
    st.html(
        '<p class="detail quiet">What every admin did here, on these pages, through the API or by a command. It is kept for '
        "ever; what runs by itself is not listed.</p>"
    )
    for mistake in mistakes(params):
        st.warning(f"Left out from the address: {mistake}", icon=":material/link_off:")
    found = runtime.trail.page(query.choice, before=query.before, after=query.after, limit=PAGE_SIZE)
    if not found.count and query.choice == EVERYTHING:
        st.html(f'<p class="empty">{_NOTHING_YET}</p>')
        return
    _choices(query, runtime.trail.everyone(), runtime.trail.done())
    count = counted(found.count, "entry", "entries")
    st.html(
        f'<div class="count-and-download"><span class="count" data-testid="count">{count}</span>'
        f'<a class="button" href="{escape(query.csv_address)}" download="audit.csv">Download CSV</a></div>'
    )
    if found.entries:
        with st.container(border=True, key="audit-card"):
            st.html(_table(found.entries, viewer))
            _pager(query, found)
    elif found.count:
        st.html('<p class="empty">Nothing is older than this.</p>')
        _pager(query, found)
    else:
        st.html('<p class="empty">Nothing that was done fits these choices.</p>')


def _choices(query: AuditQuery, people: Sequence[str], done: Sequence[Deed]) -> None:
    who, deed = query.choice.who, query.choice.deed
    st.session_state[_WHO] = who or _EVERY
    st.session_state[_DEED] = deed.value if deed else _EVERY
    everybody = {name: name for name in (*people, *([who] if who else ()))}
    everything = {one.value: DEED_LABELS[one] for one in (*done, *([deed] if deed else ()))}
    with st.container(key="choices", horizontal=True, gap="small"):
        _select("Who", everybody, _WHO, 260)
        _select("What", everything, _DEED, 280)


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
    who, deed = (None if st.session_state[key] == _EVERY else str(st.session_state[key]) for key in (_WHO, _DEED))
    _go(AuditQuery(Choice(who, Deed(deed) if deed else None)))


def _go(query: AuditQuery) -> None:
    st.query_params.from_dict(query.to_params())


def _table(entries: Sequence[Entry], viewer: Viewer) -> str:
    rows = "".join(_row(entry, viewer) for entry in entries)
    head = "<tr><th>When</th><th>Who</th><th>What</th><th>About</th></tr>"
    return f'<table class="facts trail" data-testid="trail"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _row(entry: Entry, viewer: Viewer) -> str:
    at = timed(moment(entry.at, viewer.zone, viewer.now), entry.at, viewer.zone)
    about = f'<td class="about">{escape(entry.subject)}</td>' if entry.subject else f'<td class="about nothing">{NONE}</td>'
    return (
        f'<tr data-entry="{entry.id}" data-deed="{escape(entry.deed)}"><td class="when">{at}</td>'
        f'<td class="who">{escape(entry.who)}</td><td class="what">{escape(deed_in_words(entry))}</td>{about}</tr>'
    )


def _pager(query: AuditQuery, found: TrailPage) -> None:
    if not found.newer and not found.older:
        return
    first, last = (found.entries[0].id, found.entries[-1].id) if found.entries else ((query.before or 1) - 1, 0)
    newest, newer = AuditQuery(query.choice), AuditQuery(query.choice, after=first)
    older = AuditQuery(query.choice, before=last)
    with st.container(key="pager", horizontal=True, vertical_alignment="center", horizontal_alignment="right", gap="small"):
        st.button("Newest", key="newest-page", disabled=not found.newer, on_click=_go, args=(newest,))
        st.button("Newer", key="newer-page", disabled=not found.newer, on_click=_go, args=(newer,))
        st.button("Older", key="older-page", disabled=not found.older, on_click=_go, args=(older,))
