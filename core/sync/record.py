"""The record of a run as a file in `logs/sync_jobs/`: whole or not at all, and never in place of another."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from core.errors import SyncRecordUnwritable
from core.logs.writing import PARTIAL_PREFIX, remove_abandoned, sync_folder, take_name
from core.state.sync_runs import Run
from core.sync.change import Change, ChangeOutcome, rows_as_json
from core.sync.configured import Limits
from core.sync.plan import Plan


def require_writable(folder: Path) -> None:
    """See that a record can be written, before anything is changed. Raises SyncRecordUnwritable."""
    with _in_words(folder), _unfinished(folder) as path:
        path.write_bytes(b"\0" * 4096)


def write_record(folder: Path, run: Run, outcomes: Mapping[ChangeOutcome, int], changes: Iterable[Change]) -> Path:
    """Write the record of a run that has ended; its path. Raises SyncRecordUnwritable."""
    document = {**run_as_json(run, outcomes), "changes": [change_as_json(change) for change in changes]}
    stem = f"{(run.started_at or run.planned_at).astimezone(UTC):%Y%m%d_%H%M%S}"
    ending = "undo" if run.undoes is not None else "sync"
    with _in_words(folder), _unfinished(folder) as path:
        with path.open("w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        name = take_name(path, lambda number: folder / f"{stem}{f'_{number}' if number > 1 else ''}_{ending}.json")
        sync_folder(folder)
    return name


def run_as_json(run: Run, outcomes: Mapping[ChangeOutcome, int]) -> dict[str, Any]:
    """A run without its changes."""

    def at(moment: datetime | None) -> str | None:
        return None if moment is None else moment.isoformat(timespec="microseconds")

    return {
        "run": run.id,
        "status": run.status.value,
        "reason": run.reason,
        "undoes": run.undoes,
        "trigger": run.trigger.value,
        "policy": run.policies.as_json(),
        "planned_at": at(run.planned_at),
        "planned_by": run.planned_by,
        "confirmed_at": at(run.confirmed_at),
        "confirmed_by": run.confirmed_by,
        "approved_at": at(run.approved_at),
        "approved_by": run.approved_by,
        "started_at": at(run.started_at),
        "finished_at": at(run.finished_at),
        "total_checked": run.total_checked,
        "planned": run.planned,
        "left_alone": run.left_alone,
        "not_looked_at": run.not_looked_at,
        "outcomes": {outcome.value: outcomes.get(outcome, 0) for outcome in ChangeOutcome if outcomes.get(outcome, 0)},
        "check_id": run.check_id,
        "mended": run.mended,
        "check_problem": run.check_problem,
    }


def plan_as_json(plan: Plan, limits: Limits, statements: Sequence[Sequence[str]], *, may_write: bool) -> dict[str, Any]:
    """A plan that was not kept, with the statements that each change would run; those of the first changes may be given alone."""
    return {
        "dry_run": True,
        "may_write": may_write,
        "policy": plan.policies.as_json(),
        "total_checked": plan.total_checked,
        "planned": plan.planned,
        "left_alone": plan.left_alone,
        "agree_again": plan.healed,
        "not_looked_at": plan.not_looked_at,
        "exceeds": limits.exceeded(plan.planned, plan.total_checked),
        "needs_second_admin": limits.needs_second(plan.planned),
        "changes": [
            {"position": change.position, **change_as_json(change), "statements": list(texts)}
            for change, texts in zip(plan.changes, chain(statements, repeat(())), strict=False)
        ],
    }


def change_as_json(change: Change) -> dict[str, Any]:
    """One pair of a run or plan."""
    return {
        "user_id": change.user_id,
        "specialization": change.specialization,
        "kind": change.kind.value,
        "progress_level": change.progress_level,
        "license_level": change.license_level,
        "step": change.step.value if change.step else None,
        "level": change.level,
        "outcome": change.outcome.value,
        "reason": change.reason,
        "before": rows_as_json(change.before),
        "after": rows_as_json(change.after),
    }


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    remove_abandoned(folder)
    path = folder / f"{PARTIAL_PREFIX}{uuid.uuid4().hex}"
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as refused:
        raise SyncRecordUnwritable(
            f"The record of the sync could not be written in {folder}: {refused.strerror or refused}."
        ) from refused
