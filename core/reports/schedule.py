"""Weekly and monthly reports: which are due, and making them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.alerts.messages import report_message
from core.model import ReportFormat
from core.record import HealthRecord
from core.reports import making
from core.reports.making import Made
from core.reports.period import Period, PeriodKind, around, parse
from core.state import daily, outbox, reports
from core.state.reports import KeptReport, NewReport
from core.timeline import microseconds

EVERY = timedelta(minutes=10)  # how often it is looked whether one is due

log = logging.getLogger(__name__)

_MOST_MISSED = 12


@dataclass(frozen=True, slots=True)
class Due:
    """A report that should be there and is not."""

    period: Period
    format: ReportFormat


def make_due(record: HealthRecord, now: datetime) -> int:
    """Make and keep all that are due; how many there were. One that another server has kept meanwhile is let go.

    Raises ReportProblem when the settings of reports are such that none can be made.
    """
    count = 0
    for entry in due(record, now):
        made = making.make(record, entry.period, entry.format, now)
        with record.state.write() as connection:
            number = reports.add_scheduled(connection, to_keep(made, now))
            if number is not None:
                message = report_message(number, made.name, made.said.sentence, now, record.settings.alerts.link)
                for channel in () if record.settings.demo else record.settings.report.channels:
                    outbox.put(connection, channel, [], message, now)
        if number is not None:
            log.info("Made the report %s", made.name)
            count += 1
    return count


def due(record: HealthRecord, now: datetime) -> Sequence[Due]:
    """The last week and month, and those before it that were missed since the last one that was made, oldest first.

    Of a time before the first reading there is no report.
    """
    wanted = record.settings.report
    kinds = [kind for kind, asked in ((PeriodKind.WEEK, wanted.weekly), (PeriodKind.MONTH, wanted.monthly)) if asked]
    if not kinds or not wanted.formats:
        return []
    with record.view() as view:
        first = int(view.timeline.at[0]) if len(view.timeline) else None
        if daily.extent(view.connection, view.scope)[0]:
            first = 0  # something was there long ago
        kept = reports.scheduled(view.connection)
    if first is None:
        return []
    return [
        Due(period, format_)
        for kind in kinds
        for format_ in dict.fromkeys(wanted.formats)
        for period in _missing(kind, format_, wanted.language, wanted.time_zone, kept, now)
        if microseconds(period.end) > first
    ]


def to_keep(made: Made, now: datetime) -> NewReport:
    """A report as it is kept."""
    content = made.statement.content
    return NewReport(
        name=made.name,
        format=made.format,
        language=made.statement.cover.language,
        period=content.period.name,
        period_start=content.period.start,
        period_end=content.end,
        made_at=now,
        content=made.content,
    )


def _missing(
    kind: PeriodKind, format_: ReportFormat, language: str, zone: str, kept: Sequence[KeptReport], now: datetime
) -> Sequence[Period]:
    made = set(_names(kind, format_, language, zone, kept, now))
    period = around(now.astimezone(ZoneInfo(zone)).date(), kind, zone).previous
    missing: list[Period] = []
    while period.name not in made and len(missing) < (_MOST_MISSED if made else 1):
        missing.append(period)
        period = period.previous
    return missing[::-1]


def _names(
    kind: PeriodKind, format_: ReportFormat, language: str, zone: str, kept: Sequence[KeptReport], now: datetime
) -> Iterator[str]:
    """The periods of a kind for which there is a report."""
    for report in kept:
        if (report.format, report.language) == (format_, language) and parse(report.period, zone, now).kind is kind:
            yield report.period
