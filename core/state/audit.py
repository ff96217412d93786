"""The audit trail: what admins did. Entries are added, in the transaction of the deed itself, and never changed or taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.model import Request, Trigger
from core.state.schema_of_sync import audit
from core.words import one_line

LONGEST_SUBJECT = 1_000
LARGEST_NUMBER = 2**31 - 1  # that an entry can have
AT_A_TERMINAL = " (command line)"
_LONGEST_NAME = 200


class Deed(StrEnum):
    """What an admin can do here. A value stands in the database: it is never renamed."""

    LOGGED_IN = "logged_in"  # to the dashboard
    LOGGED_OUT = "logged_out"
    LOGIN_FAILED = "login_failed"  # a wrong password for an account that there is
    CHECK_RUN = "check_run"  # by hand, by a token or by a command; whatever came of it
    CHECK_TRIED = "check_tried"  # a dry run, which leaves nothing else behind
    SYNC_PLANNED = "sync_planned"  # nothing is written yet
    SYNC_CONFIRMED = "sync_confirmed"  # it may write
    SYNC_APPROVED = "sync_approved"  # a second admin agreed to what one had confirmed
    SYNC_REFUSED = "sync_refused"  # it was given up before it wrote
    SYNC_UNDONE = "sync_undone"  # what it wrote was taken back
    INCIDENT_ACKNOWLEDGED = "incident_acknowledged"
    INCIDENT_SNOOZED = "incident_snoozed"  # its rule is silenced for an hour
    SILENCE_ADDED = "silence_added"
    SILENCE_ENDED = "silence_ended"  # before its time
    MESSAGE_SENT_AGAIN = "message_sent_again"  # one that had been given up
    CHANNEL_TRIED = "channel_tried"  # a real test message was sent
    MAINTENANCE_PLANNED = "maintenance_planned"
    MAINTENANCE_CUT = "maintenance_cut"  # the time that held ended early; others of it still come
    MAINTENANCE_ENDED = "maintenance_ended"  # all of it was taken back
    MARKER_ADDED = "marker_added"
    MARKER_REMOVED = "marker_removed"
    REPORT_MADE = "report_made"  # by hand, and kept
    LINK_CREATED = "link_created"  # that shows the presentation without a login
    LINK_REVOKED = "link_revoked"
    TOKEN_CREATED = "token_created"  # noqa: S105 - no secret, a name
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - no secret, a name
    ACCOUNT_ADDED = "account_added"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - no secret, a name
    ACCOUNT_REMOVED = "account_removed"
    LOGS_IMPORTED = "logs_imported"  # violation logs were read by a command
    LOGS_ARCHIVED = "logs_archived"  # old ones were put into archives by a command
    VIOLATIONS_EXPORTED = "violations_exported"  # downloaded as CSV
    AUDIT_EXPORTED = "audit_exported"  # this trail was downloaded as CSV


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed."""

    id: int
    at: datetime
    who: str  # see `at_a_terminal` for those who typed a command; "token" and its name for programs
    deed: str  # one of Deed, unless a newer version wrote it
    subject: str  # what it was done to; empty when the deed says it all


def at_a_terminal(name: str | None) -> str:
    """How the trail calls who typed a command: the operating system knows other people by the dashboard's user names."""
    return f"{name}{AT_A_TERMINAL}" if name else AT_A_TERMINAL.strip(" ()")


def note(connection: sa.Connection, now: datetime, who: str, deed: Deed, subject: str = "") -> None:
    """Write a deed down, in the transaction in which it is done. No secret may stand in the subject."""
    values = {"who": one_line(who)[:_LONGEST_NAME], "subject": one_line(subject)[:LONGEST_SUBJECT]}
    connection.execute(sa.insert(audit).values(at=now, deed=deed.value, **values))


def note_check(connection: sa.Connection, at: datetime, request: Request, subject: str, deed: Deed = Deed.CHECK_RUN) -> None:
    """Write down a check that somebody asked for; those by schedule are nobody's deed."""
    if request.trigger is Trigger.CLI:
        note(connection, at, at_a_terminal(request.requested_by), deed, subject)
    elif request.trigger in (Trigger.MANUAL, Trigger.API) and request.requested_by:
        note(connection, at, request.requested_by, deed, subject)


def page(
    connection: sa.Connection,
    *,
    who: str | None = None,
    deed: Deed | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int = 100,
) -> Sequence[Entry]:
    """Entries, newest first: the newest `before` an entry's number, or the oldest `after` one. Costs the same at any depth."""
    statement = sa.select(audit).where(*_wanted(who, deed)).limit(limit)
    if before is not None:
        statement = statement.where(audit.c.id < before)
    if after is not None:
        rows = connection.execute(statement.where(audit.c.id > after).order_by(audit.c.id)).all()
        return [_entry(row) for row in reversed(rows)]
    return [_entry(row) for row in connection.execute(statement.order_by(audit.c.id.desc()))]


def count(connection: sa.Connection, *, who: str | None = None, deed: Deed | None = None) -> int:
    """How many entries there are."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(audit).where(*_wanted(who, deed))).scalar_one())


def everyone(connection: sa.Connection) -> Sequence[str]:
    """Who did anything, by name."""
    return connection.execute(sa.select(audit.c.who).distinct().order_by(audit.c.who)).scalars().all()


def done(connection: sa.Connection) -> Sequence[Deed]:
    """Which deeds were done at all, in the order of Deed."""
    found = set(connection.execute(sa.select(audit.c.deed).distinct()).scalars())
    return [deed for deed in Deed if deed.value in found]


def _wanted(who: str | None, deed: Deed | None) -> list[sa.ColumnElement[bool]]:
    wanted = []
    if who is not None:
        wanted.append(audit.c.who == who)
    if deed is not None:
        wanted.append(audit.c.deed == deed.value)
    return wanted


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(row.id, row.at, row.who, row.deed, row.subject)
