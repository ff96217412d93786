"""coupling-health: what people type, and what programs read.

Everything meant for eyes goes to stderr; stdout carries nothing but the one document that --json asks for.
"""

from __future__ import annotations

import getpass
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from core import doctor as diagnosis
from core.assembly import build_coupler, build_monitor, open_state
from core.clock import utc_now
from core.demo import build as build_demo
from core.errors import CouplingHealthError, NoWatchedDatabase
from core.health_monitor import HealthMonitor
from core.logs.writing import report_as_json
from core.model import Request, Status, Trigger
from core.passwords import is_weak
from core.settings import Settings, load_settings
from core.state import accounts, audit
from core.state.audit import Deed
from core.status import status_of
from dashboard import cli_alerts, cli_logs, cli_report, cli_sync, cli_tokens
from dashboard.console import (
    AsJson,
    announce,
    errors_in_words,
    eyes,
    plain,
    print_report,
    print_summary,
    put,
    summary_as_json,
    typist,
    whoami,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Watches two tables that must agree, and tells whether they do.",
)
user_app = typer.Typer(no_args_is_help=True, help="Who may log in to the dashboard.")
app.add_typer(user_app, name="user")
app.add_typer(cli_tokens.app, name="token")
app.add_typer(cli_report.app, name="report")
app.add_typer(cli_alerts.app, name="alert")
app.command("drill")(cli_alerts.run_drill)
app.command("sync")(cli_sync.sync)
app.command("import-logs")(cli_logs.import_logs)
app.add_typer(cli_logs.app, name="logs")

_EXIT = {Status.HEALTHY: 0, Status.DEGRADED: 1, Status.CRITICAL: 1, Status.UNKNOWN: 2}


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
    with errors_in_words():
        _serve(load_settings(**_given(host=host, port=port)))


@app.command()
def demo(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    build_only: Annotated[bool, typer.Option("--build-only", help="Make the demo's database and logs; serve nothing.")] = False,
) -> None:
    """Serve the demo, also when a real database is configured. Nothing of it touches real data."""
    with errors_in_words():
        settings = load_settings(**_given(host=host, port=port)).as_demo()
        if not build_only:
            _serve(settings)
            return
        database = Path(str(settings.watched_url.database))
        fresh = build_demo(database, settings.violation_log_dir, utc_now())
        made, logs = plain(str(database)), plain(str(settings.violation_log_dir))
        eyes.print(f"{'Made' if fresh else 'There already:'} [bold]{made}[/bold] and the logs in {logs}.", soft_wrap=True)


@app.command()
def check(
    as_json: AsJson = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write neither log nor history.")] = False,
) -> None:
    """Check all pairs once. Exits 0 when healthy, 1 when degraded or critical, 2 when it could not or had nothing to."""
    with errors_in_words(as_json=as_json):
        settings = _settings_with_database()
        monitor = build_monitor(settings)
        with cli_alerts.telling(monitor):
            report = monitor.check_all_users(dry_run=dry_run, request=Request(Trigger.CLI, whoami()))
        status = status_of(report.totals.consistent, report.totals.total_checked, settings.status_thresholds)
        if as_json:
            sys.stdout.writelines(report_as_json(report))
        else:
            print_report(report, status)
    raise typer.Exit(_EXIT[status])


@app.command()
def status(as_json: AsJson = False) -> None:
    """What is known, from the state database alone. Exits 0 when healthy, 1 when degraded or critical, 2 when unknown."""
    with errors_in_words(as_json=as_json):
        settings = load_settings()
        coupler = None if settings.demo else build_coupler(settings)
        summary = HealthMonitor(settings, open_state(settings), coupler).get_health_summary()
        if as_json:
            put(summary_as_json(summary, demo=settings.demo))
        else:
            print_summary(summary, demo=settings.demo)
    raise typer.Exit(_EXIT[summary.status])


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Find out what is wrong and what to do. Exits 0 when all is well, 1 when something needs mending."""
    with errors_in_words(as_json=as_json):
        settings = _settings_with_database()
        findings = []
        for finding in diagnosis.examine(settings):
            findings.append(finding)
            if not as_json:
                mark = {diagnosis.Verdict.GOOD: "[green]✓[/green]", diagnosis.Verdict.ADVICE: "[yellow]•[/yellow]"}
                eyes.print(
                    f"{mark.get(finding.verdict, '[red]✗[/red]')} [bold]{finding.subject}[/bold]: {plain(finding.sentence)}",
                    soft_wrap=True,
                )
                if finding.hint:
                    eyes.print(f"    {plain(finding.hint)}", soft_wrap=True)
        if as_json:
            put([finding.as_json() for finding in findings])
    raise typer.Exit(1 if any(finding.verdict is diagnosis.Verdict.BAD for finding in findings) else 0)


@user_app.command("add")
def user_add(username: str) -> None:
    """Add somebody who may log in."""
    with errors_in_words(), open_state(load_settings()).write() as connection:
        name = accounts.add(connection, username, _ask_password(), utc_now())
        audit.note(connection, utc_now(), typist(), Deed.ACCOUNT_ADDED, name)
        eyes.print(f"Added {plain(name)}.")


@user_app.command("list")
def user_list(as_json: AsJson = False) -> None:
    """List who may log in."""
    with errors_in_words(as_json=as_json):
        with open_state(load_settings()).read() as connection:
            everyone = accounts.everyone(connection)
        if as_json:
            put([{"username": a.username, "created_at": a.created_at.isoformat()} for a in everyone])
            return
        table = Table("User", "Since (UTC)")
        for account in everyone:
            table.add_row(plain(account.username), f"{account.created_at:%Y-%m-%d %H:%M}")
        eyes.print(table if everyone else "Nobody yet. The first start of `coupling-health serve` makes the first admin.")


@user_app.command("passwd")
def user_passwd(username: str) -> None:
    """Change a password; ends the sessions of that user, and any waiting after wrong passwords."""
    with errors_in_words():
        password = _ask_password()
        with open_state(load_settings()).write() as connection:
            name = accounts.change_password(connection, username, password)
            audit.note(connection, utc_now(), typist(), Deed.PASSWORD_CHANGED, name)
        eyes.print(f"Changed. {plain(username)} must log in again.")


@user_app.command("remove")
def user_remove(username: str) -> None:
    """Remove somebody; ends that user's sessions."""
    with errors_in_words(), open_state(load_settings()).write() as connection:
        name = accounts.remove(connection, username)
        audit.note(connection, utc_now(), typist(), Deed.ACCOUNT_REMOVED, name)
        eyes.print(f"Removed {plain(username)}.")


def _serve(settings: Settings) -> None:
    from dashboard.runtime import Runtime  # the server's libraries take a second to load; other commands do without
    from dashboard.server import log_to_console, serve

    logging.getLogger("core").handlers.clear()
    log_to_console()
    _refuse_taken_port(settings)
    if settings.admin_password is not None:
        _warn_if_weak(settings.admin_password.get_secret_value())
    serve(Runtime(settings, lambda login, password: announce(settings, login, password)))


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


def _settings_with_database() -> Settings:
    settings = load_settings()
    if settings.demo:
        raise NoWatchedDatabase
    return settings


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


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


if __name__ == "__main__":
    main()
