"""The Streamlit script: who are you, then which page."""

from functools import partial
from pathlib import Path

import streamlit as st

from core.errors import StateDatabaseUnavailable
from dashboard import login, sessions
from dashboard.components import frame
from dashboard.components.opening import CHECK_PATH
from dashboard.components.sync_opening import SYNC_PATH
from dashboard.runtime import current
from dashboard.viewer import viewer
from dashboard.views import (
    alerts,
    analysis,
    audit,
    check,
    incident,
    overview,
    presentation,
    reports,
    sync,
    tokens,
    trend,
    violations,
)
from dashboard.wording_alerts import INCIDENT_PATH

STATIC = Path(__file__).parent / "static"

VIEWS = {
    "overview": ("Overview", ":material/monitor_heart:", overview.view),
    "violations": ("Violations", ":material/rule:", violations.view),
    SYNC_PATH: ("Sync", ":material/sync:", sync.view),
    "trend": ("Trend", ":material/show_chart:", trend.view),
    "alerts": ("Alerts", ":material/notifications:", alerts.view),
    "analysis": ("Analysis", ":material/query_stats:", analysis.view),
    "reports": ("Reports", ":material/summarize:", reports.view),
    "presentation": ("Presentation", ":material/slideshow:", presentation.view),
    "tokens": ("API tokens", ":material/key:", tokens.view),
    "audit": ("Audit", ":material/history:", audit.view),
    CHECK_PATH: ("Check", ":material/fact_check:", check.view),
    INCIDENT_PATH: ("Incident", ":material/notification_important:", incident.view),
}
HIDDEN = (CHECK_PATH, INCIDENT_PATH)  # opened by a click on a point, or on an incident
PATHS = tuple(VIEWS)

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
    page = st.navigation(
        [
            st.Page(
                partial(frame.draw, view, runtime, seen),
                title=title,
                icon=icon,
                url_path=path,
                default=path == PATHS[0],
                visibility="hidden" if path in HIDDEN else "visible",
            )
            for path, (title, icon, view) in VIEWS.items()
        ],
        position="top",
    )
    frame.header(runtime, seen, token)
    page.run()


def _nothing_but(show: frame.Show) -> None:
    """The same nameless page at every address, so that an address is kept until it can be shown."""
    pages = [st.Page(show, title="Coupling Health", url_path=path, default=path == PATHS[0]) for path in PATHS]
    st.navigation(pages, position="hidden").run()


main()
