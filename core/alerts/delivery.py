"""Sending what waits in the outbox, by a worker of its own: one channel's failure holds no other back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from core.alerts.channels import Attachment, Channel, Tried
from core.clock import Clock
from core.errors import StateDatabaseUnavailable
from core.state import outbox, reports
from core.state.database import StateDatabase
from core.state.outbox import Letter, LetterState

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=5)  # that somebody looks for messages
MOST_TRIES = 20
_FIRST_PAUSE = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(minutes=30)  # with these, a message is given up after about seven hours
_NO_CHANNEL = timedelta(hours=1)  # that a message waits for a channel that nobody here has


class Delivery:
    """Sends each waiting message at least once. Replicas that share the state database never send the same one twice,
    unless the one that claimed it died in the middle: then it goes out again, with the same key."""

    def __init__(self, state: StateDatabase, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._state = state
        self._channels = channels
        self._clock = clock
        self._workers = {name: threading.Lock() for name in channels}  # held while somebody sends through a channel

    def run(self) -> None:
        """Send all that is due; returns when nothing is. Raises StateDatabaseUnavailable."""
        for worker in self._begin():
            worker.join()

    def run_quietly(self) -> None:
        """The same for a command, whose result must not depend on it."""
        try:
            self.run()
        except StateDatabaseUnavailable as away:
            log.warning("Messages wait: %s", away)

    def begin_quietly(self) -> None:
        """As a job: begin to send what is due, each channel by itself, and do not wait for the slowest."""
        try:
            self._begin()
        except StateDatabaseUnavailable as away:
            log.warning("Messages wait: %s", away)

    def _begin(self) -> Sequence[threading.Thread]:
        with self._state.read() as connection:
            waiting = outbox.waiting_channels(connection, self._clock())
        for name in set(waiting) - set(self._channels):
            self._give_up_stranded(name)
        workers = [
            threading.Thread(target=self._work, args=(name,), name=f"delivery {name}", daemon=True)
            for name in waiting
            if name in self._channels and not self._workers[name].locked()
        ]
        for worker in workers:
            worker.start()
        return workers

    def _work(self, name: str) -> None:
        if not self._workers[name].acquire(blocking=False):
            return
        try:
            self._empty(name)
        except StateDatabaseUnavailable as away:
            log.warning("Messages for %s wait: %s", name, away)
        except Exception:  # the border of a worker
            log.exception("Messages for %s wait", name)
        finally:
            self._workers[name].release()

    def _empty(self, name: str) -> None:
        while self._send_one(name):
            pass

    def _send_one(self, name: str) -> bool:
        """Try the oldest message of a channel; whether it is worth trying the next."""
        with self._state.write() as connection:
            letter = outbox.claim(connection, name, self._clock())
            if letter is None:
                return False
            message = outbox.message_of(connection, letter.id)
        tried = self._try(name, letter, message)
        state, due_at = LetterState.SENT, None
        if not tried.sent:
            last = tried.for_good or letter.tries + 1 >= MOST_TRIES
            state = LetterState.GIVEN_UP if last else LetterState.WAITING
            due_at = self._clock() + pause_after(letter.tries + 1)
            log.warning("Channel %s: %s%s", name, tried.answer, "; given up" if last else "")
        with self._state.write() as connection:
            outbox.settle(connection, letter.id, state, tried.answer, self._clock(), due_at)
        return state is not LetterState.WAITING

    def _try(self, name: str, letter: Letter, message: Mapping[str, Any]) -> Tried:
        try:
            return self._channels[name].send(message, letter.key, self._attachment_of(message))
        except Exception as unforeseen:  # the border of a channel: whatever it does, the others go on
            log.exception("Channel %s crashed", name)
            return Tried(sent=False, answer=f"it crashed: {type(unforeseen).__name__}")

    def _attachment_of(self, message: Mapping[str, Any]) -> Attachment | None:
        if "report" not in message:
            return None
        with self._state.read() as connection:
            found = reports.find(connection, int(message["report"]))
        return None if found is None else Attachment(found[0].name, found[1])

    def _give_up_stranded(self, name: str) -> None:
        """Messages for a channel that the settings do not name any more; another replica's may, so they wait a while."""
        now = self._clock()
        with self._state.write() as connection:
            letter = outbox.claim(connection, name, now)
            if letter is None:
                return
            late = now - letter.created_at > _NO_CHANNEL
            state = LetterState.GIVEN_UP if late else LetterState.WAITING
            outbox.settle(connection, letter.id, state, "no channel of that name is set up", now, now + _FIRST_PAUSE)


def pause_after(tries: int) -> timedelta:
    """How long to wait after so many tries: 10 s, 20 s, 40 s, … up to half an hour."""
    return min(_FIRST_PAUSE * (1 << min(tries - 1, 20)), _LONGEST_PAUSE)
