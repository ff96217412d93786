"""How long the server takes to draw each page over a year of checks: in a fresh process, after a new check, and once more."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from benchmarks import http_clients, year
from benchmarks.engines import Sqlite
from benchmarks.http_servers import Server, dashboard
from benchmarks.page_visits import Visit, Visitor
from benchmarks.pairs import Pairs, Variety
from benchmarks.tables import table
from core.assembly import build_coupler
from core.clock import utc_now
from core.settings import Settings
from core.state import sessions
from core.state.database import StateDatabase
from core.state.schema import forecasts, history, reports
from dashboard.sessions import COOKIE

AIM_SECONDS = 1.0  # for any drawing, on the server
ROUNDS = 5  # drawings of each kind after the first

_CHECK_NOW = "/api/v1/health/check-now"
_PREPARE_SECONDS = 120.0
_DUE_REPORTS = 2  # of the last week and of the last month
_FACTS = "present/facts"


@dataclass(frozen=True)
class Place:
    """Something to open, and what it says when it was drawn."""

    words: str
    path: str
    says: str
    query: Mapping[str, str] = field(default_factory=dict)


PLACES = (
    Place("overview", "overview", "pairs checked"),
    *(
        Place(f"trend, {words}", "trend", "trend-sentence", {"range": name})
        for name, words in (
            ("24 h", "24 hours"),
            ("7 d", "7 days"),
            ("30 d", "30 days"),
            ("90 d", "90 days"),
            ("1 y", "the year"),
            ("All", "since the beginning"),
        )
    ),
    Place("analysis, 30 days", "analysis", "heat-sentence", {"range": "30 d"}),
    Place("analysis, the year", "analysis", "heat-sentence", {"range": "1 y"}),
    Place("check, of half a year ago", "check", "Made up of", {"number": "{check}"}),
    Place("violations, open", "violations", "Open ("),
    Place("violations, healed", "violations", "Healed", {"tab": "healed"}),
    Place("reports", "reports", "New report"),
    Place("the presentation's facts", _FACTS, '"slides"'),
)


@dataclass
class Drawn:
    """All drawings of one place."""

    place: Place
    first: Visit  # the first drawing of all in a process that has just started
    cpu_seconds: float  # of the server's process meanwhile; to a hundredth
    after_check: list[Visit] = field(default_factory=list)  # nothing of its figures was kept
    again: list[Visit] = field(default_factory=list)  # nothing is new

    @property
    def slowest(self) -> float:
        return max(visit.seconds for visit in (self.first, *self.after_check, *self.again))


@dataclass(frozen=True)
class Drawings:
    """What was measured, and how many processes wanted a core meanwhile."""

    places: Sequence[Drawn]
    load: tuple[float, float]  # of the last minute, before and after


def measure_pages() -> Drawings:
    """Fill a state database with a year of checks and draw every page over it, each in a server of its own."""
    before = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp(prefix="coupling-health-bench-"))
    try:
        with Sqlite().loaded(Pairs(year.TOTAL, Variety.VIOLATING), folder) as url:
            _say(f"a year of {year.CHECKS:,} checks is written")
            check = _fill(folder, url)
            _prepare(folder, url)
            return Drawings([_draw(folder, url, place, check) for place in PLACES], (before, os.getloadavg()[0]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def page_tables(drawings: Drawings) -> Iterator[str]:
    """Pages down, kinds of drawings across."""
    yield f"\n### The pages over a year of {year.CHECKS:,} checks\n"
    heads = [
        "page",
        "first in a new process",
        "on a core",
        "after a new check, median",
        "longest",
        "again, median",
        "longest",
        "sent",
    ]
    yield from table(heads, (_row(drawn) for drawn in drawings.places))


def page_aims(drawings: Drawings) -> Iterator[str]:
    """The aim, and what missed it."""
    missed = [drawn for drawn in drawings.places if drawn.slowest > AIM_SECONDS]
    yield "\n### Aims of the pages\n"
    verdict = f"MISSED {len(missed)} of {len(drawings.places)}" if missed else "met"
    yield f"- **every drawing of a page ≤ {AIM_SECONDS:g} s on the server: {verdict}**"
    worst = max(drawings.places, key=lambda drawn: drawn.slowest)
    yield from (f"  - {drawn.place.words}: {_duration(drawn.slowest)}" for drawn in missed or [worst])


def _row(drawn: Drawn) -> list[str]:
    times = [_duration(drawn.first.seconds), _duration(drawn.cpu_seconds)]
    for visits in (drawn.after_check, drawn.again):
        seconds = [visit.seconds for visit in visits]
        times += [_duration(median(seconds)), _duration(max(seconds))]
    return [drawn.place.words, *times, f"{drawn.first.received / 1000:,.0f} kB"]


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _fill(folder: Path, url: str) -> int:
    """Write the year; the number of a check in the middle of it that found violations."""
    state = _state(folder)
    state.upgrade()
    label = build_coupler(Settings(database_url=url, state_url=str(state.url))).label
    year.fill(state, label, end=utc_now().replace(microsecond=0) - timedelta(minutes=1))
    with state.read() as connection:
        middle = sa.select(sa.func.min(history.c.id)).where(history.c.id >= year.CHECKS // 2, history.c.inconsistent > 0)
        found = connection.execute(middle).scalar_one()
    state.dispose()
    return int(found)


def _prepare(folder: Path, url: str) -> None:
    """Let a server make its forecast and its reports, so that these jobs have nothing to do in those that are measured."""
    state, until = _state(folder), monotonic() + _PREPARE_SECONDS
    with dashboard(url, folder):
        while not (_rows(state, forecasts) and _rows(state, reports) >= _DUE_REPORTS):
            if monotonic() > until:
                raise RuntimeError("No forecast or too few reports were made.")
            sleep(0.2)
    state.dispose()


def _rows(state: StateDatabase, kept: sa.Table) -> int:
    with state.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(kept)).scalar_one()


def _draw(folder: Path, url: str, place: Place, check: int) -> Drawn:
    _say(place.words)
    nothing_due = {"report__weekly": False, "report__monthly": False}  # else that look would read the year before the page does
    with dashboard(url, folder, **nothing_due) as server:
        _check(server)  # joins the one that a server begins with
        visitor = _visitor(folder, server)
        before = server.cpu_seconds
        first = _visit(visitor, place, check)
        drawn = Drawn(place, first, server.cpu_seconds - before)
        for _ in range(ROUNDS):
            _check(server)
            drawn.after_check.append(_visit(visitor, place, check))
            drawn.again.append(_visit(visitor, place, check))
    return drawn


def _visit(visitor: Visitor, place: Place, check: int) -> Visit:
    query = {name: value.format(check=check) for name, value in place.query.items()}
    visit = visitor.get(f"/{place.path}") if place.path == _FACTS else visitor.draw(place.path, query)
    if place.says not in visit.text:
        raise RuntimeError(f"{place.words} was not drawn: {visit.text[-2_000:]}")
    return visit


def _check(server: Server) -> None:
    answers = http_clients.read(server.checker, _CHECK_NOW, "POST")
    if answers.failures:
        raise RuntimeError(f"A check failed: {answers.failures[0]}")


def _visitor(folder: Path, server: Server) -> Visitor:
    state = _state(folder)
    with state.write() as connection:
        token = sessions.redeem(connection, sessions.issue_ticket(connection, "admin", utc_now()), utc_now())
    state.dispose()
    return Visitor(server.target.port, f"{COOKIE}={token}")


def _state(folder: Path) -> StateDatabase:
    return StateDatabase(make_url(f"sqlite:///{folder / 'state.db'}"))


def _say(words: str) -> None:
    print(f"pages: {words} …", file=sys.stderr, flush=True)
