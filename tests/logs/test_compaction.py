"""Logs of old months go into an archive a month, and none is ever lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.doctor import examine
from core.errors import LogBroken
from core.health_monitor import HealthMonitor
from core.listed_violations import ListedIn
from core.logs.archive import archived_names, kept_log
from core.logs.compaction import Compacted, compact, last_month_to_compact
from core.logs.sources import Limits
from core.state import history
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock
from tests.logs.test_importing import log_text
from tests.subprocesses import ROOT, run

JULY, AUGUST, OCTOBER = "20250701_000000", "20250831_235959", "20251001_000000"
LIMITS = Limits(1_000_000, 10_000_000)


def fill(folder: Path, *stems: str) -> dict[str, bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for stem in stems:
        moment = datetime.strptime(stem[:15], "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
        path = folder / f"{stem}_violations.json"
        path.write_text(log_text(timestamp=moment.isoformat()))
        written[path.name] = path.read_bytes()
    return written


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


@pytest.fixture
def folder(monitor: HealthMonitor) -> Path:
    return monitor.settings.violation_log_dir


@pytest.mark.parametrize(
    ("now", "kept", "last"),
    [("2025-10-25", 1, "202508"), ("2025-10-25", 3, "202506"), ("2025-01-01", 1, "202411"), ("2025-02-28", 13, "202312")],
)
def test_the_current_month_and_whole_months_before_it_stay(now: str, kept: int, last: str) -> None:
    assert last_month_to_compact(datetime.fromisoformat(now).replace(tzinfo=UTC), kept) == last


def test_old_months_go_and_each_log_stays_to_the_byte(monitor: HealthMonitor, folder: Path) -> None:
    written = fill(folder, JULY, f"{JULY}_2", AUGUST, OCTOBER)
    done = monitor.compact_logs(1)
    assert (done.months, done.archived, done.left) == (["2025-07", "2025-08"], 3, 0)
    assert (done.before, done.after) == (
        sum(len(data) for name, data in written.items() if OCTOBER not in name),
        sum(path.stat().st_size for path in (folder / "archive").iterdir()),
    )
    assert names(folder) == [f"{OCTOBER}_violations.json"]
    assert names(folder / "archive") == ["202507_violations.zip", "202508_violations.zip"]
    assert {name: kept_log(folder / name, LIMITS) for name in written} == written
    assert monitor.compact_logs(1) == Compacted()


def test_nothing_is_read_twice_and_nothing_is_forgotten(monitor: HealthMonitor, folder: Path) -> None:
    fill(folder, JULY, AUGUST, OCTOBER)
    assert monitor.import_logs().imported == 3
    monitor.compact_logs(1)
    assert monitor.import_logs().imported == 0
    assert monitor.import_logs(folder / "archive" / "202507_violations.zip").imported == 0


def test_what_cannot_be_read_stays_where_it_is(monitor: HealthMonitor, folder: Path) -> None:
    fill(folder, JULY)
    (folder / "20250702_000000_violations.json").write_text("{ torn")
    (folder / "20250703_000000_violations.json").write_text(log_text(timestamp="2031-01-01T00:00:00"))
    done = monitor.compact_logs(1)
    assert (done.archived, done.left) == (1, 2)
    assert names(folder) == ["20250702_000000_violations.json", "20250703_000000_violations.json"]


def test_a_dry_run_says_what_it_would_do(monitor: HealthMonitor, folder: Path) -> None:
    written = fill(folder, JULY, AUGUST)
    done = monitor.compact_logs(1, dry_run=True)
    assert (done.archived, done.months, done.before) == (2, ["2025-07", "2025-08"], sum(map(len, written.values())))
    assert sorted(written) == names(folder)
    assert not (folder / "archive").exists()


def test_a_log_that_comes_late_gets_an_archive_beside(monitor: HealthMonitor, folder: Path) -> None:
    written = fill(folder, JULY)
    monitor.compact_logs(1)
    before = (folder / "archive" / "202507_violations.zip").read_bytes()
    written |= fill(folder, "20250702_000000")
    monitor.compact_logs(1)
    assert names(folder / "archive") == ["202507_2_violations.zip", "202507_violations.zip"]
    assert (folder / "archive" / "202507_violations.zip").read_bytes() == before
    assert {name: kept_log(folder / name, LIMITS) for name in written} == written
    assert archived_names(folder) == set(written)


def test_a_check_whose_log_was_archived_still_lists_its_violations_and_doctor_misses_nothing(
    monitor: HealthMonitor, sqlite_app: SqliteApplication, clock: FrozenClock, folder: Path
) -> None:
    sqlite_app.disagreeing([1, 2])
    monitor.check_all_users()
    clock.advance(days=70)
    for _ in range(3):
        monitor.check_all_users()
        clock.advance(minutes=5)
    monitor.compact_logs(1)
    (gone,) = archived_names(folder)
    with monitor.state.read() as connection:
        first = min(history.numbered(connection, range(1, 9)), key=lambda attempt: attempt.id)
    assert first.log_file == gone
    found = monitor.record.listed_by(first, 10)
    assert (found.where, [violation.user_id for violation in found.violations]) == (ListedIn.LOG, [1, 2])
    assert not [finding for finding in examine(monitor.settings) if finding.subject == "Logs and history"]


_COMPACT_WITH_LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from core.errors import LogsNotCompacted
from core.logs.compaction import compact
folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    compact(folder, "202507", {str(path) for path in folder.iterdir()})
except LogsNotCompacted as refused:
    print(refused, refused.hint)
"""


