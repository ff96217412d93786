"""Logins: opaque tokens, kept as hashes, that end by logout, password change or idleness."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from core.state.schema import sessions

_TICKET_LIFETIME = timedelta(seconds=20)
_TOUCH_EVERY = timedelta(minutes=1)
_LONGEST_LIFE = timedelta(days=30)


def issue_ticket(connection: sa.Connection, username: str, now: datetime) -> str:
    """Begin a session: a ticket that the browser turns into one within seconds, once."""
    connection.execute(
        sa.delete(sessions).where(
            sa.or_(
                sessions.c.created_at < now - _LONGEST_LIFE,
                sa.and_(sessions.c.token_hash.is_(None), sessions.c.created_at < now - _TICKET_LIFETIME),
            )
        )
    )
    ticket = secrets.token_urlsafe(32)
    connection.execute(sa.insert(sessions).values(username=username, ticket_hash=_hash(ticket), created_at=now, used_at=now))
    return ticket


def redeem(connection: sa.Connection, ticket: str, now: datetime) -> str | None:
    """The token of the session that the ticket stands for; None when it was used already, is too old or none of ours."""
    token = secrets.token_urlsafe(32)
    redeemed = connection.execute(
        sa.update(sessions)
        .where(
            sessions.c.ticket_hash == _hash(ticket),
            sessions.c.created_at > now - _TICKET_LIFETIME,
            sessions.c.created_at < now + _TICKET_LIFETIME,
        )
        .values(ticket_hash=None, token_hash=_hash(token), used_at=now)
    )
    return token if redeemed.rowcount == 1 else None


def owner(connection: sa.Connection, token: str, now: datetime, idle: timedelta) -> str | None:
    """Whose session this is; None when it has ended."""
    row = connection.execute(sa.select(sessions).where(sessions.c.token_hash == _hash(token))).one_or_none()
    if row is None or now - row.used_at > idle or now - row.created_at > _LONGEST_LIFE:
        return None
    return str(row.username)


def touch(connection: sa.Connection, token: str, now: datetime) -> None:
    """The owner did something: idleness counts from now. Writes at most once a minute."""
    stale = sessions.c.token_hash == _hash(token), sessions.c.used_at < now - _TOUCH_EVERY
    connection.execute(sa.update(sessions).where(*stale).values(used_at=now))


def needs_touch(connection: sa.Connection, token: str, now: datetime) -> bool:
    """Whether `touch` would write."""
    used_at = connection.execute(sa.select(sessions.c.used_at).where(sessions.c.token_hash == _hash(token))).scalar()
    return used_at is not None and used_at < now - _TOUCH_EVERY


def end(connection: sa.Connection, token: str) -> None:
    """Log out."""
    connection.execute(sa.delete(sessions).where(sessions.c.token_hash == _hash(token)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
