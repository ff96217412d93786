"""A report as PowerPoint: a few slides whose charts are native, so that they can be edited and copied into other slides."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from html import escape, unescape
from typing import Any

from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE, XL_TICK_LABEL_POSITION
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Pt

from core.errors import ReportProblem, ReportUnreadable
from core.reports import looks
from core.reports.content import ReportContent, Step
from core.reports.looks import Logo, Palette
from core.reports.said import Said
from core.reports.slides import BOTTOM, LEFT, TOP, WIDTH, Slides, emu, fitting, shade
from core.reports.statement import MARK, Statement, written
from core.reports.words import Words

START = b"PK\x03\x04"

_NAMESPACE = "urn:coupling-health:report"
_PART = "/customXml/item1.xml"
_LARGEST_PART = 50_000_000
_COMPARED = re.compile(r"ppt/(slides/slide\d+|notesSlides/notesSlide\d+|charts/chart\d+)\.xml")
_LISTED_STRETCHES = 5


def render(statement: Statement, said: Said, words: Words, logo: Logo | None) -> bytes:
    """The slides: title, verdict, trend, what went wrong, where the time went, method."""
    palette = looks.light(statement.cover.color)
    try:
        slides = Slides(said, palette, logo)
        slides.title()
    except (ValueError, OSError) as broken:  # the picture is not what it begins as
        raise ReportProblem(f"The logo cannot be drawn: {broken}.", hint="Is report.logo a whole picture?") from broken
    slides.verdict()
    _trend(slides, statement.content, said, words, palette)
    _trouble(slides, said)
    _details(slides, said, palette)
    _method(slides, said)
    _embed(slides.presentation, written(statement))
    properties = slides.presentation.core_properties
    properties.title, properties.author, properties.language = f"{said.kind}: {said.title}", said.company, said.language
    properties.created = properties.modified = statement.cover.made_at.replace(tzinfo=None)
    file = io.BytesIO()
    slides.presentation.save(file)
    return file.getvalue()


def read_statement(content: bytes) -> str:
    """The statement in the package, also after PowerPoint saved it anew. Raises ReportUnreadable."""
    for name, text in _parts(content).items():
        if name.startswith("customXml/") and _NAMESPACE in text:
            found = re.search(r"<(?:\w+:)?statement[^>]*>(.*?)</(?:\w+:)?statement>", text, re.DOTALL)
            if found and MARK in found[1]:
                return unescape(found[1])
    raise ReportUnreadable


def shown_parts(content: bytes) -> dict[str, str]:
    """The parts of the package that a reader sees: slides, notes and charts."""
    return {name: text for name, text in _parts(content).items() if _COMPARED.fullmatch(name)}


def _parts(content: bytes) -> dict[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            wanted = [part for part in package.infolist() if part.filename.endswith(".xml") and part.file_size < _LARGEST_PART]
            return {part.filename: package.read(part).decode("utf-8", errors="replace") for part in wanted}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError) as broken:
        raise ReportUnreadable from broken


def _embed(presentation: Any, statement: str) -> None:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<statement xmlns="{_NAMESPACE}">{escape(statement, quote=False)}</statement>'
    part = Part(PackURI(_PART), "application/xml", presentation.part.package, text.encode())
    presentation.part.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_XML)


def _trend(slides: Slides, content: ReportContent, said: Said, words: Words, palette: Palette) -> None:
    slide = slides.add(said.legend.title)
    names = [_name(content, position, words) for position in range(len(content.points))]
    known = [point.sums if point.sums.compared else None for point in content.points]
    mean = [round(100 * sums.agreeing / sums.compared, 4) if sums else None for sums in known]
    lowest = [round(100 * sums.worst.share, 4) if sums and sums.worst else None for sums in known]
    rates = _data("0.00", names, {said.legend.mean: mean, said.legend.lowest: lowest})
    height = BOTTOM - TOP
    lines = slide.shapes.add_chart(XL_CHART_TYPE.LINE_MARKERS, emu(LEFT), emu(TOP), emu(WIDTH), emu(height * 0.62), rates).chart
    slides.prepare(lines, legend=True)
    floor = next((bound for bound in (99, 98, 95, 90, 80, 50) if all(low is None or low >= bound for low in lowest)), 0)
    lines.value_axis.minimum_scale, lines.value_axis.maximum_scale = min(floor, float(content.terms.healthy) - 1), 100
    for series, colour, wide in zip(
        lines.plots[0].series, (palette.accent, looks.mixed(palette.accent, "#FFFFFF", 0.45)), (2.25, 1.5), strict=True
    ):
        series.smooth = False
        series.format.line.color.rgb, series.format.line.width = shade(colour), Pt(wide)
        series.marker.size = 5
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.rgb = shade(colour)
        series.marker.format.line.fill.background()
    most = [point.sums.most_violations if sums else None for point, sums in zip(content.points, known, strict=True)]
    bars = _data("0", names, {said.legend.violations: most})
    columns = slide.shapes.add_chart(
        XL_CHART_TYPE.COLUMN_CLUSTERED, emu(LEFT), emu(TOP + height * 0.64), emu(WIDTH), emu(height * 0.36), bars
    ).chart
    slides.prepare(columns, legend=True)
    columns.plots[0].gap_width = 60
    columns.plots[0].series[0].format.fill.solid()
    columns.plots[0].series[0].format.fill.fore_color.rgb = shade(palette.soft)


def _data(number_format: str, names: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> Any:
    """Figures of a chart, as they stand in the table behind it; None where there is none."""
    make: Any = CategoryChartData
    data = make(number_format=number_format)
    data.categories = names
    for name, values in series.items():
        data.add_series(name, values)
    return data


def _name(content: ReportContent, position: int, words: Words) -> str:
    at = words.local(content.points[position].start)
    return words.moment_short(at) if content.step is Step.HOUR else words.day_short(at.date())


def _trouble(slides: Slides, said: Said) -> None:
    if not said.trouble and not said.stretches.rows:
        return
    slide = slides.add(said.trouble_title)
    rows = said.stretches.rows[:_LISTED_STRETCHES]
    height = 3.1 if rows else BOTTOM - TOP
    slides.write(slide, [f"•  {sentence}" for sentence in said.trouble], LEFT, TOP, WIDTH, height, size=18, least=12, gap=6)
    if rows:
        slides.write(slide, [said.stretches.title], LEFT, TOP + 3.2, WIDTH, 0.4, size=14, bold=True)
        shares = (0.2, 0.2, 0.2, 0.16, 0.14, 0.1)
        slides.table(slide, said.stretches, rows, LEFT, TOP + 3.6, WIDTH, shares)


def _details(slides: Slides, said: Said, palette: Palette) -> None:
    slide = slides.add(said.compare.title)
    left = WIDTH * 0.6
    slides.table(slide, said.compare, said.compare.rows, LEFT, TOP, left, (0.46, 0.2, 0.17, 0.17))
    x, wide = LEFT + left + 0.4, WIDTH - left - 0.4
    slides.write(slide, [said.time.title], x, TOP - 0.05, wide, 0.4, size=14, bold=True)
    shares = [round(share, 6) for share in said.time.shares]
    data = _data("0.00%", [row[0] for row in said.time.rows], {said.time.columns[2]: shares})
    chart = slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, emu(x), emu(TOP + 0.35), emu(wide), emu(3.3), data).chart
    slides.prepare(chart, legend=False)
    chart.category_axis.reverse_order = True
    chart.value_axis.minimum_scale, chart.value_axis.maximum_scale = 0, 1
    chart.value_axis.tick_label_position = XL_TICK_LABEL_POSITION.NONE
    chart.value_axis.has_major_gridlines = False
    plot = chart.plots[0]
    plot.gap_width, plot.has_data_labels, plot.vary_by_categories = 50, True, False
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = "0.00%", False
    plot.data_labels.font.size = Pt(11)
    for number, tone in enumerate(said.time.tones):
        fill = plot.series[0].points[number].format.fill
        fill.solid()
        fill.fore_color.rgb = shade(palette.tone(tone))
    slides.write(slide, [said.time.note], x, TOP + 3.7, wide, 1.0, size=11, quiet=True)


def _method(slides: Slides, said: Said) -> None:
    slide = slides.add(said.method_title)
    half = (WIDTH - 0.5) / 2
    paragraphs = [f"{name}: {sentence}" for name, sentence in said.method]
    middle = _middle(paragraphs)
    columns = (paragraphs[:middle], paragraphs[middle:])
    size = min(fitting(column, half, BOTTOM - TOP, 14, 7, 5) for column in columns)
    for column, x in zip(columns, (LEFT, LEFT + half + 0.5), strict=True):
        slides.write(slide, column, x, TOP, half, BOTTOM - TOP, size=size, gap=5, lead=True)
    slide.notes_slide.notes_text_frame.text = "\n".join(paragraphs)
    facts = slides.add(said.facts.title)
    slides.table(facts, said.facts, said.facts.rows, LEFT, TOP, WIDTH, (0.36, 0.64))


def _middle(paragraphs: Sequence[str]) -> int:
    """Where two columns of about the same length part."""
    lengths = [len(paragraph) + 40 for paragraph in paragraphs]
    return min(range(1, len(lengths)), key=lambda cut: abs(sum(lengths[:cut]) - sum(lengths[cut:])))
