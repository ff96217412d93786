"""Messages on their way out: put in, claimed, sent, tried again, given up."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.state.schema_of_alerts import outbox

_CLAIM = timedelta(seconds=120)  # longer than any try takes


class LetterState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"  # not sent yet
    SENT = "sent"  # its receiver took it
    GIVEN_UP = "given_up"  # refused for good, or tried too often; it can be sent again by hand


@dataclass(frozen=True, slots=True)
class Letter:
    """A message for one channel."""

    id: int
    key: str
    channel: str
    incidents: Sequence[int]
    message: Mapping[str, Any]
    created_at: datetime
    due_at: datetime
    tries: int
    state: LetterState
    answer: str | None
    ended_at: datetime | None


def put(connection: sa.Connection, channel: str, incidents: Sequence[int], message: Mapping[str, Any], now: datetime) -> None:
    """Put a message in. Its key is new, and stays the same however often it is tried."""
    values = {"key": uuid.uuid4().hex, "channel": channel, "incidents": list(incidents), "message": dict(message)}
    connection.execute(sa.insert(outbox).values(created_at=now, due_at=now, tries=0, state=LetterState.WAITING.value, **values))


def waiting_channels(connection: sa.Connection, now: datetime) -> Sequence[str]:
    """The channels for which something is due."""
    waits = outbox.c.state == LetterState.WAITING, outbox.c.due_at <= now
    return list(connection.execute(sa.select(outbox.c.channel).where(*waits).distinct().order_by(outbox.c.channel)).scalars())


def claim(connection: sa.Connection, channel: str, now: datetime) -> Letter | None:
    """The oldest message that waits for a channel, for this caller alone; None when it is not due or another one has it.

    The order of a channel's messages is kept: "resolved" never overtakes what it resolves.
    """
    oldest = (
        sa.select(outbox)
        .where(outbox.c.channel == channel, outbox.c.state == LetterState.WAITING)
        .order_by(outbox.c.id)
        .limit(1)
        .with_for_update()
    )
    row = connection.execute(oldest).one_or_none()
    # a claim that lies further ahead than any would be set (the clock was set back) is not believed
    if row is None or row.due_at > now or (row.claimed_until is not None and now < row.claimed_until <= now + _CLAIM):
        return None
    connection.execute(sa.update(outbox).where(outbox.c.id == row.id).values(claimed_until=now + _CLAIM, tries=row.tries + 1))
    return _letter(row)


def settle(
    connection: sa.Connection, number: int, state: LetterState, answer: str, now: datetime, due_at: datetime | None = None
) -> None:
    """What came of a try; for one that is to be tried again, when."""
    ended = None if state is LetterState.WAITING else now
    values: dict[str, Any] = {"state": state.value, "answer": answer, "ended_at": ended, "claimed_until": None}
    if due_at is not None:
        values["due_at"] = due_at
    connection.execute(sa.update(outbox).where(outbox.c.id == number).values(**values))


def send_again(connection: sa.Connection, number: int, now: datetime) -> bool:
    """Try a message once more that was given up; False when it was not."""
    given_up = sa.update(outbox).where(outbox.c.id == number, outbox.c.state == LetterState.GIVEN_UP)
    values = {"state": LetterState.WAITING.value, "due_at": now, "tries": 0, "ended_at": None}
    return bool(connection.execute(given_up.values(**values)).rowcount)


def newest(connection: sa.Connection, limit: int, state: LetterState | None = None) -> Sequence[Letter]:
    """The newest messages, newest first."""
    statement = sa.select(outbox).order_by(outbox.c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(outbox.c.state == state)
    return [_letter(row) for row in connection.execute(statement)]


def about(connection: sa.Connection, since: datetime) -> Mapping[int, Sequence[Letter]]:
    """The messages about each incident, oldest first, of those that were written since a moment."""
    found: dict[int, list[Letter]] = {}
    for row in connection.execute(sa.select(outbox).where(outbox.c.created_at >= since).order_by(outbox.c.id)):
        for number in row.incidents:
            found.setdefault(number, []).append(_letter(row))
    return found


def drop_ended(connection: sa.Connection, before: datetime) -> None:
    """Let messages go that were sent or given up before a moment. What came of their incidents stays."""
    connection.execute(sa.delete(outbox).where(outbox.c.state != LetterState.WAITING, outbox.c.ended_at < before))


def _letter(row: sa.Row[Any]) -> Letter:
    return Letter(
        id=row.id,
        key=row.key,
        channel=row.channel,
        incidents=row.incidents,
        message=row.message,
        created_at=row.created_at,
        due_at=row.due_at,
        tries=row.tries,
        state=LetterState(row.state),
        answer=row.answer,
        ended_at=row.ended_at,
    )
