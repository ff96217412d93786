"""Whether a report is what the state database says: every figure computed again, and every page written again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.errors import ReportProblem, ReportUnreadable
from core.model import ReportFormat
from core.record import HealthRecord
from core.reports import as_csv, as_html, as_pptx, as_typst, making, statement, texts
from core.reports.content import ReportContent, Terms
from core.reports.gathering import gather
from core.reports.looks import read_logo
from core.reports.period import parse
from core.reports.saying import say
from core.reports.statement import Statement
from core.reports.texts import Texts
from core.settings import Settings

_READERS = {
    ReportFormat.PDF: as_typst.read_statement,
    ReportFormat.PPTX: as_pptx.read_statement,
    ReportFormat.HTML: as_html.read_statement,
    ReportFormat.CSV: as_csv.read_statement,
}


class Pages(StrEnum):
    """Whether what a reader sees is what the embedded figures give."""

    SAME = "same"
    DIFFERENT = "different"
    NOT_COMPARED = "not_compared"  # written with other versions, texts or another logo than there are here


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that does not come out as it is stated; None stands for one that is not there."""

    figure: str
    stated: object
    recomputed: object


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of verifying a report."""

    format: ReportFormat
    statement: Statement
    whole: bool  # the embedded figures fit their own digest
    pages: Pages
    figures: int  # how many were computed again
    differences: Sequence[Difference]
    added: int  # readings in the period that the report did not know
    removed: int  # readings that it knew and that are gone
    rewritten: bool  # as many readings as then, but not the same
    other_terms: bool  # the settings are others today; the figures were computed by those that are stated

    @property
    def holds(self) -> bool:
        """Whether all is as stated."""
        return self.whole and not self.differences and self.pages is not Pages.DIFFERENT


def verify(content: bytes, record: HealthRecord) -> Verification:
    """Compute everything that a report states again, from the state database alone.

    Raises ReportUnreadable when the file is no report, or too much of it was changed to read it.
    """
    format_, found = read(content)
    stated = found.statement.content
    _require_possible(stated)
    again = gather(record, stated.period, stated.terms, stated.end, user_ids=stated.user_ids)
    added, removed = _readings(record, stated)
    before, now = statement.figures(stated), statement.figures(again)
    names = [*before, *(name for name in now if name not in before)]
    same_number = added == removed == 0
    return Verification(
        format=format_,
        statement=found.statement,
        whole=found.whole,
        pages=_pages(content, format_, found.statement, record.settings),
        figures=len(names),
        differences=[Difference(name, before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)],
        added=added,
        removed=removed,
        rewritten=same_number and stated.readings.sha256 != again.readings.sha256,
        other_terms=stated.terms != Terms.of(record.settings),
    )


def read(content: bytes) -> tuple[ReportFormat, statement.Found]:
    """What a report is and states. Raises ReportUnreadable."""
    format_ = _format_of(content)
    return format_, statement.read(_READERS[format_](content))


def _format_of(content: bytes) -> ReportFormat:
    if content.startswith(as_typst.START):
        return ReportFormat.PDF
    if content.startswith(as_pptx.START):
        return ReportFormat.PPTX
    return ReportFormat.HTML if b"<html" in content[:2_000].lower() else ReportFormat.CSV


def _require_possible(stated: ReportContent) -> None:
    """Whether the stated period and terms can be those of a report at all: by them, everything is computed."""
    terms = stated.terms
    lengths = (terms.interval, terms.misfire_grace, terms.window)
    bounds = 0 < terms.degraded < terms.healthy <= 100 and 0 < terms.promised < 100
    try:
        possible = parse(stated.period.name, stated.period.zone, stated.period.start) == stated.period
    except (ReportProblem, ValueError, KeyError, OSError, OverflowError):
        possible = False
    if not possible or not bounds or any(not 0 < length.total_seconds() < 1e9 for length in lengths):
        raise ReportUnreadable("The period or the terms that this report states cannot be those of a report.")
    if not stated.period.start <= stated.end <= stated.period.end:
        raise ReportUnreadable("This report states that it looks further than its period.")


def _readings(record: HealthRecord, stated: ReportContent) -> tuple[int, int]:
    """How many readings of the period came since, and how many went."""
    with record.view() as view:
        part = view.timeline.between(stated.period.start, stated.end)
    known = int((part.number <= (stated.readings.last or 0)).sum())
    return len(part) - known, max(stated.readings.count - known, 0)


def _pages(content: bytes, format_: ReportFormat, stated: Statement, settings: Settings) -> Pages:
    """Write the file again from what it states, and compare what a reader sees."""
    if format_ is ReportFormat.CSV:
        return _compared(_lines(content), _lines(as_csv.render(stated, as_csv.columns_of(content))))
    try:
        spoken, logo = texts.load(stated.cover.language, settings.report.texts_dir), read_logo(settings.report.logo)
        alike = (stated.cover.made_with, stated.cover.texts_sha256, stated.cover.logo_sha256) == (
            making.made_with(),
            spoken.digest,
            logo.sha256 if logo else "",
        )
        if not alike:
            return _headlines(content, stated, spoken) if format_ is ReportFormat.HTML else Pages.NOT_COMPARED
        again = making.write(stated, format_, spoken, logo)
    except ReportProblem:
        return Pages.NOT_COMPARED
    except (ValueError, ArithmeticError, LookupError, TypeError) as impossible:
        raise ReportUnreadable("What is embedded in this report cannot be written as a report.") from impossible
    if format_ is ReportFormat.PDF:
        same = content == again
        return Pages.SAME if same else Pages.DIFFERENT if as_typst.same_everywhere(again) else Pages.NOT_COMPARED
    if format_ is ReportFormat.PPTX:
        return Pages.SAME if as_pptx.shown_parts(content) == as_pptx.shown_parts(again) else Pages.DIFFERENT
    return _compared(_lines(content), _lines(again))


def _headlines(content: bytes, stated: Statement, spoken: Texts) -> Pages:
    """With other words than today's, the headline figures of a web page can still be compared."""
    said = say(stated, spoken)
    shown, expected = as_html.shown_figures(content), {tile.key: tile.value for tile in said.tiles}
    different = any(shown.get(key) != value for key, value in expected.items())
    return Pages.DIFFERENT if different else Pages.NOT_COMPARED


def _lines(content: bytes) -> Sequence[bytes]:
    """Lines without their ends, which some programs change on the way, and without a byte order mark."""
    return content.removeprefix(b"\xef\xbb\xbf").splitlines()


def _compared(one: Sequence[bytes], other: Sequence[bytes]) -> Pages:
    return Pages.SAME if one == other else Pages.DIFFERENT
