"""The measured numbers as Markdown tables, and the aims beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contenders import CHECK, FOREWARNED, JOINDIFF, LOOP, LOOP_SAMPLE, RAW, WHOLE
from benchmarks.pairs import Variety
from benchmarks.stopwatch import Result

AIM_RATIO = 1.15  # the check against the raw statement, wherever that is slow enough to compare
AIM_RATIO_HEALTHY_POSTGRESQL = 0.65
AIM_FROM_PAIRS = 100_000
AIM_MEMORY_GROWTH = 16_000_000  # bytes between 1 % and 100 % of pairs in violation that still count as flat

_COLUMNS = (RAW, CHECK, FOREWARNED, WHOLE, LOOP, JOINDIFF)


@dataclass(frozen=True)
class Measured:
    """All results of one scene."""

    engine: str
    variety: Variety
    pairs: int
    violations: int
    results: Mapping[str, Result]

    def ratio(self, name: str) -> float:
        """How many times as long as the raw statement of the same scene."""
        return self.results[name].best / self.results[RAW].best

    def took_part(self, name: str) -> bool:
        return name in self.results and bool(self.results[name].runs)


def times(measured: Sequence[Measured]) -> Iterator[str]:
    """One table for each engine and state of the data: pairs down, contenders across."""
    for engine, variety in dict.fromkeys((one.engine, one.variety) for one in measured):
        scenes = [one for one in measured if (one.engine, one.variety) == (engine, variety)]
        columns = [name for name in _COLUMNS if any(scene.took_part(name) for scene in scenes)]
        yield f"\n### {engine}, {variety.in_words}\n"
        yield from table(
            ["pairs", *columns], ([f"{scene.pairs:,}", *(_cell(scene, name) for name in columns)] for scene in scenes)
        )
        yield from _remarks(scenes)


def memory(measured: Sequence[Measured]) -> Iterator[str]:
    """The highest client memory with few violations and with nothing else."""
    yield "\n### Client memory and time, when 1 % and when all pairs are in violation\n"
    rows = (
        [scene.engine, f"{scene.pairs:,}", f"{scene.violations:,}", *(_cell(scene, name) for name in (RAW, CHECK, WHOLE))]
        for scene in measured
    )
    yield from table(["engine", "pairs", "violations", RAW, CHECK, WHOLE], rows)


def aims(measured: Sequence[Measured], memories: Sequence[Measured]) -> Iterator[str]:
    """Each aim, what this run measured for it, and whether that meets it."""
    large = [scene for scene in measured if scene.pairs >= AIM_FROM_PAIRS and scene.took_part(RAW)]
    yield "\n### Aims\n"
    yield from _aim(
        f"check ≤ {AIM_RATIO} × raw statement, from {AIM_FROM_PAIRS:,} pairs",
        [(_scene(scene, name), scene.ratio(name), AIM_RATIO) for scene in large for name in _checks(scene)],
    )
    yield from _aim(
        f"check < {AIM_RATIO_HEALTHY_POSTGRESQL} × raw statement, healthy PostgreSQL, from {AIM_FROM_PAIRS:,} pairs",
        [
            (_scene(scene, CHECK), scene.ratio(CHECK), AIM_RATIO_HEALTHY_POSTGRESQL)
            for scene in large
            if scene.engine == "PostgreSQL" and scene.variety is Variety.HEALTHY
        ],
    )
    yield from _memory_aim(memories)


def _checks(scene: Measured) -> list[str]:
    return [name for name in (CHECK, FOREWARNED) if scene.took_part(name)]


def _aim(words: str, cases: Sequence[tuple[str, float, float]]) -> Iterator[str]:
    missed = [case for case in cases if case[1] > case[2]]
    verdict = "not measured in this run" if not cases else f"MISSED {len(missed)} of {len(cases)}" if missed else "met"
    yield f"- **{words}: {verdict}**"
    for scene, ratio, limit in cases:
        yield f"  - {scene}: {ratio:.2f} ×{'' if ratio <= limit else ' — missed'}"


def _memory_aim(memories: Sequence[Measured]) -> Iterator[str]:
    words = f"check's memory flat in the number of violations (grows by at most {AIM_MEMORY_GROWTH / 1e6:.0f} MB)"
    engines = dict.fromkeys(scene.engine for scene in memories)
    lines, met = [], True
    for engine, name in ((engine, name) for engine in engines for name in (CHECK, WHOLE)):
        few, many = sorted((scene for scene in memories if scene.engine == engine), key=lambda scene: scene.violations)
        growth = many.results[name].peak_bytes - few.results[name].peak_bytes
        fits = growth <= AIM_MEMORY_GROWTH
        met = met and fits
        lines.append(
            f"  - {engine}, {name}: {few.results[name].peak_bytes / 1e6:.0f} MB with {few.violations:,}, "
            f"{many.results[name].peak_bytes / 1e6:.0f} MB with {many.violations:,}{'' if fits else ' — missed'}"
        )
    yield f"- **{words}: {'not measured in this run' if not lines else 'met' if met else 'MISSED'}**"
    yield from lines


def _scene(scene: Measured, name: str) -> str:
    return f"{scene.engine}, {scene.variety.in_words}, {scene.pairs:,} pairs, {name}"


def _cell(scene: Measured, name: str) -> str:
    if not scene.took_part(name):
        return "–"
    result = scene.results[name]
    extrapolated = result.runs[0].answer.seconds is not None and scene.pairs > LOOP_SAMPLE
    duration = f"{'~' if extrapolated else ''}{_duration(result.best)}"
    return f"{duration} · {_factor(scene.ratio(name))} · {result.peak_bytes / 1e6:.0f} MB"


def _remarks(scenes: Sequence[Measured]) -> Iterator[str]:
    remarks: dict[str, None] = {}
    for scene in scenes:
        for name, result in scene.results.items():
            if result.failure:
                remarks[f"{name}: {result.failure.splitlines()[0]}" if name == JOINDIFF else ""] = None
                continue
            found = result.runs[0].answer.violations
            if name == LOOP and scene.pairs > LOOP_SAMPLE:
                remarks[f"~ extrapolated from a sample of {LOOP_SAMPLE:,} pairs"] = None
            elif found != scene.violations:
                remarks[f"{name}, {scene.pairs:,} pairs: found {found:,} of {scene.violations:,} violations"] = None
    if any(remarks):
        yield ""
        yield from (f"- {remark}" for remark in remarks if remark)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, its cells on the right."""
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join(['---:'] * len(heads))} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.{0 if seconds >= 0.1 else 1}f} ms"


def _factor(ratio: float) -> str:
    return f"{ratio:.2f}×" if ratio < 10 else f"{ratio:,.0f}×"
