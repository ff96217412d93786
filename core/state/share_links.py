"""Links that show the presentation and nothing else: shown once, kept as hashes, that end by time or by revocation."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.errors import ShareLinkProblem
from core.state.schema import share_links
from core.state.tokens import digest

LONGEST_LIFE = timedelta(days=90)

_NAME_LENGTH = 100


class LinkState(StrEnum):
    """Whether a link still shows anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ShareLink:
    """What is kept of a link."""

    id: int
    name: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None

    def state(self, now: datetime) -> LinkState:
        """Whether it shows anything at this moment."""
        if self.revoked_at is not None:
            return LinkState.REVOKED
        return LinkState.EXPIRED if self.expires_at <= now else LinkState.ACTIVE


def create(connection: sa.Connection, name: str, now: datetime, lifetime: timedelta, created_by: str) -> str:
    """Make a link and give its secret of 256 random bits, this once. Raises ShareLinkProblem."""
    name = name.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise ShareLinkProblem(f"A link's name has 1 to {_NAME_LENGTH} printable characters.")
    if not timedelta(0) < lifetime <= LONGEST_LIFE:
        raise ShareLinkProblem(f"A link lives at most {LONGEST_LIFE.days} days.")
    secret = secrets.token_urlsafe(32)
    connection.execute(
        sa.insert(share_links).values(
            name=name, token_hash=digest(secret), created_at=now, created_by=created_by[:200], expires_at=now + lifetime
        )
    )
    return secret


def revoke(connection: sa.Connection, link_id: int, now: datetime) -> str | None:
    """End a link and give its name; None when it was revoked before, which stays as it is."""
    not_yet = share_links.c.id == link_id, share_links.c.revoked_at.is_(None)
    if not connection.execute(sa.update(share_links).where(*not_yet).values(revoked_at=now)).rowcount:
        return None
    return str(connection.execute(sa.select(share_links.c.name).where(share_links.c.id == link_id)).scalar_one())


def everyone(connection: sa.Connection) -> Sequence[ShareLink]:
    """All links, also those that have ended, the newest first."""
    return [_link(row) for row in connection.execute(_kept.order_by(share_links.c.id.desc()))]


def find(connection: sa.Connection, secret: str) -> ShareLink | None:
    """The link that a secret is, whether it has ended or not.

    Found by the hash: how long that takes tells nothing about a secret that is nearly right.
    """
    row = connection.execute(_kept.where(share_links.c.token_hash == digest(secret))).one_or_none()
    return None if row is None else _link(row)


_kept = sa.select(
    share_links.c.id,
    share_links.c.name,
    share_links.c.created_at,
    share_links.c.created_by,
    share_links.c.expires_at,
    share_links.c.revoked_at,
)


def _link(row: sa.Row[*tuple[Any, ...]]) -> ShareLink:
    return ShareLink(**row._asdict())
