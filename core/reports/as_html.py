"""A report as one web page that needs nothing but itself: no script, no other file, no network."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from functools import cache
from html import escape, unescape
from pathlib import Path

from core.errors import ReportUnreadable
from core.reports import chart, looks
from core.reports.chart import Ink
from core.reports.looks import Logo, Palette
from core.reports.said import Said, Table, Tone
from core.reports.statement import MARK, Statement, written
from core.reports.words import Words

_HERE = Path(__file__).parent
_ELEMENT = "coupling-health-report"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def render(statement: Statement, said: Said, words: Words, logo: Logo | None) -> bytes:
    """The page. The same report gives the same bytes."""
    drawing = chart.trend(
        statement.content,
        words,
        _ink(),
        healthy=said.legend.healthy,
        degraded=said.legend.degraded,
        alternative=said.legend.alternative,
    )
    page = [
        f'<!DOCTYPE html>\n<html lang="{escape(said.language)}">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{escape(said.kind)}: {escape(said.title)}</title>",
        f"<style>\n{_colours(statement.cover.color)}\n{_style()}</style>\n</head>\n<body>\n<main>",
        _top(said, logo),
        _verdict(said),
        _tiles(said),
        _trend(said, drawing),
        _trouble(said),
        _details(said),
        _method(said),
        f"<footer>{escape(said.made)}</footer>\n</main>",
        f'<script type="application/json" id="{_ELEMENT}">{written(statement)}</script>\n</body>\n</html>\n',
    ]
    return "\n".join(page).encode()


def read_statement(content: bytes) -> str:
    """The statement of such a page. Raises ReportUnreadable."""
    found = re.search(rf'<script[^>]*id="?{_ELEMENT}"?[^>]*>(.*?)</script>', content.decode("utf-8", errors="replace"), re.DOTALL)
    if found is None or MARK not in found[1]:
        raise ReportUnreadable
    return found[1].strip()


def shown_figures(content: bytes) -> dict[str, str]:
    """What a reader sees as the headline figures of such a page, by their keys."""
    found = re.findall(r'<(\w+)[^>]* data-figure="([\w-]+)">(.*?)</\1>', content.decode("utf-8", errors="replace"), re.DOTALL)
    return {key: unescape(re.sub(r"<[^>]*>", "", text)) for _, key, text in found}


def _top(said: Said, logo: Logo | None) -> str:
    picture = ""
    if logo is not None:
        encoded = base64.b64encode(logo.content).decode()
        picture = f'<img src="data:{logo.media_type};base64,{encoded}" alt="">'
    return (
        f'<header class="top">{picture}<span class="company">{escape(said.company)}</span>'
        f'<span class="kind">{escape(said.kind)}</span></header>\n'
        f'<h1>{escape(said.title)}</h1>\n<p>{escape(said.subject)}</p>\n<p class="quiet">{escape(said.days)}</p>'
    )


def _verdict(said: Said) -> str:
    sign = looks.mark(said.tone, "var(--tone)", "var(--tint)")
    return (
        f'<section class="verdict {said.tone}">{sign}<div><p class="word" data-figure="verdict">{escape(said.verdict)}</p>'
        f'<p class="sentence" data-figure="sentence">{escape(said.sentence)}</p></div></section>'
    )


def _tiles(said: Said) -> str:
    tiles = "\n".join(
        f'<div class="{tile.tone}"><dt data-figure="{tile.key}">{escape(tile.value)}</dt><dd>{escape(tile.label)}</dd>'
        f'<dd class="quiet">{escape(tile.before)}</dd></div>'
        for tile in said.tiles
    )
    return f'<dl class="tiles">\n{tiles}\n</dl>'


def _trend(said: Said, drawing: str) -> str:
    legend = said.legend
    keys = {"mean": legend.mean, "lowest": legend.lowest, "violations": legend.violations, "no-data": legend.no_data}
    listed = "".join(f'<li><i class="{key}"></i>{escape(label)}</li>' for key, label in keys.items())
    logs = f'\n<p class="quiet">{escape(legend.logs)}</p>' if legend.logs else ""
    return (
        f'<section>\n<h2>{escape(legend.title)}</h2>\n<ul class="legend">{listed}</ul>\n'
        f'<div class="chart scroll">{drawing}</div>{logs}\n</section>'
    )


def _trouble(said: Said) -> str:
    if not said.trouble:
        return ""
    listed = "".join(f"<li>{escape(sentence)}</li>\n" for sentence in said.trouble)
    return f'<section>\n<h2>{escape(said.trouble_title)}</h2>\n<ul class="trouble">\n{listed}</ul>\n</section>'


def _details(said: Said) -> str:
    specializations = f"<div>{_table(said.specializations)}</div>" if said.kinds.rows else ""
    return "\n".join(
        (
            f'<section class="new">\n<h2>{escape(said.details_title)}</h2>',
            _section(said.compare),
            f'<div class="beside"><div>{_section(said.time)}</div><div>{_section(said.budget)}</div></div>',
            _section(said.stretches),
            f"<h3>{escape(said.kinds.title)}</h3>",
            f'<div class="beside"><div>{_table(said.kinds)}</div>{specializations}</div>',
            f'<div class="beside wide"><div>{_section(said.oldest)}</div><div>{_section(said.returning)}</div></div>\n</section>',
        )
    )


def _method(said: Said) -> str:
    entries = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(sentence)}</dd>" for name, sentence in said.method)
    return (
        f'<section class="new">\n<h2>{escape(said.method_title)}</h2>\n<dl class="method">\n{entries}\n</dl>\n'
        f"{_section(said.facts)}\n</section>"
    )


def _section(table: Table) -> str:
    return f"<h3>{escape(table.title)}</h3>\n{_table(table)}"


def _table(table: Table) -> str:
    note = f'\n<p class="quiet">{escape(table.note)}</p>' if table.note else ""
    if not table.rows:
        return note.strip()
    rows = "\n".join(_row(table, number, row) for number, row in enumerate(table.rows))
    return f'<div class="scroll"><table data-table="{table.key}">{_head(table)}<tbody>\n{rows}\n</tbody></table></div>{note}'


def _head(table: Table) -> str:
    if not table.columns:
        return ""
    cells = "".join(
        f"<th{_numeric(column >= table.numeric)} scope='col'>{escape(name)}</th>" for column, name in enumerate(table.columns)
    )
    return f"<thead><tr>{cells}{'<td></td>' if table.shares else ''}</tr></thead>"


def _row(table: Table, number: int, row: Sequence[str]) -> str:
    first, *others = row
    cells = f"<th scope='row'>{escape(first)}</th>" + "".join(
        f"<td{_numeric(column >= table.numeric, long=not table.columns)}>{escape(cell)}</td>"
        for column, cell in enumerate(others, start=1)
    )
    if table.shares:
        wide, tone = max(table.shares[number], 0.01) if table.shares[number] else 0, table.tones[number]
        cells += f'<td class="bar"><span class="{tone}"><b style="width:{wide:.2%}"></b></span></td>'
    return f"<tr>{cells}</tr>"


def _numeric(numeric: bool, *, long: bool = False) -> str:
    return (' class="n wrap"' if long else ' class="n"') if numeric else ""


def _colours(color: str) -> str:
    return (
        f":root {{ {_variables(looks.light(color))} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_variables(looks.dark(color))} }} }}"
    )


def _variables(palette: Palette) -> str:
    plain = {name: getattr(palette, name) for name in ("ground", "text", "quiet", "line", "accent", "soft", "unknown")}
    tones = {tone.value: palette.tone(tone) for tone in Tone} | {f"{tone}-tint": palette.tint(tone) for tone in Tone}
    return " ".join(f"--{name}: {colour};" for name, colour in (plain | tones).items())


def _ink() -> Ink:
    """The page's own variables, so that the drawing follows its theme."""
    text, quiet, line, accent, soft, unknown, good, fair = (
        f"var(--{name})" for name in ("text", "quiet", "line", "accent", "soft", "unknown", "good", "fair")
    )
    return Ink(text, quiet, line, accent, soft, unknown, good, fair, font="inherit")


@cache
def _style() -> str:
    return (_HERE / "report.css").read_text("utf-8")
