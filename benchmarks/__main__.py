"""`python -m benchmarks`: measure, print the tables and the aims."""

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

from benchmarks.contenders import CHECK, CONTENDERS, EXACT, RAW, WHOLE, Scene
from benchmarks.engines import Engine, Sqlite, missing_for_postgresql, postgresql
from benchmarks.pairs import Pairs, Variety
from benchmarks.stopwatch import measure
from benchmarks.tables import Measured, aims, memory, times

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_USUAL = (Variety.HEALTHY, Variety.VIOLATING)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options ask for. 1 when a contender that must find every violation did not, else 0, aims met or not."""
    options = _options(arguments)
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
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    order = "in random order" if options.shuffled else "in the users' order"
    print(f"{machine}; best of {options.rounds} runs; rows {order}; {perf_counter() - begun:.0f} s in all.")
    print("Cells: wall time · times the raw statement · peak client memory above that after imports.")
    _print(times(measured))
    _print(memory(memories) if memories else ())
    _print(aims(measured, memories))
    wrong = [words for one in (*measured, *memories) for words in _wrong_answers(one)]
    _print(["", *wrong] if wrong else ())
    return 1 if wrong else 0


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


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description="How long the check takes beside its alternatives.")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(_SIZES), metavar="PAIRS", help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="nothing above 100,000 pairs")
    parser.add_argument("--engines", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--data", nargs="+", type=Variety, choices=list(_USUAL), default=list(_USUAL))
    parser.add_argument("--duplicates", action="store_true", help="also with duplicate rows among the violations")
    parser.add_argument("--rounds", type=int, default=3, help="timed runs of each contender; default: %(default)s")
    parser.add_argument("--shuffled", action="store_true", help="rows in random order instead of the users' order")
    parser.add_argument("--no-memory", action="store_true", help="leave out the run in which every pair is in violation")
    options = parser.parse_args(arguments)
    if options.quick:
        options.sizes = [size for size in options.sizes if size <= 100_000]
    options.data += [Variety.DUPLICATES] if options.duplicates else []
    if not options.sizes or min(options.sizes) < 1_000:
        parser.error("the smallest size is 1,000 pairs: fewer have no violations worth the name")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


if __name__ == "__main__":
    sys.exit(main())
