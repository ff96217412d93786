"""Each format, opened by software that had no part in writing it."""

from __future__ import annotations

import io
import re
import zipfile
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pypdfium2
import pytest
from pptx import Presentation
from pypdf import PdfReader

from core.model import ReportFormat
from core.reports import slides
from core.reports.making import Made
from core.reports.said import Said
from tests.reports.conftest import MakeReport

PDF, PPTX, HTML, CSV = ReportFormat


def plain(text: str) -> str:
    """Without the differences of spaces and line breaks."""
    return re.sub(r"\s+", "", text)


def pdf_text(content: bytes) -> str:
    return plain("".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))


def pptx_text(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return "\n".join(package.read(name).decode() for name in package.namelist() if name.endswith(".xml"))


class Text(HTMLParser):
    """What a web page says, and what it is made of."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.text, self.tags, self.attributes = "", [], []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def everything_said(said: Said) -> list[str]:
    """All that a reader should find."""
    tables = [*said.details, said.facts]
    cells = [cell for table in tables for row in table.rows for cell in row]
    tiles = [text for tile in said.tiles for text in (tile.value, tile.label, tile.before)]
    method = [text for entry in said.method for text in entry]
    return [said.company, said.title, said.days, said.verdict, said.sentence, *tiles, *said.trouble, *cells, *method]


# --- PDF --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "hu"])
def test_a_pdf_says_everything(report: MakeReport, language: str) -> None:
    made = report(PDF, language=language)
    text = pdf_text(made.content)
    for said in everything_said(made.said):
        assert plain(said) in text.replace("-\n", ""), said
    pages = PdfReader(io.BytesIO(made.content)).pages
    assert 2 <= len(pages) <= 4
    first = plain(pages[0].extract_text())
    for said in (made.said.sentence, *(tile.value for tile in made.said.tiles), *made.said.trouble):
        assert plain(said) in first, "the first page is enough"


def test_a_pdf_is_archivable_tagged_and_titled(report: MakeReport) -> None:
    reader = PdfReader(io.BytesIO(report(PDF).content))
    assert reader.metadata is not None
    assert reader.metadata.title == "Coupling Health report: 6–19 October 2025"
    assert reader.metadata.author == "Acme Football Academy"
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert "coupling-health-report.json" in reader.attachments
    assert b"<pdfaid:part>3</pdfaid:part>" in report(PDF).content
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in report(PDF).content


def test_a_pdf_s_pages_are_drawn(report: MakeReport) -> None:
    document = pypdfium2.PdfDocument(report(PDF).content)
    pictures = [np.asarray(page.render(scale=1).to_pil().convert("RGB")) for page in document]
    document.close()
    for picture in pictures:
        ink = (picture < 200).any(axis=2)
        assert 0.01 < ink.mean() < 0.4
        margin = 30
        assert not ink[:, :margin].any(), "nothing runs over the left edge"
        assert not ink[:, -margin:].any(), "nothing runs over the right edge"
    accent = (np.abs(pictures[0].astype(int) - (0x1F, 0x4E, 0x79)).sum(axis=2) < 30).sum()
    assert accent > 500, "the company's colour"


def test_the_same_report_is_the_same_pdf(report: MakeReport) -> None:
    made = report(PDF)
    assert made.content == report.__wrapped__(PDF).content  # type: ignore[attr-defined]


# --- PowerPoint -------------------------------------------------------------------------------------------------------


def presentation_of(made: Made) -> Presentation:
    return Presentation(io.BytesIO(made.content))


def test_slides_and_charts(report: MakeReport) -> None:
    presentation = presentation_of(report(PPTX))
    assert len(presentation.slides) == 7
    assert presentation.slide_width / presentation.slide_height == pytest.approx(16 / 9, rel=1e-3)
    charts = [shape.chart for slide in presentation.slides for shape in slide.shapes if shape.has_chart]
    assert [chart.chart_type.name for chart in charts] == ["LINE_MARKERS", "COLUMN_CLUSTERED", "BAR_CLUSTERED"]
    titles = [slide.shapes.title.text_frame.text for slide in presentation.slides]
    assert titles[0] == report(PPTX).said.title
    assert all(titles), "each slide has a title, which an outline and a screen reader need"


def test_the_charts_hold_the_series(report: MakeReport) -> None:
    made = report(PPTX)
    points = made.statement.content.points
    lines, bars, times = (shape.chart for slide in presentation_of(made).slides for shape in slide.shapes if shape.has_chart)
    mean, lowest = lines.plots[0].series
    assert next(iter(lines.plots[0].categories)) == "6 Oct"
    assert len(list(mean.values)) == len(points) == 14
    for point, drawn_mean, drawn_lowest in zip(points, mean.values, lowest.values, strict=True):
        if point.sums.compared and point.sums.worst:
            assert drawn_mean == pytest.approx(100 * point.sums.agreeing / point.sums.compared, abs=1e-4)
            assert drawn_lowest == pytest.approx(100 * point.sums.worst.share, abs=1e-4)
        else:
            assert (drawn_mean, drawn_lowest) == (None, None), "nothing is drawn over time without data"
    assert list(bars.plots[0].series[0].values) == [
        point.sums.most_violations if point.sums.compared else None for point in points
    ]
    assert sum(times.plots[0].series[0].values) == pytest.approx(1, abs=1e-5)
    workbook = pd.read_excel(io.BytesIO(lines.part.chart_workbook.xlsx_part.blob)) if _can_read_excel() else None
    if workbook is not None:
        assert len(workbook) == 14, "the table behind the chart can be edited"


def _can_read_excel() -> bool:
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("language", ["en", "hu"])
def test_slides_say_it_too(report: MakeReport, language: str) -> None:
    made = report(PPTX, language=language)
    shown = " ".join(
        text
        for slide in presentation_of(made).slides
        for shape in slide.shapes
        for text in (
            [shape.text_frame.text]
            if shape.has_text_frame
            else [cell.text for row in shape.table.rows for cell in row.cells]
            if shape.has_table
            else []
        )
    )
    said = made.said
    for text in (said.company, said.title, said.verdict, said.sentence, *(tile.value for tile in said.tiles), *said.trouble):
        assert text in shown
    for _, sentence in said.method:
        assert sentence in shown


@pytest.mark.parametrize("language", ["en", "hu"])
def test_nothing_on_a_slide_overflows_or_overlaps(report: MakeReport, language: str) -> None:
    presentation = presentation_of(report(PPTX, language=language))
    for number, slide in enumerate(presentation.slides, start=1):
        boxes = []
        for shape in slide.shapes:
            left, top = shape.left / 914_400, shape.top / 914_400
            right, bottom = left + shape.width / 914_400, top + shape.height / 914_400
            assert left >= 0 <= top and right <= slides.PAGE_WIDTH + 0.01 and bottom <= slides.PAGE_HEIGHT + 0.01
            texts = shape.text_frame.text if shape.has_text_frame else ""
            if texts:
                runs = [run for paragraph in shape.text_frame.paragraphs for run in paragraph.runs]
                size = max(run.font.size.pt for run in runs)
                gap = max((p.space_after.pt if p.space_after else 0) for p in shape.text_frame.paragraphs)
                needed = slides.height_of(texts.split("\n"), right - left, size, gap)
                assert needed <= bottom - top + 0.15, f"slide {number}: {texts!r} is too long for its box"
            if texts or shape.has_chart or shape.has_table:
                boxes.append((left, top, right, bottom, texts[:30]))
        for one in boxes:
            for other in boxes:
                apart = (
                    one[2] <= other[0] + 0.02
                    or other[2] <= one[0] + 0.02
                    or one[3] <= other[1] + 0.02
                    or other[3] <= one[1] + 0.02
                )
                assert one is other or apart, f"slide {number}: {one} lies over {other}"


# --- web page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "hu"])
def test_a_web_page_says_everything_and_needs_nothing(report: MakeReport, language: str) -> None:
    made = report(HTML, language=language)
    page = Text(made.content)
    for said in everything_said(made.said):
        assert said in page.text
    assert ("lang", language) in page.attributes
    assert page.tags.count("script") == 1, "a block of data, which no browser runs"
    assert ("type", "application/json") in page.attributes
    assert not {"link", "iframe", "object", "form", "base"} & set(page.tags)
    elsewhere = [value for name, value in page.attributes if name in ("src", "href", "action", "srcset") and value]
    assert [value for value in elsewhere if not value.startswith("data:")] == []
    assert "http" not in page.text.replace(page.text[page.text.index('{"coupling') :], "")


def test_the_drawing_says_each_day(report: MakeReport) -> None:
    page = report(HTML).content.decode()
    assert page.count("<title>") == 1 + 14
    assert "nothing is known</title>" not in page.split("<svg", 2)[0]
    assert re.search(
        r"<title>6 October 2025: mean [\d.]+\u202f%, lowest [\d.]+\u202f%, most violations \d+, checks 6 of 6</title>", page
    )


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_the_series_as_csv(report: MakeReport) -> None:
    made = report(CSV)
    assert made.content.count(b"\r\n") == 15
    table = pd.read_csv(io.BytesIO(made.content))
    points = made.statement.content.points
    assert list(table.columns) == [
        *("start", "end", "checks_expected", "checks_ran", "healthy", "degraded", "critical", "nothing_to_compare", "failed"),
        *("in_maintenance", "logs_of_earlier_system", "pairs_agreeing", "pairs_compared", "mean_rate", "lowest_rate"),
        *("most_violations", "seconds_in_maintenance", "seconds_without_data", "statement"),
    ]
    assert pd.to_datetime(table["start"], utc=True).tolist() == [point.start for point in points]
    assert table["start"][0] == "2025-10-06T00:00:00+02:00"
    assert table["pairs_compared"].tolist() == [point.sums.compared for point in points]
    assert table["in_maintenance"].tolist() == [point.sums.in_maintenance for point in points]
    assert table["in_maintenance"].sum() > 3
    assert table["most_violations"].tolist() == [point.sums.most_violations for point in points]
    assert table["mean_rate"].isna().tolist() == [not point.sums.compared for point in points]
    assert table["statement"].notna().sum() == 1


def test_a_long_statement_fits_into_cells(report: MakeReport) -> None:
    made = report(CSV, "2025")
    table = pd.read_csv(io.BytesIO(made.content))
    lengths = table["statement"].dropna().str.len()
    assert len(lengths) > 1
    assert lengths.max() <= 32_767, "the most that a cell of a spreadsheet holds"
    assert set(table["statement"].dropna().str[0]) <= {"{", '"'}, "none begins as a formula does"


# --- who is named -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", list(ReportFormat))
def test_users_are_named_only_when_asked_for(report: MakeReport, format_: ReportFormat) -> None:
    named, hidden = report(format_, user_ids=True), report(format_)
    content = named.statement.content
    ids = {str(pair.user_id) for pair in (*content.oldest, *content.returning)}
    assert ids
    for made, expected in ((named, ids), (hidden, set())):
        text = {
            PDF: lambda content: " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages),
            PPTX: pptx_text,
            HTML: lambda content: content.decode(),
            CSV: lambda content: content.decode(),
        }[format_](made.content)
        statement = _statement_text(made)
        assert set(re.findall(r'"user_id": ?"?(\w+)', statement)) - {"null"} == expected
        found = {user for user in ids if re.search(rf"\b{user} (in|—) ?[A-Z]", text)}
        assert found <= expected
        assert "1 pair in" not in text if expected else True


def _statement_text(made: Made) -> str:
    from core.reports.verifying import _READERS

    return _READERS[made.format](made.content)


# --- an empty period --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", list(ReportFormat))
def test_a_period_without_checks_says_so_and_claims_nothing(report: MakeReport, format_: ReportFormat) -> None:
    made = report(format_, "2025-03")
    assert made.said.verdict == "No checks in this period"
    assert made.said.sentence == "In March 2025, no check ran: nothing is known about this time, and nothing is claimed."
    assert [tile.value for tile in made.said.tiles] == ["—", "—", "—", "—", "—", "0"]
    text = {PDF: pdf_text, PPTX: pptx_text, HTML: lambda content: Text(content).text}.get(format_, bytes.decode)(made.content)
    if format_ is not CSV:
        assert plain(made.said.sentence) in plain(text)
        assert plain(text).count("100.00") <= 1, "the share of time without data, and nothing else"
    assert len(made.statement.content.points) == 31
