"""Waiting for something that will happen, and no longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")

LONGEST = 30.0
_LOOK_EVERY = 0.02


def eventually(question: Callable[[], _Answer], what: str, longest: float = LONGEST) -> _Answer:
    """The first answer that is true; an error that says what did not happen when none comes in time."""
    give_up = time.monotonic() + longest
    while not (answer := question()):
        assert time.monotonic() < give_up, f"not within {longest:g} s: {what}; the last answer was {answer!r}"
        time.sleep(_LOOK_EVERY)
    return answer
