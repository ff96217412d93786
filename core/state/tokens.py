"""Tokens of the HTTP API: shown once, kept as hashes, that end by time or by revocation."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from core.durations import in_words as duration
from core.errors import TokenProblem
from core.model import Scope
from core.state.schema import tokens

PREFIX = "chd_"  # by which people and secret scanners recognise a token of ours

_START = 8  # characters that are kept, of 47
_NAME_LENGTH = 100
_LONGEST_LIFE = timedelta(days=3660)


class TokenState(StrEnum):
    """Whether a token still opens anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token."""

    id: int
    name: str
    token_hash: str
    start: str
    scope: Scope
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None  # to the minute

    def state(self, now: datetime) -> TokenState:
        """Whether it opens anything at this moment."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        return TokenState.EXPIRED if self.expires_at is not None and self.expires_at <= now else TokenState.ACTIVE


def digest(secret: str) -> str:
    """What is kept instead of a token. It has 256 random bits, so a fast hash keeps it as safe as a slow one would."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    connection: sa.Connection,
    name: str,
    scope: Scope,
    now: datetime,
    *,
    lifetime: timedelta | None = None,
    created_by: str | None = None,
) -> str:
    """Make a token and give it, this once. Raises TokenProblem."""
    name = name.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise TokenProblem(f"A token's name has 1 to {_NAME_LENGTH} printable characters.")
    if lifetime is not None and not timedelta(0) < lifetime <= _LONGEST_LIFE:
        raise TokenProblem("A token lives at most ten years.", hint="Leave the end out for one that lives until it is revoked.")
    if _find(connection, name) is not None:
        raise TokenProblem(f"There is a token {name!r} already.", hint="Revoke it first, or take another name.")
    secret = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        sa.insert(tokens).values(
            name=name,
            token_hash=digest(secret),
            start=secret[:_START],
            scope=scope.value,
            created_at=now,
            created_by=created_by and created_by[:200],
            expires_at=None if lifetime is None else now + lifetime,
        )
    )
    return secret


def revoke(connection: sa.Connection, name: str, now: datetime) -> None:
    """End a token. Raises TokenProblem when no token that is not revoked has this name."""
    name = name.strip()
    if _find(connection, name) is None:
        names = ", ".join(token.name for token in everyone(connection) if token.revoked_at is None) or "none yet"
        raise TokenProblem(f"There is no token {name!r} to revoke.", hint=f"There is: {names}.")
    connection.execute(sa.update(tokens).where(tokens.c.name == name, tokens.c.revoked_at.is_(None)).values(revoked_at=now))


def makers(connection: sa.Connection, name: str) -> Sequence[str]:
    """Who made the tokens that had a name, as far as it is known."""
    made = sa.select(tokens.c.created_by).where(tokens.c.name == name, tokens.c.created_by.is_not(None)).distinct()
    return connection.execute(made).scalars().all()


def everyone(connection: sa.Connection) -> Sequence[Token]:
    """All tokens, also expired and revoked ones: those that may still be used first, then by name."""
    in_order = sa.nulls_first(tokens.c.revoked_at.desc()), tokens.c.name, tokens.c.id
    return [_token(row) for row in connection.execute(sa.select(tokens).order_by(*in_order))]


def unrevoked(connection: sa.Connection) -> Sequence[Token]:
    """The tokens that may open something now or did so until they expired."""
    return [_token(row) for row in connection.execute(sa.select(tokens).where(tokens.c.revoked_at.is_(None)))]


def record_uses(connection: sa.Connection, uses: Mapping[int, datetime]) -> None:
    """Note when tokens were used, by their ids; never back in time."""
    for token_id, used_at in uses.items():
        older = sa.or_(tokens.c.used_at.is_(None), tokens.c.used_at < used_at)
        connection.execute(sa.update(tokens).where(tokens.c.id == token_id, older).values(used_at=used_at))


def in_words(name: str, scope: Scope, lifetime: timedelta | None) -> str:
    """What a token is, without what it opens: "ci, may check, for 90 d"."""
    return f"{name.strip()}, may {scope}, {'without an end' if lifetime is None else f'for {duration(lifetime)}'}"


def _find(connection: sa.Connection, name: str) -> int | None:
    return connection.execute(sa.select(tokens.c.id).where(tokens.c.name == name, tokens.c.revoked_at.is_(None))).scalar()


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    columns = row._asdict()
    return Token(**{**columns, "scope": Scope(str(columns["scope"]))})
