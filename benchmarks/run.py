"""Measure, print the tables and the aims."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from benchmarks.api import measure_api
from benchmarks.api_tables import api_aims, api_tables
from benchmarks.contenders import CHECK, CONTENDERS, EXACT, RAW, WHOLE, Scene
from benchmarks.engines import Engine, Sqlite, missing_for_postgresql, postgresql
from benchmarks.http_servers import missing_for_servers
from benchmarks.logs import log_aims, log_tables, measure_logs
from benchmarks.pages import measure_pages, page_aims, page_tables
from benchmarks.pairs import Pairs, Variety
from benchmarks.stopwatch import measure
from benchmarks.tables import Measured, aims, memory, times

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_USUAL = (Variety.HEALTHY, Variety.VIOLATING)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options ask for. 1 when a contender that must find every violation did not, else 0, aims met or not."""
    options = _options(arguments)
    right = options.only not in (None, "check") or _measure_check(options)
    if options.only in (None, "api"):
        _measure_api(options)
    if options.only in (None, "logs"):
        _measure_logs()
    if options.only in (None, "pages"):
        _measure_pages()
    return 0 if right else 1


def _measure_check(options: argparse.Namespace) -> bool:
    """The check beside its alternatives. Whether everybody who must find every violation did."""
    begun = perf_counter()
    measured: list[Measured] = []
    memories: list[Measured] = []
    with ExitStack() as stack:
        for engine in _engines(options.engines, stack):
            for pairs in options.sizes:
                for variety in options.data:
                    measured.append(_measure(engine, Pairs(pairs, variety, options.shuffled), options.rounds))
            largest = [one for one in measured if one.engine == engine.name and one.pairs == max(options.sizes)]
            few = [one for one in largest if one.variety is Variety.VIOLATING]
            if few and not options.no_memory:
                everything = Pairs(max(options.sizes), Variety.ALL_VIOLATING, options.shuffled)
                memories += [*few, _measure(engine, everything, 1, names=[RAW, CHECK, WHOLE], warm_up=False)]
    order = "in random order" if options.shuffled else "in the users' order"
    print(f"{_machine()}; best of {options.rounds} runs; rows {order}; {perf_counter() - begun:.0f} s in all.")
    print("Cells: wall time · times the raw statement · peak client memory above that after imports.")
    _print(times(measured))
    _print(memory(memories) if memories else ())
    _print(aims(measured, memories))
    wrong = [words for one in (*measured, *memories) for words in _wrong_answers(one)]
    _print(["", *wrong] if wrong else ())
    return not wrong


def _measure_api(options: argparse.Namespace) -> None:
    """The HTTP API under load."""
    missing = missing_for_servers()
    if missing:
        print(f"\nThe HTTP API is left out: {missing}.")
        return
    begun = perf_counter()
    served = measure_api(min(max(options.sizes), _SIZES[-1]), options.seconds)
    print(f"\n{_machine()}; HTTP API: {perf_counter() - begun:.0f} s in all; {_busy(served.load)}.")
    _print(api_tables(served))
    _print(api_aims(served))


def _measure_logs() -> None:
    """A year of violation logs."""
    begun = perf_counter()
    imported = measure_logs()
    print(f"\n{_machine()}; logs: {perf_counter() - begun:.0f} s in all; {_busy(imported.load)}.")
    _print(log_tables(imported))
    _print(log_aims(imported))


def _measure_pages() -> None:
    """The pages over a year of checks."""
    missing = missing_for_servers()
    if missing:
        print(f"\nThe pages are left out: {missing}.")
        return
    begun = perf_counter()
    drawings = measure_pages()
    print(f"\n{_machine()}; pages: {perf_counter() - begun:.0f} s in all; {_busy(drawings.load)}.")
    _print(page_tables(drawings))
    _print(page_aims(drawings))


def _measure(engine: Engine, pairs: Pairs, rounds: int, *, names: list[str] | None = None, warm_up: bool = True) -> Measured:
    print(f"{engine.name}, {pairs.number:,} pairs, {pairs.variety.in_words} …", file=sys.stderr, flush=True)
    folder = Path(tempfile.mkdtemp(prefix="coupling-health-bench-"))
    try:
        with engine.loaded(pairs, folder) as url:
            scene = Scene(engine.name, url, pairs.number, pairs.variety, folder)
            results = measure(names or list(CONTENDERS), scene, rounds, warm_up=warm_up)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Measured(engine.name, pairs.variety, pairs.number, pairs.violations, results)


def _wrong_answers(one: Measured) -> list[str]:
    words = []
    for name in EXACT:
        for run in one.results[name].runs if one.took_part(name) else ():
            if (run.answer.total, run.answer.violations) != (one.pairs, one.violations):
                words.append(f"WRONG: {name} on {one.engine}, {one.variety.in_words}: {run.answer}, not {one.violations}.")
    return words


def _engines(names: Sequence[str], stack: ExitStack) -> Iterable[Engine]:
    if "sqlite" in names:
        yield Sqlite()
    if "postgresql" in names:
        missing = missing_for_postgresql()
        if missing:
            print(f"PostgreSQL is left out: {missing} is not installed; the `bench` extra brings it.\n")
        else:
            yield stack.enter_context(postgresql())


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _busy(load: tuple[float, float]) -> str:
    return f"processes that wanted a core: {load[0]:.1f} before and {load[1]:.1f} after"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description="How long the check takes beside its alternatives.")
    parser.add_argument("--only", choices=["check", "api", "logs", "pages"], help="measure one of them alone")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(_SIZES), metavar="PAIRS", help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="nothing above 100,000 pairs")
    parser.add_argument("--engines", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--data", nargs="+", type=Variety, choices=list(_USUAL), default=list(_USUAL))
    parser.add_argument("--duplicates", action="store_true", help="also with duplicate rows among the violations")
    parser.add_argument("--rounds", type=int, default=3, help="timed runs of each contender; default: %(default)s")
    parser.add_argument("--shuffled", action="store_true", help="rows in random order instead of the users' order")
    parser.add_argument("--no-memory", action="store_true", help="leave out the run in which every pair is in violation")
    parser.add_argument("--seconds", type=float, default=10, help="of each load on the HTTP API; default: %(default)s")
    options = parser.parse_args(arguments)
    if options.quick:
        options.sizes = [size for size in options.sizes if size <= 100_000]
    options.data += [Variety.DUPLICATES] if options.duplicates else []
    if not options.sizes or min(options.sizes) < 1_000:
        parser.error("the smallest size is 1,000 pairs: fewer have no violations worth the name")
    if options.seconds <= 0:
        parser.error("--seconds must be more than 0")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
