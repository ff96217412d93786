"""The figures of a report by other means: from the JSON files, and from plain rows for what leaves none, with pandas alone."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

HEALTHY, DEGRADED = Fraction(99), Fraction(95)
FRESH = pd.Timedelta(hours=8, minutes=1)  # two intervals and the grace

Pair = tuple[str, str]


@dataclass
class Life:
    """A pair from its first sight to the first reading without it."""

    pair: Pair
    kind: str
    since: pd.Timestamp
    until: pd.Timestamp | None = None
    before: int = 0
    began_in_maintenance: bool = False
    ended_in_maintenance: bool = False


@dataclass
class Readings:
    """All readings, oldest first, and what each listed."""

    table: pd.DataFrame  # at, number, total, consistent, imported, failed
    listed: Mapping[int, Mapping[Pair, str]]  # by number: the pairs and their kinds
    lives: Sequence[Life] = field(default_factory=list)

    def all_between(self, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        return self.table[(self.table["at"] >= start) & (self.table["at"] < end)]

    def between(self, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        """Those that count: not in maintenance."""
        part = self.all_between(start, end)
        return part[~part["planned"]]


def read(state: Path, logs: Path) -> Readings:
    """Everything from the files; only the number of a reading, and checks that left no file, come from the database."""
    documents: dict[str, Any] = {path.name: json.loads(path.read_text("utf-8")) for path in logs.glob("*.json")}
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        rows = pd.read_sql(
            "SELECT id, timestamp, total_checked, consistent, source, log_file FROM health_check_history", connection
        )
    records, listed = [], {}
    for row in rows.itertuples():
        document = documents.get(row.log_file) if isinstance(row.log_file, str) else None
        imported = row.source == "import"
        if document is None:
            at, total, consistent = pd.Timestamp(row.timestamp, tz="UTC"), row.total_checked, row.consistent
        else:
            at = pd.to_datetime(document["timestamp"], utc=True)
            total, consistent = document["total_checked"], document["total_checked"] - document["inconsistent"]
        records.append((row.id, at, total, consistent, imported))
        listed[row.id] = {
            (str(one["user_id"]), one["specialization"]): one.get("kind", "level_mismatch")
            for one in (document or {"violations": []})["violations"]
        }
    assert {row.log_file for row in rows.itertuples() if isinstance(row.log_file, str)} == set(documents), (
        "each file is a reading"
    )
    table = pd.DataFrame(records, columns=["number", "at", "total", "consistent", "imported"]).sort_values(["at", "number"])
    table["failed"] = table["total"].isna()
    local = table["at"].dt.tz_convert("Europe/Budapest")
    sundays = (local.dt.day_of_week == 6) & local.dt.hour.between(1, 8) & (local >= "2025-10-05")
    table["planned"] = sundays & ~table["imported"].astype(bool)
    readings = Readings(table.reset_index(drop=True), listed)
    readings.lives = _lives(readings)
    return readings


def status(total: float, consistent: float) -> str:
    if pd.isna(total):
        return "failed"
    if total == 0:
        return "empty"
    rate = Fraction(100 * int(consistent), int(total))
    return "healthy" if rate >= HEALTHY else "degraded" if rate >= DEGRADED else "critical"


def counts(part: pd.DataFrame) -> dict[str, Any]:
    """What adds up, and the worst reading as (rate, at, number)."""
    statuses = Counter(status(row.total, row.consistent) for row in part.itertuples())
    compared = part[part["total"] > 0]
    apart = compared["total"] - compared["consistent"]
    worst = min(
        ((Fraction(int(row.consistent), int(row.total)), row.at, row.number) for row in compared.itertuples()), default=None
    )
    return {
        **{name: statuses.get(name, 0) for name in ("healthy", "degraded", "critical", "empty", "failed")},
        "imported": int(part["imported"].sum()),
        "agreeing": int(compared["consistent"].sum()),
        "compared": int(compared["total"].sum()),
        "most_violations": int(apart.max()) if len(apart) else 0,
        "worst": worst,
    }


def time_by_class(readings: Readings, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, pd.Timedelta]:
    """Each reading holds until the next one if that comes in time. What comes after `end` does not count."""
    rows = list(readings.table[readings.table["at"] < end].itertuples())
    spent: dict[str, pd.Timedelta] = {}
    known = pd.Timedelta(0)
    for position, row in enumerate(rows):
        until = rows[position + 1].at if position + 1 < len(rows) else end
        what = status(row.total, row.consistent)
        length = min(until, end) - max(row.at, start)
        if until - row.at > FRESH or (what in ("failed", "empty") and not row.planned) or length <= pd.Timedelta(0):
            continue
        name = "maintenance" if row.planned else "logs_only" if row.imported else what
        spent[name] = spent.get(name, pd.Timedelta(0)) + length
        known += length
    spent["no_data"] = end - start - known
    return {name: length for name, length in spent.items() if length}


def stretches(part: pd.DataFrame) -> list[tuple[pd.Timestamp, pd.Timestamp, bool, Fraction, int, bool]]:
    """Start, end, healed, worst rate, its number, and whether it was critical; the longest first."""
    found, running = [], []

    def close(end: pd.Timestamp, healed: bool) -> None:
        worst = min((Fraction(int(row.consistent), int(row.total)), row.at, row.number) for row in running)
        critical = any(status(row.total, row.consistent) == "critical" for row in running)
        found.append((running[0].at, end, healed, worst[0], worst[2], critical))
        running.clear()

    last, planned = None, False
    for row in part[(part["total"] > 0) | part["planned"]].itertuples():
        if row.planned:
            planned = True
            continue
        if running and (row.at - last > FRESH or planned):
            close(last, healed=False)
        planned = False
        if status(row.total, row.consistent) != "healthy":
            running.append(row)
        elif running:
            close(row.at, healed=True)
        last = row.at
    if running:
        close(running[-1].at, healed=False)
    return sorted(found, key=lambda one: (one[0] - one[1], one[0]))


def _lives(readings: Readings) -> list[Life]:
    lives: list[Life] = []
    is_open: dict[Pair, Life] = {}
    times: Counter[Pair] = Counter()
    for row in readings.table.itertuples():
        if not row.total > 0:
            continue
        seen = readings.listed[row.number]
        for pair in [pair for pair in is_open if pair not in seen]:
            over = is_open.pop(pair)
            over.until, over.ended_in_maintenance = row.at, row.planned
        for pair, kind in seen.items():
            if pair not in is_open:
                is_open[pair] = Life(pair, kind, row.at, before=times[pair], began_in_maintenance=row.planned)
                times[pair] += 1
                lives.append(is_open[pair])
    return lives


def seconds(length: pd.Timedelta | tuple[pd.Timestamp, pd.Timestamp]) -> int:
    """Whole seconds between two moments that are cut to the second first."""
    assert isinstance(length, tuple)
    return int((length[1].floor("s") - length[0].floor("s")).total_seconds())
