"""Repairs as the state database keeps them: every run, and what it does to each pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from core.model import Kind, Trigger, UserId
from core.state.schema_of_sync import sync_changes, sync_runs
from core.sync.change import Change, ChangeOutcome, Rows, rows_as_json, rows_from_json
from core.sync.policy import Policies, Step

_CHUNK = 500
_LONGEST_NAME = 200


class RunStatus(StrEnum):
    """Where a run stands."""

    PLANNED = "planned"  # somebody looks at it
    HELD = "held"  # it would change more than one run may: a person must look
    WAITING = "waiting"  # one admin confirmed it; a second must approve
    RUNNING = "running"
    DONE = "done"  # every pair was tried
    STOPPED = "stopped"  # it ended before every pair was tried
    INTERRUPTED = "interrupted"  # its process died; what became of every pair was looked up
    REFUSED = "refused"  # it was given up before its first write


BEFORE_ITS_FIRST_WRITE = (RunStatus.PLANNED, RunStatus.HELD, RunStatus.WAITING)
ENDED = (RunStatus.DONE, RunStatus.STOPPED, RunStatus.INTERRUPTED, RunStatus.REFUSED)


@dataclass(frozen=True, slots=True)
class Run:
    """One plan and what became of it. Times are aware UTC; names are usernames, "token" and its name, or who typed a command."""

    id: int
    watched: str
    status: RunStatus
    trigger: Trigger
    undoes: int | None
    policies: Policies
    total_checked: int | None
    planned: int
    left_alone: int
    not_looked_at: int
    planned_at: datetime
    planned_by: str
    confirmed_at: datetime | None
    confirmed_by: str | None
    approved_at: datetime | None
    approved_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    reason: str | None
    check_id: str | None
    mended: int | None
    check_problem: str | None
    record_file: str | None


def add(
    connection: sa.Connection,
    watched: str,
    status: RunStatus,
    trigger: Trigger,
    by: str,
    now: datetime,
    policies: Policies,
    changes: Sequence[Change],
    *,
    total_checked: int | None = None,
    left_alone: int = 0,
    not_looked_at: int = 0,
    undoes: int | None = None,
) -> int:
    """Keep a plan; its number."""
    values: dict[str, Any] = {
        "watched": watched,
        "status": status.value,
        "trigger": trigger.value,
        "undoes": undoes,
        "policy": policies.as_json(),
        "total_checked": total_checked,
        "planned": sum(1 for change in changes if change.step is not None),
        "left_alone": left_alone,
        "not_looked_at": not_looked_at,
        "planned_at": now,
        "planned_by": by[:_LONGEST_NAME],
    }
    inserted = connection.execute(sa.insert(sync_runs).values(**values)).inserted_primary_key
    number = int(inserted[0]) if inserted else 0
    rows = [{"run_id": number, **_values(change)} for change in changes]
    for start in range(0, len(rows), _CHUNK):
        connection.execute(sa.insert(sync_changes), rows[start : start + _CHUNK])
    return number


def find(connection: sa.Connection, number: int, *, lock: bool = False) -> Run | None:
    """The run of this number."""
    statement = sa.select(sync_runs).where(sync_runs.c.id == number)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    return None if row is None else _run(row)


def newest(connection: sa.Connection, watched: str, limit: int, status: Sequence[RunStatus] = tuple(RunStatus)) -> Sequence[Run]:
    """The newest runs of a watched database that stand somewhere, newest first."""
    wanted = sync_runs.c.watched == watched, sync_runs.c.status.in_([one.value for one in status])
    rows = connection.execute(sa.select(sync_runs).where(*wanted).order_by(sync_runs.c.id.desc()).limit(limit))
    return [_run(row) for row in rows]


def oldest_waiting(connection: sa.Connection, watched: str) -> Run | None:
    """The run that has waited for somebody for longest."""
    waiting = sync_runs.c.status.in_([RunStatus.HELD.value, RunStatus.WAITING.value])
    statement = sa.select(sync_runs).where(sync_runs.c.watched == watched, waiting).order_by(sync_runs.c.id).limit(1)
    row = connection.execute(statement).first()
    return None if row is None else _run(row)


def newest_scheduled(connection: sa.Connection, watched: str) -> Run | None:
    """The newest run that nobody asked for, and that was begun or held."""
    begun = sync_runs.c.trigger == Trigger.SCHEDULED.value, sync_runs.c.status != RunStatus.PLANNED.value
    wanted = sync_runs.c.watched == watched, sync_runs.c.undoes.is_(None), *begun
    row = connection.execute(sa.select(sync_runs).where(*wanted).order_by(sync_runs.c.id.desc()).limit(1)).first()
    return None if row is None else _run(row)


def without_record(connection: sa.Connection, watched: str, limit: int = 20) -> Sequence[Run]:
    """The newest runs that ended, or wait, and whose record could not be written yet."""
    ended = sync_runs.c.status.in_([status.value for status in (*ENDED, RunStatus.HELD, RunStatus.WAITING)])
    statement = sa.select(sync_runs).where(sync_runs.c.watched == watched, ended, sync_runs.c.record_file.is_(None))
    return [_run(row) for row in connection.execute(statement.order_by(sync_runs.c.id.desc()).limit(limit))]


def update(connection: sa.Connection, number: int, **values: Any) -> None:
    """Change what is kept of a run."""
    plain = {name: value.value if isinstance(value, RunStatus) else value for name, value in values.items()}
    connection.execute(sa.update(sync_runs).where(sync_runs.c.id == number).values(**plain))


def give_up_held(connection: sa.Connection, watched: str, reason: str, now: datetime, *, but: int | None = None) -> None:
    """Give up what is held and was not asked for on a page, all `but` one."""
    held = sync_runs.c.watched == watched, sync_runs.c.status == RunStatus.HELD.value
    by_no_page = sync_runs.c.trigger != Trigger.MANUAL.value
    for row in connection.execute(sa.select(sync_runs.c.id).where(*held, by_no_page).with_for_update()).all():
        if row.id != but:
            refuse(connection, row.id, reason, now)


def refuse(connection: sa.Connection, number: int, reason: str, now: datetime) -> None:
    """Give a run up before its first write. A record that says that it is held is not its last."""
    leave_untried(connection, number)
    update(connection, number, status=RunStatus.REFUSED, finished_at=now, reason=reason, record_file=None)


def forget_unused(connection: sa.Connection, watched: str, before: datetime) -> None:
    """Let plans go that nobody confirmed."""
    old = sa.select(sync_runs.c.id).where(
        sync_runs.c.watched == watched, sync_runs.c.status == RunStatus.PLANNED.value, sync_runs.c.planned_at < before
    )
    numbers = connection.execute(old).scalars().all()
    connection.execute(sa.delete(sync_changes).where(sync_changes.c.run_id.in_(numbers)))
    connection.execute(sa.delete(sync_runs).where(sync_runs.c.id.in_(numbers)))


# --- what it does to each pair ------------------------------------------------------------------------------------------


def changes(
    connection: sa.Connection,
    number: int,
    outcomes: Sequence[ChangeOutcome] = tuple(ChangeOutcome),
    *,
    after: int = 0,
    limit: int | None = None,
) -> Sequence[Change]:
    """The changes of a run behind a position, in its order."""
    wanted = sync_changes.c.run_id == number, sync_changes.c.outcome.in_([one.value for one in outcomes])
    statement = sa.select(sync_changes).where(*wanted, sync_changes.c.position > after)
    return [_change(row) for row in connection.execute(statement.order_by(sync_changes.c.position).limit(limit))]


def counts(connection: sa.Connection, number: int) -> Mapping[ChangeOutcome, int]:
    """How many pairs of a run stand where."""
    return counts_of_each(connection, [number])[number]


def counts_of_each(connection: sa.Connection, numbers: Sequence[int]) -> Mapping[int, Mapping[ChangeOutcome, int]]:
    """How many pairs of each of some runs stand where."""
    found: dict[int, dict[ChangeOutcome, int]] = {number: {} for number in numbers}
    columns = sync_changes.c.run_id, sync_changes.c.outcome
    statement = sa.select(*columns, sa.func.count()).where(sync_changes.c.run_id.in_(numbers)).group_by(*columns)
    for number, outcome, count in connection.execute(statement):
        found[number][ChangeOutcome(outcome)] = count
    return found


def reasons(connection: sa.Connection, number: int, outcome: ChangeOutcome) -> Mapping[str, int]:
    """Why pairs stand where they stand, most often first."""
    count = sa.func.count()
    wanted = sync_changes.c.run_id == number, sync_changes.c.outcome == outcome.value
    statement = sa.select(sa.func.coalesce(sync_changes.c.reason, ""), count).where(*wanted)
    grouped = statement.group_by(sa.func.coalesce(sync_changes.c.reason, "")).order_by(count.desc())
    return {row[0]: row[1] for row in connection.execute(grouped)}


def set_outcome(connection: sa.Connection, number: int, position: int, outcome: ChangeOutcome, reason: str | None = None) -> None:
    """What became of a pair."""
    _change_pair(connection, number, position, outcome=outcome.value, reason=reason)


def note_applying(connection: sa.Connection, number: int, position: int, before: Rows, after: Rows, transaction: str) -> bool:
    """A pair is about to be committed in the watched database; from now on what became of it must be looked up there.

    False, and nothing is noted, when the run is not at work any more.
    """
    run = find(connection, number, lock=True)
    if run is None or run.status is not RunStatus.RUNNING:
        return False
    rows = {"before": rows_as_json(before), "after": rows_as_json(after)}
    _change_pair(connection, number, position, outcome=ChangeOutcome.APPLYING.value, transaction=transaction, **rows)
    return True


def _change_pair(connection: sa.Connection, number: int, position: int, **values: Any) -> None:
    pair = sync_changes.c.run_id == number, sync_changes.c.position == position
    connection.execute(sa.update(sync_changes).where(*pair).values(**values))


def leave_untried(connection: sa.Connection, number: int) -> None:
    """What was only planned is not tried any more."""
    planned = sync_changes.c.run_id == number, sync_changes.c.outcome == ChangeOutcome.PLANNED.value
    connection.execute(sa.update(sync_changes).where(*planned).values(outcome=ChangeOutcome.NOT_TRIED.value))


def all_changes(connection: sa.Connection, number: int) -> Iterator[Change]:
    """Every change of a run, some hundred at a time."""
    last = 0
    while found := changes(connection, number, after=last, limit=_CHUNK):
        yield from found
        last = found[-1].position


def _values(change: Change) -> dict[str, Any]:
    return {
        "position": change.position,
        "user_text": str(change.user_id),
        "user_number": change.user_id if isinstance(change.user_id, int) and abs(change.user_id) < 2**63 else None,
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
        "transaction": change.transaction,
        "undoes": change.undoes,
    }


def _change(row: sa.Row[Any]) -> Change:
    user: UserId = row.user_text if row.user_number is None else row.user_number
    return Change(
        row.position,
        user,
        row.specialization,
        Kind(row.kind),
        row.progress_level,
        row.license_level,
        Step(row.step) if row.step else None,
        row.level,
        ChangeOutcome(row.outcome),
        row.reason,
        rows_from_json(row.before),
        rows_from_json(row.after),
        row.transaction,
        row.undoes,
    )


def _run(row: sa.Row[Any]) -> Run:
    values = dict(row._mapping)
    policies = Policies.from_json(values.pop("policy"))
    return Run(
        **{**values, "status": RunStatus(values["status"]), "trigger": Trigger(values["trigger"]), "policies": policies},
    )
