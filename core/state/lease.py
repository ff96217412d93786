"""Leases: each lets one piece of work run at a time, over all threads, processes and replicas that share the state database."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from core.state.schema import leases

LIFETIME = timedelta(seconds=60)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
RENEWAL = timedelta(seconds=15)


class Name(StrEnum):
    """What a lease is for. The migrations make a row for each, so that two who want it always meet at one lock."""

    CHECK = "check"
    SYNC = "sync"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who does which piece of work, since when, and until when that is believed without a renewal."""

    name: Name
    holder: str
    check_id: str
    acquired_at: datetime
    expires_at: datetime

    def held(self, now: datetime) -> bool:
        """Whether the holder is believed to be alive.

        An end that lies further ahead than any renewal would set it (the clock was set back) is not believed.
        """
        return now < self.expires_at <= now + 2 * LIFETIME and not _is_dead(self.holder)


def holder_name() -> str:
    """A name for a holder in this process: where its process id means something, the id, and a random part."""
    return f"{_place()}|{os.getpid()}|{uuid.uuid4().hex[:8]}"


def _place() -> str:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())  # containers that share a host name count their processes apart
    except OSError:
        namespace = "-"
    return f"{socket.gethostname()[:120]} {namespace}"


def _is_dead(holder: str) -> bool:
    """Whether the holder is a process of this machine that is no more: nobody need wait for its lease to expire."""
    place, _, rest = holder.partition("|")
    pid = rest.partition("|")[0]
    if os.name != "posix" or place != _place() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it lives, and is not ours
        return False
    return False


def acquire(
    connection: sa.Connection, name: Name, holder: str, check_id: str, now: datetime, *, reclaim: bool = False
) -> Lease | None:
    """Take the lease; None when somebody alive holds it. Call inside a write transaction.

    With `reclaim` a lease under the holder's own name is taken again: one that could not be given back.
    """
    current = find(connection, name, lock=True)
    if current.held(now) and not (reclaim and current.holder == holder):
        return None
    lease = Lease(name, holder, check_id, now, now + LIFETIME)
    connection.execute(
        sa.update(leases)
        .where(leases.c.name == name)
        .values(holder=holder, check_id=check_id, acquired_at=now, expires_at=lease.expires_at)
    )
    return lease


def renew(connection: sa.Connection, lease: Lease, now: datetime) -> bool:
    """Put off the end; False when the lease is no longer ours."""
    return _update_ours(connection, lease, expires_at=now + LIFETIME)


def release(connection: sa.Connection, lease: Lease) -> None:
    """Give the lease up; nothing happens when it is no longer ours."""
    _update_ours(connection, lease, expires_at=_LONG_AGO)


def find(connection: sa.Connection, name: Name = Name.CHECK, *, lock: bool = False) -> Lease:
    """The lease as it stands, alive or not."""
    statement = sa.select(leases).where(leases.c.name == name)
    row = connection.execute(statement.with_for_update() if lock else statement).one()
    return Lease(name, row.holder, row.check_id, row.acquired_at, row.expires_at)


def _update_ours(connection: sa.Connection, lease: Lease, **values: datetime) -> bool:
    ours = leases.c.name == lease.name, leases.c.holder == lease.holder, leases.c.check_id == lease.check_id
    return connection.execute(sa.update(leases).where(*ours).values(**values)).rowcount == 1
