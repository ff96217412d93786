"""Names that would like to be more than names."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from lxml import etree
from pptx import Presentation
from pypdf import PdfReader

from core.errors import ReportProblem
from core.model import Kind, ReportFormat, Violation
from core.reports import making, verifying
from core.reports.period import parse
from core.setting_groups import ReportSettings
from core.settings import Settings
from core.state import episodes, history
from core.state.database import StateDatabase
from core.state.landing import land
from tests.frozen_clock import NOON, FrozenClock
from tests.reports.test_formats import Text, pdf_text, plain
from tests.state import records

PDF, PPTX, HTML, CSV = ReportFormat
NAMES = [
    "<script>alert(1)</script>",
    '#import "/etc/passwd"',
    "=cmd|' /C calc'!A0",
    '#read("/logo.png") $x^2$ *b* _i_ @ref <label> \\ `c`',
    "{specialization} {0} %s",
    "x" * 400,
    "FUTBALL ⚽ 足球 مرحبا",
    "</script><!--",
    "quote \" and ' & amp",
]


@pytest.fixture
def record(sqlite_state: StateDatabase) -> object:
    """Users and specializations with all of these names, apart for a day and a half, and one of them returning."""
    from core.health_monitor import HealthMonitor

    clock = FrozenClock(NOON)
    before = None
    scope = episodes.scope_of(records.HERE)
    for number in range(6):
        apart = [] if number == 2 else [Violation(name, name, 1, 2, Kind.LEVEL_MISMATCH) for name in NAMES]
        check_id = records.staged(sqlite_state, clock.now, apart)
        with sqlite_state.write() as connection:
            from core.model import Totals

            report = records.report(clock.now, Totals(len(NAMES) + 10, len(apart)), check_id)
            history.record_completed(connection, report, records.HERE)
            land(connection, scope, check_id, history.latest_id(connection), clock.now, before)
        before = clock.now
        clock.advance(minutes=5)
    settings = Settings(
        state_url=sqlite_state.url.render_as_string(),
        report=ReportSettings(company='<b>&Co #1 = "☂"</b>', user_ids=True),
    )
    return HealthMonitor(settings, sqlite_state, None, clock).record


def made(record: object, format_: ReportFormat) -> bytes:
    now = NOON.replace(hour=23)
    return making.make(record, parse("2025-10-25", "UTC", now), format_, now).content  # type: ignore[arg-type]


def test_in_a_pdf_they_are_text(record: object) -> None:
    text = pdf_text(made(record, PDF))
    for name in NAMES[:6]:
        assert plain(name).replace("'", "") in text.replace("'", "").replace("’", "")
    assert len(PdfReader(io.BytesIO(made(record, PDF))).pages) < 9


def test_in_a_web_page_they_are_text(record: object) -> None:
    page = Text(made(record, HTML))
    assert page.tags.count("script") == 1
    assert "b" in page.tags, "of our own bars"
    for name in NAMES:
        assert name in page.text
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_on_slides_they_are_text(record: object) -> None:
    content = made(record, PPTX)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            if name.endswith(".xml"):
                etree.fromstring(package.read(name))
    assert len(Presentation(io.BytesIO(content)).slides) >= 6


def test_in_a_csv_no_cell_begins_as_a_formula(record: object) -> None:
    rows = list(csv.reader(io.StringIO(made(record, CSV).decode(), newline="")))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("format_", list(ReportFormat))
def test_such_a_report_can_be_verified(record: object, format_: ReportFormat) -> None:
    result = verifying.verify(made(record, format_), record)  # type: ignore[arg-type]
    assert result.holds
    assert not result.differences


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("logo.png", b"\x89PNG\r\n\x1a\nbroken", "cannot be"),
        ("logo.gif", b"GIF89a", "neither PNG, JPEG nor SVG"),
        ("huge.svg", b"<svg>" + b" " * 2_000_001, "larger than 2 MB"),
        ("broken.svg", b"<svg", "cannot be"),
        ("missing.png", None, "cannot be read"),
    ],
)
@pytest.mark.parametrize("format_", [PDF, PPTX])
def test_a_logo_that_is_none_is_named(
    record: object, tmp_path: Path, name: str, content: bytes | None, told: str, format_: ReportFormat
) -> None:
    from core.record import HealthRecord

    assert isinstance(record, HealthRecord)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    record.settings = record.settings.model_copy(
        update={"report": record.settings.report.model_copy(update={"logo": tmp_path / name})}
    )
    with pytest.raises(ReportProblem, match=told) as problem:
        made(record, format_)
    assert "logo" in problem.value.advice
