"""Every number of a period, recomputed by pandas from the raw log files and a list of checks alone, to the last digit."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.assembly import build_coupler
from core.health_monitor import HealthMonitor
from core.model import Request, Source, Totals, Trigger
from core.state import history, schema
from core.state.history import FailedAttempt
from core.status import DEFAULT_THRESHOLDS, rate_of
from tests import oracle_pandas as oracle
from tests.frozen_clock import NOON, FrozenClock
from tests.oracle_pandas import Check
from tests.state.records import report

DAY = timedelta(days=1)
START = NOON.replace(hour=0) - 20 * DAY
PERIODS = [
    (START, START + 20 * DAY),
    (START + 3 * DAY, START + 4 * DAY),
    (START + timedelta(days=9, hours=7, minutes=3), START + timedelta(days=16, microseconds=1)),
    (START - 9 * DAY, START - 2 * DAY),
    (START + 12 * DAY, START + 30 * DAY),
]


def write_log(folder: Path, at: datetime, pairs: int, apart: int) -> None:
    users = random.Random(at.isoformat()).sample(range(60), apart)  # noqa: S311 - invented data
    violation = {"specialization": "PLAYER", "progress_level": 3, "license_level": 2, "recommended_action": "sync_required"}
    content = {
        "timestamp": at.replace(tzinfo=None).isoformat(timespec="microseconds"),
        "total_checked": pairs,
        "consistent": pairs - apart,
        "inconsistent": apart,
        "consistency_rate": round(100 * (pairs - apart) / pairs, 2),
        "violations": [{"user_id": user, **violation} for user in users],
    }
    (folder / f"{at:%Y%m%d_%H%M%S}_violations.json").write_text(json.dumps(content), "utf-8")


@pytest.fixture
def told(monitor: HealthMonitor, clock: FrozenClock) -> tuple[HealthMonitor, Path, list[Check]]:
    """Twelve days of the earlier system's logs, then eight of our checks: silences, failures, bad nights, maintenance."""
    chance = random.Random(7)  # noqa: S311 - invented data
    folder = monitor.settings.violation_log_dir
    folder.mkdir(parents=True)
    at = START
    while at < START + 12 * DAY:
        if chance.random() < 0.7:
            pairs = chance.choice((150, 8_214))
            write_log(folder, at, pairs, chance.choice((1, 2, 7, 40)))
        at += timedelta(minutes=chance.choice((5, 5, 5, 10, 12, 240)))
    (folder / "20251013_000000_violations.json").write_text("{ torn", "utf-8")
    checks = []
    at += timedelta(seconds=17.25)
    while at < START + 20 * DAY:
        draw, planned = chance.random(), at.hour in (2, 15) and at.day % 2 == 0
        if draw < 0.03:
            checks.append(Check(at, None, in_maintenance=planned))
        elif draw < 0.04:
            checks.append(Check(at, 0, in_maintenance=planned))
        else:
            night = at.hour == 2
            apart = chance.choice((90, 400, 500)) if night else chance.choice((0, 0, 0, 5, 82, 83))
            checks.append(Check(at, 8_214, apart, planned))
        at += timedelta(minutes=chance.choice((5, 5, 5, 5, 11, 13, 90)), microseconds=chance.randint(0, 999_999))
    monitor.import_logs()
    watched = build_coupler(monitor.settings).label
    with monitor.state.write() as connection:
        for number, check in enumerate(checks):
            if check.pairs is None:
                attempt = FailedAttempt(f"f{number}", check.at, Request(Trigger.SCHEDULED), "refused", 5)
                history.record_failed(connection, attempt, watched, in_maintenance=check.in_maintenance)
            else:
                made = report(check.at, Totals(check.pairs, check.apart))
                history.record_completed(connection, replace(made, in_maintenance=check.in_maintenance), watched)
    clock.advance(checks[-1].at + timedelta(minutes=3) - clock.now)
    return monitor, folder, checks


