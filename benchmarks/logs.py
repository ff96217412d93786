"""A year of violation logs: the import beside reading and parsing the same files, and a restart beside a listing."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from benchmarks import year_of_logs
from benchmarks.tables import table
from core.logs.importing import ImportResult, import_logs
from core.settings import Settings
from core.state.database import StateDatabase

AIM_IMPORT = 2.0  # times the floor
AIM_RESTART = 2.0  # times one listing

_LIMITS = Settings().log_limits
_THRESHOLDS = Settings().status_thresholds
_LATER = year_of_logs.END + timedelta(days=1)
_ROUNDS = 5


@dataclass(frozen=True)
class Imported:
    """Seconds, the best of some rounds in turns."""

    logs: int
    floor: float  # every file opened, read and parsed, one after another
    folder: float  # imported into an empty SQLite state database
    archive_floor: float  # the same out of a .tar.gz
    archive: float
    listing: float  # one os.scandir to the end
    restart: float  # an import when nothing changed
    restart_after_one: float  # an import when one log was added
    load: tuple[float, float]  # processes that wanted a core, before and after


def measure_logs(logs: int = year_of_logs.LOGS) -> Imported:
    """Write the logs, and measure. Takes about four minutes for a year."""
    load = os.getloadavg()[0]
    base = Path(tempfile.mkdtemp(prefix="coupling-health-bench-"))
    try:
        folder = base / "logs"
        print(f"writing {logs:,} logs …", file=sys.stderr, flush=True)
        year_of_logs.write_logs(folder, logs)
        os.utime(folder, (1, 1))  # as if they had lain there for long
        archive = base / "logs.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
            packed.add(folder, "logs")
        times: dict[str, list[float]] = {}
        for number in range(_ROUNDS):
            print(f"round {number + 1} of {_ROUNDS} …", file=sys.stderr, flush=True)
            for name, seconds in _round(base / f"{number}", folder, archive, logs):
                times.setdefault(name, []).append(seconds)
        best = {name: min(found) for name, found in times.items()}
        return Imported(logs, **best, load=(load, os.getloadavg()[0]))
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _round(base: Path, folder: Path, archive: Path, logs: int) -> Iterator[tuple[str, float]]:
    yield "floor", _timed(lambda: sum(1 for _ in _parsed(folder)), logs)
    state = _fresh_state(base / "folder")
    yield "folder", _timed(lambda: _import(state, folder).imported, logs)
    yield "listing", _timed(lambda: len(list(os.scandir(folder))), None)
    yield "restart", _timed(lambda: _import(state, folder).already_known, logs)
    added = folder / "20300101_000000_violations.json"
    added.write_text("{}", encoding="utf-8")
    yield "restart_after_one", _timed(lambda: _import(state, folder).already_known, logs)
    added.unlink()
    os.utime(folder, (1, 1))
    state.dispose()
    yield "archive_floor", _timed(lambda: sum(1 for _ in _unpacked(archive)), logs)
    state = _fresh_state(base / "archive")
    yield "archive", _timed(lambda: _import(state, archive).imported, logs)
    state.dispose()


def _import(state: StateDatabase, place: Path) -> ImportResult:
    return import_logs(state, place, _LIMITS, _THRESHOLDS, _LATER)


def _parsed(folder: Path) -> Iterator[object]:
    for name in sorted(os.listdir(folder)):  # noqa: PTH208 - the fastest that there is
        with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 - the same
            yield json.loads(file.read())


def _unpacked(archive: Path) -> Iterator[object]:
    with tarfile.open(archive) as packed:
        for member in packed:
            if member.isreg() and (file := packed.extractfile(member)):
                yield json.loads(file.read())


def _fresh_state(folder: Path) -> StateDatabase:
    state = StateDatabase(Settings(state_url=f"sqlite:///{folder / 'state.db'}").state_database_url)
    state.upgrade()
    return state


def _timed(work: Callable[[], int], expected: int | None) -> float:
    begun = perf_counter()
    found = work()
    took = perf_counter() - begun
    assert expected is None or found == expected, f"{found} instead of {expected}"
    return took


def log_tables(one: Imported) -> Iterator[str]:
    """What was measured."""
    yield f"\n### {one.logs:,} logs, about 20 violations each\n"
    rows = [
        ("read and parse every file, nothing else", one.floor, one.floor),
        ("import the folder: history, breakdown, lives", one.folder, one.floor),
        ("read and parse every file of the .tar.gz", one.archive_floor, one.archive_floor),
        ("import the .tar.gz", one.archive, one.archive_floor),
        ("list the folder once", one.listing, one.listing),
        ("import again, nothing new", one.restart, one.listing),
        ("import again, one new file", one.restart_after_one, one.listing),
    ]
    yield from table(
        ["what", "time", "times its floor", "a log"],
        ([what, _time(seconds), f"{seconds / floor:.2f}", _time(seconds / one.logs)] for what, seconds, floor in rows),
    )


def log_aims(one: Imported) -> Iterator[str]:
    """Each aim, what this run measured for it, and whether that meets it."""
    yield "\n#### Aims of the import\n"
    for words, ratio, aim in (
        ("import of a folder", one.folder / one.floor, AIM_IMPORT),
        ("import of an archive", one.archive / one.archive_floor, AIM_IMPORT),
        ("restart over an unchanged folder", one.restart / one.listing, AIM_RESTART),
    ):
        yield f"- {words} ≤ {aim:.0f} times its floor: {'met' if ratio <= aim else '**missed**'} ({ratio:.2f})"


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1e3:.0f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"
