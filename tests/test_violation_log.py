"""Violation logs: one whole file or none, and everybody's files can be read."""

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
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import LogBroken, ViolationLogUnwritable
from core.model import Action, Kind, Report, Totals, Trigger, Violation
from core.status import consistency_rate
from core.violation_log import (
    LOG_NAME,
    ReadLog,
    ViolationLogWriter,
    WrittenLog,
    added_keys,
    find_logs,
    parse_log,
    read_log,
    report_as_json,
)
from tests.examples import examples
from tests.frozen_clock import NOON
from tests.subprocesses import run, running, wait_for_line

SAMPLES = Path(__file__).parent / "data" / "integrity_checks"
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
        consistency_rate=report.consistency_rate,
        by_kind={kind: count for kind in Kind if (count := sum(violation.kind is kind for violation in found))},
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
from tests.test_violation_log import MISMATCH, report_of, write
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
from tests.test_violation_log import MISMATCH, report_of
from core.violation_log import ViolationLogWriter
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


# --- reading what others wrote ----------------------------------------------------------------------------------------

READABLE = {
    "20251025_143000_violations.json": (150, 2, "98.67", "2025-10-25T14:30:00.123456+00:00"),
    "20251025_143500_violations.json": (150, 2, "98.67", "2025-10-25T14:35:00.204518+00:00"),
    "20251025_144000_violations.json": (150, 1, "99.33", "2025-10-25T14:40:00.198833+00:00"),
    "20251026_020000_violations.json": (152, 12, "92.11", "2025-10-26T02:00:00.000311+00:00"),
    "20251026_020500_violations.json": (152, 13, "91.45", "2025-10-26T02:05:00.090041+00:00"),
    "20251026_021000_violations.json": (152, 1, "99.34", "2025-10-26T02:10:00+00:00"),
    "20251027_070500_violations.json": (160, 2, "98.75", "2025-10-27T07:05:00+00:00"),
    "20251027_090000_violations.json": (160, 2, "98.75", "2025-10-27T09:00:00.500000+00:00"),
}
BROKEN = {
    "20251027_091000_violations.json": "it is empty",
    "20251027_091500_violations.json": "it is not whole JSON",
    "20251027_092000_violations.json": "it is not UTF-8 text",
    "20251027_092500_violations.json": "it is JSON, but no report",
}


def test_logs_are_told_from_other_files() -> None:
    assert [entry.name for entry in find_logs(SAMPLES)] == sorted([*READABLE, *BROKEN])
    assert (SAMPLES / "notes.txt").exists()


@pytest.mark.parametrize("name", READABLE)
def test_every_sample_of_the_earlier_implementation_is_read(name: str) -> None:
    total, inconsistent, rate, moment = READABLE[name]
    log, _ = read_log(SAMPLES / name, LARGE)
    assert (log.totals.total_checked, log.totals.inconsistent) == (total, inconsistent)
    assert (str(log.consistency_rate), log.timestamp.isoformat(), log.check_id) == (rate, moment, None)
    assert len(log.violations) == inconsistent == sum(log.by_kind.values())


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_sample_is_refused_with_its_reason(name: str) -> None:
    before = (SAMPLES / name).read_bytes()
    with pytest.raises(LogBroken, match=BROKEN[name]):
        read_log(SAMPLES / name, LARGE)
    assert (SAMPLES / name).read_bytes() == before


def test_the_older_action_name_is_a_level_mismatch() -> None:
    log, _ = read_log(SAMPLES / "20251025_144000_violations.json", LARGE)
    assert [violation.kind for violation in log.violations] == [Kind.LEVEL_MISMATCH]


def test_a_missing_side_a_float_and_a_text_id_are_understood() -> None:
    (_, missing) = read_log(SAMPLES / "20251025_143500_violations.json", LARGE)[0].violations
    assert (missing.license_level, missing.kind, missing.recommended_action) == (
        None,
        Kind.MISSING_LICENSE,
        Action.CREATE_LICENSE,
    )
    (odd,) = read_log(SAMPLES / "20251026_021000_violations.json", LARGE)[0].violations
    assert (odd.user_id, odd.progress_level) == ("u-101", 2)
    assert isinstance(odd.progress_level, int)


def test_a_huge_log_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "20251025_120000_violations.json"
    with path.open("wb") as file:
        file.truncate(5 * 2**30)  # sparse: costs nothing unless it is read
    with pytest.raises(LogBroken, match="larger than 64 MB"):
        read_log(path, LARGE)


def test_a_log_that_cannot_be_opened_is_broken(tmp_path: Path) -> None:
    with pytest.raises(LogBroken, match="cannot be opened"):
        read_log(tmp_path / "20251025_120000_violations.json", LARGE)


def _report(**changes: object) -> bytes:
    content: dict[str, object] = {"timestamp": "2025-10-25T14:30:00", "total_checked": 10, "consistent": 9, "inconsistent": 1}
    content |= changes
    return json.dumps({key: value for key, value in content.items() if value != "left out"}).encode()


