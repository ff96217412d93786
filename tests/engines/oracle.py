"""The contract's rule, pair by pair, in plain Python: slow, obvious, and written without a look at the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.application import Row

ACTIONS = {
    "duplicate_rows": "resolve_duplicates",
    "missing_license": "create_license_from_progress",
    "missing_progress": "create_progress_from_license",
    "level_not_set": "set_level",
    "level_mismatch": "sync_required",
}


@dataclass(frozen=True)
class Expected:
    total_checked: int
    unidentified_progress_rows: int
    unidentified_license_rows: int
    violations: list[tuple[Any, str, int | None, int | None, str, str]]  # user, name, progress, licence, kind, action
    pairs: dict[tuple[Any, str], str | None]  # every pair and its fault


def name_of(specialization: str) -> str:
    return specialization.strip(" \t\n\r\v\f").upper()


def fault_of(progress: Sequence[int | None], licenses: Sequence[int | None]) -> str | None:
    if len(progress) > 1 or len(licenses) > 1:
        return "duplicate_rows"
    if not licenses:
        return "missing_license"
    if not progress:
        return "missing_progress"
    if progress[0] is None or licenses[0] is None:
        return "level_not_set"
    return "level_mismatch" if progress[0] != licenses[0] else None


def highest(levels: Sequence[int | None]) -> int | None:
    return max((level for level in levels if level is not None), default=None)


def expected(progress_rows: Sequence[Row], license_rows: Sequence[Row], *, as_text: bool) -> Expected:
    """What a check of these rows must say. `as_text`: user ids are reported and ordered as text."""
    sides: list[dict[tuple[Any, str], list[int | None]]] = [{}, {}]
    unidentified = [0, 0]
    for side, rows in enumerate((progress_rows, license_rows)):
        for user, specialization, level in rows:
            if user is None or specialization is None:
                unidentified[side] += 1
                continue
            pair = (str(user) if as_text else user, name_of(specialization))
            sides[side].setdefault(pair, []).append(level)
    progress, licenses = sides
    pairs = {pair: fault_of(progress.get(pair, []), licenses.get(pair, [])) for pair in sorted({*progress, *licenses})}
    violations = [
        (*pair, highest(progress.get(pair, [])), highest(licenses.get(pair, [])), fault, ACTIONS[fault])
        for pair, fault in pairs.items()
        if fault
    ]
    return Expected(len(pairs), *unidentified, violations, pairs)
