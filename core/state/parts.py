"""Long lists, in parts that every engine takes as parameters of one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

_LONGEST = 5_000


def in_parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in order, some thousand at a time."""
    rest = iter(items)
    while part := list(islice(rest, _LONGEST)):
        yield part
