"""Every number of a period once more, by pandas, from the raw log files and a plain list of checks. Uses none of our code.

An independent way to the same figures: analysis and reports are held to it, to the last digit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import pandas as pd

FRESH_FOR = pd.Timedelta(minutes=11)  # two intervals of five minutes and a minute of grace


@dataclass(frozen=True, slots=True)
class Check:
    """A check as somebody may have written it into a list. `pairs` is None when it failed."""

    at: datetime
    pairs: int | None
    apart: int = 0
    in_maintenance: bool = False


def readings(logs: Path, checks: Sequence[Check] = ()) -> pd.DataFrame:
    """One row for each log file that can be read and each check, oldest first: at, pairs (-1: failed), apart, log, planned."""
    rows: list[dict[str, Any]] = []
    for path in sorted(logs.glob("*_violations.json")):
        try:
            content = json.loads(path.read_text("utf-8"))
            at = pd.Timestamp(content["timestamp"])
            pairs, apart = int(content["total_checked"]), int(content["inconsistent"])
        except (ValueError, KeyError, TypeError, UnicodeDecodeError):
            continue
        at = at.tz_localize("UTC") if at.tzinfo is None else at
        rows.append({"at": at, "pairs": pairs, "apart": apart, "log": True, "planned": False})
    for check in checks:
        pairs = -1 if check.pairs is None else check.pairs
        row = {"at": pd.Timestamp(check.at), "pairs": pairs, "apart": check.apart, "log": False}
        rows.append({**row, "planned": check.in_maintenance})
    frame = pd.DataFrame(rows, columns=["at", "pairs", "apart", "log", "planned"])
    frame["at"] = pd.to_datetime(frame["at"], utc=True).astype("datetime64[us, UTC]")
    frame = frame.sort_values("at", kind="stable", ignore_index=True)
    frame["state"] = [_state(pairs, apart) for pairs, apart in zip(frame["pairs"], frame["apart"], strict=True)]
    return frame


def _state(pairs: int, apart: int) -> str:
    if pairs < 0:
        return "failed"
    if pairs == 0:
        return "empty"
    share = Fraction(pairs - apart, pairs) * 100
    return "healthy" if share >= 99 else "degraded" if share >= 95 else "critical"


def part(frame: pd.DataFrame, start: datetime, end: datetime) -> pd.DataFrame:
    """The rows of [start, end) that count: not in planned maintenance."""
    return frame[(frame["at"] >= pd.Timestamp(start)) & (frame["at"] < pd.Timestamp(end)) & ~frame["planned"].astype(bool)]


def percent(agreeing: int, pairs: int) -> str | None:
    """A rate with two decimals, half to even, and never up over 99, 95 or to 100."""
    if not pairs:
        return None
    exact = Fraction(100 * agreeing, pairs)
    hundredths = round(exact * 100)  # a Fraction rounds half to even
    for bound in (100, 99, 95):
        if hundredths >= bound * 100 and exact < bound:
            hundredths = bound * 100 - 1
    return f"{hundredths // 100}.{hundredths % 100:02}"


def counts(frame: pd.DataFrame, start: datetime, end: datetime) -> dict[str, int]:
    """How many checks of each state there were."""
    found = part(frame, start, end)["state"].value_counts()
    return {state: int(found.get(state, 0)) for state in ("healthy", "degraded", "critical", "empty", "failed")}


def rates(frame: pd.DataFrame, start: datetime, end: datetime) -> tuple[str | None, str | None, int]:
    """Mean rate over all comparisons, worst rate, and the most violations of any check."""
    compared = part(frame, start, end).query("pairs > 0")
    if compared.empty:
        return None, None, 0
    pairs, apart = int(compared["pairs"].sum()), int(compared["apart"].sum())
    shares = [Fraction(int(p - a), int(p)) for p, a in zip(compared["pairs"], compared["apart"], strict=True)]
    worst = min(shares)
    return (
        percent(pairs - apart, pairs),
        percent(worst.numerator, worst.denominator),
        int(compared["apart"].max()),
    )


def seconds(frame: pd.DataFrame, start: datetime, end: datetime, now: datetime) -> dict[str, float]:
    """How long each state held, in seconds: a reading speaks for the time up to the next one, unless that comes too late."""
    held = frame.copy()
    last = pd.Timestamp(max(now, end))
    held["until"] = held["at"].shift(-1).fillna(max(last, held["at"].max()) if len(held) else last)
    held["kind"] = held["state"].replace({"failed": "no_data", "empty": "no_data"})
    held.loc[held["log"] & (held["kind"] != "no_data"), "kind"] = "logs_only"
    held.loc[held["planned"].astype(bool), "kind"] = "maintenance"
    held.loc[held["until"] - held["at"] > FRESH_FOR, "kind"] = "no_data"
    first, final = pd.Timestamp(start), pd.Timestamp(end)
    held["length"] = held["until"].clip(first, final) - held["at"].clip(first, final)
    found = {str(kind): length.total_seconds() for kind, length in held.groupby("kind")["length"].sum().items()}
    known = sum(length for kind, length in found.items() if kind != "no_data")
    found["no_data"] = (final - first).total_seconds() - known
    return {kind: length for kind, length in found.items() if length}


def budget(frame: pd.DataFrame, end: datetime, now: datetime, promise: Fraction = Fraction(99), days: int = 30) -> dict[str, Any]:
    """The error budget at a moment: checks, those that were not healthy, what is left in percent, and the burn rates."""
    window = part(frame, end - pd.Timedelta(days=days), end)
    bad, tried = int((window["state"] != "healthy").sum()), len(window)
    allowed = tried * (100 - promise) / 100
    held = seconds(frame, end - timedelta(days=days), end, now)
    unknown = held.get("no_data", 0.0) + held.get("maintenance", 0.0) > days * 86_400 / 2
    burns: dict[str, Fraction | None] = {}
    for length in ("1h", "6h", "1D", "3D"):
        lately = part(frame, end - pd.Timedelta(length), end)
        wrong = int((lately["state"] != "healthy").sum())
        burns[length] = Fraction(wrong, len(lately)) / ((100 - promise) / 100) if len(lately) else None
    return {
        "tried": tried,
        "bad": bad,
        "kept": False if bad > allowed else None if unknown or not tried else True,
        "left": floor(100 * (allowed - bad) / allowed) if tried else None,
        "burns": burns,
    }


def stretches(frame: pd.DataFrame, start: datetime, end: datetime) -> list[tuple[datetime, datetime, bool, str]]:
    """Times of trouble, longest first: first bad reading, end, whether a healthy reading ended it, worst rate."""
    inside = frame[(frame["at"] >= pd.Timestamp(start)) & (frame["at"] < pd.Timestamp(end))].copy()
    inside["skipped"] = inside["planned"].astype(int).cumsum()
    compared = inside[(inside["pairs"] > 0) & ~inside["planned"].astype(bool)].reset_index(drop=True)
    if compared.empty:
        return []
    bad = compared["state"] != "healthy"
    torn = (compared["at"].diff() > FRESH_FOR) | (compared["skipped"].diff() > 0)
    run = (bad.ne(bad.shift()) | torn).cumsum()
    found = []
    for _, rows in compared[bad].groupby(run[bad]):
        last = rows.index[-1]
        healed = last + 1 < len(compared) and not bad[last + 1] and not torn[last + 1]
        until = compared["at"][last + 1] if healed else rows["at"].iloc[-1]
        worst = min(Fraction(int(p - a), int(p)) for p, a in zip(rows["pairs"], rows["apart"], strict=True))
        rate = percent(worst.numerator, worst.denominator)
        found.append((rows["at"].iloc[0].to_pydatetime(), until.to_pydatetime(), bool(healed), str(rate)))
    return sorted(found, key=lambda stretch: (stretch[0] - stretch[1], stretch[0]))


def heat(frame: pd.DataFrame, start: datetime, end: datetime, zone: str) -> pd.DataFrame:
    """For each weekday (0 is Monday) and hour in a zone: checks, and how many of them were not healthy."""
    found = part(frame, start, end).copy()
    local = found["at"].dt.tz_convert(zone)
    found["bad"] = found["state"] != "healthy"
    return found.groupby([local.dt.day_of_week.rename("day"), local.dt.hour.rename("hour")])["bad"].agg(["count", "sum"])


def lives(logs: Path, start: datetime, end: datetime) -> dict[str, int]:
    """The lives of the violations that the logs alone tell: a pair's life is an unbroken run of logs that list it.

    Opened, returned and healed in [start, end), those open at its end, and seconds to heal: their sum and the longest.
    """
    rows = []
    order = 0
    for path in sorted(logs.glob("*_violations.json")):
        try:
            content = json.loads(path.read_text("utf-8"))
            listed = {(str(v["user_id"]), str(v["specialization"]).strip().upper()) for v in content["violations"]}
            at = pd.Timestamp(content["timestamp"])
            int(content["total_checked"])
        except (ValueError, KeyError, TypeError, UnicodeDecodeError):
            continue
        at = at.tz_localize("UTC") if at.tzinfo is None else at
        rows.append({"at": at, "order": order, "listed": listed})
        order += 1
    rows.sort(key=lambda row: (row["at"], row["order"]))
    spans = []
    for pair in sorted(set().union(*(row["listed"] for row in rows))) if rows else []:
        seen = pd.Series([pair in row["listed"] for row in rows])
        times = [row["at"].floor("s") for row in rows]
        for _, run in seen[seen].groupby((seen != seen.shift()).cumsum()[seen]):
            after = run.index[-1] + 1
            spans.append({"pair": pair, "first": times[run.index[0]], "end": times[after] if after < len(rows) else pd.NaT})
    frame = pd.DataFrame(spans, columns=["pair", "first", "end"])
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    opened = frame[(frame["first"] >= first) & (frame["first"] < last)]
    healed = frame[(frame["end"] >= first) & (frame["end"] < last)]
    took = (healed["end"] - healed["first"]).dt.total_seconds() if len(healed) else pd.Series(dtype=float)
    return {
        "opened": len(opened),
        "returned": int(frame.groupby("pair").cumcount()[opened.index].gt(0).sum()),
        "healed": len(healed),
        "open_at_end": int(((frame["first"] < last) & ~(frame["end"] < last)).sum()),
        "heal_seconds": int(took.sum()),
        "longest": int(took.max()) if len(took) else 0,
        "within_hour": int((took <= 3_600).sum()),
    }
