"""Writing violation logs: one whole file or none."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ViolationLogUnwritable
from core.logs.reading import LOG_NAME, ReadLog, parse_log
from core.logs.sources import find_logs
from core.logs.writing import ViolationLogWriter, WrittenLog, added_keys, report_as_json
from core.model import Kind, Report, Totals, Trigger, Violation
from core.status import consistency_rate
from tests.examples import examples
from tests.frozen_clock import NOON
from tests.logs.files import read_log
from tests.subprocesses import run, running, wait_for_line

SAMPLES = Path(__file__).parents[1] / "data" / "integrity_checks"
LARGE = 64_000_000

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# As a database gives them: a specialization in its normal form, levels as 64-bit integers.
violations = st.builds(
    Violation,
    user_id=st.integers(-(2**63), 2**63 - 1) | names,
    specialization=names.map(lambda name: name.strip().upper().strip()),
    progress_level=st.none() | st.integers(-(2**31), 2**31),
    license_level=st.none() | st.integers(-(2**31), 2**31),
    kind=st.sampled_from(Kind),
)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def report_of(found: list[Violation], agreeing: int = 0, timestamp: datetime = NOON) -> Report:
    totals = Totals(len(found) + agreeing, len(found), 3, 4)
    return Report(
        check_id="c0ffee",
        timestamp=timestamp,
        totals=totals,
        duration_ms=12,
        trigger=Trigger.SCHEDULED,
        requested_by=None,
        by_kind={},
        violations=found,
        consistency_rate=consistency_rate(totals.consistent, totals.total_checked),
    )


def write(folder: Path, report: Report, chunk: int = 1_000) -> WrittenLog:
    found = list(report.violations)
    with ViolationLogWriter(folder, report.check_id, report.timestamp) as writer:
        writer.begin(report.totals, report.consistency_rate)
        for start in range(0, len(found), chunk):
            writer.add(found[start : start + chunk])
        return writer.finish(added_keys(report))


MISMATCH = Violation(42, "PLAYER", 3, 2, Kind.LEVEL_MISMATCH)


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_log_says_what_the_contract_shows(tmp_path: Path) -> None:
    written = write(tmp_path, report_of([MISMATCH], 149, NOON.replace(microsecond=123456)))
    content = json.loads(written.path.read_text("utf-8"))
    assert list(content)[:6] == ["timestamp", "total_checked", "consistent", "inconsistent", "consistency_rate", "violations"]
    assert content["timestamp"] == "2025-10-25T12:00:00.123456+00:00"
    assert (content["total_checked"], content["consistent"], content["inconsistent"]) == (150, 149, 1)
    assert content["consistency_rate"] == 99.33
    assert content["violations"] == [
        {
            "user_id": 42,
            "specialization": "PLAYER",
            "progress_level": 3,
            "license_level": 2,
            "recommended_action": "sync_required",
            "kind": "level_mismatch",
        }
    ]
    assert {"check_id", "duration_ms", "trigger", "requested_by"} <= set(content)


@settings(max_examples=examples(150))
@given(st.lists(violations, min_size=1, max_size=8), st.integers(0, 1_000), moments, st.integers(1, 5))
def test_what_was_written_is_read(tmp_path: Path, found: list[Violation], agreeing: int, moment: datetime, chunk: int) -> None:
    report = report_of(found, agreeing, moment)
    written = write(tmp_path / "round", report, chunk)
    log, digest = read_log(written.path, LARGE)
    assert log == ReadLog(
        timestamp=moment,
        totals=report.totals,
        violations=found,
        check_id="c0ffee",
    )
    data = written.path.read_bytes()
    assert written.digest == digest == hashlib.sha256(data).hexdigest()
    assert (written.size, written.mtime_ns) == (len(data), written.path.stat().st_mtime_ns)
    assert LOG_NAME.fullmatch(written.path.name)
    written.path.unlink()


@settings(max_examples=examples(50))
@given(st.lists(violations, max_size=5))
def test_a_report_for_the_api_is_the_same_document(found: list[Violation]) -> None:
    report = report_of(found, 7)
    content = json.loads("".join(report_as_json(report)))
    assert content["violations"] == [violation.as_json() for violation in found]
    if found:
        log = parse_log("".join(report_as_json(report)).encode())
        assert (log.violations, log.totals, log.timestamp) == (found, report.totals, NOON)


def test_a_log_is_named_after_its_second_in_utc(tmp_path: Path) -> None:
    from zoneinfo import ZoneInfo

    late = datetime(2025, 10, 27, 1, 5, 59, 999_999, ZoneInfo("Europe/Budapest"))
    assert write(tmp_path, report_of([MISMATCH], timestamp=late)).path.name == "20251027_000559_violations.json"


def test_a_second_log_in_the_same_second_gets_a_number_and_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "20251025_120000_3_violations.json").write_text("somebody else's")
    paths = [write(tmp_path, report_of([MISMATCH], agreeing)).path for agreeing in range(4)]
    assert [path.name for path in paths] == [
        "20251025_120000_violations.json",
        "20251025_120000_2_violations.json",
        "20251025_120000_4_violations.json",
        "20251025_120000_5_violations.json",
    ]
    assert [read_log(path, LARGE)[0].totals.total_checked for path in paths] == [1, 2, 3, 4]
    assert (tmp_path / "20251025_120000_3_violations.json").read_text() == "somebody else's"


def test_a_log_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "integrity_checks"
    with ViolationLogWriter(folder, "c0ffee", NOON) as writer:
        writer.begin(Totals(2, 1), Decimal(50))
        writer.add([MISMATCH])
        assert [entry.name for entry in find_logs(folder)] == [], "it is not seen under its name before it is whole"
    assert list(folder.iterdir()) == []


def test_a_log_that_meets_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ViolationLogWriter(tmp_path, "c0ffee", NOON) as writer:
        writer.begin(Totals(2, 1), Decimal(50))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_check_left_is_cleared_away_an_hour_later(tmp_path: Path) -> None:
    old, young = tmp_path / ".unfinished-old", tmp_path / ".unfinished-young"
    for partial in (old, young):
        partial.write_text("{")
    an_hour_ago = (datetime.now(UTC) - timedelta(minutes=61)).timestamp()
    os.utime(old, (an_hour_ago, an_hour_ago))
    write(tmp_path, report_of([MISMATCH]))
    assert not old.exists()
    assert young.exists(), "another process may still be at it"


@pytest.mark.parametrize("place", ["logs", "logs/integrity_checks"])
def test_a_file_in_the_folder_s_place_is_named(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("in the way")
    with pytest.raises(ViolationLogUnwritable, match=r"integrity_checks") as refused:
        write(tmp_path / "logs" / "integrity_checks", report_of([MISMATCH]))
    assert "COUPLING_HEALTH_LOG_DIR" in refused.value.hint
    assert path.read_text() == "in the way"


def test_a_folder_that_was_taken_away_midway_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    with pytest.raises(ViolationLogUnwritable, match="gone"), ViolationLogWriter(folder, "c0ffee", NOON) as writer:
        writer.begin(Totals(2, 1), Decimal(50))
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        writer.finish({})


# --- a disk that is full, a process that is killed --------------------------------------------------------------------

_WRITE_WITH_LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from tests.logs.test_writing import MISMATCH, report_of, write
from core.errors import ViolationLogUnwritable

folder, limit, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    write(folder, report_of([MISMATCH] * count))
except ViolationLogUnwritable as refused:
    print(refused)
else:
    print("written")
"""


