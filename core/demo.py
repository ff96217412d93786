"""A small living application to try the product on: its database, its drift, and a month of violation logs.

Nothing here is real, and nothing of it touches a real database: see `Settings.demo`.
"""

from __future__ import annotations

import json
import math
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from core.logs.writing import figures_as_json
from core.model import Kind, Totals, Violation
from core.status import rate_of

USERS = 5_000
DRIFT_EVERY = timedelta(seconds=20)

_SEED = 20251025
_SPECIALIZATIONS = {"PLAYER": 8, "COACH": 8, "INTERNSHIP": 3, "GANCUJU_PLAYER": 8, "LFA_FOOTBALL_PLAYER": 8}
_HISTORY = timedelta(days=30)
_DENSE_HISTORY = timedelta(hours=36)
_DENSE_STEP = timedelta(minutes=5)
_SPARSE_STEP = timedelta(minutes=10)  # as rarely as a month can be told without unknown stretches

_SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY);
CREATE TABLE specializations (id VARCHAR(50) PRIMARY KEY, is_active BOOLEAN NOT NULL DEFAULT 1);
CREATE TABLE specialization_progress (
  id INTEGER PRIMARY KEY, student_id INTEGER NOT NULL, specialization_id VARCHAR(50) NOT NULL,
  current_level INTEGER DEFAULT 1, total_xp INTEGER NOT NULL DEFAULT 0, completed_sessions INTEGER NOT NULL DEFAULT 0,
  last_activity TIMESTAMP, created_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE user_licenses (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, specialization_type VARCHAR(20) NOT NULL,
  current_level INTEGER NOT NULL DEFAULT 1, max_achieved_level INTEGER NOT NULL DEFAULT 1,
  started_at TIMESTAMP, last_advanced_at TIMESTAMP, is_active BOOLEAN NOT NULL DEFAULT 1,
  issued_at TIMESTAMP, expires_at TIMESTAMP);
CREATE TABLE license_progressions (
  id INTEGER PRIMARY KEY, user_license_id INTEGER NOT NULL, from_level INTEGER NOT NULL, to_level INTEGER NOT NULL,
  advanced_by INTEGER, advancement_reason TEXT, requirements_met TEXT, created_at TIMESTAMP);
CREATE INDEX ix_progress_student ON specialization_progress (student_id);
CREATE INDEX ix_licenses_user ON user_licenses (user_id);
"""


def build(database: Path, log_dir: Path, now: datetime, users: int = USERS) -> bool:
    """Make the demo's database and logs; False when they are there already. A build that was cut short begins again."""
    if database.exists():
        return False
    chance = random.Random(_SEED)  # noqa: S311 - invented data
    pairs = list(_pairs(chance, users))
    _write_logs(log_dir, pairs, chance, now)
    database.parent.mkdir(parents=True, exist_ok=True)
    unfinished = database.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as connection, connection:
        connection.executescript(_SCHEMA)
        connection.executemany("INSERT INTO users VALUES (?)", ((user,) for user in range(1, users + 1)))
        connection.executemany("INSERT INTO specializations (id) VALUES (?)", ((name,) for name in _SPECIALIZATIONS))
        _insert_pairs(connection, pairs, now)
        for _ in range(len(pairs) // 140):
            _break_one(connection, chance)
    with closing(sqlite3.connect(unfinished)) as connection:
        connection.execute(
            "PRAGMA journal_mode=WAL"
        )  # as an application would: readers and its writer do not wait for each other
    unfinished.rename(database)
    return True


def drift(database: Path, chance: random.Random) -> None:
    """A moment in the life of the application: a few pairs drift apart, a few are mended.

    The share of violations wanders between about 0.3 and 1.6 percent, so that the status changes now and then.
    """
    with closing(sqlite3.connect(database, timeout=5)) as connection, connection:
        total, apart = connection.execute(
            "SELECT count(*), sum(l.current_level IS NOT p.current_level) FROM specialization_progress p"
            " LEFT JOIN user_licenses l ON l.user_id = p.student_id AND l.specialization_type = p.specialization_id"
        ).fetchone()
        share = (apart or 0) / max(total, 1)
        heals = share > 0.016 or (share > 0.003 and chance.random() < 0.5)
        for _ in range(chance.randint(1, 6)):
            (_heal_one if heals else _break_one)(connection, chance)


def _pairs(chance: random.Random, users: int) -> Iterator[tuple[int, str, int]]:
    names = list(_SPECIALIZATIONS)
    for user in range(1, users + 1):
        for name in chance.sample(names, chance.choices((1, 2, 3), (52, 32, 16))[0]):
            yield user, name, chance.randint(1, _SPECIALIZATIONS[name])


def _insert_pairs(connection: sqlite3.Connection, pairs: list[tuple[int, str, int]], now: datetime) -> None:
    moment = now.strftime("%Y-%m-%d %H:%M:%S")
    connection.executemany(
        "INSERT INTO specialization_progress (student_id, specialization_id, current_level, total_xp, last_activity, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        ((user, name, level, level * 1_000, moment, moment) for user, name, level in pairs),
    )
    connection.executemany(
        "INSERT INTO user_licenses (user_id, specialization_type, current_level, max_achieved_level, issued_at)"
        " VALUES (?, ?, ?, ?, ?)",
        ((user, name, level, level, moment) for user, name, level in pairs),
    )


def _break_one(connection: sqlite3.Connection, chance: random.Random) -> None:
    row, user, name, level = connection.execute(
        "SELECT id, student_id, specialization_id, coalesce(current_level, 1) FROM specialization_progress"
        " WHERE id >= ? ORDER BY id LIMIT 1",
        (chance.randint(1, _rows(connection)),),
    ).fetchone()
    licence = (user, name)
    match chance.choices(("level", "licence", "progress", "duplicate", "unset"), (70, 14, 8, 5, 3))[0]:
        case "level":
            other = level - 1 if level > 1 and chance.random() < 0.7 else level + 1
            connection.execute(
                "UPDATE user_licenses SET current_level = ? WHERE user_id = ? AND specialization_type = ?", (other, *licence)
            )
        case "licence":
            connection.execute("DELETE FROM user_licenses WHERE user_id = ? AND specialization_type = ?", licence)
        case "progress":
            connection.execute("DELETE FROM specialization_progress WHERE id = ?", (row,))
        case "duplicate":
            connection.execute(
                "INSERT INTO user_licenses (user_id, specialization_type, current_level, max_achieved_level) VALUES (?, ?, ?, ?)",
                (*licence, level, level),
            )
        case _:
            connection.execute("UPDATE specialization_progress SET current_level = NULL WHERE id = ?", (row,))


def _heal_one(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Let the application mend a pair, beginning at a random place: one row a side, the licence as the progress."""
    start = chance.randint(1, _rows(connection))
    apart = connection.execute(
        "SELECT p.id, p.student_id, p.specialization_id, coalesce(p.current_level, max(l.current_level), 1)"
        " FROM specialization_progress p"
        " LEFT JOIN user_licenses l ON l.user_id = p.student_id AND l.specialization_type = p.specialization_id"
        " WHERE p.id >= ? GROUP BY p.id HAVING count(l.id) != 1 OR p.current_level IS NOT max(l.current_level) LIMIT 1",
        (start,),
    ).fetchone()
    if apart is None:
        return
    row, user, name, level = apart
    connection.execute("DELETE FROM user_licenses WHERE user_id = ? AND specialization_type = ?", (user, name))
    connection.execute(
        "INSERT INTO user_licenses (user_id, specialization_type, current_level, max_achieved_level) VALUES (?, ?, ?, ?)",
        (user, name, level, level),
    )
    connection.execute("UPDATE specialization_progress SET current_level = ? WHERE id = ?", (level, row))


def _rows(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(id) FROM specialization_progress").fetchone()[0])


def _write_logs(log_dir: Path, pairs: list[tuple[int, str, int]], chance: random.Random, now: datetime) -> None:
    """A month as the earlier implementation logged it: a file for each check that found violations, here every one."""
    log_dir.mkdir(parents=True, exist_ok=True)
    apart: dict[tuple[int, str], Violation] = {}
    for moment, share in _shares_apart(now, chance):
        wanted = max(round(len(pairs) * share), 1)
        while len(apart) > wanted:
            del apart[chance.choice(list(apart))]
        for pair in list(apart)[: len(apart) // 60]:  # the oldest heal, after some hours
            del apart[pair]
        while len(apart) < wanted:
            user, name, level = chance.choice(pairs)
            apart[user, name] = _violation(user, name, level, chance)
        totals = Totals(len(pairs), len(apart))
        content = {
            "timestamp": moment.replace(tzinfo=None).isoformat(timespec="microseconds"),
            **figures_as_json(totals, rate_of(totals)),
            "violations": [_as_logged(apart[pair]) for pair in sorted(apart)],
        }
        path = log_dir / f"{moment:%Y%m%d_%H%M%S}_violations.json"
        path.write_text(json.dumps(content), encoding="utf-8")


def _shares_apart(now: datetime, chance: random.Random) -> Iterator[tuple[datetime, float]]:
    """When the earlier system checked, and what share of all pairs was apart then: usually 0.4 to 0.9 percent, more in the
    evening than in the morning; two bad days and a bad night."""
    moment, drifted = now - _HISTORY, 0.0
    while moment < now - _DENSE_STEP:
        age = now - moment
        drifted = 0.985 * drifted + 0.00022 * chance.gauss(0, 1)
        daily = 0.0007 * math.sin(2 * math.pi * (moment.hour + moment.minute / 60 - 11) / 24)
        share = min(max(0.0065 + drifted + daily, 0.004), 0.009)
        if timedelta(days=20, hours=14) < age < timedelta(days=21):
            share = 0.067 + 0.01 * chance.uniform(-1, 1)
        elif timedelta(days=8, hours=6) < age < timedelta(days=9) or timedelta(hours=13) < age < timedelta(hours=17):
            share = 0.024 + 0.004 * chance.uniform(-1, 1)
        yield moment, share
        moment += _DENSE_STEP if moment > now - _DENSE_HISTORY else _SPARSE_STEP


def _violation(user: int, name: str, level: int, chance: random.Random) -> Violation:
    if chance.random() < 0.2:
        return Violation(user, name, level, None, Kind.MISSING_LICENSE)
    return Violation(user, name, level, level - 1 if level > 1 else level + 1, Kind.LEVEL_MISMATCH)


def _as_logged(violation: Violation) -> dict[str, object]:
    return {key: value for key, value in violation.as_json().items() if key != "kind"}
