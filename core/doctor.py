"""Finding out what is wrong, and what to do about each thing."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.assembly import build_coupler, build_watched, build_writable, open_state
from core.coupling import ProgressLicenseCoupler
from core.durations import in_words
from core.errors import CouplingHealthError
from core.logs.archive import archived_names
from core.setting_groups import SideSettings
from core.settings import Settings
from core.state import history, known_logs, maintenance
from core.state.database import StateDatabase
from core.sync.rights import lacking_rights, tables_in_words
from core.sync.same_database import require_same_database


class Verdict(StrEnum):
    """How a finding is meant."""

    GOOD = "good"
    ADVICE = "advice"  # works, and could be better
    BAD = "bad"  # does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    verdict: Verdict
    sentence: str
    hint: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"subject": self.subject, "verdict": self.verdict.value, "sentence": self.sentence, "hint": self.hint}


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that a check needs, in the order in which it needs it. Reads the watched database; writes no result."""
    yield from _watched(settings)
    yield from _log_dir(settings)
    yield from _state(settings)
    yield from _alerts(settings)
    yield from _sync(settings)


def _watched(settings: Settings) -> Iterator[Finding]:
    coupler = build_coupler(settings)
    try:
        coupler.ping()
    except CouplingHealthError as away:
        yield _bad("Watched database", away)
        return
    yield Finding("Watched database", Verdict.GOOD, f"{coupler.database_label} answers and is opened read-only.")
    try:
        coupler.tables()
    except CouplingHealthError as unsuitable:
        yield _bad("Tables and columns", unsuitable)
        return
    names = f"{settings.progress.table} and {settings.license.table}"
    yield Finding("Tables and columns", Verdict.GOOD, f"{names} have the columns that the settings name.")
    yield from _indexes(coupler, settings)
    started = time.perf_counter()
    try:
        with coupler.compare() as comparison:
            listed = sum(len(chunk) for chunk in comparison.chunks())
    except CouplingHealthError as failed:
        yield _bad("Comparison", failed)
        return
    took = timedelta(seconds=time.perf_counter() - started)
    totals = comparison.totals
    yield Finding(
        "Comparison",
        Verdict.GOOD if totals.total_checked else Verdict.BAD,
        f"{totals.total_checked} pairs, {listed} violations, in {in_words(took)}.",
        None if totals.total_checked else "Neither table holds a pair: is this the right database?",
    )
    share = took / timedelta(seconds=settings.check.statement_timeout_seconds)
    if share > 0.5:
        yield Finding(
            "Comparison", Verdict.ADVICE, f"It took {share:.0%} of its time limit.", "Raise check.statement_timeout_seconds."
        )
    unidentified = totals.unidentified_progress_rows + totals.unidentified_license_rows
    if unidentified:
        yield Finding(
            "Rows without a user or specialization",
            Verdict.ADVICE,
            f"{totals.unidentified_progress_rows} in {settings.progress.table}, "
            f"{totals.unidentified_license_rows} in {settings.license.table}; they are no pair and are not compared.",
            "Give them a user and a specialization, or remove them.",
        )
    if coupler.writers_wait:
        yield Finding(
            "SQLite journal",
            Verdict.ADVICE,
            "The application's writers wait while a check reads.",
            "Let the application set PRAGMA journal_mode=WAL once: then they do not.",
        )


def _indexes(coupler: ProgressLicenseCoupler, settings: Settings) -> Iterator[Finding]:
    leading = coupler.indexed_columns()
    sides: tuple[tuple[str, SideSettings], ...] = (("progress", settings.progress), ("license", settings.license))
    for name, side in sides:
        if side.user_column not in leading["progress" if name == "progress" else "license"]:
            yield Finding(
                "Indexes",
                Verdict.ADVICE,
                f"{side.table} has no index on {side.user_column}: showing one pair's rows reads the whole table.",
                f"An index on ({side.user_column}, {side.specialization_column}) would help; the check itself needs none.",
            )


def _log_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.violation_log_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as refused:
        yield Finding(
            "Violation logs",
            Verdict.BAD,
            f"{folder} cannot be written: {refused.strerror}.",
            "Make COUPLING_HEALTH_LOG_DIR a folder that this process may write to, on a disk with free space.",
        )
    else:
        yield Finding("Violation logs", Verdict.GOOD, f"{folder} can be written.")


