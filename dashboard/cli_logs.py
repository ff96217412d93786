"""`coupling-health import-logs` and `coupling-health logs …`: violation logs from elsewhere, and old ones."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.assembly import open_state
from core.audit_trail import AuditTrail
from core.clock import utc_now
from core.errors import CouplingHealthError
from core.health_monitor import HealthMonitor
from core.logs.archive import archive_folder
from core.logs.compaction import Compacted
from core.logs.sources import is_archive
from core.settings import Settings, load_settings
from core.state.audit import Deed
from dashboard.console import AsJson, errors_in_words, eyes, plain, print_import, put, typist

app = typer.Typer(no_args_is_help=True, help="What becomes of old violation logs.")

_MONTHS_KEPT = 1  # where nothing is set


def import_logs(
    place: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER|ARCHIVE]", help="A folder, or a .tar.gz or .zip of one; default: the log directory."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read violation logs that others wrote into history, each once. Broken ones are named and left alone."""
    with errors_in_words(as_json=as_json):
        settings = load_settings()
        monitor = HealthMonitor(settings, open_state(settings), None)
        place = place or settings.violation_log_dir
        _expect_logs_in(place)
        columns = TextColumn("Reading logs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=eyes, transient=True) as bar:
            task = bar.add_task("read", total=None)
            result = monitor.import_logs(place, lambda done, all_: bar.update(task, completed=done, total=all_), typist())
        print_import(result, as_json=as_json, demo=settings.demo)


def _expect_logs_in(place: Path) -> None:
    if not place.exists():
        raise CouplingHealthError(f"There is no {place}.", hint="Name a folder or an archive that holds *_violations.json files.")
    if not place.is_dir() and not is_archive(place):
        raise CouplingHealthError(
            f"{place} is neither a folder nor an archive.",
            hint="Name a folder of *_violations.json files, or a .tar.gz or .zip of one.",
        )


@app.command("compact")
def compact(
    keep: Annotated[
        int | None, typer.Option(min=1, help="Whole months that stay as single files. Default: logs.compact_after_months, or 1.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be archived; write and remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the logs of old months into one .zip a month. A log is removed only after its archive was read back."""
    with errors_in_words(as_json=as_json):
        settings = load_settings()
        months = keep or settings.logs.compact_after_months or _MONTHS_KEPT
        with eyes.status("Archiving logs ..."):
            monitor = HealthMonitor(settings, open_state(settings), None)
            done = monitor.compact_logs(months, dry_run=True)
            if done.archived and not dry_run:
                AuditTrail(monitor.state, utc_now).note(
                    typist(), Deed.LOGS_ARCHIVED, _planned(done, settings)
                )  # before any is removed
                done = monitor.compact_logs(months)
        if as_json:
            put({**asdict(done), "dry_run": dry_run, "demo": settings.demo})
        else:
            _print_compacted(done, settings, months, dry_run=dry_run)


def _planned(done: Compacted, settings: Settings) -> str:
    return f"{done.archived:,} logs of {', '.join(done.months)} in {settings.violation_log_dir.absolute()}"


def _print_compacted(done: Compacted, settings: Settings, months: int, *, dry_run: bool) -> None:
    if settings.demo:
        eyes.print("[yellow]Demo:[/yellow] no watched database is configured, so these are the demo's logs.")
    if not done.archived:
        spared = "the last whole month" if months == 1 else f"the last {months} whole months"
        eyes.print(f"Nothing to archive: no readable logs are older than {spared}.")
    else:
        span = done.months[0] if len(done.months) == 1 else f"{done.months[0]} to {done.months[-1]}"
        folder = plain(str(archive_folder(settings.violation_log_dir)))
        did = "Would archive" if dry_run else "Archived"
        sizes = f"{_megabytes(done.before)}" if dry_run else f"{_megabytes(done.before)}, now {_megabytes(done.after)}"
        eyes.print(f"{did} {done.archived:,} logs of {span} ({sizes}) in [bold]{folder}[/bold].", soft_wrap=True)
    if done.left:
        eyes.print(f"{done.left:,} logs of those months stay where they are: they cannot be read, or changed meanwhile.")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
