"""`coupling-health report …`: a period for people who never log in, and whether such a report is true."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.assembly import build_coupler, open_state
from core.clock import utc_now
from core.errors import ReportProblem, ReportUnreadable
from core.health_monitor import HealthMonitor
from core.model import ReportFormat
from core.record import HealthRecord
from core.reports import period
from core.settings import Settings, load_settings
from dashboard.console import AsJson, errors_in_words, eyes, plain, put
from dashboard.wording import counted

if TYPE_CHECKING:  # what writes reports takes a second to load; other commands do without
    from core.reports.making import Made
    from core.reports.verifying import Verification

app = typer.Typer(help="Make a report about a period, for people who never log in; or verify one.")

_STDOUT = Path("-")
_SHOWN_DIFFERENCES = 20
_LARGEST = 100_000_000  # bytes; no report is


@app.callback(invoke_without_command=True)
def report(
    context: typer.Context,
    asked: Annotated[str | None, typer.Option("--period", help=f"What it is about: {period.EXAMPLES}.")] = None,
    format_: Annotated[ReportFormat, typer.Option("--format", help="What it is written as.")] = ReportFormat.PDF,
    output: Annotated[Path | None, typer.Option(help="The file to write; - for stdout. Default: named by the period.")] = None,
    language: Annotated[str | None, typer.Option(help="Its language; default: report.language.")] = None,
    user_ids: Annotated[
        bool | None, typer.Option("--user-ids/--no-user-ids", help="Name users; default: report.user_ids.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a report about a period. Needs only the state database. Exits 0 when it was made, 2 when it could not be."""
    if context.invoked_subcommand is not None:
        return
    from core.reports import making

    with errors_in_words(as_json=as_json):
        if asked is None:
            raise ReportProblem("It is not said what the report is about.", hint=f"Add --period: {period.EXAMPLES}.")
        if as_json and output == _STDOUT:
            raise ReportProblem("The report and --json cannot both go to stdout.", hint="Name a file, or leave --json out.")
        settings, now = load_settings(), utc_now()
        about = period.parse(asked, settings.report.time_zone, now)
        made = making.make(_record(settings), about, format_, now, language=language, user_ids=user_ids)
        path = output or Path(made.name)
        if path == _STDOUT:
            sys.stdout.buffer.write(made.content)
            return
        write_whole(path, made.content)
        if as_json:
            put(_made_as_json(made, path, demo=settings.demo))
            return
        eyes.print(plain(made.said.sentence), soft_wrap=True)
        if settings.demo:
            eyes.print("[yellow]Demo:[/yellow] no watched database is configured, so this is about the demo.")
        eyes.print(f"Wrote [bold]{plain(str(path))}[/bold], {len(made.content) // 1000 or 1} kB.", soft_wrap=True)


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="A report: PDF, PowerPoint, HTML or CSV.")],
    as_json: AsJson = False,
) -> None:
    """Compute every figure of a report again. Exits 0 when all is as stated, 1 when something differs, 2 when it is no report."""
    from core.reports import verifying

    with errors_in_words(as_json=as_json):
        content = sys.stdin.buffer.read() if file == _STDOUT else _read(file)
        result = verifying.verify(content, _record(load_settings()))
        if as_json:
            put(_result_as_json(result))
        else:
            _print(result)
    raise typer.Exit(0 if result.holds else 1)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. It replaces an earlier report, and nothing else. Raises ReportProblem, OSError."""
    from core.reports import verifying

    if path.is_dir():
        raise ReportProblem(f"{path} is a folder.", hint="Name a file.")
    if path.exists():
        try:
            verifying.read(path.read_bytes())
        except ReportUnreadable as foreign:
            raise ReportProblem(
                f"There is a file {path} already that is no report.", hint="Name another with --output, or remove it."
            ) from foreign
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(unfinished).chmod(0o666 & ~_umask())
        Path(unfinished).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(unfinished).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _read(file: Path) -> bytes:
    if file.stat().st_size > _LARGEST:
        raise ReportUnreadable("This file is larger than any report.")
    return file.read_bytes()


def _record(settings: Settings) -> HealthRecord:
    coupler = None if settings.demo else build_coupler(settings)  # tells whose history it is; connects to nothing
    return HealthMonitor(settings, open_state(settings), coupler).record


def _made_as_json(made: Made, path: Path, *, demo: bool) -> dict[str, Any]:
    content = made.statement.content
    sums, thresholds = content.figures.sums, content.figures.thresholds
    rate, share, worst = sums.mean_rate(thresholds), sums.healthy_share, sums.worst_rate(thresholds)
    repair = content.figures.episodes.mean_time_to_repair
    return {
        "demo": demo,
        "output": str(path),
        "format": made.format.value,
        "language": made.statement.cover.language,
        "size": len(made.content),
        "period": content.period.name,
        "start": content.period.start.isoformat(),
        "end": content.end.isoformat(),
        "verdict": content.verdict.value,
        "sentence": made.said.sentence,
        "consistency_rate": None if rate is None else float(rate),
        "healthy_percent": None if share is None else float(share),
        "lowest_rate": None if worst is None else float(worst),
        "seconds_below_healthy": content.figures.time_below_healthy.total_seconds(),
        "mean_seconds_to_repair": None if repair is None else repair.total_seconds(),
        "checks_expected": content.figures.expected,
        "checks_ran": sums.ran,
        "checks_in_maintenance": sums.in_maintenance,
    }


def _result_as_json(result: Verification) -> dict[str, Any]:
    content, cover = result.statement.content, result.statement.cover
    return {
        "holds": result.holds,
        "format": result.format.value,
        "period": content.period.name,
        "start": content.period.start.isoformat(),
        "end": content.end.isoformat(),
        "made_at": cover.made_at.isoformat(),
        "figures": result.figures,
        "differences": [
            {"figure": entry.figure, "stated": entry.stated, "recomputed": entry.recomputed} for entry in result.differences
        ],
        "embedded_whole": result.whole,
        "pages": result.pages.value,
        "readings_added": result.added,
        "readings_removed": result.removed,
        "readings_rewritten": result.rewritten,
        "other_terms": result.other_terms,
    }


def _print(result: Verification) -> None:
    content, cover = result.statement.content, result.statement.cover
    made = f"a report about {content.period.name}, made {cover.made_at:%Y-%m-%d %H:%M} UTC"
    if result.holds:
        eyes.print(f"[green]✓[/green] True: {plain(made)}. All {result.figures} figures come out as stated.", soft_wrap=True)
    else:
        eyes.print(f"[red]✗[/red] Not as stated: {plain(made)}.", soft_wrap=True)
    for sentence in sentences(result):
        eyes.print(f"  {plain(sentence)}", soft_wrap=True)
    for entry in result.differences[:_SHOWN_DIFFERENCES]:
        stated, again = (plain("nothing" if value is None else str(value)) for value in (entry.stated, entry.recomputed))
        eyes.print(f"  [bold]{plain(entry.figure)}[/bold]: stated {stated}, recomputed {again}", soft_wrap=True)
    if len(result.differences) > _SHOWN_DIFFERENCES:
        eyes.print(f"  … and {len(result.differences) - _SHOWN_DIFFERENCES} more; --json lists them all.")


def sentences(result: Verification) -> list[str]:
    """What was found beside the figures."""
    from core.reports.verifying import Pages

    said = []
    if not result.whole:
        said.append("What is embedded in the file was changed after it was made: its digest does not fit.")
    if result.pages is Pages.DIFFERENT:
        said.append("What the file shows was changed: it is not what its embedded figures give.")
    if result.pages is Pages.NOT_COMPARED:
        said.append("What the file shows could not be compared: it was written with other versions, texts, logo or fonts.")
    if result.differences:
        said.append(f"{counted(len(result.differences), 'figure differs', 'figures differ')} of {result.figures}.")
    if result.added:
        said.append(f"{counted(result.added, 'reading was', 'readings were')} added to the period since.")
    if result.removed:
        said.append(f"{counted(result.removed, 'reading was', 'readings were')} removed since.")
    if result.rewritten:
        said.append("As many readings are there as then, but they are not the same.")
    if result.other_terms:
        said.append("The settings are others today; the figures were computed by those that the report states.")
    return said
