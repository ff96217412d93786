"""`coupling-health sync`: what would be mended, mending it, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import typer
from rich.table import Table

from core.assembly import build_monitor, build_sync
from core.errors import NoWatchedDatabase, SyncProblem
from core.model import Request, Trigger
from core.settings import load_settings
from core.state.sync_runs import Run, RunStatus
from core.sync.change import Change, ChangeOutcome
from core.sync.plan import Plan
from core.sync.policy import Policies, Policy
from core.sync.record import change_as_json, plan_as_json, run_as_json
from core.sync.service import SyncService
from dashboard.cli_alerts import telling
from dashboard.console import AsJson, errors_in_words, eyes, plain, put, whoami
from dashboard.wording import KIND_LABELS, NONE, counted, number
from dashboard.wording_sync import OUTCOME_LABELS, RUN_LABELS, counts_in_words, step_in_words

_SHOWN = 20
_NAMED = 5  # pairs of a reason
_AS_PLANNED = (ChangeOutcome.APPLIED, ChangeOutcome.PLANNED)


def sync(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Check, plan, write, and check again.")] = False,
    undo: Annotated[
        int | None, typer.Option("--undo", metavar="RUN", min=1, max=2**31 - 1, help="Put back what a run wrote.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the newest runs.")] = False,
    policy: Annotated[
        Policy | None, typer.Option(help="Which side is right, for all kinds; default: as in the settings.")
    ] = None,
    changes: Annotated[
        int | None, typer.Option(min=0, help="With --apply: the number of changes that you saw; above the limits it is needed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Mend what disagrees, where it is clear how. Exits 0 when all that was planned is done, 1 when not all, 2 when nothing."""
    with errors_in_words(as_json=as_json):
        _require_one([dry_run, apply, undo is not None, list_], changes=changes, policy=policy, apply=apply, dry_run=dry_run)
        settings = load_settings()
        if settings.demo:
            raise NoWatchedDatabase
        monitor = build_monitor(settings)
        service = build_sync(monitor)
        request = Request(Trigger.CLI, whoami())
        policies = None if policy is None else Policies.all(policy)
        if list_:
            service.recover_quietly()
            _print_runs(service, as_json=as_json)
            return
        if dry_run:
            _print_plan(service, service.find_desync_issues(request, policies=policies, dry_run=True), as_json=as_json)
            return
        with telling(monitor):
            try:
                run = _undo(service, undo, request) if undo is not None else _apply(service, request, policies, changes)
            except KeyboardInterrupt:
                service.recover_quietly()
                for run, _ in service.runs(1):
                    _print_run(service, run, as_json=as_json)
                raise
        code = _print_run(service, run, as_json=as_json)
    raise typer.Exit(code)


def _require_one(chosen: Sequence[bool], *, changes: int | None, policy: Policy | None, apply: bool, dry_run: bool) -> None:
    hint = "Write one of --dry-run, --apply, --undo RUN, --list."
    if sum(chosen) != 1:
        raise SyncProblem("It is not clear what to do." if any(chosen) else "Nothing was said of what to do.", hint=hint)
    if changes is not None and not apply:
        raise SyncProblem("--changes goes with --apply.", hint=hint)
    if policy is not None and not (apply or dry_run):
        raise SyncProblem("--policy goes with --dry-run or --apply.", hint=hint)


def _apply(service: SyncService, request: Request, policies: Policies | None, changes: int | None) -> Run:
    service.require_write_access()
    plan = service.find_desync_issues(request, policies=policies)
    return service.apply(service.keep(plan, request).id, request, seen=changes)


def _undo(service: SyncService, number_: int, request: Request) -> Run:
    return service.undo(number_, request)


def _print_plan(service: SyncService, plan: Plan, *, as_json: bool) -> None:
    limits = service.settings.sync.limits
    exceeded = limits.exceeded(plan.planned, plan.total_checked)
    if as_json:
        statements = service.statements(plan.changes, plan.policies) if plan.changes else ()
        put(plan_as_json(plan, limits, statements, may_write=service.may_write))
        return
    planned = [change for change in plan.changes if change.step is not None]
    left = counted(plan.left_alone, "pair is", "pairs are")
    eyes.print(f"[bold]{counted(plan.planned, 'change', 'changes')}[/bold] would be written. {left} left alone.")
    if planned:
        _print_changes(planned, plan.planned)
    _print_by_reason([change for change in plan.changes if change.step is None])
    if plan.not_looked_at:
        eyes.print(f"{number(plan.not_looked_at)} more violations do not fit into one plan; a next run takes them.")
    if exceeded:
        hint = f"look at them, then run `coupling-health sync --apply --changes {plan.planned}`"
        eyes.print(f"[yellow]Above the limits:[/yellow] {exceeded}; {hint}.", soft_wrap=True)
    if limits.needs_second(plan.planned):
        eyes.print(f"More than {number(limits.approval_above)} changes need a second admin, on the page Sync.")
    if not service.may_write:
        eyes.print("Nothing can be written: COUPLING_HEALTH_SYNC_DATABASE_URL is not set.")
    eyes.print("Dry run: nothing was written.")