def _state(settings: Settings) -> Iterator[Finding]:
    try:
        state = open_state(settings)
        with state.write():
            pass
        yield Finding("State database", Verdict.GOOD, "It is up to date and can be written.")
        yield from _logs_and_history(settings, state)
        yield from _maintenance(state)
    except CouplingHealthError as away:
        yield _bad("State database", away)


def _logs_and_history(settings: Settings, state: StateDatabase) -> Iterator[Finding]:
    with state.read() as connection:
        logged = history.logged_files(connection)
        broken = known_logs.broken(connection)
    archived = archived_names(settings.violation_log_dir)
    missing = [name for name in logged if not (name in archived or (settings.violation_log_dir / name).exists())]
    if missing:
        yield Finding(
            "Logs and history",
            Verdict.ADVICE,
            f"{len(missing)} checks have no log file any more, the first is {missing[0]}.",
            "History keeps their figures. Restore the files from a backup if you need their lists.",
        )
    if broken:
        yield Finding(
            "Broken logs",
            Verdict.ADVICE,
            f"{len(broken)} violation logs cannot be read: " + "; ".join(f"{log.path}: {log.problem}" for log in broken[:5]),
            "They were left as they are and do not appear in the trend.",
        )


def _maintenance(state: StateDatabase) -> Iterator[Finding]:
    with state.read() as connection:
        lost = maintenance.in_unknown_zones(connection)
    for window in lost:
        yield Finding(
            "Maintenance",
            Verdict.BAD,
            f"Window {window.id} ({window.reason}) does not hold here: the time zone {window.time_zone} is not known.",
            "Install the system's time zones (tzdata), or take the window back and plan it in another zone.",
        )


def _alerts(settings: Settings) -> Iterator[Finding]:
    rules, channels = settings.alerts.built_rules(), settings.alerts.channels
    if not channels:
        yield Finding(
            "Alerts",
            Verdict.ADVICE,
            f"{len(rules)} rules are on, and no channel is set up: nobody is told.",
            "Set alerts.channels.NAME.url, then try it with `coupling-health alert test NAME`.",
        )
        return
    unheard = [rule.name for rule in rules if rule.channels is not None and not rule.channels]
    told = f"{len(rules)} rules are on; {', '.join(channels)} can be told."
    if unheard:
        yield Finding("Alerts", Verdict.ADVICE, f"Nobody is told of {', '.join(unheard)}.", "Leave channels out to tell all.")
    if settings.alerts.link is None:
        yield Finding(
            "Alerts", Verdict.ADVICE, f"{told} Their messages hold no link.", "Set alerts.link to the dashboard's address."
        )
    else:
        yield Finding("Alerts", Verdict.GOOD, told)


def _sync(settings: Settings) -> Iterator[Finding]:
    database = build_writable(settings)
    if database is None:
        off = "Nothing is ever written: COUPLING_HEALTH_SYNC_DATABASE_URL is not set."
        if settings.sync.scheduled:
            yield Finding("Sync", Verdict.BAD, f"sync.scheduled is on. {off}", "Set it, or turn sync.scheduled off.")
        else:
            yield Finding("Sync", Verdict.GOOD, off)
        return
    try:
        require_same_database(build_watched(settings), database)
        lacking = lacking_rights(database, settings)
        used = tables_in_words(database, settings)
    except CouplingHealthError as away:
        yield _bad("Sync", away)
        return
    finally:
        database.close()
    if lacking:
        hint = "Grant it to the user in COUPLING_HEALTH_SYNC_DATABASE_URL."
        yield Finding("Sync", Verdict.BAD, f"The user who may write lacks {', '.join(lacking)}.", hint)
        return
    often = f"every {settings.sync.interval_hours:g} h" if settings.sync.scheduled else "by hand alone"
    yield Finding("Sync", Verdict.GOOD, f"Both tables can be written, {often}; {used}.")


def _bad(subject: str, error: CouplingHealthError) -> Finding:
    return Finding(subject, Verdict.BAD, str(error), error.hint)
