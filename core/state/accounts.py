"""Who may log in, and how long a name must wait after wrong passwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import bcrypt
import sqlalchemy as sa

from core.errors import AccountProblem
from core.passwords import problem_with
from core.state.schema import accounts, login_failures, sessions

FIRST_ADMIN = "admin"

_FREE_FAILURES = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)  # the real admin always gets another turn soon
_FORGIVEN_AFTER = timedelta(days=1)
_NAME_LENGTH = 100

# A hash of no known password: checking an unknown name against it takes as long as a real one (12 is the usual cost of bcrypt).
_NOBODY = "$2b$12$" + "." * 53


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in."""

    username: str
    created_at: datetime


def add(connection: sa.Connection, username: str, password: str, now: datetime) -> str:
    """Add an account and give its name as it is kept (lower case). Raises AccountProblem."""
    username = username.strip().lower()
    if not username or len(username) > _NAME_LENGTH or not username.isprintable():
        raise AccountProblem(f"A user name has 1 to {_NAME_LENGTH} printable characters.")
    password_hash = _hash(password)
    if _find(connection, username) is not None:
        raise AccountProblem(
            f"There is a user {username!r} already.", hint="Use `coupling-health user passwd` to change the password."
        )
    connection.execute(sa.insert(accounts).values(username=username, password_hash=password_hash, created_at=now))
    return username


def change_password(connection: sa.Connection, username: str, password: str) -> str:
    """Set a new password; ends all sessions of the name, which it gives, and lets it log in at once. Raises AccountProblem."""
    username = _require(connection, username)
    connection.execute(sa.update(accounts).where(accounts.c.username == username).values(password_hash=_hash(password)))
    connection.execute(sa.delete(sessions).where(sessions.c.username == username))
    forgive(connection, username)
    return username


def remove(connection: sa.Connection, username: str) -> str:
    """Remove an account, whose name it gives, and end its sessions. The last one stays. Raises AccountProblem."""
    username = _require(connection, username)
    if len(everyone(connection)) == 1:
        raise AccountProblem(f"{username!r} is the only user; without it nobody could log in.", hint="Add another user first.")
    connection.execute(sa.delete(accounts).where(accounts.c.username == username))
    connection.execute(sa.delete(sessions).where(sessions.c.username == username))
    return username


def everyone(connection: sa.Connection) -> Sequence[Account]:
    """All accounts, by name."""
    rows = connection.execute(sa.select(accounts.c.username, accounts.c.created_at).order_by(accounts.c.username))
    return [Account(row.username, row.created_at) for row in rows]


def password_hash(connection: sa.Connection, username: str) -> str:
    """The bcrypt hash to check a password against; for an unknown name one that no password fits."""
    return _find(connection, username) or _NOBODY


def begin_attempt(connection: sa.Connection, username: str, now: datetime) -> timedelta | None:
    """Count an attempt to log in before it is checked; the time that the name must still wait, or None when it may try.

    Counting first leaves no way round by trying many passwords at once. Waiting attempts do not lengthen the wait.
    """
    username = username[:_NAME_LENGTH]
    row = connection.execute(sa.select(login_failures).where(login_failures.c.username == username)).one_or_none()
    failures = row.failures if row is not None and now - row.failed_at < _FORGIVEN_AFTER else 0
    if row is not None and failures >= _FREE_FAILURES:
        wait: timedelta = min(_FIRST_WAIT * 2 ** min(failures - _FREE_FAILURES, 10), _LONGEST_WAIT)
        remaining: timedelta = min(row.failed_at + wait - now, wait)  # no longer than the wait itself when the clock was set back
        if remaining > timedelta(0):
            return remaining
    if row is None:
        connection.execute(sa.delete(login_failures).where(login_failures.c.failed_at < now - _FORGIVEN_AFTER))
        connection.execute(sa.insert(login_failures).values(username=username, failures=1, failed_at=now))
    else:
        counted = sa.update(login_failures).where(login_failures.c.username == username)
        connection.execute(counted.values(failures=failures + 1, failed_at=now))
    return None


def refuse(connection: sa.Connection, username: str, now: datetime) -> None:
    """The password of an attempt was wrong: the wait counts from now.

    Written for every name, so that how long a refusal takes does not tell whether anybody has it.
    """
    counted = sa.update(login_failures).where(login_failures.c.username == username[:_NAME_LENGTH])
    connection.execute(counted.values(failed_at=now))


def is_known(password_hash: str) -> bool:
    """Whether what `password_hash` gave belongs to an account."""
    return password_hash != _NOBODY


def forgive(connection: sa.Connection, username: str) -> None:
    """Forget the wrong passwords of a name."""
    connection.execute(sa.delete(login_failures).where(login_failures.c.username == username[:_NAME_LENGTH]))


def _hash(password: str) -> str:
    if problem := problem_with(password):
        raise AccountProblem(problem, hint="Choose another one and try again.")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def _find(connection: sa.Connection, username: str) -> str | None:
    return connection.execute(sa.select(accounts.c.password_hash).where(accounts.c.username == username)).scalar()


def _require(connection: sa.Connection, username: str) -> str:
    username = username.strip().lower()
    if _find(connection, username) is None:
        names = ", ".join(account.username for account in everyone(connection)) or "nobody yet"
        raise AccountProblem(f"There is no user {username!r}.", hint=f"There is: {names}.")
    return username
