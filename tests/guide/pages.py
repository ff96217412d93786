"""The pages of the guide, taken apart: code blocks with what is noted above them, headings and links."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.subprocesses import ROOT

DOCS = ROOT / "docs"
TESTED = ("sh", "python", "toml", "sql", "json")  # what these tests run or load; other blocks show what is seen

# What a comment directly above a block may say, for these tests alone: `<!-- ends with: 1; shows: Degraded -->`.
NOTES = {
    "not run",  # why the block cannot run in a test
    "serves",  # it is the command that the tests' server was started with
    "saved as",  # the block is the content of this file in the reader's folder
    "ends with",  # the exit code, when it is not 0
    "shows",  # a text that the reader is told to expect
    "engine",  # of a sql block: postgresql, or sqlite and the file
    "needs",  # of a python block: a module that the product does not bring
}

_FENCE = re.compile(r"^(?P<fence>```+)(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--\s*(.*?)\s*-->\n\Z")
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block and what the comment above it says."""

    page: Page
    line: int
    language: str
    text: str
    notes: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def tested(self) -> bool:
        return self.language in TESTED and "not run" not in self.notes


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the guide."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return _read(self.path)

    @property
    def prose(self) -> str:
        """The page without its blocks."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> Sequence[Block]:
        return [
            Block(
                self,
                self.text.count("\n", 0, found.start()) + 1,
                found["language"],
                found["text"],
                _notes_above(self.text[: found.start()]),
            )
            for found in _FENCE.finditer(self.text)
        ]

    @property
    def links(self) -> Sequence[str]:
        return [found["target"] for found in _LINK.finditer(self.prose)]

    @property
    def anchors(self) -> set[str]:
        """The names that the headings can be linked by, as GitHub makes them."""
        names: set[str] = set()
        for found in _HEADING.finditer(self.prose):
            name = re.sub(r"[^\w\- ]", "", _LINK.sub("", found["title"]).replace("`", "").lower()).replace(" ", "-")
            repeated = next(number for number in range(len(names) + 1) if (f"{name}-{number}" if number else name) not in names)
            names.add(f"{name}-{repeated}" if repeated else name)
        return names

    @property
    def last_line(self) -> str:
        return self.text.rstrip().splitlines()[-1]


@cache
def _read(path: Path) -> str:
    return path.read_text("utf-8")


def _notes_above(text: str) -> dict[str, str]:
    found = _COMMENT.search(text)
    notes = {}
    for note in found[1].split(";") if found else ():
        name, _, value = note.partition(":")
        notes[name.strip()] = value.strip()
    return notes


def page(name: str) -> Page:
    return Page(DOCS / name)


PAGES = [Page(ROOT / "README.md"), *(Page(path) for path in sorted(DOCS.glob("*.md")))]
