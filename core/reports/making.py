"""Making a report: figures, words, file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from core.model import ReportFormat
from core.record import HealthRecord
from core.reports import as_csv, as_html, as_pptx, as_typst, texts
from core.reports.content import Terms
from core.reports.gathering import gather
from core.reports.looks import Logo, read_logo
from core.reports.period import Period
from core.reports.said import Said
from core.reports.saying import say
from core.reports.statement import Cover, Statement
from core.reports.texts import Texts
from core.reports.words import Words
from core.settings import Settings

MEDIA_TYPES: Mapping[ReportFormat, str] = {
    ReportFormat.PDF: "application/pdf",
    ReportFormat.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ReportFormat.HTML: "text/html; charset=utf-8",
    ReportFormat.CSV: "text/csv; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A report as a file, and what it says."""

    name: str
    format: ReportFormat
    content: bytes
    statement: Statement
    said: Said


def make(
    record: HealthRecord,
    period: Period,
    format_: ReportFormat,
    now: datetime,
    *,
    language: str | None = None,
    user_ids: bool | None = None,
) -> Made:
    """The report about a period, by the settings; language and naming of users as asked for.

    Raises ReportProblem for a language that there is not, texts that are broken, and a logo that cannot be used.
    """
    settings = record.settings
    wanted = settings.report
    spoken = texts.load(language or wanted.language, wanted.texts_dir)
    logo = read_logo(wanted.logo)
    named = wanted.user_ids if user_ids is None else user_ids
    content = gather(record, period, Terms.of(settings), now, user_ids=named)
    cover = Cover(
        made_at=now.replace(microsecond=0),
        company=wanted.company,
        language=spoken.language,
        color=wanted.color,
        logo_sha256=logo.sha256 if logo else "",
        texts_sha256=spoken.digest,
        made_with=made_with(),
    )
    statement = Statement(cover, content)
    return Made(
        f"{file_name(period)}.{format_.value}",
        format_,
        write(statement, format_, spoken, logo),
        statement,
        say(statement, spoken),
    )


def write(statement: Statement, format_: ReportFormat, spoken: Texts, logo: Logo | None) -> bytes:
    """A statement as a file: the same one gives the same file."""
    if format_ is ReportFormat.CSV:
        return as_csv.render(statement)
    return _RENDERERS[format_](statement, say(statement, spoken), Words(spoken, statement.content.period.zone), logo)


def file_name(period: Period) -> str:
    """The name of a report's file, without its ending."""
    return f"coupling-health-{period.name.replace('..', '_')}"


def check(settings: Settings) -> None:
    """Whether reports can be made by these settings. Raises ReportProblem."""
    texts.load(settings.report.language, settings.report.texts_dir)
    read_logo(settings.report.logo)


@cache
def made_with() -> str:
    """What writes reports here: with another version, the same statement may give another file."""
    return ", ".join(f"{name} {_version(name)}" for name in ("coupling-health-dashboard", "typst", "python-pptx"))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a folder, without being installed
        return "of no version"


_RENDERERS: Mapping[ReportFormat, Callable[[Statement, Said, Words, Logo | None], bytes]] = {
    ReportFormat.PDF: as_typst.render,
    ReportFormat.PPTX: as_pptx.render,
    ReportFormat.HTML: as_html.render,
}
