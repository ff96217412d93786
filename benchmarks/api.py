"""The HTTP API under load: beside a bare route, while a check runs, and with a report of a million violations."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import sleep

from benchmarks import bare_server, http_clients
from benchmarks.engines import Sqlite
from benchmarks.http_clients import Answers, Refreshing, Throughput
from benchmarks.http_servers import Server, bare, dashboard
from benchmarks.pairs import Pairs, Variety

STATUS, METRICS = "/api/v1/health/status", "/api/v1/health/metrics"
REPORT, CHECK_NOW = "/api/v1/health/latest-report", "/api/v1/health/check-now"
FIRST_ROWS = (f"{STATUS}?limit=20", METRICS, "/api/v1/health/violations?limit=20")
ALL_ROWS = (STATUS, *FIRST_ROWS[1:])

FEW_PAIRS = 1_000  # behind the status that is compared with the bare route
CONNECTIONS = 20
ROUNDS = 7
CLIENTS = 100


@dataclass(frozen=True)
class Round:
    """One round of a closed loop."""

    throughput: Throughput
    cpu_seconds: float  # of the server's process


@dataclass
class Contest:
    """Our status and a bare route, round by round."""

    ours: list[Round] = field(default_factory=list)
    bare: list[Round] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Our answers a second for one of the bare route's: the median over the rounds, each beside its neighbour."""
        pairs = zip(self.ours, self.bare, strict=True)
        return median(ours.throughput.rate / bare.throughput.rate for ours, bare in pairs)

    @property
    def ratio_of_medians(self) -> float:
        """The same of the medians."""
        ours, bare = (median(one.throughput.rate for one in rounds) for rounds in (self.ours, self.bare))
        return ours / bare

    @property
    def ratio_by_cpu(self) -> float:
        """The same of the answers for a second of the server's time on a core, which others on the machine do not take away."""
        return cpu_seconds_each(self.bare) / cpu_seconds_each(self.ours)


@dataclass(frozen=True)
class Refreshed:
    """What refreshing clients saw in one situation."""

    words: str
    pairs: int
    seen: Refreshing
    cpu_seconds: float  # of the server's process
    has_aim: bool


@dataclass(frozen=True)
class LongReport:
    """One report with every pair in violation, read by one client."""

    violations: int
    answers: Answers
    before_bytes: int  # resident memory
    peak_bytes: int


@dataclass(frozen=True)
class Served:
    """All that was measured of the HTTP API, and how many processes wanted a core meanwhile."""

    contest: Contest
    refreshed: Sequence[Refreshed]
    report: LongReport
    load: tuple[float, float]  # of the last minute, before and after


def measure_api(pairs: int, seconds: float) -> Served:
    """Measure everything, each situation for so long; the loads are of so many pairs."""
    before = os.getloadavg()[0]
    with _clients() as clients:
        contest = _contest(clients, seconds / 5)
        refreshed = list(_refreshed(clients, pairs, seconds))
        report = _long_report(clients, pairs)
    return Served(contest, refreshed, report, (before, os.getloadavg()[0]))


def cpu_seconds_each(rounds: Sequence[Round]) -> float:
    """The server's time on a core for one complete answer."""
    return sum(one.cpu_seconds for one in rounds) / sum(one.throughput.completed for one in rounds)


def _contest(clients: ProcessPoolExecutor, seconds: float) -> Contest:
    _say(f"status of {FEW_PAIRS:,} pairs beside a bare Starlette route")
    contest = Contest()
    with _served(Pairs(FEW_PAIRS, Variety.HEALTHY)) as server, ExitStack() as stack:
        _check(clients, server)
        floor = stack.enter_context(bare(server.document(STATUS), stack.enter_context(_folder())))
        for number in range(ROUNDS + 1):  # the first one warms up
            ours, theirs = _round(clients, server, STATUS, seconds), _round(clients, floor, bare_server.PATH, seconds)
            if number:
                contest.ours.append(ours)
                contest.bare.append(theirs)
    return contest


def _round(clients: ProcessPoolExecutor, server: Server, path: str, seconds: float) -> Round:
    before = server.cpu_seconds
    throughput = clients.submit(http_clients.fire, server.target, path, CONNECTIONS, seconds).result()
    return Round(throughput, server.cpu_seconds - before)


def _refreshed(clients: ProcessPoolExecutor, pairs: int, seconds: float) -> Iterator[Refreshed]:
    with _served(Pairs(pairs, Variety.VIOLATING)) as server:
        _check(clients, server)
        for paths, rows in ((FIRST_ROWS, "20 rows"), (ALL_ROWS, "all rows in the status")):
            for checker in (None, server.checker):
                words = f"{rows}, {'no check runs' if checker is None else 'while a check runs'}"
                _say(f"{CLIENTS} clients refresh over {pairs:,} pairs, {words}")
                before = server.cpu_seconds
                seen = clients.submit(http_clients.refresh, server.target, paths, CLIENTS, seconds, checker).result()
                has_aim = checker is not None and paths == FIRST_ROWS
                yield Refreshed(words, pairs, seen, server.cpu_seconds - before, has_aim)


def _long_report(clients: ProcessPoolExecutor, pairs: int) -> LongReport:
    _say(f"a report of {pairs:,} violations")
    with _served(Pairs(pairs, Variety.ALL_VIOLATING)) as server:
        while server.document(METRICS)["last_check"] is None:  # a server's first check begins when it starts
            sleep(0.5)
        sleep(2)  # until that check has tidied up
        before = server.peak_bytes(forget=True)
        answers = clients.submit(http_clients.read, server.target, REPORT).result()
        return LongReport(pairs, answers, before, server.peak_bytes())


def _check(clients: ProcessPoolExecutor, server: Server) -> None:
    """Join the check that a server begins with, so that there is something to answer."""
    answers = clients.submit(http_clients.read, server.checker, CHECK_NOW, "POST").result()
    if answers.failures:
        raise RuntimeError(f"The first check failed: {answers.failures[0]}")


@contextmanager
def _served(pairs: Pairs) -> Iterator[Server]:
    with _folder() as folder, Sqlite().loaded(pairs, folder) as url, dashboard(url, folder) as server:
        yield server


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="coupling-health-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _clients() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as clients:
        yield clients


def _say(words: str) -> None:
    print(f"HTTP API: {words} …", file=sys.stderr, flush=True)
