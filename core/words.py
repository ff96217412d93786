"""The words of the field, where messages and pages both need them."""

from __future__ import annotations

from collections.abc import Mapping

from core.model import Kind

KIND_WORDS: Mapping[Kind, str] = {
    Kind.DUPLICATE_ROWS: "duplicate rows",
    Kind.MISSING_LICENSE: "licence missing",
    Kind.MISSING_PROGRESS: "progress missing",
    Kind.LEVEL_NOT_SET: "level not set",
    Kind.LEVEL_MISMATCH: "level mismatch",
}
