"""Who looks at the page, and how: theme, time zone, moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.runtime import Runtime
from dashboard.wording import Theme, zone


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a page needs to know of its viewer. `now` is aware UTC."""

    username: str
    theme: Theme
    zone: ZoneInfo
    now: datetime


def viewer(username: str, runtime: Runtime) -> Viewer:
    """The viewer of the page that is being drawn."""
    theme = Theme.DARK if st.context.theme.type == "dark" else Theme.LIGHT
    return Viewer(username, theme, zone(st.context.timezone), runtime.clock())
