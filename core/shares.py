"""The door to the share links of the presentation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from core.clock import Clock
from core.durations import in_words
from core.state import audit, share_links
from core.state.audit import Deed
from core.state.database import StateDatabase
from core.state.share_links import LinkState, ShareLink


class ShareLinks:
    """Makes links, ends them, and knows which still show something. Every method raises StateDatabaseUnavailable."""

    def __init__(self, state: StateDatabase, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def create(self, name: str, lifetime: timedelta, created_by: str) -> str:
        """Make a link and give its secret, this once. Raises ShareLinkProblem."""
        now = self._clock()
        with self._state.write() as connection:
            secret = share_links.create(connection, name, now, lifetime, created_by)
            audit.note(connection, now, created_by, Deed.LINK_CREATED, f"{name}, for {in_words(lifetime)}")
            return secret

    def revoke(self, link_id: int, by: str) -> None:
        """End a link: whoever has it open sees nothing more within seconds."""
        now = self._clock()
        with self._state.write() as connection:
            name = share_links.revoke(connection, link_id, now)
            if name is not None:
                audit.note(connection, now, by, Deed.LINK_REVOKED, name)

    def everyone(self) -> Sequence[ShareLink]:
        """All links, those that still show something first, then the newest first."""
        with self._state.read() as connection:
            links = share_links.everyone(connection)
        now = self._clock()
        return sorted(links, key=lambda link: link.state(now) is not LinkState.ACTIVE)

    def opens(self, secret: str) -> bool:
        """Whether a secret is that of a link that shows something at this moment."""
        with self._state.read() as connection:
            link = share_links.find(connection, secret)
        return link is not None and link.state(self._clock()) is LinkState.ACTIVE
