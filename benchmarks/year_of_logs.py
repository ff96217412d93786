"""A year of violation logs, one every five minutes, as the earlier implementation wrote them."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

LOGS = 105_120
TOTAL = 8_214
END = datetime(2026, 11, 1, tzinfo=UTC)

_STEP = timedelta(minutes=5)
_NAMES = ("PLAYER", "COACH", "INTERNSHIP", "GANCUJU_PLAYER", "LFA_FOOTBALL_PLAYER")


def write_logs(folder: Path, logs: int = LOGS, end: datetime = END) -> None:
    """Fill a folder: 1 to 40 violations a log, 20 on average; most of them stand in the log before as well."""
    chance = random.Random(7)
    folder.mkdir(parents=True)
    apart: dict[tuple[int, str], dict[str, object]] = {}
    for number in range(logs):
        at = end - (logs - number) * _STEP
        for pair in list(apart)[: max(len(apart) // 12, 1)]:
            del apart[pair]
        wanted = min(max(round(chance.gauss(20, 6)), 1), 40)
        while len(apart) < wanted:
            pair = chance.randint(1, 6_000), chance.choice(_NAMES)
            apart[pair] = _violation(*pair, chance)
        listed = [apart[pair] for pair in sorted(apart)]
        content = {
            "timestamp": (at + timedelta(microseconds=chance.randint(1, 900_000))).replace(tzinfo=None).isoformat(),
            "total_checked": TOTAL,
            "consistent": TOTAL - len(listed),
            "inconsistent": len(listed),
            "consistency_rate": round(100 * (TOTAL - len(listed)) / TOTAL, 2),
            "violations": listed,
        }
        (folder / f"{at:%Y%m%d_%H%M%S}_violations.json").write_text(json.dumps(content), encoding="utf-8")


def _violation(user: int, name: str, chance: random.Random) -> dict[str, object]:
    level = chance.randint(2, 8)
    if chance.random() < 0.2:
        return _entry(user, name, level, None, "create_license_from_progress")
    return _entry(user, name, level, level - 1, "sync_required")


def _entry(user: int, name: str, progress: int, license_: int | None, action: str) -> dict[str, object]:
    return {
        "user_id": user,
        "specialization": name,
        "progress_level": progress,
        "license_level": license_,
        "recommended_action": action,
    }
