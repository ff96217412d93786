"""What stands around every page: style, marks, the user's menu, and following new results."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

from core.errors import CouplingHealthError, StateDatabaseUnavailable
from core.health_monitor import HealthSummary
from dashboard import sessions
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer

Show = Callable[[], None]
View = Callable[[Runtime, Viewer, HealthSummary], None]

STATIC = Path(__file__).parents[1] / "static"

_POLL_SECONDS = 3
_BY_ITSELF = "_redrawn_by_itself"
_LONGEST_UNTOUCHED_POLLS = 20  # a page is drawn afresh at least every minute


@cache
def _text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def style() -> None:
    """The style sheet, and the script that keeps relative times and countdowns current without asking the server."""
    st.html(f"<style>{_text('style.css')}</style>")
    st.html(f"<script>{_text('clock.js')}</script>", unsafe_allow_javascript=True)


def redrawn_by_itself() -> bool:
    """Whether this run of the script was asked for by the page, not by the viewer."""
    return bool(st.session_state.pop(_BY_ITSELF, False))


def header(runtime: Runtime, viewer: Viewer, token: str) -> None:
    """Product name, demo mark and user menu, in the bar at the top."""
    st.logo(str(STATIC / "logo.svg"), size="large")
    with st.container(key="bar", horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
        if runtime.settings.demo:
            st.html('<span class="demo-mark" title="No watched database is configured; nothing here is real.">Demo data</span>')
        with st.popover(viewer.username, icon=":material/account_circle:", type="tertiary", key="user-menu"):
            st.caption(f"Logged in as {viewer.username}")
            if st.button("Log out", icon=":material/logout:", key="log-out", width="stretch"):
                st.html(sessions.end(token, runtime), unsafe_allow_javascript=True)
                st.stop()  # else the login page could be drawn over the script before it has run


def draw(view: View, runtime: Runtime, viewer: Viewer) -> None:
    """A page: its view with the newest summary, and the watcher that draws it again when there is something new."""
    try:
        st.html(f'<i data-drawn="{viewer.now.timestamp()}"></i>')  # by this the page notices that it is not drawn any more
        summary = runtime.monitor.get_health_summary()
        alerts = runtime.alert_book.version()
        view(runtime, viewer, summary)
        _follow(runtime, summary, alerts)
    except StateDatabaseUnavailable as away:
        state_is_away(away)


def cannot_start(runtime: Runtime) -> None:
    """The page while the server lacks something that it cannot do without."""
    if runtime.problem is not None:
        _problem("Coupling Health cannot start yet", runtime.problem)
    _try_again(lambda: runtime.problem is None)


def state_is_away(problem: CouplingHealthError) -> None:
    """The page while the state database is away."""
    _problem("Status unknown", problem)
    _try_again(lambda: True)


def _problem(title: str, problem: CouplingHealthError) -> None:
    with st.container(key="problem"):
        st.html(f"<h1>{title}</h1>")
        st.error(str(problem), icon=":material/error:")
        st.info(f"{problem.hint} This page tries again by itself.", icon=":material/build:")


def _try_again(better: Callable[[], bool]) -> None:
    first = [True]

    @st.fragment(run_every=_POLL_SECONDS)
    def look() -> None:
        if not first.pop() if first else better():
            st.rerun()

    look()


def _follow(runtime: Runtime, drawn: HealthSummary, alerts: str) -> None:
    """Compare versions now and then, and draw the page again when there is a new one. Idle, nothing on the page is touched."""
    polls = iter(range(_LONGEST_UNTOUCHED_POLLS))

    @st.fragment(run_every=1 if drawn.running else _POLL_SECONDS, key="follow")
    def look() -> None:
        if next(polls, None) is None or _outdated(runtime, drawn, alerts):
            st.session_state[_BY_ITSELF] = True
            st.rerun()

    look()


def _outdated(runtime: Runtime, drawn: HealthSummary, alerts: str) -> bool:
    """Whether the page shows what does not hold any more: an older result or alert, or anything after a logout or without a
    state."""
    try:
        if sessions.user_of(sessions.cookie(), runtime) is None or runtime.alert_book.version() != alerts:
            return True
    except StateDatabaseUnavailable:
        return True
    return runtime.monitor.get_health_summary().version != drawn.version
