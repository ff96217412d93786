"""The building blocks of the slides: their shape, texts that fit where they stand, tables."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from PIL import ImageFont
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_LEGEND_POSITION, XL_TICK_MARK
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Length, Pt

from core.reports import as_typst
from core.reports.looks import Logo, Palette, channels
from core.reports.said import Said, Table, Tone

# Inches. A slide is 16 to 9.
PAGE_WIDTH, PAGE_HEIGHT = 13.333, 7.5
LEFT, WIDTH = 0.7, PAGE_WIDTH - 1.4
TOP, BOTTOM = 1.45, 6.75

_NARROW = PAGE_WIDTH / 10  # the template that we begin with is 4 to 3
_LINE = 1.22  # heights of a line, by the size of its letters
_FONT = str(Path(__file__).parent / "fonts" / "SourceSansPro-Semibold.otf")
_SIGNS = {Tone.GOOD: "✓", Tone.BAD: "✕"}


def emu(inches: float) -> Length:
    return Inches(inches)


def shade(colour: str) -> Any:
    make: Any = RGBColor
    return make(*channels(colour))


def height_of(paragraphs: Sequence[str], wide: float, size: float, gap: float = 0) -> float:
    """Inches that texts take, broken into lines of a width; measured with letters a little wider than those that are shown."""
    font = _font()
    lines = 0
    for paragraph in paragraphs:
        used = 0.0
        lines += 1
        for word in paragraph.split(" "):
            length = font.getlength(word + " ") / 100 * size / 72
            while length > wide:  # a word longer than a line is broken anywhere
                lines, length, used = lines + 1, length - wide, 0.0
            if used + length > wide:
                lines, used = lines + 1, 0.0
            used += length
    return (lines * size * _LINE + gap * len(paragraphs)) / 72


def fitting(paragraphs: Sequence[str], wide: float, tall: float, size: float, least: float, gap: float = 0) -> float:
    """The largest size of letters with which texts fit, between `least` and `size`."""
    while size > least and height_of(paragraphs, wide, size, gap) > tall:
        size -= 0.5
    return size


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONT, 100)


class Slides:
    """A presentation in the making."""

    def __init__(self, said: Said, palette: Palette, logo: Logo | None) -> None:
        """Raises ValueError or OSError for a logo that is no picture."""
        self.said, self.palette = said, palette
        self.presentation = Presentation()
        self._widen()
        self._logo = _as_picture(logo)

    def title(self) -> None:
        said = self.said
        slide = self.add(said.title, size=44, top=2.6, tall=1.0)
        slide.shapes.title.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM
        self._bar(slide, 0, 0, 0.28, PAGE_HEIGHT)
        if self._logo is not None:
            picture = slide.shapes.add_picture(io.BytesIO(self._logo), emu(LEFT), emu(0.7), height=emu(0.8))
            if picture.width > emu(4):
                picture.height, picture.width = round(picture.height * emu(4) / picture.width), emu(4)
            picture.name = said.company or said.kind
        self.write(slide, [said.company or said.kind], LEFT, 1.75, WIDTH, 0.8, size=22, least=12, bold=True)
        self.write(slide, [said.subject], LEFT, 3.7, WIDTH, 0.5, size=20, least=14)
        self.write(slide, [said.days, f"{said.kind}, {said.made}"], LEFT, 4.3, WIDTH, 0.9, size=14, quiet=True)

    def verdict(self) -> None:
        said, tone = self.said, self.said.tone
        slide = self.add(said.verdict, colour=self.palette.tone(tone))
        box = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, emu(LEFT), emu(TOP), emu(WIDTH), emu(2.1))
        box.fill.solid()
        box.fill.fore_color.rgb = shade(self.palette.tint(tone))
        box.line.fill.background()
        box.shadow.inherit = False
        self._bar(slide, LEFT, TOP, 0.08, 2.1, self.palette.tone(tone))
        self.write(
            slide, [_SIGNS.get(tone, "?")], LEFT + 0.25, TOP + 0.5, 0.8, 1.0, size=44, bold=True, colour=self.palette.tone(tone)
        )
        self.write(slide, [said.sentence], LEFT + 1.15, TOP + 0.15, WIDTH - 1.5, 1.8, size=26, least=14, middle=True)
        wide, tall, gap = (WIDTH - 0.8) / 3, 1.4, 0.4
        for number, tile in enumerate(said.tiles):
            x, y = LEFT + (number % 3) * (wide + gap), TOP + 2.4 + (number // 3) * (tall + 0.05)
            colour = self.palette.text if tile.tone is Tone.NEUTRAL else self.palette.tone(tile.tone)
            self._bar(slide, x, y, wide, 0.012, self.palette.line)
            self.write(slide, [tile.value], x, y + 0.06, wide, 0.62, size=30, least=18, bold=True, colour=colour)
            self.write(slide, [tile.label], x, y + 0.66, wide, 0.3, size=14, least=9)
            self.write(slide, [tile.before], x, y + 0.98, wide, 0.3, size=12, least=8, quiet=True)

    def add(self, title: str, *, size: float = 28, top: float = 0.5, tall: float = 0.75, colour: str = "") -> Any:
        """A slide with its title and the line at its foot."""
        slide = self.presentation.slides.add_slide(self.presentation.slide_layouts[5])  # a title and nothing else
        heading = slide.shapes.title
        heading.left, heading.top, heading.width, heading.height = emu(LEFT), emu(top), emu(WIDTH), emu(tall)
        self._fill(heading.text_frame, [title], fitting([title], WIDTH, tall, size, 14), bold=True, colour=colour)
        if len(self.presentation.slides) > 1:
            number = len(self.presentation.slides)
            foot = " · ".join(part for part in (self.said.company, self.said.kind, self.said.title) if part)
            self.write(slide, [foot], LEFT, 6.95, WIDTH - 1, 0.32, size=10, least=6, quiet=True)
            self.write(slide, [str(number)], LEFT + WIDTH - 0.8, 6.95, 0.8, 0.32, size=10, quiet=True, right=True)
        return slide

    def write(
        self,
        slide: Any,
        paragraphs: Sequence[str],
        x: float,
        y: float,
        wide: float,
        tall: float,
        *,
        size: float,
        least: float = 0,
        gap: float = 0,
        bold: bool = False,
        quiet: bool = False,
        right: bool = False,
        middle: bool = False,
        lead: bool = False,
        colour: str = "",
    ) -> None:
        """Texts in a box, in letters as large as fit into it, and not larger than `size` points.

        With `lead`, what stands before the first colon is bold.
        """
        frame = slide.shapes.add_textbox(emu(x), emu(y), emu(wide), emu(tall)).text_frame
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE if middle else MSO_ANCHOR.TOP
        colour = colour or (self.palette.quiet if quiet else self.palette.text)
        self._fill(
            frame, paragraphs, fitting(paragraphs, wide, tall, size, least or size, gap), bold=bold, colour=colour, gap=gap
        )
        if right:
            frame.paragraphs[0].alignment = PP_ALIGN.RIGHT

    def table(
        self, slide: Any, table: Table, rows: Sequence[Sequence[str]], x: float, y: float, wide: float, shares: Sequence[float]
    ) -> None:
        """A native table whose columns take these shares of the width."""
        lines = [*([table.columns] if table.columns else []), *rows]
        if not lines:
            self.write(slide, [table.note], x, y, wide, 0.4, size=13, quiet=True)
            return
        tall = min(0.4, (BOTTOM - y) / len(lines))
        shape = slide.shapes.add_table(len(lines), len(shares), emu(x), emu(y), emu(wide), emu(tall * len(lines)))
        shape.name = table.title
        grid = shape.table
        grid.first_row, grid.horz_banding = bool(table.columns), False
        _unstyled(shape)
        for column, share in enumerate(shares):
            grid.columns[column].width = emu(wide * share)
        for number, line in enumerate(lines):
            grid.rows[number].height = emu(tall)
            for column, text in enumerate(line):
                heading = bool(table.columns) and number == 0
                cell = grid.cell(number, column)
                cell.margin_left = cell.margin_right = emu(0.05)
                cell.margin_top = cell.margin_bottom = emu(0.02)
                cell.vertical_anchor = MSO_ANCHOR.MIDDLE
                size = fitting([text], wide * shares[column] - 0.1, tall - 0.04, 11.0 if heading else 13.0, 7)
                self._fill(cell.text_frame, [text], size, colour=self.palette.quiet if heading else self.palette.text)
                cell.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT if column >= table.numeric else PP_ALIGN.LEFT
                _underline(cell, self.palette.line)

    def prepare(self, chart: Any, *, legend: bool) -> None:
        """The quiet looks that all charts share."""
        chart.font.size, chart.font.color.rgb = Pt(11), shade(self.palette.quiet)
        chart.has_title = False
        chart.has_legend = legend
        if legend:
            chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
        chart.value_axis.major_gridlines.format.line.color.rgb = shade(self.palette.line)
        chart.value_axis.format.line.fill.background()
        chart.value_axis.major_tick_mark = chart.category_axis.major_tick_mark = XL_TICK_MARK.NONE
        chart.category_axis.format.line.color.rgb = shade(self.palette.line)

    def _fill(
        self,
        frame: Any,
        paragraphs: Sequence[str],
        size: float,
        *,
        bold: bool = False,
        colour: str = "",
        gap: float = 0,
        lead: bool = False,
    ) -> None:
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        for number, text in enumerate(paragraphs):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.alignment = PP_ALIGN.LEFT
            paragraph.space_after = Pt(gap)
            name, mark, rest = text.partition(": ") if lead else ("", "", text)
            for part, heavy in ((name + mark, True), (rest, bold)):
                if part:
                    run = paragraph.add_run()
                    run.text = _written(part)
                    run.font.size, run.font.bold = Pt(size), heavy
                    run.font.color.rgb = shade(colour or self.palette.text)

    def _bar(self, slide: Any, x: float, y: float, wide: float, tall: float, colour: str = "") -> None:
        bar = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, emu(x), emu(y), emu(wide), emu(tall))
        bar.fill.solid()
        bar.fill.fore_color.rgb = shade(colour or self.palette.accent)
        bar.line.fill.background()
        bar.shadow.inherit = False

    def _widen(self) -> None:
        """The template is 4 to 3: its layouts are stretched, so that slides that somebody adds fit as well."""
        self.presentation.slide_width, self.presentation.slide_height = emu(PAGE_WIDTH), emu(PAGE_HEIGHT)
        master = self.presentation.slide_master
        for shape in (shape for place in (master, *master.slide_layouts) for shape in place.placeholders):
            if shape.element.spPr is not None and shape.element.spPr.find(qn("a:xfrm")) is not None:
                shape.left, shape.width = round(shape.left * _NARROW), round(shape.width * _NARROW)


def _written(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(letter for letter in text if letter >= " " or letter == "\t")


def _as_picture(logo: Logo | None) -> bytes | None:
    if logo is None:
        return None
    return as_typst.as_png(logo, 600) if logo.kind == "svg" else logo.content


def _unstyled(shape: Any) -> None:
    """Take the template's colours off a table; its style "no style, no grid" stays editable."""
    shape.element.find(f".//{qn('a:tableStyleId')}").text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


def _underline(cell: Any, colour: str) -> None:
    properties = cell._tc.get_or_add_tcPr()
    line = properties.makeelement(qn("a:lnB"), {"w": "6350"})
    fill = line.makeelement(qn("a:solidFill"), {})
    fill.append(fill.makeelement(qn("a:srgbClr"), {"val": colour[1:]}))
    line.append(fill)
    properties.append(line)
