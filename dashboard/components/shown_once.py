"""A secret that is shown to who made it, and never again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from dashboard.viewer import Viewer

_SHOWN_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """A secret under a name; `of` tells apart what a page makes ("token", "link")."""

    of: str

    @property
    def _key(self) -> str:
        return f"made-{self.of}"

    def keep(self, name: str, secret: str, now: datetime) -> None:
        """Remember what was made, for this viewer alone."""
        st.session_state[self._key] = (name.strip(), secret, now)

    def show(self, viewer: Viewer, sentence: str, icon: str, before: str = "") -> None:
        """Show it until it was copied, ten minutes at most. `sentence` has a place for the {name}; `before` leads the secret."""
        made: tuple[str, str, datetime] | None = st.session_state.get(self._key)
        if made is None or viewer.now - made[2] > _SHOWN_FOR:
            st.session_state.pop(self._key, None)
            return
        name, secret, _ = made
        st.success(f"{sentence.format(name=name)} Copy it now: it is kept only as a hash and is never shown again.", icon=icon)
        st.code(before + secret, language=None, wrap_lines=True)
        st.button("I have copied it", key=f"{self.of}-copied", on_click=lambda: st.session_state.pop(self._key, None))
