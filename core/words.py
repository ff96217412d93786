"""The words of the field, where messages and pages both need them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.model import Kind

KIND_WORDS: Mapping[Kind, str] = {
    Kind.DUPLICATE_ROWS: "duplicate rows",
    Kind.MISSING_LICENSE: "licence missing",
    Kind.MISSING_PROGRESS: "progress missing",
    Kind.LEVEL_NOT_SET: "level not set",
    Kind.LEVEL_MISMATCH: "level mismatch",
}

_TURNS = re.compile("[\\x00\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]")  # what turns the direction of a text, and NUL


def one_line(text: str) -> str:
    """What somebody typed, as one line that leaves the text around it as it is."""
    return " ".join(_TURNS.sub("", text).split())
