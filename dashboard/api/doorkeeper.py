"""Who may use the API: a token, its scope, and how often."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from core.keys import KeyRing
from core.model import Scope
from core.setting_groups import ApiSettings
from core.state.tokens import Token
from dashboard.api.budget import Budget

_SCHEME = "bearer "
bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token from `coupling-health token create`.")
Credentials = HTTPAuthorizationCredentials | None


class Doorkeeper:
    """Lets requests in or says why not. Only the Authorization header counts: a browser's cookie opens nothing here."""

    def __init__(self, keys: KeyRing, limits: ApiSettings) -> None:
        self._keys = keys
        self._wrong = Budget(limits.wrong_tokens_per_minute)
        self._checks = Budget(limits.checks_per_minute)
        self._writing: set[asyncio.Future[None]] = set()

    def may_read(self, authorization: str) -> bool:
        """Whether a header, as it was sent, may read; for answers that are at hand. Who may not is told why elsewhere."""
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            return False
        token = self._keys.holder_of(authorization[len(_SCHEME) :].strip())
        if token is not None:
            self._note(token)
        return token is not None

    def admit(self, request: Request, secret: str | None, needed: Scope) -> Token:
        """The token of a request that may do what needs a scope. Raises HTTPException: 401, 403 or 429."""
        if secret is None:
            raise _refused(401, "A token is needed: send the header `Authorization: Bearer <token>`.", "Bearer")
        token = self._keys.holder_of(secret)
        if token is None:
            wait = self._wrong.take(_neighbourhood(request))
            if wait is not None:
                raise _too_often("Too many wrong tokens from this address.", wait)
            raise _refused(401, "This token is unknown, has expired or was revoked.", 'Bearer error="invalid_token"')
        if not token.scope.includes(needed):
            challenge = f'Bearer error="insufficient_scope", scope="{needed}"'
            raise _refused(403, f"This needs a token with the scope {needed}; this one has {token.scope}.", challenge)
        self._note(token)
        return token

    def grant_check(self, token: Token) -> None:
        """Take one of the token's turns to ask for a check. Raises HTTPException 429."""
        wait = self._checks.take(token.id)
        if wait is not None:
            raise _too_often("This token asked for too many checks.", wait)

    def _note(self, token: Token) -> None:
        if self._keys.note_use(token):
            writing = asyncio.ensure_future(run_in_threadpool(self._keys.write_uses))
            self._writing.add(writing)  # a task that nobody holds may be collected before it is done
            writing.add_done_callback(self._writing.discard)


def may(needed: Scope) -> Callable[..., Awaitable[Token]]:
    """The dependency of a route: whose token it is, when that may do what needs the scope."""

    async def holder(request: Request, credentials: Credentials = Security(bearer)) -> Token:
        desk = request.app.state.desk
        await desk.newest.keys()
        token: Token = desk.doorkeeper.admit(request, secret_of(credentials), needed)
        return token

    return holder


def secret_of(credentials: Credentials) -> str | None:
    """What was sent as a token; None when nothing was."""
    return None if credentials is None else credentials.credentials.strip()


def _neighbourhood(request: Request) -> str:
    """The address that a request comes from; for IPv6 the network, of which everybody has as many addresses as wanted."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network(f"{host}/64", strict=False)) if address.version == 6 else host


def _refused(code: int, detail: str, challenge: str) -> HTTPException:
    return HTTPException(code, detail, {"WWW-Authenticate": challenge})


def _too_often(detail: str, wait: float) -> HTTPException:
    seconds = max(math.ceil(wait), 1)
    return HTTPException(429, f"{detail} Try again in {seconds} s.", {"Retry-After": str(seconds)})