@pytest.mark.parametrize(
    ("changes", "total", "inconsistent"),
    [
        ({}, 10, 1),
        ({"total_checked": "left out"}, 10, 1),
        ({"consistent": "left out"}, 10, 1),
        ({"inconsistent": "left out"}, 10, 1),
        ({"total_checked": 10.0, "consistent": 9.0, "inconsistent": 1.0}, 10, 1),
        ({"total_checked": "10", "consistent": " 9 ", "inconsistent": "1.0"}, 10, 1),
        ({"consistent": None, "inconsistent": None, "violations": [{"user_id": 1}, {"user_id": 2}]}, 10, 2),
        ({"violations": None}, 10, 1),
        ({"violations": "none"}, 10, 1),
        ({"violations": []}, 10, 1),  # the figures are believed
        ({"total_checked": 0, "consistent": 0, "inconsistent": 0}, 0, 0),
    ],
)
def test_figures_that_are_missing_or_odd_follow_from_the_others(
    changes: dict[str, object], total: int, inconsistent: int
) -> None:
    totals = parse_log(_report(**changes)).totals
    assert (totals.total_checked, totals.inconsistent) == (total, inconsistent)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timestamp": "left out"}, "no report"),
        ({"timestamp": None}, "not a time"),
        ({"timestamp": "yesterday"}, "not a time"),
        ({"timestamp": 1761402600}, "not a time"),
        ({"timestamp": ["2025-10-25"]}, "not a time"),
        ({"timestamp": "0001-01-01T00:00:00+23:59"}, "not a time"),
        ({"total_checked": "left out", "consistent": "left out"}, "total_checked is missing"),
        ({"consistent": 10}, "contradict"),
        ({"inconsistent": 11, "consistent": "left out"}, "contradict"),
        ({"total_checked": -10}, "total_checked is -10"),
        ({"total_checked": 2**63}, "total_checked is"),
        ({"violations": [1]}, "not an object"),
    ],
)
def test_what_cannot_be_believed_is_refused_with_its_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(LogBroken, match=reason):
        parse_log(_report(**changes))


@pytest.mark.parametrize("depth", [*range(100, 1_000, 25), 5_000, 200_000])
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{{"timestamp": {}}}',
        '{{"timestamp": "2025-10-25", "total_checked": 1, "inconsistent": 1, "violations": [{{"user_id": {}}}]}}',
        '{{"timestamp": "2025-10-25", "total_checked": 1, "inconsistent": 1, "violations": [{{"specialization": {}}}]}}',
    ],
)
def test_a_nest_of_any_depth_is_read_or_refused(text: str, depth: int) -> None:
    for opening, closing in ("[]", ('{"a":', "}")):
        inner = opening * depth + ("1" if closing == "}" else "") + closing * depth
        reads_or_refuses(text.format(inner).encode())


def reads_or_refuses(data: bytes) -> None:
    try:
        log = parse_log(data)
    except LogBroken as broken:
        assert str(broken)
        str(broken).encode()  # it is kept in a database
    else:
        assert 0 <= log.totals.inconsistent <= log.totals.total_checked
        assert log.timestamp.utcoffset() == timedelta(0)
        if log.check_id is not None:
            assert "\0" not in log.check_id.encode().decode(), "it is looked for in a database"


@settings(max_examples=examples(300))
@given(st.binary(max_size=80))
@example(b"\xef\xbb\xbf{}")
@example(b"\xef\xbb\xbf")
@example(b"  \n")
@example(b"\x00" * 10)
@example(b'"' + b"9" * 5_000 + b'"')
@example(b"9" * 5_000)
@example(b'{"timestamp": ' + b"9" * 4_301 + b"}")
@example(b'{"timestamp": "\\ud800"}')
@example(b'{"timestamp": "2025-10-25", "total_checked": 1e999}')
@example(b'{"timestamp": "2025-10-25", "total_checked": NaN}')
@example(b'{"timestamp": "2025-10-25", "total_checked": 1, "check_id": "\\ud800"}')
@example(b'{"timestamp": "2025-10-25", "total_checked": 1, "check_id": "\\u0000"}')
@example(b'{"timestamp": "2025-10-25", "total_checked": 0, "consistent": 1}')
@example(b'{"timestamp": "2025-10-25", "total_checked": "\\u0661"}')
@example('{"timestamp": "2025-10-25", "total_checked": "١.0", "violations": []}'.encode())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reads_or_refuses(data)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(["\ud800", "9" * 30, "1.0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["timestamp", "total_checked", "consistent", "inconsistent", "consistency_rate", "violations", "check_id"]
ENTRY_KEYS = ["user_id", "specialization", "progress_level", "license_level", "recommended_action", "kind"]
almost_reports = st.fixed_dictionaries(
    {"timestamp": st.sampled_from(["2025-10-25T14:30:00", "2025-10-25T14:30:00Z", "9999-12-31T23:59:59-01:00"]) | anything},
    optional={key: anything | st.integers(0, 9) for key in KEYS[1:]}
    | {
        "violations": anything
        | st.lists(
            st.fixed_dictionaries(
                {}, optional={key: anything | st.sampled_from([kind.value for kind in Kind]) for key in ENTRY_KEYS}
            ),
            max_size=3,
        )
    },
)


@settings(max_examples=examples(500))
@given(anything | almost_reports)
def test_any_json_is_read_or_refused(content: object) -> None:
    reads_or_refuses(json.dumps(content).encode())


@settings(max_examples=examples(100))
@given(st.sampled_from(sorted(READABLE)), st.data())
def test_any_damage_to_a_real_log_is_read_or_refused(name: str, data: st.DataObject) -> None:
    content = bytearray((SAMPLES / name).read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    match data.draw(st.sampled_from(["cut", "flip", "insert", "drop"])):
        case "cut":
            del content[position:]
        case "flip":
            content[position] ^= data.draw(st.integers(1, 255))
        case "insert":
            content[position:position] = data.draw(st.binary(max_size=4))
        case "drop":
            del content[position : position + data.draw(st.integers(1, 20))]
    reads_or_refuses(bytes(content))
