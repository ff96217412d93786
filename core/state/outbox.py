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
    """A message for one channel, without its texts: those are large, and asked for with `message_of`."""

    id: int
    key: str
    channel: str
    incidents: Sequence[int]
    subject: str
    created_at: datetime
    due_at: datetime
    tries: int
    state: LetterState
    answer: str | None
    ended_at: datetime | None

    @property
    def arrived_at(self) -> datetime | None:
        """When its receiver took it."""
        return self.ended_at if self.state is LetterState.SENT else None


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
        _letters()
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


def send_again(connection: sa.Connection, number: int, now: datetime) -> Letter | None:
    """Try a message once more that was given up, and give it; None when it was not."""
    given_up = sa.update(outbox).where(outbox.c.id == number, outbox.c.state == LetterState.GIVEN_UP)
    values = {"state": LetterState.WAITING.value, "due_at": now, "tries": 0, "ended_at": None}
    if not connection.execute(given_up.values(**values)).rowcount:
        return None
    return _letter(connection.execute(_letters().where(outbox.c.id == number)).one())


def newest(connection: sa.Connection, limit: int, state: LetterState | None = None) -> Sequence[Letter]:
    """The newest messages, newest first."""
    statement = _letters().order_by(outbox.c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(outbox.c.state == state)
    return [_letter(row) for row in connection.execute(statement)]


def message_of(connection: sa.Connection, number: int) -> Mapping[str, Any]:
    """What a message says, in every shape."""
    message: Mapping[str, Any] = connection.execute(sa.select(outbox.c.message).where(outbox.c.id == number)).scalar_one()
    return message


def about(connection: sa.Connection, start: datetime, end: datetime) -> Mapping[int, Sequence[Letter]]:
    """The messages about each incident, oldest first, of those that were written in [start, end]."""
    found: dict[int, list[Letter]] = {}
    for row in connection.execute(_letters().where(outbox.c.created_at.between(start, end)).order_by(outbox.c.id)):
        for number in row.incidents:
            found.setdefault(number, []).append(_letter(row))
    return found


def drop_ended(connection: sa.Connection, before: datetime) -> None:
    """Let messages go that were sent or given up before a moment. What came of their incidents stays."""
    connection.execute(sa.delete(outbox).where(outbox.c.state != LetterState.WAITING, outbox.c.ended_at < before))


def _letters() -> sa.Select[Any]:
    columns = [column for column in outbox.c if column is not outbox.c.message]
    return sa.select(*columns, sa.func.coalesce(outbox.c.message["subject"].as_string(), "").label("subject"))


def _letter(row: sa.Row[Any]) -> Letter:
    return Letter(
        id=row.id,
        key=row.key,
        channel=row.channel,
        incidents=row.incidents,
        subject=row.subject,
        created_at=row.created_at,
        due_at=row.due_at,
        tries=row.tries,
        state=LetterState(row.state),
        answer=row.answer,
        ended_at=row.ended_at,
    )