@pytest.mark.parametrize("count", [5, 5_000])  # few stay in the buffer until the end; many do not
def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path, count: int) -> None:
    folder = tmp_path / "logs"
    said = run(_WRITE_WITH_LITTLE_ROOM, folder, 400, count, folder=tmp_path)
    assert "could not be written" in said
    assert "too large" in said
    assert list(folder.iterdir()) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 64 kB; None where we may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    yield folder if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_nothing_and_is_named(tiny_disk: Path | None, tmp_path: Path) -> None:
    if tiny_disk is None:  # without the right to mount, a limit on the size of files stands in
        said = run(_WRITE_WITH_LITTLE_ROOM, tmp_path / "disk", 65_536, 5_000, folder=tmp_path)
        assert "could not be written" in said
        assert list((tmp_path / "disk").iterdir()) == []
        return
    with pytest.raises(ViolationLogUnwritable, match="No space left"):
        write(tiny_disk, report_of([MISMATCH] * 5_000))
    assert list(tiny_disk.iterdir()) == []
    assert write(tiny_disk, report_of([MISMATCH])).path.exists(), "there is room again"


_WRITE_AND_WAIT = """
import sys
from pathlib import Path
from tests.logs.test_writing import MISMATCH, report_of
from core.logs.writing import ViolationLogWriter
from tests.frozen_clock import NOON

report = report_of([MISMATCH] * 20_000)
with ViolationLogWriter(Path(sys.argv[1]), "killed", NOON) as writer:
    writer.begin(report.totals, report.consistency_rate)
    writer.add(report.violations)
    print("midway", flush=True)
    sys.stdin.readline()
"""


def test_a_process_that_is_killed_midway_leaves_no_log(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    with running(_WRITE_AND_WAIT, folder, folder=tmp_path) as process:
        assert wait_for_line(process) == "midway"
        process.kill()
        assert process.wait(30) == -9
    assert list(folder.iterdir()), "something is left, under a name that is no log's"
    assert [entry.name for entry in find_logs(folder)] == []
    assert list(folder.glob("*violations*")) == []
    assert write(folder, report_of([MISMATCH])).path.name == "20251025_120000_violations.json"