def test_every_number_of_a_period_is_that_of_pandas(told: tuple[HealthMonitor, Path, list[Check]]) -> None:
    monitor, folder, checks = told
    frame, now = oracle.readings(folder, checks), checks[-1].at + timedelta(minutes=3)
    assert len(frame) == len(monitor.record.timeline()) > 800
    for start, asked in PERIODS:
        end = min(asked, max(now, start))
        found = monitor.record.period(start, asked)
        sums = found.sums
        states = {name: getattr(sums, name) for name in ("healthy", "degraded", "critical", "empty", "failed")}
        assert states == oracle.counts(frame, start, end)
        rates = sums.mean_rate(DEFAULT_THRESHOLDS), sums.worst_rate(DEFAULT_THRESHOLDS)
        assert (*(None if rate is None else str(rate) for rate in rates), sums.most_violations) == oracle.rates(frame, start, end)
        held = {kind.value: sums.time(kind).total_seconds() for kind in sums.microseconds}
        assert held == oracle.seconds(frame, start, end, now)
        tried = sum(states.values())
        assert found.expected == (end - start) // timedelta(minutes=5)
        assert sums.healthy_share == (Decimal(states["healthy"] * 10_000 // tried) / 100 if tried else None)
        right = oracle.budget(frame, end, now)
        budget = found.budget
        assert (budget.attempts, budget.bad, budget.kept) == (right["tried"], right["bad"], right["kept"])
        assert budget.left_percent == right["left"]
        for pace, burn in zip(budget.paces, right["burns"].values(), strict=True):
            assert (pace.burn_rate is None) is (burn is None)
            if burn is not None and pace.burn_rate is not None:
                assert pace.burn_rate == Decimal(burn.numerator) / Decimal(burn.denominator)
        stretches = oracle.stretches(frame, start, end)
        assert found.stretch_count == len(stretches)
        assert [
            (s.start, s.end, s.healed, str(rate_of(Totals(s.worst.total, s.worst.total - s.worst.consistent))))
            for s in found.stretches
        ] == stretches[:10]
        assert found.time_below_healthy == sum((until - since for since, until, _, _ in stretches), timedelta(0))


@pytest.mark.parametrize("zone", ["Europe/Budapest", "Asia/Kathmandu"])
def test_every_cell_of_the_heat_map_is_that_of_pandas(told: tuple[HealthMonitor, Path, list[Check]], zone: str) -> None:
    monitor, folder, checks = told
    frame = oracle.readings(folder, checks)
    for start, end in PERIODS:
        found, right = monitor.record.heat_map(start, end, ZoneInfo(zone)), oracle.heat(frame, start, end, zone)
        assert int(found.attempts.sum()) == int(right["count"].sum())
        for (day, hour), row in right.iterrows():
            assert (found.attempts[day, hour], found.unhealthy[day, hour]) == (row["count"], row["sum"])


def test_every_life_that_the_logs_tell_is_that_of_pandas(told: tuple[HealthMonitor, Path, list[Check]]) -> None:
    """Without the checks, which left no list."""
    monitor, folder, _ = told
    of_logs = HealthMonitor(monitor.settings, monitor.state, None, FrozenClock(START + 20 * DAY)).record
    with monitor.state.write() as connection:
        connection.execute(schema.history.delete().where(schema.history.c.source == Source.CHECK))
    for start, end in PERIODS[:4]:
        found, right = of_logs.period(start, end).episodes, oracle.lives(folder, start, end)
        assert {
            "opened": found.opened,
            "returned": found.returned,
            "healed": found.healed,
            "open_at_end": found.open_at_end,
            "heal_seconds": found.heal_seconds,
            "longest": found.longest_heal_seconds,
            "within_hour": found.healed_within_hour,
        } == right
    assert oracle.lives(folder, *PERIODS[0])["returned"] > 1_000
