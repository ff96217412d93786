"""A report that was made is what the state database says, or it is told what is not."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from core.errors import ReportUnreadable
from core.health_monitor import HealthMonitor
from core.model import ReportFormat
from core.record import HealthRecord
from core.reports import making, statement, verifying
from core.reports.making import Made
from core.reports.verifying import Pages
from core.settings import Settings
from core.state.database import StateDatabase
from tests.frozen_clock import FrozenClock
from tests.reports.conftest import MakeReport
from tests.reports.lived import Past, settings_in
from tests.state import records

PDF, PPTX, HTML, CSV = ReportFormat
ALL = pytest.mark.parametrize("format_", list(ReportFormat))

Change = Callable[[dict], None]


@pytest.fixture
def copied(past: Past, tmp_path: Path) -> HealthRecord:
    """The past in a state database of its own, for tests that change it."""
    with closing(sqlite3.connect(past.state)) as here, closing(sqlite3.connect(tmp_path / "state.db")) as there:
        here.backup(there)
    settings = Settings(**{**settings_in(past.folder), "state_url": f"sqlite:///{tmp_path / 'state.db'}"})
    return HealthMonitor(settings, StateDatabase(settings.state_database_url), None, FrozenClock(past.clock.now)).record


def watched_of(record: HealthRecord) -> str:
    with record.state.read() as connection:
        return str(connection.exec_driver_sql("SELECT watched FROM health_check_history WHERE watched IS NOT NULL").scalar())


def forged(made: Made, change: Change, *, digest: bool) -> str:
    """The statement of a report with something changed in it; with a digest that fits, or with the old one."""
    document = {statement.MARK: 1, **statement.as_document(made.statement)}
    old = statement._digest(document)
    change(document)
    return statement._safe(json.dumps({**document, "sha256": statement._digest(document) if digest else old}))


def embedded(made: Made, text: str) -> bytes:
    """The file with another statement in it."""
    old = statement.written(made.statement)
    if made.format is PPTX:
        file = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(made.content)) as package, zipfile.ZipFile(file, "w") as changed:
            for name in package.namelist():
                content = package.read(name)
                if name.startswith("customXml/"):
                    content = content.replace(old.encode(), text.encode())
                changed.writestr(name, content)
        return file.getvalue()
    if made.format is PDF:
        return made.content + b"\n9 0 obj <<>> stream\n" + text.encode() + b"\nendstream endobj" if text != old else made.content
    plain = made.content.decode()
    return (
        plain.replace(old.replace('"', '""'), text.replace('"', '""')) if made.format is CSV else plain.replace(old, text)
    ).encode()


def test_a_series_of_an_older_version_with_fewer_columns_is_compared_as_well(report: MakeReport, past: Past) -> None:
    rows = list(csv.reader(io.StringIO(report(CSV).content.decode(), newline="")))
    later = {rows[0].index("in_maintenance"), rows[0].index("seconds_in_maintenance")}
    text = io.StringIO()
    csv.writer(text).writerows([value for place, value in enumerate(row) if place not in later] for row in rows)
    result = verifying.verify(text.getvalue().encode(), past.record)
    assert (result.holds, result.pages, result.differences) == (True, Pages.SAME, [])


@pytest.mark.parametrize("header", ["healthy_checks", "HEALTHY", "healthy"])
def test_a_series_with_changed_figures_is_noticed_whatever_was_done_to_its_header(
    report: MakeReport, past: Past, header: str
) -> None:
    rows = list(csv.reader(io.StringIO(report(CSV).content.decode(), newline="")))
    failed, healthy = rows[0].index("failed"), rows[0].index("healthy")
    rows[0][healthy] = header
    for row in rows[1:]:
        row[failed] = "0"
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    result = verifying.verify(text.getvalue().encode(), past.record)
    assert (result.holds, result.pages) == (False, Pages.DIFFERENT)


@ALL
@pytest.mark.parametrize("language", ["en", "hu"])
def test_a_report_as_it_was_made_is_true(past: Past, report: MakeReport, format_: ReportFormat, language: str) -> None:
    result = verifying.verify(report(format_, language=language).content, past.record)
    assert result.holds
    assert (result.pages, result.whole, result.differences) == (Pages.SAME, True, [])
    assert (result.added, result.removed, result.rewritten, result.other_terms) == (0, 0, False, False)
    assert result.figures > 500


@ALL
def test_a_report_about_nothing_is_true(past: Past, report: MakeReport, format_: ReportFormat) -> None:
    assert verifying.verify(report(format_, "2025-03").content, past.record).holds


def test_a_report_that_names_users_is_true(past: Past, report: MakeReport) -> None:
    assert verifying.verify(report(CSV, user_ids=True).content, past.record).holds


@pytest.mark.parametrize("format_", [PPTX, HTML, CSV])
@pytest.mark.parametrize("digest", [False, True], ids=["clumsily", "with care"])
def test_a_figure_that_was_changed_is_named(past: Past, report: MakeReport, format_: ReportFormat, digest: bool) -> None:
    def change(document: dict) -> None:
        document["content"]["figures"]["sums"]["critical"] = 0
        document["content"]["figures"]["episodes"]["healed"] += 5

    made = report(format_)
    result = verifying.verify(embedded(made, forged(made, change, digest=digest)), past.record)
    assert not result.holds
    assert result.whole is digest
    told = {entry.figure: (entry.stated, entry.recomputed) for entry in result.differences}
    figures = made.statement.content.figures
    assert told == {
        "figures.sums.critical": (0, figures.sums.critical),
        "figures.episodes.healed": (figures.episodes.healed + 5, figures.episodes.healed),
    }


def test_a_pdf_whose_statement_was_changed_is_noticed(past: Past, report: MakeReport) -> None:
    text = forged(report(PDF), lambda document: document["content"]["figures"]["sums"].update(failed=0), digest=True)
    forgery = making.write(statement.read(text).statement, PDF, making.texts.load("en"), None)
    result = verifying.verify(forgery, past.record)
    assert [entry.figure for entry in result.differences] == ["figures.sums.failed"]
    assert result.pages is Pages.SAME, "it is a whole forgery: only the state database knows better"


def test_a_pdf_whose_pages_were_changed_is_noticed(past: Past, report: MakeReport) -> None:
    changed = report(PDF).content.replace(b"%%EOF", b"% a page more\n%%EOF")
    result = verifying.verify(changed, past.record)
    assert (result.holds, result.pages, result.differences) == (False, Pages.DIFFERENT, [])


def test_words_that_were_changed_are_noticed(past: Past, report: MakeReport) -> None:
    page = report(HTML).content
    verdict = report(HTML).said.sentence.encode()
    assert verifying.verify(page.replace(verdict, b"All is well."), past.record).pages is Pages.DIFFERENT
    assert verifying.verify(page.replace(b"\n", b"\r\n"), past.record).holds, "line ends may change on the way"


def test_slides_that_were_changed_are_noticed(past: Past, report: MakeReport) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(report(PPTX).content)) as package, zipfile.ZipFile(file, "w") as changed:
        for name in package.namelist():
            changed.writestr(name, package.read(name).replace(b"Promise broken", b"Promise kept"))
    result = verifying.verify(file.getvalue(), past.record)
    assert (result.holds, result.pages, result.whole) == (False, Pages.DIFFERENT, True)


def test_a_row_that_was_changed_is_noticed(past: Past, report: MakeReport) -> None:
    lines = report(CSV).content.decode().splitlines(keepends=True)
    lines[3] = re.sub(r",\d+,\d+,", ",6,6,", lines[3], count=1)
    result = verifying.verify(
        "".join(lines[:1] + lines[1:3] + [lines[3].replace("2025-10-08", "2025-10-18")] + lines[4:]).encode(), past.record
    )
    assert (result.holds, result.pages) == (False, Pages.DIFFERENT)


def test_another_version_s_words_are_not_compared_but_its_headlines_are(past: Past, report: MakeReport) -> None:
    made = report(HTML)

    def older(document: dict) -> None:
        document["cover"]["made_with"] = "coupling-health-dashboard 0.0.1"

    old = embedded(made, forged(made, older, digest=True))
    result = verifying.verify(old, past.record)
    assert (result.holds, result.pages) == (True, Pages.NOT_COMPARED)
    rate = next(tile.value for tile in made.said.tiles if tile.key == "rate")
    shown = old.replace(f'data-figure="rate">{rate}'.encode(), b'data-figure="rate">100.00\xe2\x80\xaf%')
    assert shown != old
    assert verifying.verify(shown, past.record).pages is Pages.DIFFERENT


@ALL
def test_checks_that_were_added_or_removed_since_are_counted(
    copied: HealthRecord, report: MakeReport, format_: ReportFormat
) -> None:
    made = report(format_)
    inside = made.statement.content.period.start + timedelta(days=3, minutes=7)
    for minutes in (0, 1):
        records.completed(copied.state, inside + timedelta(minutes=minutes), 100, 50, watched=watched_of(copied))
    result = verifying.verify(made.content, copied)
    assert (result.holds, result.added, result.removed) == (False, 2, 0)
    named = {entry.figure for entry in result.differences}
    assert {"readings.count", "readings.sha256", "figures.sums.critical", "points.4.sums.compared"} <= named
    with copied.state.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM health_check_history WHERE id = {made.statement.content.readings.first}")
    again = HealthMonitor(copied.settings, copied.state, None, FrozenClock(made.statement.cover.made_at)).record
    result = verifying.verify(made.content, again)
    assert (result.added, result.removed) == (2, 1)


def test_a_reading_that_was_rewritten_is_noticed(copied: HealthRecord, report: MakeReport) -> None:
    made = report(CSV)
    with copied.state.write() as connection:
        connection.exec_driver_sql(
            "UPDATE health_check_history SET consistent = total_checked, inconsistent = 0 "
            f"WHERE id = {made.statement.content.figures.sums.worst.number}"
        )
    result = verifying.verify(made.content, copied)
    assert (result.holds, result.added, result.removed, result.rewritten) == (False, 0, 0, True)


def test_settings_that_changed_since_are_told_and_change_nothing(past: Past, report: MakeReport) -> None:
    changed = past.settings.model_copy(update={"thresholds": past.settings.thresholds.model_copy(update={"healthy": 98})})
    record = HealthMonitor(changed, past.monitor.state, None, past.clock).record
    result = verifying.verify(report(CSV).content, record)
    assert (result.holds, result.other_terms) == (True, True)


def test_a_report_of_a_running_period_stays_true_when_it_goes_on(copied: HealthRecord, past: Past) -> None:
    from core.reports.period import parse

    now = past.clock.now - timedelta(days=5)
    period = parse("2025-10", "Europe/Budapest", now)
    made = making.make(copied, period, CSV, now)
    assert made.statement.content.running
    assert made.statement.content.figures.end == now
    assert verifying.verify(made.content, copied).holds


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7 of somebody else",
        b"PK\x03\x04 no package",
        b"<!doctype html><html><body>another page</body></html>",
        b"a,b\n1,2\n",
        b"\xff\xfe\x00",
        b'<html><script id="coupling-health-report">{"coupling_health_report": 2}</script>',
        b'<html><script id="coupling-health-report">{"coupling_health_report": 1, "cover": {}, "content": []}</script>',
        b'<html><script id="coupling-health-report">{"coupling_health_report": [[[</script>',
    ],
)
def test_what_is_no_report_is_said_to_be_none(past: Past, content: bytes) -> None:
    with pytest.raises(ReportUnreadable):
        verifying.verify(content, past.record)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("period", "zone"), "Nowhere/Land"),
        (("period", "last"), "9999-12-31"),
        (("period", "first"), "1066-10-14"),
        (("end",), "2031-01-01T00:00:00Z"),
        (("terms", "interval"), "PT0S"),
        (("terms", "degraded"), "100"),
        (("terms", "promised"), "100"),
        (("terms", "window"), "P99999999D"),
        (("figures", "sums", "healthy"), "many"),
    ],
)
def test_a_statement_that_cannot_be_is_refused(past: Past, report: MakeReport, path: tuple[str, ...], value: str) -> None:
    def change(document: dict) -> None:
        place = document["content"]
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    made = report(HTML)
    with pytest.raises(ReportUnreadable):
        verifying.verify(embedded(made, forged(made, change, digest=True)), past.record)


def test_a_logo_is_part_of_it(past: Past, tmp_path: Path) -> None:
    from core.reports.period import parse

    logo = tmp_path / "logo.png"
    Image.new("RGB", (40, 20), "#1F4E79").save(logo)
    record = past.with_settings(logo=logo)
    period = parse("2025-W41", "Europe/Budapest", past.clock.now)
    for format_ in (PDF, PPTX, HTML):
        made = making.make(record, period, format_, past.clock.now)
        assert verifying.verify(made.content, record).pages is Pages.SAME
        assert verifying.verify(made.content, past.record).pages is Pages.NOT_COMPARED
