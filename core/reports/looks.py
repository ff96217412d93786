"""Colours and pictures of reports: the company's own where they can be read, ours for everything that has a meaning."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from core.errors import ReportProblem
from core.reports.said import Tone

WHITE, NIGHT = "#FFFFFF", "#11161C"

_LEAST_CONTRAST = 4.5
_LARGEST_LOGO = 2_000_000
_STARTS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg"}


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours for one ground. What is written in one of them has at least 4.5 : 1 on it."""

    ground: str
    text: str
    quiet: str
    line: str
    accent: str
    soft: str  # large quiet areas: bars
    unknown: str  # where nothing is known
    tones: dict[Tone, tuple[str, str]]  # text, and the tint behind it

    def tone(self, tone: Tone) -> str:
        return self.tones[tone][0]

    def tint(self, tone: Tone) -> str:
        return self.tones[tone][1]


def light(color: str) -> Palette:
    """On white, also for print."""
    accent = readable(color, WHITE)
    tones = {
        Tone.GOOD: ("#12703F", "#E6F4EC"),
        Tone.FAIR: ("#8A4B00", "#FDF1DC"),
        Tone.BAD: ("#A61B1B", "#FCE8E6"),
        Tone.NEUTRAL: ("#44505F", "#EEF1F4"),
        Tone.ACCENT: (accent, mixed(accent, WHITE, 0.12)),
    }
    return Palette(WHITE, "#17212B", "#5B6875", "#DDE3E9", accent, "#9AA8B5", "#EEF1F4", tones)


def dark(color: str) -> Palette:
    """For screens in the dark."""
    accent = readable(color, NIGHT)
    tones = {
        Tone.GOOD: ("#5FD394", "#12301F"),
        Tone.FAIR: ("#F3B34C", "#3A2A0A"),
        Tone.BAD: ("#FF8A80", "#40161A"),
        Tone.NEUTRAL: ("#B6C2CF", "#242C35"),
        Tone.ACCENT: (accent, mixed(accent, NIGHT, 0.2)),
    }
    return Palette(NIGHT, "#E6ECF2", "#9DAAB7", "#2E3945", accent, "#5B6B7B", "#242C35", tones)


def readable(color: str, ground: str) -> str:
    """The colour itself, or as much darker or lighter as text on the ground needs."""
    towards = "#000000" if _luminance(ground) > 0.5 else "#FFFFFF"
    for part in range(0, 101, 5):
        shade = mixed(towards, color, part / 100)
        if contrast(shade, ground) >= _LEAST_CONTRAST:
            return shade
    return towards


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21, as the accessibility guidelines compute it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(one: str, other: str, part: float) -> str:
    """`part` of one colour and the rest of another."""
    pairs = zip(channels(one), channels(other), strict=True)
    return "#" + "".join(f"{round(a * part + b * (1 - part)):02X}" for a, b in pairs)


def _luminance(color: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in channels(color))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def channels(color: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour, 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture and what it is: png, jpg or svg."""

    content: bytes
    kind: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def media_type(self) -> str:
        return {"png": "image/png", "jpg": "image/jpeg", "svg": "image/svg+xml"}[self.kind]


def read_logo(path: Path | None) -> Logo | None:
    """The picture that the settings name. Raises ReportProblem for one that cannot be used."""
    if path is None:
        return None
    hint = "Set report.logo to a PNG, JPEG or SVG of at most 2 MB, or leave it out."
    try:
        content = path.read_bytes()
    except OSError as refused:
        raise ReportProblem(f"The logo {path} cannot be read: {refused.strerror}.", hint=hint) from refused
    kind = next((kind for start, kind in _STARTS.items() if content.startswith(start)), None)
    if kind is None and b"<svg" in content[:4_096]:
        kind = "svg"
    if kind is None or len(content) > _LARGEST_LOGO:
        problem = "is neither PNG, JPEG nor SVG" if kind is None else "is larger than 2 MB"
        raise ReportProblem(f"The logo {path} {problem}.", hint=hint)
    return Logo(content, kind)


_MARKS = {
    Tone.GOOD: "M6.8 12.4l3.4 3.4 7-7.2",
    Tone.BAD: "M8 8l8 8M16 8l-8 8",
    Tone.FAIR: "M12 6.5v7M12 17v.2",
}
_QUESTION = "M9 9.2a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1-1.4 2.1M12 17.3v.2"


def mark(tone: Tone, colour: str, ground: str) -> str:
    """The sign beside a verdict, as SVG: a tick, a cross, or a question mark in a disc."""
    stroke = f"fill:none;stroke:{ground};stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round"
    disc = f'<circle cx="12" cy="12" r="11" style="fill:{colour}"/>'
    path = f'<path d="{_MARKS.get(tone, _QUESTION)}" style="{stroke}"/>'
    size = 'viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{disc}{path}</svg>'