def test_a_disk_without_room_loses_nothing_and_is_named(folder: Path, tmp_path: Path) -> None:
    written = fill(folder, JULY)
    (folder / "20250702_000000_violations.json").write_text(log_text(note=os.urandom(30_000).hex()))
    said = run(_COMPACT_WITH_LITTLE_ROOM, folder, folder=tmp_path)
    assert "could not be archived" in said
    assert "Nothing was lost" in said
    assert names(folder) == sorted([*written, "20250702_000000_violations.json"])
    assert list((folder / "archive").iterdir()) == []


def test_an_archive_that_does_not_read_back_removes_nothing(folder: Path) -> None:
    written = fill(folder, JULY)
    (folder / "archive").mkdir()
    (folder / "archive" / "202507_violations.zip").write_bytes(b"no archive at all")
    done = compact(folder, "202507", {str(folder / name) for name in written})
    assert done.archived == 1
    assert kept_log(folder / "archive" / "202507_2_violations.zip" / f"{JULY}_violations.json", LIMITS) in written.values()


def test_an_archive_that_decayed_is_named_and_counts_for_nothing(folder: Path) -> None:
    written = fill(folder, JULY)
    compact(folder, "202507", {str(folder / name) for name in written})
    archive = folder / "archive" / "202507_violations.zip"
    data = bytearray(archive.read_bytes())
    begin = data.find(b".json") + 5
    data[begin : begin + 20] = b"\xff" * 20
    archive.write_bytes(data)
    with pytest.raises(LogBroken, match=r"its archive 202507_violations.zip cannot be read"):
        kept_log(folder / f"{JULY}_violations.json", LIMITS)
    fill(folder, JULY)
    assert compact(folder, "202507", {str(folder / name) for name in written}).archived == 1
    assert names(folder / "archive") == ["202507_2_violations.zip", "202507_violations.zip"]
    (folder / "archive" / "202507_2_violations.zip").rename(folder / "archive" / "202507_violations_again_violations.zip")
    assert kept_log(folder / f"{JULY}_violations.json", LIMITS) in written.values(), "the other archive has it"


_COMPACT = """
import sys
from pathlib import Path
from core.logs.compaction import compact
folder = Path(sys.argv[1])
print("begun", flush=True)
compact(folder, "202507", {str(path) for path in folder.iterdir()})
"""


def test_killed_at_any_point_every_log_is_in_its_folder_or_in_an_archive(tmp_path: Path) -> None:
    stems = [f"202507{day:02}_{hour:02}0000" for day in range(1, 26) for hour in range(24)]
    begun = tmp_path / "begun"
    written = fill(begun, *stems)
    for number in range(8):
        folder = Path(shutil.copytree(begun, tmp_path / f"logs{number}"))
        for delay in (number * 0.018, None):  # the second run goes on to the end
            with subprocess.Popen([sys.executable, "-c", _COMPACT, str(folder)], cwd=ROOT, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                process.stdout.readline()
                try:
                    process.wait(delay)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
            assert all(kept_log(folder / name, LIMITS) == data for name, data in written.items())
        assert not list(folder.glob("*_violations.json"))
        assert archived_names(folder) == set(written)
        shutil.rmtree(folder)
