"""A report as PDF, set by Typst: archivable and tagged (PDF/A-3a), with its statement attached."""

from __future__ import annotations

import json
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, cast

import typst

from core.errors import ReportProblem, ReportUnreadable
from core.reports import chart, looks
from core.reports.chart import Ink
from core.reports.looks import Logo, Palette
from core.reports.said import Said, Tone
from core.reports.statement import MARK, Statement, written
from core.reports.words import Words

START = b"%PDF-"

_HERE = Path(__file__).parent
_FONT = "Source Sans Pro"
_LARGEST_STREAM = 50_000_000


def render(statement: Statement, said: Said, words: Words, logo: Logo | None) -> bytes:
    """The pages. The same report gives the same bytes, as long as our own fonts can write all of it."""
    palette = looks.light(statement.cover.color)
    inputs = {
        "said": json.dumps(_as_data(said, palette, logo)),
        "chart": chart.trend(statement.content, words, _ink(palette), healthy=said.legend.healthy, degraded=said.legend.degraded),
        "statement": written(statement),
    }
    with tempfile.TemporaryDirectory(prefix="coupling-health-") as folder:
        if logo is not None:
            (Path(folder) / f"logo.{logo.kind}").write_bytes(logo.content)
        made_at = int(statement.cover.made_at.timestamp())
        try:
            return _compile(folder, inputs, made_at, archivable=True)
        except typst.TypstError:  # a name in letters that our fonts lack may not stand in an archive
            try:
                return _compile(folder, inputs, made_at, archivable=False)
            except typst.TypstError as refused:
                hint = "Is report.logo a whole picture?"
                raise ReportProblem(f"The PDF cannot be made: {refused.message}.", hint=hint) from refused


def _compile(folder: str, inputs: dict[str, str], made_at: int, *, archivable: bool) -> bytes:
    compiler = typst.Compiler(_template(), root=folder, font_paths=_fonts(archivable), sys_inputs=inputs)
    pages = compiler.compile(format="pdf", pdf_standards=["a-3a"] if archivable else [], timestamp=made_at)
    return cast("bytes", pages)


def as_png(svg: Logo, wide: int) -> bytes:
    """A drawing as a picture of so many pixels, on nothing."""
    source = '#set page(width: auto, height: auto, margin: 0pt, fill: none)\n#image("logo.svg", width: 100pt)'
    with tempfile.TemporaryDirectory(prefix="coupling-health-") as folder:
        (Path(folder) / "logo.svg").write_bytes(svg.content)
        try:
            compiler = typst.Compiler(source.encode(), root=folder, font_paths=_fonts(archivable=True))
            return cast("bytes", compiler.compile(format="png", ppi=72 * wide / 100))
        except typst.TypstError as refused:
            hint = "Set report.logo to a PNG, JPEG or SVG."
            raise ReportProblem(f"The logo cannot be drawn: {refused.message}.", hint=hint) from refused


def same_everywhere(content: bytes) -> bool:
    """Whether a PDF was written with our own fonts alone, so that every machine writes the same."""
    return b"pdfaid" in content


def read_statement(content: bytes) -> str:
    """The statement that is attached to a PDF, whoever saved it anew. Raises ReportUnreadable."""
    for stream in _streams(content):
        if stream.startswith(f'{{"{MARK}"'.encode()):
            return stream.decode("utf-8", errors="replace")
    raise ReportUnreadable


def _streams(content: bytes) -> Iterator[bytes]:
    for found in re.finditer(rb"stream\r?\n", content):
        start = content[found.end() : found.end() + 64]
        if start.startswith(f'{{"{MARK}"'.encode()):
            yield content[found.end() : content.find(b"endstream", found.end())].strip()
            continue
        try:
            yield zlib.decompressobj().decompress(content[found.end() :], _LARGEST_STREAM)
        except zlib.error:
            continue


def _as_data(said: Said, palette: Palette, logo: Logo | None) -> dict[str, Any]:
    language, _, _ = said.language.partition("-")
    return {
        **asdict(said),
        "lang": language,
        "logo": f"/logo.{logo.kind}" if logo else None,
        "ink": {**asdict(palette), "tones": {tone.value: list(pair) for tone, pair in palette.tones.items()}},
        "marks": {tone.value: looks.mark(tone, palette.tone(tone), palette.ground) for tone in Tone},
    }


def _ink(palette: Palette) -> Ink:
    tones = palette.tone(Tone.GOOD), palette.tone(Tone.FAIR)
    return Ink(
        palette.text, palette.quiet, palette.line, palette.accent, palette.soft, palette.unknown, *tones, font=f"'{_FONT}'"
    )


@cache
def _fonts(archivable: bool) -> typst.Fonts:
    """Ours, which are the same everywhere; or those of the machine as well."""
    return typst.Fonts(include_system_fonts=not archivable, font_paths=[str(_HERE / "fonts")])


@cache
def _template() -> bytes:
    return (_HERE / "report.typ").read_bytes()
