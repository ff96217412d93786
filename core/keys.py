"""The tokens of the HTTP API in memory, so that a request costs no query."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from core.clock import Clock
from core.errors import StateDatabaseUnavailable
from core.model import Scope
from core.state import audit, tokens
from core.state.audit import Deed
from core.state.database import StateDatabase
from core.state.tokens import Token, TokenState

log = logging.getLogger(__name__)

_NOTED_EVERY = timedelta(minutes=1)
_NO_TOKEN = "0" * 64


class KeyRing:
    """Knows whose token a secret is. What another process revoked or made holds here as soon as it is read again.

    While the state database is away, the tokens that were read last go on being known. Safe to share between threads.
    """

    def __init__(self, state: StateDatabase, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._by_hash: Mapping[str, Token] = {}
        self._read_at = float("-inf")
        self._loaded = False
        self._noted: dict[int, datetime] = {}  # when each token's use was last written down, or is about to be
        self._uses: dict[int, datetime] = {}
        self._lock = threading.Lock()

    @property
    def age(self) -> float:
        """Seconds since the tokens were read; infinite before the first time, and after `forget`."""
        return time.monotonic() - self._read_at

    @property
    def loaded(self) -> bool:
        """Whether the tokens were read at least once."""
        return self._loaded

    def holder_of(self, secret: str) -> Token | None:
        """The token that a secret is, when it may be used now. Takes as long for a wrong, expired or revoked one."""
        digest = tokens.digest(secret)
        token = self._by_hash.get(digest)
        same = hmac.compare_digest(digest, token.token_hash if token else _NO_TOKEN)
        alive = token is not None and token.state(self._clock()) is TokenState.ACTIVE
        return token if same and alive else None

    def refresh(self) -> None:
        """Read the tokens afresh. Raises StateDatabaseUnavailable."""
        with self._lock:
            begun = time.monotonic()
            with self._state.read() as connection:
                self._by_hash = {token.token_hash: token for token in tokens.unrevoked(connection)}
            self._read_at, self._loaded = begun, True

    def forget(self) -> None:
        """A token was made or revoked in this process: read again before the next answer."""
        with self._lock:
            self._read_at = float("-inf")

    def everyone(self) -> Sequence[Token]:
        """All tokens, also expired and revoked ones, from the state database. Raises StateDatabaseUnavailable."""
        with self._state.read() as connection:
            return tokens.everyone(connection)

    def create(self, name: str, scope: Scope, lifetime: timedelta | None, created_by: str) -> str:
        """Make a token and give it, this once. Raises TokenProblem, StateDatabaseUnavailable."""
        now = self._clock()
        with self._state.write() as connection:
            secret = tokens.create(connection, name, scope, now, lifetime=lifetime, created_by=created_by)
            audit.note(connection, now, created_by, Deed.TOKEN_CREATED, tokens.in_words(name, scope, lifetime))
        self.forget()
        return secret

    def revoke(self, name: str, by: str) -> None:
        """End a token; in this process it opens nothing from now on. Raises TokenProblem, StateDatabaseUnavailable."""
        now = self._clock()
        with self._state.write() as connection:
            tokens.revoke(connection, name, now)
            audit.note(connection, now, by, Deed.TOKEN_REVOKED, name)
        self.forget()

    def note_use(self, token: Token) -> bool:
        """Remember that a token was used; True when `write_uses` should be called, about once a minute for each token."""
        now = self._clock()
        noted = self._noted.get(token.id) or token.used_at
        if noted is not None and noted <= now < noted + _NOTED_EVERY:
            return False
        self._noted[token.id] = self._uses[token.id] = now
        return True

    def write_uses(self) -> None:
        """Write down the uses that were noted. What cannot be written is forgotten: the next use is noted again."""
        with self._lock:
            uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            with self._state.write() as connection:
                tokens.record_uses(connection, uses)
        except StateDatabaseUnavailable as away:
            log.warning("The last use of %d tokens could not be noted: %s", len(uses), away)
