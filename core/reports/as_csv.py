"""The series of a report as CSV (RFC 4180), for spreadsheets and programs: a row for each day or hour.

The names of the columns and the decimal point are the same in every language. The last column holds the statement, in pieces that
fit into a spreadsheet's cell, from the first row on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from core.analysis.sums import TimeClass
from core.errors import ReportUnreadable
from core.reports.content import Point, ReportContent
from core.reports.statement import MARK, Statement, written

COLUMNS = (
    "start",
    "end",
    "checks_expected",
    "checks_ran",
    "healthy",
    "degraded",
    "critical",
    "nothing_to_compare",
    "failed",
    "in_maintenance",
    "logs_of_earlier_system",
    "pairs_agreeing",
    "pairs_compared",
    "mean_rate",
    "lowest_rate",
    "most_violations",
    "seconds_in_maintenance",
    "seconds_without_data",
    "statement",
)

_SINCE_MAINTENANCE = ("in_maintenance", "seconds_in_maintenance")
_OF_OLDER_VERSION = tuple(name for name in COLUMNS if name not in _SINCE_MAINTENANCE)

_CELL = 30_000  # a spreadsheet's cell holds a little more


def render(statement: Statement, columns: Sequence[str] = COLUMNS) -> bytes:
    """The file, in UTF-8, with these columns; the last is the statement's. A period that has only begun has one row without
    figures."""
    figures = columns[:-1]
    rows = [_row(point, statement.content) for point in statement.content.points] or [dict.fromkeys(figures, "")]
    pieces = _pieces(written(statement), len(rows))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([*(row[name] for name in figures), next(pieces, "")] for row in rows)
    return text.getvalue().encode()


def columns_of(content: bytes) -> Sequence[str]:
    """The columns with which such a file is to be compared: an older version's, where it has exactly those, else today's."""
    header = content.decode("utf-8-sig", "replace").splitlines()[:1]
    return _OF_OLDER_VERSION if header == [",".join(_OF_OLDER_VERSION)] else COLUMNS


def read_statement(content: bytes) -> str:
    """The statement of such a file, also after a spreadsheet wrote it anew. Raises ReportUnreadable."""
    try:
        text = content.decode("utf-8-sig")
        csv.field_size_limit(max(csv.field_size_limit(), len(content) + 1))
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except (ValueError, csv.Error) as broken:
        raise ReportUnreadable from broken
    width = len(rows[0]) if rows else 0
    pieces = "".join(row[-1] for row in rows[1:] if row and len(row) == width)
    if not pieces.startswith(f'{{"{MARK}"'):
        raise ReportUnreadable
    return pieces


def _row(point: Point, content: ReportContent) -> Mapping[str, str | int]:
    sums, thresholds, zone = point.sums, content.figures.thresholds, content.period.zone
    mean, lowest = sums.mean_rate(thresholds), sums.worst_rate(thresholds)
    return {
        "start": _local(point.start, zone),
        "end": _local(point.end, zone),
        "checks_expected": point.expected,
        "checks_ran": sums.ran,
        "healthy": sums.healthy,
        "degraded": sums.degraded,
        "critical": sums.critical,
        "nothing_to_compare": sums.empty,
        "failed": sums.failed,
        "in_maintenance": sums.in_maintenance,
        "logs_of_earlier_system": sums.imported,
        "pairs_agreeing": sums.agreeing,
        "pairs_compared": sums.compared,
        "mean_rate": "" if mean is None else f"{mean:.2f}",
        "lowest_rate": "" if lowest is None else f"{lowest:.2f}",
        "most_violations": sums.most_violations,
        "seconds_in_maintenance": sums.microseconds.get(TimeClass.MAINTENANCE, 0) // 1_000_000,
        "seconds_without_data": sums.microseconds.get(TimeClass.NO_DATA, 0) // 1_000_000,
    }


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def _pieces(text: str, most: int) -> Iterator[str]:
    """The text in pieces, each of which begins with a brace or a quotation mark: with nothing that a spreadsheet would run."""
    while len(text) > _CELL and most > 1:
        end = text.rfind('"', 1, _CELL)
        yield text[:end]
        text, most = text[end:], most - 1
    yield text
