"""An application that keeps changing the rows of its pairs, in both orders, and keeps account of what it did."""

from __future__ import annotations

import json
import random
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import psycopg

NAME = "GANCUJU_PLAYER"  # a specialization whose levels have no end
USERS_OF_EACH = 60

_INSERT_PROGRESS = "INSERT INTO specialization_progress (student_id, specialization_id, current_level) VALUES (%s, %s, %s)"
_INSERT_LICENSE = (
    "INSERT INTO user_licenses (user_id, specialization_type, current_level, max_achieved_level) VALUES (%s, %s, %s, %s)"
)


@dataclass
class Account:
    """What the application knows about one user: how often it counted each row on, and the highest levels that it saw."""

    counts: dict[str, int] = field(default_factory=lambda: {"progress": 0, "license": 0})
    levels: dict[str, int] = field(default_factory=lambda: {"progress": 0, "license": 0})


class Thread(threading.Thread):
    """Changes rows of users of its own, so that no other thread of the application is ever in its way."""

    def __init__(self, url: str, number: int, transactions: int) -> None:
        super().__init__(daemon=True)
        self._connection = psycopg.connect(url, autocommit=True)
        self._chance = random.Random(number)  # noqa: S311 - no secret
        self._transactions = transactions
        self._to_do = SimpleQueue[bool]()
        self.accounts = {user: Account() for user in range(number * 1_000, number * 1_000 + USERS_OF_EACH)}
        self.changed = 0  # rows
        self.deeds: Counter[str] = Counter()
        self.problems: list[str] = []

    def more(self) -> None:
        """Let it do so many transactions more."""
        for _ in range(self._transactions):
            self._to_do.put(item=True)

    def end(self) -> None:
        """Let it do what it was told to, and no more."""
        self._to_do.put(item=False)
        self.join()

    def run(self) -> None:
        users = list(self.accounts)
        while self._to_do.get():
            user = users[int(self._chance.random() ** 1.5 * len(users))]  # some are changed often, some now and then
            deed = self._chance.choice([self.both, self.both, self.one, self.remove, self.add, self.add_at_once])
            try:
                with self._connection.transaction():
                    touched = deed(user)
                self.changed += touched
                self.deeds[deed.__name__] += touched > 0
            except psycopg.Error as error:
                self.problems.append(f"{deed.__name__}: {type(error).__name__}: {error}")
                return

    # --- what it does, each in a transaction ----------------------------------------------------------------------------

    def both(self, user: int) -> int:
        """Raise both sides, in either order."""
        sides = ["progress", "license"]
        self._chance.shuffle(sides)
        return sum(self._raise(side, user) for side in sides)

    def one(self, user: int) -> int:
        return self._raise(self._chance.choice(["progress", "license"]), user)

    def remove(self, user: int) -> int:
        """Remove one side, unless the other is missing."""
        side = self._chance.choice(["progress", "license"])
        there = {name: self._lock(name, user) for name in self._shuffled()}
        if None in there.values():
            return 0
        table, column = _TABLES[side]
        removed = self._execute(f"DELETE FROM {table} WHERE {column} = %s", user).rowcount
        self.accounts[user].counts[side] = self.accounts[user].levels[side] = 0
        return removed

    def add(self, user: int) -> int:
        """Add the missing side itself; the row that is there is locked meanwhile."""
        for side in ("progress", "license"):
            level = self._lock(side, user)
            other = "license" if side == "progress" else "progress"
            table, column = _TABLES[other]
            if level is not None and not self._execute(f"SELECT 1 FROM {table} WHERE {column} = %s", user).fetchall():
                if other == "license":
                    return self._execute(_INSERT_LICENSE, user, NAME, level, level).rowcount
                return self._execute(_INSERT_PROGRESS, user, NAME, level).rowcount
        return 0

    def add_at_once(self, user: int) -> int:
        """Add the missing side in one statement, without a lock."""
        return (
            self._execute(
                "INSERT INTO user_licenses (user_id, specialization_type, current_level, max_achieved_level) "
                "SELECT student_id, specialization_id, current_level, current_level FROM specialization_progress "
                "WHERE student_id = %s AND NOT EXISTS (SELECT 1 FROM user_licenses WHERE user_id = %s)",
                user,
                user,
            ).rowcount
            + self._execute(
                "INSERT INTO specialization_progress (student_id, specialization_id, current_level) "
                "SELECT user_id, specialization_type, current_level FROM user_licenses "
                "WHERE user_id = %s AND NOT EXISTS (SELECT 1 FROM specialization_progress WHERE student_id = %s)",
                user,
                user,
            ).rowcount
        )

    # --- its statements -------------------------------------------------------------------------------------------------

    def _raise(self, side: str, user: int) -> int:
        """Some levels higher, and counted on; nothing where there is no row."""
        table, column = _TABLES[side]
        more = ", max_achieved_level = greatest(max_achieved_level, current_level + %s)" if side == "license" else ""
        higher = self._chance.randint(1, 9)  # so that a level of ours in place of it would be lower
        rows = self._execute(
            f"UPDATE {table} SET current_level = current_level + %s, counted = counted + 1{more} WHERE {column} = %s "
            "RETURNING current_level, counted",
            *[higher] * (2 if more else 1),
            user,
        ).fetchall()
        if not rows:
            return 0
        account = self.accounts[user]
        account.counts[side] += 1
        (level, counted), *more_rows = rows
        if more_rows:
            self.problems.append(f"{user} has {len(rows)} rows in {table}")
        if counted != account.counts[side]:
            self.problems.append(f"{user} was counted on {account.counts[side]} times, {table} says {counted}")
        if level <= account.levels[side]:
            self.problems.append(f"{user} was at level {account.levels[side]} in {table}, and after {higher} more at {level}")
        account.levels[side] = level
        return 1

    def _lock(self, side: str, user: int) -> int | None:
        table, column = _TABLES[side]
        row = self._execute(f"SELECT current_level FROM {table} WHERE {column} = %s FOR UPDATE", user).fetchone()
        return None if row is None else int(row[0])

    def _shuffled(self) -> list[str]:
        sides = list(_TABLES)
        self._chance.shuffle(sides)
        return sides

    def _execute(self, statement: str, *values: Any) -> psycopg.Cursor[Any]:
        return self._connection.execute(statement, values)


_TABLES = {"progress": ("specialization_progress", "student_id"), "license": ("user_licenses", "user_id")}


def main() -> None:
    """Arguments: URL, threads, transactions of each for every line that comes in, until "end": then it prints what it did."""
    url, number, transactions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    threads = [Thread(url, one + 1, transactions) for one in range(number)]
    for thread in threads:
        thread.start()
    while sys.stdin.readline() != "end\n":
        for thread in threads:
            thread.more()
    for thread in threads:
        thread.end()
    counts = {user: account.counts for thread in threads for user, account in thread.accounts.items()}
    said = {
        "changed": sum(thread.changed for thread in threads),
        "deeds": sum((thread.deeds for thread in threads), Counter[str]()),
        "problems": [problem for thread in threads for problem in thread.problems],
        "counts": counts,
    }
    print(json.dumps(said), flush=True)
