"""Who may let a plan be written, and when: pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.errors import SyncProblem
from core.state.sync_runs import Run, RunStatus
from core.sync.change import Change, ChangeOutcome
from core.sync.configured import Limits

Values = Mapping[str, object]  # what is kept of a run from then on


def require(run: Run, wanted: Sequence[RunStatus]) -> None:
    """See that a run stands where something can be done with it. Raises SyncProblem."""
    if run.status not in wanted:
        raise SyncProblem(f"Sync run {run.id} is {run.status}: that cannot be done any more.", hint="See the page Sync.")


def confirmed(run: Run, by: str, seen: int | None, limits: Limits, now: datetime, *, a_person: bool = True) -> Values:
    """What becomes of a plan that somebody wants to be written: it runs, waits for a second admin, or is held for a person.

    `seen` is the number of changes that a person looked at; None: nobody did. Raises SyncProblem when it is another number.
    What no person asked for (the schedule) is held where two are needed.
    """
    require(run, (RunStatus.PLANNED, RunStatus.HELD))
    _require_seen(run, seen)
    exceeded = limits.exceeded(run.planned, run.total_checked)
    if exceeded is not None and seen is None:
        return {"status": RunStatus.HELD, "reason": f"{exceeded[0].upper()}{exceeded[1:]}."}
    if not a_person and limits.needs_second(run.planned):
        return {"status": RunStatus.HELD, "reason": f"More than {limits.approval_above:,} changes need two admins."}
    return {"confirmed_at": now, "confirmed_by": by, **go_on(run.planned, limits, now)}


def go_on(changes: int, limits: Limits, now: datetime) -> Values:
    """Where a run stands that one person wants: at work, or waiting for a second one."""
    if limits.needs_second(changes):
        reason = f"More than {limits.approval_above:,} changes need a second admin, who approves on the page Sync."
        return {"status": RunStatus.WAITING, "reason": reason}
    return _begun(now)


def approved(run: Run, by: str, behind: Container[str], seen: int, now: datetime) -> Values:
    """What becomes of a plan that a second admin agrees to; `behind` are those who may be the one who confirmed it.

    Raises SyncProblem when it is one of those.
    """
    require(run, (RunStatus.WAITING,))
    if by in behind:
        raise SyncProblem(
            f"{run.confirmed_by} confirmed sync run {run.id}: that may be you. A second admin must approve it.",
            hint="Ask another admin.",
        )
    _require_seen(run, seen)
    return {"approved_at": now, "approved_by": by, **_begun(now)}


def backwards(change: Change, position: int) -> Change:
    """The change that takes an applied one back."""
    return replace(
        change,
        position=position,
        outcome=ChangeOutcome.PLANNED,
        reason=None,
        before=change.after,
        after=change.before,
        transaction=None,
        undoes=change.position,
    )


def _begun(now: datetime) -> Values:
    return {"status": RunStatus.RUNNING, "started_at": now, "reason": None}


def _require_seen(run: Run, seen: int | None) -> None:
    if seen is not None and seen != run.planned:
        raise SyncProblem(
            f"Sync run {run.id} has {run.planned:,} changes, not {seen:,}.",
            hint="Look at it again: their number is what is asked for.",
        )
