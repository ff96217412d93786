"""What a report carries with it, for programs: every figure, on what terms, and how it was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.errors import ReportUnreadable
from core.reports.content import ReportContent

MARK = "coupling_health_report"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Cover:
    """How a report was written: what is not a figure, but shows."""

    made_at: datetime
    company: str
    language: str
    color: str
    logo_sha256: str  # empty without a logo
    texts_sha256: str
    made_with: str  # versions of this product and of the typesetter


@dataclass(frozen=True, slots=True)
class Statement:
    """A report without its looks."""

    cover: Cover
    content: ReportContent


@dataclass(frozen=True, slots=True)
class Found:
    """A statement as it was found in a file."""

    statement: Statement
    whole: bool  # its own digest still fits


@cache
def _adapter() -> TypeAdapter[Statement]:
    return TypeAdapter(Statement)


def as_document(statement: Statement) -> dict[str, Any]:
    """As plain JSON values, exact: decimals are text, times ISO 8601."""
    document: dict[str, Any] = _adapter().dump_python(statement, mode="json")
    return document


def written(statement: Statement) -> str:
    """As one line of JSON, with a digest over the rest. Holds nothing that could end a script element or a comment."""
    document = {MARK: VERSION, **as_document(statement)}
    return _safe(json.dumps({**document, "sha256": _digest(document)}, ensure_ascii=True))


def read(text: str) -> Found:
    """What `written` wrote. Raises ReportUnreadable; a statement that was changed and still makes sense is read."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get(MARK) != VERSION:
            raise ReportUnreadable
        stated = document.pop("sha256", None)
        statement = _adapter().validate_python({"cover": document["cover"], "content": document["content"]})
    except (ValueError, KeyError, TypeError, RecursionError) as broken:
        what = f" ({broken.error_count()} of its values are none)" if isinstance(broken, ValidationError) else ""
        raise ReportUnreadable(f"What is embedded in this report cannot be read{what}.") from broken
    return Found(statement, stated == _digest(document))


def figures(content: ReportContent) -> Mapping[str, object]:
    """Every single figure by its dotted name."""
    return dict(_flat("", TypeAdapter(ReportContent).dump_python(content, mode="json")))


def _flat(name: str, value: Any) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield f"{name}.length", len(value)
        for position, inner in enumerate(value, start=1):
            yield from _flat(f"{name}.{position}", inner)
    else:
        yield name, value


def _digest(document: Mapping[str, Any]) -> str:
    canonical = json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _safe(text: str) -> str:
    """Angle brackets and ampersands as JSON escapes: the same document, harmless inside HTML and XML."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
