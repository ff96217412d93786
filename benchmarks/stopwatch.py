"""Running contenders, each in a process of its own: wall time and the highest memory of that process."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from benchmarks.contenders import CONTENDERS, EXACT, Answer, Contender, Scene, excuse

T = TypeVar("T")

SLOW_SECONDS = 2.0  # a contender that once took longer, and is none of the exact ones, is run no more


@dataclass(frozen=True)
class Run:
    """One run of a contender."""

    seconds: float
    answer: Answer
    peak_bytes: int  # above what the process held after its imports


@dataclass
class Result:
    """All that was measured of one contender in one scene."""

    runs: list[Run] = field(default_factory=list)
    failure: str | None = None
    warm_up: Run | None = None  # not timed, unless it stays the only one

    @property
    def best(self) -> float:
        """Seconds of the fastest run."""
        return min(run.seconds for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        """The highest memory in any run, the warm-up included."""
        return max(run.peak_bytes for run in (*self.runs, *([self.warm_up] if self.warm_up else [])))


class Worker:
    """A contender in its own process, so that nobody's memory counts as another's."""

    def __init__(self, name: str, scene: Scene) -> None:
        folder = scene.folder / name.replace(" ", "-").replace(",", "")
        folder.mkdir()
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self._made = self._pool.submit(_make, name, replace(scene, folder=folder))

    def wait_until_ready(self) -> None:
        """Several get ready at once; nobody is measured before all are."""
        self._made.result()

    def run(self) -> Run:
        return self._pool.submit(_run).result()

    def close(self) -> None:
        self._pool.shutdown()


def measure(names: list[str], scene: Scene, rounds: int, *, warm_up: bool = True) -> dict[str, Result]:
    """Run the contenders in turns (A B C A B C), so that a machine that slows down slows all of them.

    A first round warms caches and is not timed. Contenders that are slow, or have no business here, run less or not at all.
    """
    results = {name: Result(failure=excuse(name, scene.engine, scene.pairs, scene.variety)) for name in names}
    workers = {name: Worker(name, scene) for name, result in results.items() if result.failure is None}
    try:
        for name, worker in workers.items():
            _attempt(name, results[name], worker.wait_until_ready)
        if warm_up:
            for name, worker in workers.items():
                results[name].warm_up = _attempt(name, results[name], worker.run)
        for _ in range(rounds):
            for name, worker in workers.items():
                run = None if _had_enough(name, results[name]) else _attempt(name, results[name], worker.run)
                results[name].runs += [run] if run else []
    finally:
        for worker in workers.values():
            worker.close()
    for result in results.values():
        if result.warm_up and not result.runs:
            result.runs.append(result.warm_up)
    return results


def _attempt(name: str, result: Result, act: Callable[[], T]) -> T | None:
    """Do it, unless it has failed before. Other people's tools may fail: that is a result; ours may not."""
    if result.failure:
        return None
    try:
        return act()
    except Exception as failed:  # the border to other people's tools
        if name in EXACT:
            raise
        result.failure = f"{type(failed).__name__}: {failed}"
        return None


def _had_enough(name: str, result: Result) -> bool:
    if name in EXACT or result.warm_up is None:
        return False
    return result.warm_up.seconds > SLOW_SECONDS


# --- in the contender's process ---------------------------------------------------------------------------------------

_contender: Contender
_baseline: int


def _make(name: str, scene: Scene) -> None:
    global _contender, _baseline
    for variable in [variable for variable in os.environ if variable.startswith("COUPLING_HEALTH_")]:
        del os.environ[variable]
    os.chdir(scene.folder)
    if name == "joindiff":
        import benchmarks.joindiff  # noqa: F401 - before the baseline, as everybody's imports
    gc.collect()
    _baseline = peak_bytes(forget=True)
    _contender = CONTENDERS[name](scene)


def _run() -> Run:
    begun = perf_counter()
    answer = _contender.run()
    seconds = perf_counter() - begun
    return Run(answer.seconds or seconds, answer, max(0, peak_bytes() - _baseline))


def peak_bytes(process: str = "self", *, forget: bool = False) -> int:
    """A process's highest resident memory, since it last was told to forget.

    On Linux from /proc: ru_maxrss, which serves elsewhere, also counts the parent's memory from before the exec.
    """
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if forget:
        Path(f"/proc/{process}/clear_refs").write_text("5")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
