"""API tokens: which programs may ask, what they may do, and making and revoking them."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape

import streamlit as st

from core.errors import TokenProblem
from core.health_monitor import HealthSummary
from core.model import Scope
from core.state.tokens import Token, TokenState
from dashboard.components.shown_once import ShownOnce
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import SCOPE_LABELS, ago, moment, timed

_ENDS: dict[str, timedelta | None] = {
    "in 30 days": timedelta(days=30),
    "in 90 days": timedelta(days=90),
    "in a year": timedelta(days=365),
    "never": None,
}
_USUAL_END = "in 90 days"
_MADE = ShownOnce("token")
_PROBLEM = "token-problem"


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """What tokens are for, a form to make one, and all there are."""
    st.html('<h1 class="page">API tokens</h1>')
    st.html(
        '<p class="detail quiet">Programs read health, run checks and collect metrics over HTTP with a token. What they can ask: '
        '<a href="/api/v1/docs" target="_blank">API reference</a>.</p>'
    )
    with st.container(border=True, key="new-token"):
        _form(runtime, viewer)
        _MADE.show(viewer, "Made {name}.", ":material/key:")
    everyone = runtime.keys.everyone()
    if not everyone:
        st.html('<p class="empty">No token yet, so no program can ask. Make the first one above.</p>')
    for token in everyone:
        _row(runtime, viewer, token)


def _form(runtime: Runtime, viewer: Viewer) -> None:
    def make() -> None:
        state = st.session_state
        name = str(state["token-name"])
        state.pop(_PROBLEM, None)
        try:
            secret = runtime.keys.create(name, Scope(state["token-scope"]), _ENDS[state["token-end"]], viewer.username)
        except TokenProblem as problem:
            state[_PROBLEM] = problem.advice
        else:
            _MADE.keep(name, secret, runtime.clock())
            state["token-name"] = ""

    st.html('<h2 class="card">New token</h2>')
    with st.container(key="token-form", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Name", key="token-name", placeholder="what it is for: ci, grafana …", max_chars=100)
        st.selectbox("May", list(SCOPE_LABELS), format_func=SCOPE_LABELS.__getitem__, key="token-scope", width=220)
        st.selectbox("Ends", list(_ENDS), index=list(_ENDS).index(_USUAL_END), key="token-end", width=150)
        st.button("Make token", key="make-token", type="primary", on_click=make)
    if problem := st.session_state.get(_PROBLEM):
        st.error(problem, icon=":material/error:")


def _row(runtime: Runtime, viewer: Viewer, token: Token) -> None:
    state = token.state(viewer.now)
    with st.container(
        border=True, key=f"token-row-{token.id}", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.html(_in_html(viewer, token, state))
        if state is not TokenState.REVOKED:
            with st.popover("Revoke", key=f"revoke-{token.id}"):
                st.write(f"Programs that use {token.name} are refused from then on.")
                st.button(
                    "Revoke it",
                    key=f"revoke-now-{token.id}",
                    type="primary",
                    on_click=_revoke,
                    args=(runtime, viewer, token.name),
                )


def _revoke(runtime: Runtime, viewer: Viewer, name: str) -> None:
    try:
        runtime.keys.revoke(name, viewer.username)
    except TokenProblem as gone:  # revoked in another tab meanwhile
        st.session_state[_PROBLEM] = gone.advice


def _in_html(viewer: Viewer, token: Token, state: TokenState) -> str:
    def at(when: datetime) -> str:
        return timed(moment(when, viewer.zone, viewer.now), when, viewer.zone)

    used = (
        f"last used {timed(ago(token.used_at, viewer.now), token.used_at, viewer.zone, role='ago')}"
        if token.used_at
        else "never used"
    )
    made = f"made {at(token.created_at)}" + (f" by {escape(token.created_by)}" if token.created_by else "")
    end = "ends never"
    if token.revoked_at is not None:
        end = f"revoked {at(token.revoked_at)}"
    elif token.expires_at is not None:
        end = f"{'expired' if state is TokenState.EXPIRED else 'ends'} {at(token.expires_at)}"
    ended = "" if state is TokenState.ACTIVE else " ended"
    mark = "" if state is TokenState.ACTIVE else f'<span class="pill unknown">{state.value.capitalize()}</span>'
    return (
        f'<div class="token{ended}" data-token="{escape(token.name)}" data-state="{state}"><b>{escape(token.name)}</b> '
        f"<code>{escape(token.start)}…</code>"
        f'<span class="pill scope" title="{SCOPE_LABELS[token.scope]}">{token.scope}</span>{mark}'
        f'<p class="detail note">{used} · {end} · {made}</p></div>'
    )
