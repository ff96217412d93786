"""What every command shares: words for eyes on stderr, documents for programs, and the border where errors become words."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.durations import in_words
from core.errors import CouplingHealthError
from core.health_monitor import HealthSummary
from core.logs.importing import ImportResult
from core.model import Report, Status
from core.scheduler import in_one_line
from core.settings import Settings
from core.state import accounts, audit
from dashboard.wording import ACTION_LABELS, KIND_LABELS, NONE, STATUS_LOOKS, changes_in_words, kinds_in_words, number

if TYPE_CHECKING:
    from dashboard.runtime import FirstLogin

eyes = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]

_SHOWN_VIOLATIONS = 20
_STYLES = {Status.HEALTHY: "green", Status.DEGRADED: "yellow", Status.CRITICAL: "red", Status.UNKNOWN: "dim"}


def put(document: object) -> None:
    """One JSON document on stdout, which is what programs read."""
    print(json.dumps(document))  # noqa: T201 - the one place that may


def plain(text: str) -> str:
    """Text that is not ours: brackets in it are no markup."""
    return escape(text)


@contextmanager
def errors_in_words(*, as_json: bool = False) -> Iterator[None]:
    """The border of every command: an error becomes a sentence, a next step and exit code 2."""
    try:
        yield
    except CouplingHealthError as error:
        _fail(str(error), error.hint, as_json=as_json)
    except OSError as refused:
        _fail(
            f"{refused.strerror or refused}: {refused.filename or ''}",
            "Check that the path exists and may be used.",
            as_json=as_json,
        )
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _fail(sentence: str, hint: str, *, as_json: bool) -> NoReturn:
    if as_json:
        put({"error": sentence, "hint": hint})
    eyes.print(f"[bold red]Error:[/bold red] {plain(sentence)}", soft_wrap=True)
    eyes.print(f"{plain(hint)}", soft_wrap=True)
    raise typer.Exit(2)


def whoami() -> str | None:
    """Who types: the name of the operating system's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return None


def typist() -> str:
    """Who types, as the audit trail calls them."""
    return audit.at_a_terminal(whoami())


def print_report(report: Report, status: Status) -> None:
    eyes.print(f"[bold {_STYLES[status]}]{STATUS_LOOKS[status].label}[/]: {in_one_line(report)} in {report.duration_ms} ms")
    if report.by_kind:
        eyes.print(kinds_in_words(report.by_kind))
    if report.settled:
        eyes.print(changes_in_words(None, report.settled))
    for side, rows in (
        ("progress", report.totals.unidentified_progress_rows),
        ("licence", report.totals.unidentified_license_rows),
    ):
        if rows:
            eyes.print(f"[yellow]Warning:[/yellow] {number(rows)} {side} rows have no user or specialization, and are no pair.")
    if report.totals.total_checked == 0:
        eyes.print("Nothing to check: neither table holds a pair. Is this the right database?")
    if report.totals.inconsistent:
        _print_violations(report)
    if report.dry_run:
        eyes.print("Dry run: nothing was written.")
    elif report.log_file:
        eyes.print(f"Logged as {report.log_file}.")


def _print_violations(report: Report) -> None:
    table = Table("User", "Specialization", "Progress", "Licence", "Problem", "Action")
    for violation in islice(report.violations, _SHOWN_VIOLATIONS):
        levels = (NONE if level is None else str(level) for level in (violation.progress_level, violation.license_level))
        labels = KIND_LABELS[violation.kind], ACTION_LABELS[violation.recommended_action]
        table.add_row(plain(str(violation.user_id)), plain(violation.specialization), *levels, *labels)
    eyes.print(table)
    if report.totals.inconsistent > _SHOWN_VIOLATIONS:
        eyes.print(f"… and {number(report.totals.inconsistent - _SHOWN_VIOLATIONS)} more; --json lists them all.")


def print_summary(summary: HealthSummary, *, demo: bool) -> None:
    since = f" for {in_words(summary.at - summary.assessment.since)}" if summary.assessment.since else ""
    mark = " [dim](demo data)[/dim]" if demo else ""
    label = f"[bold {_STYLES[summary.status]}]{STATUS_LOOKS[summary.status].label}[/]"
    eyes.print(f"{label}{since}: {plain(summary.assessment.reason)}{mark}", soft_wrap=True)
    if summary.last and summary.totals:
        known = "Last known: " if summary.status is Status.UNKNOWN else ""
        age = in_words(summary.at - summary.last.timestamp)
        rate = NONE if summary.consistency_rate is None else f"{summary.consistency_rate}%"
        eyes.print(f"{known}{summary.totals.consistent}/{summary.totals.total_checked} consistent ({rate}), checked {age} ago")
        if since_last := changes_in_words(summary.changes, summary.last.settled):
            eyes.print(since_last)


def summary_as_json(summary: HealthSummary, *, demo: bool) -> dict[str, Any]:
    last = summary.last
    return {
        "demo": demo,
        "status": summary.status.value,
        "reason": summary.assessment.reason,
        "since": summary.assessment.since.isoformat() if summary.assessment.since else None,
        "last_check": last.timestamp.isoformat() if last else None,
        "consistency_rate": float(summary.consistency_rate) if summary.consistency_rate is not None else None,
        "total_checked": summary.totals.total_checked if summary.totals else None,
        "total_violations": summary.totals.inconsistent if summary.totals else None,
        "requires_attention": summary.requires_attention,
        "since_last_check": asdict(summary.changes) if summary.changes else None,
        "settled": last.settled if last else 0,
    }


def print_import(result: ImportResult, *, as_json: bool, demo: bool) -> None:
    if as_json:
        broken = [{"path": log.path, "problem": log.problem} for log in result.broken]
        counts = {"imported": result.imported, "already_known": result.already_known, "broken": broken, "demo": demo}
        put(counts)
        return
    if demo:
        eyes.print("[yellow]Demo:[/yellow] no watched database is configured, so this went into the demo's history.")
    eyes.print(f"Imported {result.imported}, already known {result.already_known}, broken {len(result.broken)}.")
    for log in result.broken:
        eyes.print(f"  [yellow]{plain(Path(log.path).name)}[/yellow]: {plain(log.problem or '')}", soft_wrap=True)
    if result.broken:
        eyes.print("Broken files were left as they are.")


def announce(settings: Settings, login: FirstLogin, password: str) -> None:
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host  # noqa: S104 - told apart, not listened on
    lines = [f"Coupling Health is at [bold]http://{host}:{settings.port}[/bold]"]
    if settings.demo:
        lines.append("Demo data: no watched database is configured. Set COUPLING_HEALTH_DATABASE_URL to watch a real one.")
    lines.append(
        f"User name: [bold]{accounts.FIRST_ADMIN}[/bold]"
        if login != "known"
        else "Log in with a name and password that you have."
    )
    if login == "made up":
        lines.append(f"Password:  [bold]{password}[/bold]   (shown this once; kept only as a hash)")
    elif login == "chosen":
        lines.append(
            "Password:  the one in COUPLING_HEALTH_ADMIN_PASSWORD (kept only as a hash; the variable is not needed any more)"
        )
    else:
        lines.append(f"Forgotten? `coupling-health user passwd {accounts.FIRST_ADMIN}` sets a new password.")
    eyes.print("\n" + "\n".join(f"  {line}" for line in lines) + "\n", soft_wrap=True)