def _print_changes(changes: Iterable[Change], count: int) -> None:
    table = Table("User", "Specialization", "Problem", "Progress", "Licence", "What")
    for change in list(changes)[:_SHOWN]:
        levels = (NONE if level is None else str(level) for level in (change.progress_level, change.license_level))
        pair = plain(str(change.user_id)), plain(change.specialization)
        table.add_row(*pair, KIND_LABELS[change.kind], *levels, step_in_words(change))
    eyes.print(table)
    if count > _SHOWN:
        eyes.print(f"… and {number(count - _SHOWN)} more; --json lists them.")


def _print_by_reason(changes: Iterable[Change]) -> None:
    """Pairs that were not written, by the reason, with some of each."""
    grouped: dict[str, list[str]] = {}
    for change in changes:
        said = f"{OUTCOME_LABELS[change.outcome]}. {change.reason or ''}".strip()
        grouped.setdefault(said, []).append(f"{change.user_id} {change.specialization}")
    for said, pairs in grouped.items():
        more = f" and {number(len(pairs) - _NAMED)} more" if len(pairs) > _NAMED else ""
        eyes.print(
            f"[bold]{number(len(pairs))}[/bold] × {plain(said)} ({plain(', '.join(pairs[:_NAMED]))}{more})", soft_wrap=True
        )


def _print_run(service: SyncService, run: Run, *, as_json: bool) -> int:
    """Show a run; the exit code that tells how it went."""
    counts = service.counts(run.id)
    if as_json:
        found = service.changes(run.id, limit=None)
        put({**run_as_json(run, counts), "changes": [change_as_json(change) for change in found]})
    else:
        eyes.print(f"[bold]Sync run {run.id}: {RUN_LABELS[run.status].lower()}[/bold], {_pairs(run, counts)}.")
        if run.reason:
            eyes.print(plain(run.reason), soft_wrap=True)
        _print_by_reason(service.changes(run.id, [one for one in counts if one not in _AS_PLANNED], limit=None))
        if run.status is RunStatus.HELD:
            eyes.print(f"Look at it with --dry-run or on the page Sync, then run it with --changes {run.planned}.")
        if run.mended is not None and counts.get(ChangeOutcome.APPLIED):
            agree = f"{number(run.mended)} of {number(counts[ChangeOutcome.APPLIED])} agree"
            warning = "" if run.mended == counts[ChangeOutcome.APPLIED] else "[yellow]Warning:[/yellow] "
            eyes.print(f"{warning}The check after it: {agree}.")
        if run.check_problem:
            eyes.print(f"[yellow]Warning:[/yellow] the check after it failed: {plain(run.check_problem)}", soft_wrap=True)
        if run.status is RunStatus.RUNNING:
            eyes.print("It ended early. What became of every pair is looked up by the next `coupling-health sync --list`.")
        if counts.get(ChangeOutcome.APPLIED) and run.undoes is None:
            eyes.print(f"`coupling-health sync --undo {run.id}` takes it back.")
    return _exit_code(run, counts.get(ChangeOutcome.APPLIED, 0))


def _exit_code(run: Run, written: int) -> int:
    """0 when all that was planned is written and the check after it agrees, 1 when not all, 2 when nothing is."""
    mended = run.undoes is not None or not written or run.mended == written
    if run.status is RunStatus.DONE and written == run.planned and mended and not run.check_problem:
        return 0
    return 1 if written or run.status is RunStatus.DONE else 2


def _print_runs(service: SyncService, *, as_json: bool) -> None:
    runs = service.runs()
    if as_json:
        put([run_as_json(run, counts) for run, counts in runs])
        return
    table = Table("Run", "Planned (UTC)", "By", "Stands", "Pairs")
    for run, counts in runs:
        label = RUN_LABELS[run.status] + (f", takes back {run.undoes}" if run.undoes else "")
        table.add_row(str(run.id), f"{run.planned_at:%Y-%m-%d %H:%M}", plain(run.planned_by), label, _pairs(run, counts))
    eyes.print(table if runs else "No run yet. `coupling-health sync --dry-run` shows what one would do.")


def _pairs(run: Run, counts: Mapping[ChangeOutcome, int]) -> str:
    return counts_in_words(counts, undoing=run.undoes is not None)
