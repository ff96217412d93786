"""The texts of reports, by language: our own in English and Hungarian, and whatever an operator adds."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ReportProblem

ENGLISH = "en"
OURS = Path(__file__).parent / "texts"

_PLACE = re.compile(r"\{(\w+)\}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")

Text = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """A catalogue by dotted key. Nothing but the named places is filled in, whatever a text or a value holds."""

    language: str
    texts: Mapping[str, Text]

    def __call__(self, key: str, **values: object) -> str:
        text = self.texts[key]
        if not isinstance(text, str):
            raise TypeError(f"{key} is a list of texts")
        return filled(text, values)

    def choices(self, key: str) -> Sequence[str]:
        """A text of several parts: the names of the months, one and many."""
        parts = self.texts[key]
        if isinstance(parts, str):
            raise TypeError(f"{key} is one text")
        return parts

    @property
    def digest(self) -> str:
        """Tells whether two reports were made with the same texts."""
        plain = json.dumps({key: self.texts[key] for key in sorted(self.texts)}, ensure_ascii=True)
        return hashlib.sha256(plain.encode()).hexdigest()


def filled(text: str, values: Mapping[str, object]) -> str:
    """A text with its {places} filled in; a place that nobody fills stays as it is."""
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), text)


def places(text: Text) -> set[str]:
    """The names of the places in a text."""
    parts = [text] if isinstance(text, str) else text
    return {name for part in parts for name in _PLACE.findall(part)}


def languages(folder: Path | None) -> Sequence[str]:
    """What there is: our own languages and those of a folder."""
    folders = [OURS] if folder is None else [OURS, folder]
    return sorted({path.stem for place in folders for path in place.glob("*.toml") if _LANGUAGE.fullmatch(path.stem)})


def load(language: str, folder: Path | None = None) -> Texts:
    """The catalogue of a language; one in `folder` goes before ours. What it leaves out is English.

    Raises ReportProblem for a language that there is not, and for a file that is broken or has texts that nobody asks for.
    """
    english = _read(OURS / f"{ENGLISH}.toml")
    own = folder / f"{language}.toml" if folder is not None else None
    path = own if own is not None and own.is_file() else OURS / f"{language}.toml"
    if not _LANGUAGE.fullmatch(language) or not path.is_file():
        there = ", ".join(languages(folder))
        where = f" Put a {language}.toml into {folder}." if folder else " Others come from report.texts_dir."
        raise ReportProblem(f"There are no texts in the language {language!r}; there are: {there}.", hint=f"Choose one.{where}")
    given = _read(path)
    mistakes = _mistakes(given, english)
    if mistakes:
        raise ReportProblem(f"The texts in {path} are wrong: {'; '.join(mistakes)}.", hint="Compare the file with en.toml.")
    return Texts(language, {**english, **given})


def _mistakes(given: Mapping[str, Text], english: Mapping[str, Text]) -> list[str]:
    mistakes = []
    for key, text in given.items():
        if key not in english:
            mistakes.append(f"{key} is no text of a report")
        elif _shape(text) != _shape(english[key]):
            mistakes.append(f"{key} must be {_shape(english[key])}")
        elif unknown := places(text) - places(english[key]) - _ALWAYS.get(key.split(".")[0], set()):
            mistakes.append(f"{key} has a place {{{min(unknown)}}} that nobody fills")
    return mistakes


_ALWAYS = {"format": {"day", "month", "year", "last_day", "date", "time"}}  # every date may name any part of itself


def _shape(text: Text) -> str:
    return "one text" if isinstance(text, str) else f"a list of {len(text)} texts"


def _read(path: Path) -> dict[str, Text]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as broken:
        raise ReportProblem(
            f"The texts in {path} cannot be read: {broken}.", hint="Mend the file, or choose another."
        ) from broken
    texts: dict[str, Text] = {}
    for group, entries in document.items():
        if not isinstance(entries, dict):
            raise ReportProblem(f"The texts in {path} are wrong: {group} is no group.", hint="Compare the file with en.toml.")
        for name, text in entries.items():
            texts[f"{group}.{name}"] = tuple(str(part) for part in text) if isinstance(text, list) else str(text)
    return texts
