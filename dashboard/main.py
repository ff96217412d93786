"""The Streamlit script: who are you, then which page."""

from pathlib import Path

import streamlit as st

from core.errors import StateDatabaseUnavailable
from dashboard import login, sessions
from dashboard.components import frame
from dashboard.runtime import current
from dashboard.viewer import viewer
from dashboard.views import overview, trend, violations

STATIC = Path(__file__).parent / "static"

st.set_page_config(page_title="Coupling Health", page_icon=str(STATIC / "icon.png"), layout="wide")
frame.style()
runtime = current()


def main() -> None:
    """Decide what to show. Nothing of the product, not even a page's name, shows before login."""
    if runtime.problem is not None:
        _nothing_but(lambda: frame.cannot_start(runtime))
        return
    try:
        token = sessions.cookie()
        username = sessions.user_of(token, runtime)
        if username is None or token is None:
            _nothing_but(lambda: login.page(runtime))
            return
        if not frame.redrawn_by_itself():
            sessions.keep_alive(token, runtime)
    except StateDatabaseUnavailable as away:
        problem = away
        _nothing_but(lambda: frame.state_is_away(problem))
        return
    _pages(username, token)


def _pages(username: str, token: str) -> None:
    seen = viewer(username, runtime)

    def draw(view: frame.View) -> None:
        frame.draw(view, runtime, seen)

    page = st.navigation(
        [
            st.Page(
                lambda: draw(overview.view),
                title="Overview",
                icon=":material/monitor_heart:",
                url_path="overview",
                default=True,
            ),
            st.Page(lambda: draw(violations.view), title="Violations", icon=":material/rule:", url_path="violations"),
            st.Page(lambda: draw(trend.view), title="Trend", icon=":material/show_chart:", url_path="trend"),
        ],
        position="top",
    )
    frame.header(runtime, seen, token)
    page.run()


def _nothing_but(show: frame.Show) -> None:
    st.navigation([st.Page(show, title="Coupling Health", url_path="login", default=True)], position="hidden").run()


main()
