"""Logs that others wrote become history, each once, whatever else lies in the folder."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.health_monitor import HealthMonitor
from core.logs.importing import ImportResult, import_logs
from core.logs.sources import Limits
from core.model import Kind, Outcome, Source
from core.state import history, known_logs, schema
from core.state.database import StateDatabase
from core.status import DEFAULT_THRESHOLDS
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock
from tests.logs.test_reading import BROKEN, READABLE, SAMPLES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The samples: eight logs that can be read, four that cannot, and a note."""
    return Path(shutil.copytree(SAMPLES, tmp_path / "old logs"))


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """What `work` gives; an error when it is not done in time."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert answers, "it hangs, or failed"
    return answers[0]


LATER = datetime(2025, 11, 1, tzinfo=UTC)  # than all samples


def take(state: StateDatabase, place: Path, largest: int = 64_000_000, now: datetime = LATER) -> ImportResult:
    return import_logs(state, place, Limits(largest, 10 * largest), DEFAULT_THRESHOLDS, now)


def rows(state: StateDatabase) -> list[sa.Row[Any]]:
    with state.read() as connection:
        return list(connection.execute(sa.select(schema.history).order_by(schema.history.c.timestamp)))


def kinds_of(state: StateDatabase, number: int) -> Mapping[Kind, int]:
    with state.read() as connection:
        (attempt,) = history.numbered(connection, [number])
    return attempt.by_kind


def log_text(**changes: object) -> str:
    content = {"timestamp": "2025-10-25T14:30:00", "total_checked": 10, "consistent": 9, "inconsistent": 1, "violations": []}
    return json.dumps(content | changes)


def test_the_samples_become_eight_rows_and_four_names(fresh_state: StateDatabase, folder: Path) -> None:
    result = take(fresh_state, folder)
    assert (result.imported, result.already_known) == (8, 0)
    assert {Path(log.path).name: log.problem for log in result.broken}.keys() == BROKEN.keys()
    for log in result.broken:
        assert BROKEN[Path(log.path).name] in str(log.problem)
    taken = rows(fresh_state)
    assert [row.log_file for row in taken] == sorted(READABLE)
    for row in taken:
        total, inconsistent, rate, moment = READABLE[row.log_file]
        assert (row.total_checked, row.inconsistent, row.consistent) == (total, inconsistent, total - inconsistent)
        assert (str(row.consistency_rate), row.timestamp.isoformat()) == (rate, moment)
        assert (row.source, row.outcome, row.watched) == (Source.IMPORT, Outcome.UNHEALTHY, None)
        assert sum(kinds_of(fresh_state, row.id).values()) == inconsistent
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in SAMPLES.iterdir()), "none is deleted"
    for path in folder.iterdir():
        assert path.read_bytes() == (SAMPLES / path.name).read_bytes()


def test_a_log_becomes_one_row_however_often_it_is_read(fresh_state: StateDatabase, folder: Path) -> None:
    take(fresh_state, folder)
    for _ in range(3):
        result = take(fresh_state, folder)
        assert (result.imported, result.already_known, len(result.broken)) == (0, 8, 4)
        for path in folder.iterdir():
            path.touch()
    assert len(rows(fresh_state)) == 8


def test_a_log_is_known_by_its_content_also_elsewhere(sqlite_state: StateDatabase, folder: Path, tmp_path: Path) -> None:
    take(sqlite_state, folder)
    shutil.copy(folder / "20251025_143000_violations.json", folder / "20251025_143000_2_violations.json")
    assert take(sqlite_state, folder).imported == 0
    moved = tmp_path / "moved"
    folder.rename(moved)
    assert take(sqlite_state, moved).imported == 0
    assert len(rows(sqlite_state)) == 8


def test_a_relative_path_names_the_same_folder(
    sqlite_state: StateDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(sqlite_state, folder)
    monkeypatch.chdir(folder.parent)
    result = take(sqlite_state, Path(folder.name))
    assert (result.imported, result.already_known, len(result.broken)) == (0, 8, 4)


def test_a_broken_log_that_becomes_whole_is_read(sqlite_state: StateDatabase, folder: Path) -> None:
    take(sqlite_state, folder)
    (folder / "20251027_091000_violations.json").write_text(log_text(timestamp="2025-10-27T09:10:00"))
    result = take(sqlite_state, folder)
    assert (result.imported, len(result.broken)) == (1, 3)
    assert len(rows(sqlite_state)) == 9
    assert take(sqlite_state, folder).imported == 0


def test_a_broken_log_is_not_read_again_until_it_changes(sqlite_state: StateDatabase, folder: Path) -> None:
    """What makes it broken stays known without opening it; a fifo in its place would hang whoever opens it."""
    take(sqlite_state, folder)
    assert [Path(log.path).name for log in take(sqlite_state, folder).broken] == sorted(BROKEN)


def test_a_broken_log_that_was_taken_away_is_named_no_longer(
    sqlite_state: StateDatabase, folder: Path, monitor: HealthMonitor, clock: FrozenClock
) -> None:
    clock.now = LATER
    monitor.import_logs(folder)
    assert len(monitor.broken_logs()) == 4
    (folder / "20251027_091000_violations.json").unlink()
    assert len(monitor.import_logs(folder).broken) == 3
    assert [Path(log.path).name for log in monitor.broken_logs()] == sorted(BROKEN)[1:]


@pytest.mark.parametrize("other", ["old logs/archive", "old logs of another server"])
def test_broken_logs_of_another_folder_stay_named(sqlite_state: StateDatabase, folder: Path, tmp_path: Path, other: str) -> None:
    take(sqlite_state, Path(shutil.copytree(SAMPLES, tmp_path / other)))
    assert len(take(sqlite_state, folder).broken) == len(BROKEN), "each folder names its own"
    with sqlite_state.read() as connection:
        assert len(known_logs.broken(connection)) == 2 * len(BROKEN)


def test_a_log_that_is_too_large_is_named_and_skipped(sqlite_state: StateDatabase, folder: Path) -> None:
    result = take(sqlite_state, folder, largest=1_500)
    assert result.imported == 6
    assert len(result.broken) == 6


def test_a_folder_that_is_missing_holds_no_logs(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    result = take(sqlite_state, tmp_path / "nowhere")
    assert (result.imported, result.already_known, list(result.broken)) == (0, 0, [])
    assert not (tmp_path / "nowhere").exists()


def test_what_is_only_named_like_a_log_neither_hangs_nor_stops_the_others(sqlite_state: StateDatabase, folder: Path) -> None:
    os.mkfifo(folder / "20251028_000000_violations.json")
    (folder / "20251028_000001_violations.json").mkdir()
    (folder / "20251028_000002_violations.json").symlink_to(folder / "nothing here")
    (folder / "20251028_000003_violations.json").symlink_to("/dev/zero")
    (folder / "violations.json").write_text(log_text())
    (folder / "20251028_000004_violations.json.bak").write_text(log_text())
    (folder / ".unfinished-c0ffee").write_text(log_text())
    result = within(20, lambda: take(sqlite_state, folder))
    assert (result.imported, len(result.broken)) == (8, 4)


def test_a_link_that_leads_to_itself_does_not_stop_the_others(sqlite_state: StateDatabase, folder: Path) -> None:
    loop = folder / "20251028_000000_violations.json"
    loop.symlink_to(loop)
    assert take(sqlite_state, folder).imported == 8


def test_a_link_to_a_log_is_read(sqlite_state: StateDatabase, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text(log_text())
    (folder / "20251028_000000_violations.json").symlink_to(tmp_path / "elsewhere.json")
    assert take(sqlite_state, folder).imported == 9


@pytest.mark.parametrize("check_id", ["\ud800", "nul\0nul", "x" * 64, "", "x" * 65, 5, None])
def test_an_odd_check_id_does_not_stop_the_others(fresh_state: StateDatabase, folder: Path, check_id: object) -> None:
    """One strange file in the folder must not make every later check fail."""
    (folder / "20250101_000000_violations.json").write_text(log_text(check_id=check_id))
    result = take(fresh_state, folder)
    assert result.imported >= 8
    assert len(rows(fresh_state)) == result.imported


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "1969-12-31T23:59:59", "2025-10-25T14:30:00+14:00"])
def test_a_log_from_any_year_can_be_kept(fresh_state: StateDatabase, tmp_path: Path, moment: str) -> None:
    (tmp_path / "20250101_000000_violations.json").write_text(log_text(timestamp=moment))
    assert take(fresh_state, tmp_path).imported == 1
    assert len(rows(fresh_state)) == 1


def test_a_log_that_is_dated_in_the_future_is_named_and_read_when_its_time_has_come(
    fresh_state: StateDatabase, tmp_path: Path
) -> None:
    (tmp_path / "20250101_000000_violations.json").write_text(log_text(timestamp="9999-12-31T23:59:59.999999"))
    (tmp_path / "20250101_000001_violations.json").write_text(log_text(timestamp="2025-11-01T00:20:00"))
    (tmp_path / "20250101_000002_violations.json").write_text(log_text(timestamp="2025-11-01T00:05:00"))
    result = take(fresh_state, tmp_path)
    assert (result.imported, result.already_known) == (1, 0), "clocks of two machines never agree to the minute"
    assert [str(log.problem) for log in result.broken] == [
        "it is dated in the future, 9999-12-31 23:59 UTC; it is read when that time has come",
        "it is dated in the future, 2025-11-01 00:20 UTC; it is read when that time has come",
    ]
    result = take(fresh_state, tmp_path, now=LATER + timedelta(minutes=15))
    assert (result.imported, result.already_known, len(result.broken)) == (1, 1, 1)


def test_figures_up_to_the_largest_integer_can_be_kept(fresh_state: StateDatabase, tmp_path: Path) -> None:
    total = 2**63 - 1
    (tmp_path / "20250101_000000_violations.json").write_text(log_text(total_checked=total, consistent=total, inconsistent=0))
    assert take(fresh_state, tmp_path).imported == 1
    assert [row.total_checked for row in rows(fresh_state)] == [total]


def test_own_logs_are_not_imported_also_after_the_folder_moved(
    monitor: HealthMonitor,
    new_monitor: Callable[..., HealthMonitor],
    sqlite_app: SqliteApplication,
    sqlite_state: StateDatabase,
    clock: FrozenClock,
    tmp_path: Path,
) -> None:
    sqlite_app.disagreeing([1, 2])
    for _ in range(3):
        monitor.check_all_users()
        clock.advance(minutes=5)
    folder = monitor.settings.violation_log_dir
    assert len(list(folder.glob("*_violations.json"))) == 3
    assert monitor.import_logs().imported == 0
    moved = tmp_path / "archive"
    folder.rename(moved)
    assert monitor.import_logs(moved).imported == 0
    after_a_move = new_monitor(sqlite_app, log_dir=moved)
    after_a_move.check_all_users()
    assert [row.source for row in rows(sqlite_state)] == [Source.CHECK] * 4


def test_a_check_reads_the_logs_that_lie_in_its_folder(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, sqlite_state: StateDatabase, folder: Path, clock: FrozenClock
) -> None:
    clock.now = LATER
    sqlite_app.agreeing([1])
    monitor.settings.violation_log_dir.parent.mkdir(parents=True)
    folder.rename(monitor.settings.violation_log_dir)
    monitor.check_all_users()
    assert sorted(row.source for row in rows(sqlite_state)) == [Source.CHECK] + [Source.IMPORT] * 8
    assert len(monitor.broken_logs()) == 4
    assert monitor.get_health_summary().totals is not None
    assert monitor.get_health_summary().totals.total_checked == 1, "an imported log says nothing about now"


def test_imported_logs_alone_are_no_status(monitor: HealthMonitor, folder: Path, clock: FrozenClock) -> None:
    clock.now = LATER
    monitor.import_logs(folder)
    summary = monitor.get_health_summary()
    assert (summary.assessment.reason, summary.last) == ("no check has run yet", None)


def test_progress_is_told_while_logs_are_read(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    for number in range(450):
        (tmp_path / f"20250101_{number:06}_violations.json").write_text(
            log_text(total_checked=1_000 + number, consistent=999 + number)
        )
    told: list[tuple[int, int | None]] = []
    limits = Limits(10_000, 100_000)
    result = import_logs(sqlite_state, tmp_path, limits, DEFAULT_THRESHOLDS, LATER, lambda done, all_: told.append((done, all_)))
    assert result.imported == 450
    assert told[0] == (0, 450)
    assert told[-1] == (450, 450)
    assert told == sorted(told)


def test_kinds_of_old_logs_are_guessed_from_what_they_say(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    found = [
        {"user_id": 1, "progress_level": 1, "license_level": None},
        {"user_id": 2, "progress_level": None, "license_level": 1},
        {"user_id": 3, "progress_level": 1, "license_level": 2},
        {"user_id": 4, "progress_level": 1, "license_level": 2, "recommended_action": "resolve_duplicates"},
        {"user_id": 5, "progress_level": 1, "license_level": 2, "recommended_action": "sync_to_higher_level"},
    ]
    (tmp_path / "20250101_000000_violations.json").write_text(log_text(consistent=5, inconsistent=5, violations=found))
    take(sqlite_state, tmp_path)
    (row,) = rows(sqlite_state)
    assert kinds_of(sqlite_state, row.id) == {
        Kind.MISSING_LICENSE: 1,
        Kind.MISSING_PROGRESS: 1,
        Kind.LEVEL_MISMATCH: 2,
        Kind.DUPLICATE_ROWS: 1,
    }


def test_kinds_of_a_log_that_does_not_list_all_are_those_that_it_lists(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    found = [{"user_id": 1, "progress_level": 1, "license_level": None}]
    (tmp_path / "20250101_000000_violations.json").write_text(log_text(consistent=5, inconsistent=5, violations=found))
    take(sqlite_state, tmp_path)
    (row,) = rows(sqlite_state)
    assert (kinds_of(sqlite_state, row.id), row.breakdown) == ({Kind.MISSING_LICENSE: 1}, None)


def test_logs_that_come_one_by_one_are_kept_in_one_list(sqlite_state: StateDatabase, folder: Path, tmp_path: Path) -> None:
    for minute in range(3):
        text = log_text(timestamp=f"2025-11-01T00:0{minute}:00")
        (folder / f"20251101_000{minute}00_violations.json").write_text(text)
        take(sqlite_state, folder)
    with sqlite_state.read() as connection:
        (names,) = connection.execute(sa.select(schema.log_lists.c.names)).scalars()
    assert len(names) == len(READABLE) + 3
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    assert take(sqlite_state, moved).imported == 0
