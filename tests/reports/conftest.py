"""One past for all tests of reports, and each report of it made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from core.model import ReportFormat
from core.reports import making
from core.reports.making import Made
from core.reports.period import parse
from tests.reports.lived import Past, live

WEEKS = "2025-10-06..2025-10-19"

MakeReport = Callable[..., Made]


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """Nobody changes it."""
    return live(tmp_path_factory.mktemp("past"))


@pytest.fixture(scope="session")
def report(past: Past) -> MakeReport:
    """Call it with a format and what else is asked for; the same report is made once."""

    @cache
    def made(format_: ReportFormat, period: str = WEEKS, language: str = "en", user_ids: bool = False) -> Made:
        about = parse(period, past.settings.report.time_zone, past.clock.now)
        return making.make(past.record, about, format_, past.clock.now, language=language, user_ids=user_ids)

    return made
