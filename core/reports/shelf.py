"""ReportShelf: the server's door to reports: make one, make those that are due, find what is kept."""

from __future__ import annotations

from collections.abc import Sequence

from core.clock import Clock
from core.model import ReportFormat
from core.record import HealthRecord
from core.reports import making, schedule, texts
from core.reports.period import Period, parse
from core.reports.words import Words
from core.state import audit, reports
from core.state.audit import Deed
from core.state.reports import KeptReport


class ReportShelf:
    """Reports as files in the state database. Safe to share between threads; raises StateDatabaseUnavailable when it is away."""

    def __init__(self, record: HealthRecord, clock: Clock) -> None:
        self._record = record
        self._clock = clock

    def check(self) -> None:
        """Whether the settings let reports be made. Raises ReportProblem."""
        making.check(self._record.settings)

    def languages(self) -> Sequence[str]:
        """In which languages there are texts; that of the settings first."""
        wanted = self._record.settings.report
        there = texts.languages(wanted.texts_dir)
        return sorted(there, key=lambda language: (language != wanted.language, language))

    def make(self, period: Period, format_: ReportFormat, made_by: str, *, language: str, user_ids: bool) -> int:
        """Make a report and keep it; its number. Takes up to a second. Raises ReportProblem."""
        now = self._clock()
        made = making.make(self._record, period, format_, now, language=language, user_ids=user_ids)
        with self._record.state.write() as connection:
            named = "naming users" if user_ids else "without naming users"
            audit.note(connection, now, made_by, Deed.REPORT_MADE, f"{made.name}, {language}, {named}")
            return reports.add(connection, schedule.to_keep(made, now), made_by)

    def make_due(self) -> None:
        """Make those that are due by the schedule. Raises ReportProblem."""
        schedule.make_due(self._record, self._clock())

    def kept(self, limit: int = 100) -> Sequence[KeptReport]:
        """The newest reports, newest first."""
        with self._record.state.read() as connection:
            return reports.listed(connection, limit)

    def title_of(self, report: KeptReport) -> str:
        """The period of a kept report as English calls it."""
        zone = self._record.settings.report.time_zone
        return Words(texts.load(texts.ENGLISH), zone).period(parse(report.period, zone, self._clock()))

    def find(self, number: int) -> tuple[KeptReport, bytes] | None:
        """A kept report and its content."""
        with self._record.state.read() as connection:
            return reports.find(connection, number)
