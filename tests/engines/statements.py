"""Listening to the statements that the product sends, without standing in for any part of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def listening(heard: Callable[[str], Any]) -> Iterator[None]:
    """Call `heard` with each statement, in the thread that sends it, before it is sent."""

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        heard(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", before)


@contextmanager
def counting() -> Iterator[list[str]]:
    """Every statement that is sent."""
    sent: list[str] = []
    with listening(sent.append):
        yield sent


@contextmanager
def holding_before(part: str, thread: Callable[[threading.Thread], bool] = lambda _: True) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Stop before the first statement that contains `part`: the first event tells that it is reached, the second lets it go."""
    reached, go = threading.Event(), threading.Event()

    def stop(statement: str) -> None:
        if part in statement and not reached.is_set() and thread(threading.current_thread()):
            reached.set()
            assert go.wait(60), "nobody let it go"

    with listening(stop):
        try:
            yield reached, go
        finally:
            go.set()
