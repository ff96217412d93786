"""Listening to the statements that the product sends, without standing in for any part of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

_listeners: tuple[Callable[[str], Any], ...] = ()
_changing = threading.Lock()


@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def _tell(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    # One listener for good: taking one away from SQLAlchemy while another thread sends a statement is not safe.
    for heard in _listeners:
        heard(statement)


@contextmanager
def listening(heard: Callable[[str], Any]) -> Iterator[None]:
    """Call `heard` with each statement, in the thread that sends it, before it is sent."""
    global _listeners
    with _changing:
        _listeners = (*_listeners, heard)
    try:
        yield
    finally:
        with _changing:
            _listeners = tuple(one for one in _listeners if one is not heard)


@contextmanager
def counting() -> Iterator[list[str]]:
    """Every statement that is sent."""
    sent: list[str] = []
    with listening(lambda statement: sent.append(statement)):
        yield sent


@contextmanager
def holding_before(part: str) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Stop before the first statement that contains `part`: the first event tells that it is reached, the second lets it go."""
    reached, go = threading.Event(), threading.Event()

    def stop(statement: str) -> None:
        if part in statement and not reached.is_set():
            reached.set()
            assert go.wait(60), "nobody let it go"

    with listening(stop):
        try:
            yield reached, go
        finally:
            go.set()
