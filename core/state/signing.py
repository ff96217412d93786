"""The key with which links are signed: made once, and the same for all servers of a state database."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from core.state.schema_of_alerts import signing_keys


def key_for(connection: sa.Connection, purpose: str) -> bytes:
    """The key of a purpose; made when there is none. Call in a transaction that may write."""
    known = connection.execute(sa.select(signing_keys.c.secret).where(signing_keys.c.purpose == purpose)).scalar()
    if known is None:
        known = secrets.token_hex(32)
        connection.execute(sa.insert(signing_keys).values(purpose=purpose, secret=known))
    return bytes.fromhex(known)
