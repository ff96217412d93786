"""Presentation: opening it, and making and revoking the links that show it to people without a login."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from urllib.parse import urlsplit

import streamlit as st

from core.errors import ShareLinkProblem
from core.health_monitor import HealthSummary
from core.state.share_links import LinkState, ShareLink
from dashboard.components.shown_once import ShownOnce
from dashboard.presentation.routes import PRESENT, SHARE
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import moment, timed

_ENDS: dict[str, timedelta] = {
    "in 1 day": timedelta(days=1),
    "in 7 days": timedelta(days=7),
    "in 30 days": timedelta(days=30),
    "in 90 days": timedelta(days=90),
}
_USUAL_END = "in 7 days"
_MADE = ShownOnce("link")
_PROBLEM = "link-problem"


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """The way to the slides, a form to share them, and all links there are."""
    st.html('<h1 class="page">Presentation</h1>')
    st.html(
        '<p class="detail quiet">A few slides for a big screen: health now, the proof, how fast desyncs heal, and how we know. '
        "They turn by themselves, follow every check, and name no users.</p>"
    )
    st.link_button("Open the presentation", PRESENT, icon=":material/slideshow:", type="primary")
    with st.container(border=True, key="new-link"):
        _form(runtime, viewer)
        _MADE.show(viewer, "Made the link for {name}.", ":material/link:", _here())
    everyone = runtime.shares.everyone()
    if not everyone:
        st.html('<p class="empty">No link yet: only who can log in sees the presentation.</p>')
    for link in everyone:
        _row(runtime, viewer, link)


def _form(runtime: Runtime, viewer: Viewer) -> None:
    def make() -> None:
        state = st.session_state
        name = str(state["link-name"])
        state.pop(_PROBLEM, None)
        try:
            secret = runtime.shares.create(name, _ENDS[state["link-end"]], viewer.username)
        except ShareLinkProblem as problem:
            state[_PROBLEM] = problem.advice
        else:
            _MADE.keep(name, f"{SHARE}/{secret}", runtime.clock())
            state["link-name"] = ""

    st.html(
        '<h2 class="card">New share link <span class="note">whoever has it sees the presentation, and nothing else, without '
        "a login</span></h2>"
    )
    with st.container(key="link-form", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Name", key="link-name", placeholder="who it is for: the board, the wall in the lobby …", max_chars=100)
        st.selectbox("Ends", list(_ENDS), index=list(_ENDS).index(_USUAL_END), key="link-end", width=150)
        st.button("Make link", key="make-link", type="primary", on_click=make)
    if problem := st.session_state.get(_PROBLEM):
        st.error(problem, icon=":material/error:")


def _here() -> str:
    """Scheme and host as the viewer's browser knows them, also behind a proxy."""
    address = urlsplit(st.context.url or "")
    return f"{address.scheme}://{address.netloc}" if address.netloc else ""


def _row(runtime: Runtime, viewer: Viewer, link: ShareLink) -> None:
    state = link.state(viewer.now)
    with st.container(
        border=True, key=f"link-row-{link.id}", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.html(_in_html(viewer, link, state))
        if state is LinkState.ACTIVE:
            with st.popover("Revoke", key=f"revoke-link-{link.id}"):
                st.write(f"Whoever has the link for {link.name} open sees nothing more within seconds.")
                st.button(
                    "Revoke it",
                    key=f"revoke-link-now-{link.id}",
                    type="primary",
                    on_click=runtime.shares.revoke,
                    args=(link.id, viewer.username),
                )


def _in_html(viewer: Viewer, link: ShareLink, state: LinkState) -> str:
    def at(when: datetime) -> str:
        return timed(moment(when, viewer.zone, viewer.now), when, viewer.zone)

    end = f"{'expired' if state is LinkState.EXPIRED else 'ends'} {at(link.expires_at)}"
    if link.revoked_at is not None:
        end = f"revoked {at(link.revoked_at)}"
    active = state is LinkState.ACTIVE
    mark = "" if active else f'<span class="pill unknown">{state.value.capitalize()}</span>'
    return (
        f'<div class="token{"" if active else " ended"}" data-link="{escape(link.name)}" data-state="{state}">'
        f"<b>{escape(link.name)}</b>{mark}"
        f'<p class="detail note">{end} · made {at(link.created_at)} by {escape(link.created_by)}</p></div>'
    )
