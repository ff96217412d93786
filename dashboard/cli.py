"""coupling-health: what people type, and what programs read.

Everything meant for eyes goes to stderr; stdout carries nothing but the one document that --json asks for.
"""

from __future__ import annotations

import getpass
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from core import doctor as diagnosis
from core.assembly import build_coupler, build_monitor, open_state
from core.clock import utc_now
from core.demo import build as build_demo
from core.durations import in_words
from core.errors import CouplingHealthError, NoWatchedDatabase
from core.health_monitor import HealthMonitor, HealthSummary
from core.log_import import ImportResult
from core.model import Report, Request, Status, Trigger
from core.passwords import is_weak
from core.scheduler import in_one_line
from core.settings import Settings, load_settings
from core.state import accounts
from core.status import status_of
from core.violation_log import report_as_json
from dashboard.wording import ACTION_LABELS, KIND_LABELS, NONE, STATUS_LOOKS, kinds_in_words, number

if TYPE_CHECKING:
    from dashboard.runtime import FirstLogin

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Watches two tables that must agree, and tells whether they do.",
)
user_app = typer.Typer(no_args_is_help=True, help="Who may log in to the dashboard.")
app.add_typer(user_app, name="user")

eyes = Console(stderr=True, highlight=False)

_SHOWN_VIOLATIONS = 20
_EXIT = {Status.HEALTHY: 0, Status.DEGRADED: 1, Status.CRITICAL: 1, Status.UNKNOWN: 2}
_STYLES = {Status.HEALTHY: "green", Status.DEGRADED: "yellow", Status.CRITICAL: "red", Status.UNKNOWN: "dim"}

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def main() -> None:
    """The console script."""
    logging.getLogger("core").addHandler(logging.StreamHandler())
    app()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the dashboard and run the checks, on one port. Without a configured database: the demo."""
    with _in_words():
        _serve(load_settings(**_given(host=host, port=port)))


@app.command()
def demo(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    build_only: Annotated[bool, typer.Option("--build-only", help="Make the demo's database and logs; serve nothing.")] = False,
) -> None:
    """Serve the demo, also when a real database is configured. Nothing of it touches real data."""
    with _in_words():
        settings = load_settings(**_given(host=host, port=port)).as_demo()
        if not build_only:
            _serve(settings)
            return
        database = Path(str(settings.watched_url.database))
        fresh = build_demo(database, settings.violation_log_dir, utc_now())
        made, logs = _plain(str(database)), _plain(str(settings.violation_log_dir))
        eyes.print(f"{'Made' if fresh else 'There already:'} [bold]{made}[/bold] and the logs in {logs}.", soft_wrap=True)


@app.command()
def check(
    as_json: AsJson = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write neither log nor history.")] = False,
) -> None:
    """Check all pairs once. Exits 0 when healthy, 1 when degraded or critical, 2 when it could not or had nothing to."""
    with _in_words(as_json=as_json):
        settings = _settings_with_database()
        monitor = build_monitor(settings)
        report = monitor.check_all_users(dry_run=dry_run, request=Request(Trigger.CLI, _whoami()))
        status = status_of(report.totals.consistent, report.totals.total_checked, settings.status_thresholds)
        if as_json:
            sys.stdout.writelines(report_as_json(report))
        else:
            _print_report(report, status)
    raise typer.Exit(_EXIT[status])


@app.command()
def status(as_json: AsJson = False) -> None:
    """What is known, from the state database alone. Exits 0 when healthy, 1 when degraded or critical, 2 when unknown."""
    with _in_words(as_json=as_json):
        settings = load_settings()
        coupler = None if settings.demo else build_coupler(settings)
        summary = HealthMonitor(settings, open_state(settings), coupler).get_health_summary()
        if as_json:
            print(json.dumps(_summary_as_json(summary)))  # noqa: T201
        else:
            _print_summary(summary, demo=settings.demo)
    raise typer.Exit(_EXIT[summary.status])


@app.command("import-logs")
def import_logs(
    folder: Annotated[Path | None, typer.Argument(help="A folder of violation logs; default: the log directory.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read violation logs that others wrote into history, each once. Broken ones are named and left alone."""
    with _in_words(as_json=as_json):
        settings = load_settings()
        monitor = HealthMonitor(settings, open_state(settings), None)
        folder = folder or settings.violation_log_dir
        if not folder.is_dir():
            raise CouplingHealthError(f"There is no folder {folder}.", hint="Name a folder that holds *_violations.json files.")
        columns = TextColumn("Reading logs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=eyes, transient=True) as bar:
            task = bar.add_task("read", total=None)
            result = monitor.import_logs(folder, lambda done, all_: bar.update(task, completed=done, total=all_))
        _print_import(result, as_json=as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Find out what is wrong and what to do. Exits 0 when all is well, 1 when something needs mending."""
    with _in_words(as_json=as_json):
        settings = _settings_with_database()
        findings = []
        for finding in diagnosis.examine(settings):
            findings.append(finding)
            if not as_json:
                mark = {diagnosis.Verdict.GOOD: "[green]✓[/green]", diagnosis.Verdict.ADVICE: "[yellow]•[/yellow]"}
                eyes.print(
                    f"{mark.get(finding.verdict, '[red]✗[/red]')} [bold]{finding.subject}[/bold]: {_plain(finding.sentence)}",
                    soft_wrap=True,
                )
                if finding.hint:
                    eyes.print(f"    {_plain(finding.hint)}", soft_wrap=True)
        if as_json:
            print(json.dumps([finding.as_json() for finding in findings]))  # noqa: T201
    raise typer.Exit(1 if any(finding.verdict is diagnosis.Verdict.BAD for finding in findings) else 0)


@user_app.command("add")
def user_add(username: str) -> None:
    """Add somebody who may log in."""
    with _in_words(), open_state(load_settings()).write() as connection:
        name = accounts.add(connection, username, _ask_password(), utc_now())
        eyes.print(f"Added {_plain(name)}.")


@user_app.command("list")
def user_list(as_json: AsJson = False) -> None:
    """List who may log in."""
    with _in_words(as_json=as_json):
        with open_state(load_settings()).read() as connection:
            everyone = accounts.everyone(connection)
        if as_json:
            print(json.dumps([{"username": a.username, "created_at": a.created_at.isoformat()} for a in everyone]))  # noqa: T201
            return
        table = Table("User", "Since (UTC)")
        for account in everyone:
            table.add_row(_plain(account.username), f"{account.created_at:%Y-%m-%d %H:%M}")
        eyes.print(table if everyone else "Nobody yet. The first start of `coupling-health serve` makes the first admin.")


@user_app.command("passwd")
def user_passwd(username: str) -> None:
    """Change a password; ends the sessions of that user, and any waiting after wrong passwords."""
    with _in_words():
        password = _ask_password()
        with open_state(load_settings()).write() as connection:
            accounts.change_password(connection, username, password)
        eyes.print(f"Changed. {_plain(username)} must log in again.")


@user_app.command("remove")
def user_remove(username: str) -> None:
    """Remove somebody; ends that user's sessions."""
    with _in_words(), open_state(load_settings()).write() as connection:
        accounts.remove(connection, username)
        eyes.print(f"Removed {_plain(username)}.")


def _serve(settings: Settings) -> None:
    from dashboard.runtime import Runtime  # the server's libraries take a second to load; other commands do without
    from dashboard.server import log_to_console, serve

    logging.getLogger("core").handlers.clear()
    log_to_console()
    _refuse_taken_port(settings)
    if settings.admin_password is not None:
        _warn_if_weak(settings.admin_password.get_secret_value())
    serve(Runtime(settings, lambda login, password: _announce(settings, login, password)))


def _refuse_taken_port(settings: Settings) -> None:
    import socket

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as taken:
            raise CouplingHealthError(
                f"Cannot listen on {settings.host}:{settings.port}: {taken.strerror}.",
                hint="Stop what listens there, or set COUPLING_HEALTH_PORT to a free port.",
            ) from taken


def _announce(settings: Settings, login: FirstLogin, password: str) -> None:
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host  # noqa: S104
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


def _settings_with_database() -> Settings:
    settings = load_settings()
    if settings.demo:
        raise NoWatchedDatabase
    return settings


@contextmanager
def _in_words(*, as_json: bool = False) -> Iterator[None]:
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
        print(json.dumps({"error": sentence, "hint": hint}))  # noqa: T201
    eyes.print(f"[bold red]Error:[/bold red] {_plain(sentence)}", soft_wrap=True)
    eyes.print(f"{_plain(hint)}", soft_wrap=True)
    raise typer.Exit(2)


def _plain(text: str) -> str:
    """Text that is not ours: brackets in it are no markup."""
    return escape(text)


def _print_report(report: Report, status: Status) -> None:
    eyes.print(f"[bold {_STYLES[status]}]{STATUS_LOOKS[status].label}[/]: {in_one_line(report)} in {report.duration_ms} ms")
    if report.by_kind:
        eyes.print(kinds_in_words(report.by_kind))
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
        table.add_row(_plain(str(violation.user_id)), _plain(violation.specialization), *levels, *labels)
    eyes.print(table)
    if report.totals.inconsistent > _SHOWN_VIOLATIONS:
        eyes.print(f"… and {number(report.totals.inconsistent - _SHOWN_VIOLATIONS)} more; --json lists them all.")


def _print_summary(summary: HealthSummary, *, demo: bool) -> None:
    since = f" for {in_words(summary.at - summary.assessment.since)}" if summary.assessment.since else ""
    mark = " [dim](demo data)[/dim]" if demo else ""
    label = f"[bold {_STYLES[summary.status]}]{STATUS_LOOKS[summary.status].label}[/]"
    eyes.print(f"{label}{since}: {_plain(summary.assessment.reason)}{mark}", soft_wrap=True)
    if summary.last and summary.totals:
        known = "Last known: " if summary.status is Status.UNKNOWN else ""
        age = in_words(summary.at - summary.last.timestamp)
        rate = NONE if summary.consistency_rate is None else f"{summary.consistency_rate}%"
        eyes.print(f"{known}{summary.totals.consistent}/{summary.totals.total_checked} consistent ({rate}), checked {age} ago")


def _summary_as_json(summary: HealthSummary) -> dict[str, Any]:
    last = summary.last
    return {
        "status": summary.status.value,
        "reason": summary.assessment.reason,
        "since": summary.assessment.since.isoformat() if summary.assessment.since else None,
        "last_check": last.timestamp.isoformat() if last else None,
        "consistency_rate": float(summary.consistency_rate) if summary.consistency_rate is not None else None,
        "total_checked": summary.totals.total_checked if summary.totals else None,
        "total_violations": summary.totals.inconsistent if summary.totals else None,
        "requires_attention": summary.requires_attention,
    }


def _print_import(result: ImportResult, *, as_json: bool) -> None:
    if as_json:
        broken = [{"path": log.path, "problem": log.problem} for log in result.broken]
        print(json.dumps({"imported": result.imported, "already_known": result.already_known, "broken": broken}))  # noqa: T201
        return
    eyes.print(f"Imported {result.imported}, already known {result.already_known}, broken {len(result.broken)}.")
    for log in result.broken:
        eyes.print(f"  [yellow]{_plain(Path(log.path).name)}[/yellow]: {_plain(log.problem or '')}", soft_wrap=True)
    if result.broken:
        eyes.print("Broken files were left as they are.")


def _ask_password() -> str:
    if sys.stdin.isatty():
        password = getpass.getpass("New password: ")
        if getpass.getpass("Again: ") != password:
            raise CouplingHealthError("The two passwords differ.", hint="Nothing was changed; try again.")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    _warn_if_weak(password)
    return password


def _warn_if_weak(password: str) -> None:
    if password and is_weak(password):
        eyes.print("[yellow]Warning:[/yellow] the password has fewer than 8 characters; a longer one is harder to guess.")


def _whoami() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return None


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


if __name__ == "__main__":
    main()
