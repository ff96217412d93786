"""Logs are read out of archives, whatever else is in there, and nothing is unpacked to the disk."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from core.logs.importing import ImportResult, import_logs
from core.logs.sources import ArchiveDamaged, Limits, is_archive, logs_in_archive
from core.state.database import StateDatabase
from core.status import DEFAULT_THRESHOLDS
from tests.logs.test_importing import LATER, log_text, rows, take
from tests.logs.test_reading import BROKEN, SAMPLES

NAME = "20250101_000000_violations.json"

Pack = Callable[[Path, Mapping[str, bytes]], Path]


def as_tar(path: Path, members: Mapping[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # the mode is one that it knows
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def as_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


PACKERS = {
    "tar.gz": as_tar,
    "tar.bz2": lambda path, members: as_tar(path, members, "w:bz2"),
    "tar.xz": lambda path, members: as_tar(path, members, "w:xz"),
    "tar": lambda path, members: as_tar(path, members, "w"),
    "zip": as_zip,
}


@pytest.fixture(params=["tar.gz", "zip"])
def pack(request: pytest.FixtureRequest) -> Pack:
    return PACKERS[request.param]


def samples() -> dict[str, bytes]:
    return {f"integrity_checks/{path.name}": path.read_bytes() for path in sorted(SAMPLES.iterdir(), reverse=True)}


@pytest.mark.parametrize("kind", PACKERS)
def test_an_archive_gives_what_its_folder_gives(sqlite_state: StateDatabase, tmp_path: Path, kind: str) -> None:
    archive = PACKERS[kind](tmp_path / f"logs.{kind}", samples())
    assert is_archive(archive)
    result = take(sqlite_state, archive)
    assert (result.imported, result.already_known) == (8, 0)
    assert sorted(Path(log.path).name for log in result.broken) == sorted(BROKEN)
    again = take(sqlite_state, archive)
    assert (again.imported, again.already_known, again.broken) == (0, 8, result.broken)
    assert take(sqlite_state, SAMPLES).imported == 0, "the same logs in a folder"
    assert len(rows(sqlite_state)) == 8
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [archive.name]


def test_an_archive_that_did_not_change_is_not_opened_again(sqlite_state: StateDatabase, tmp_path: Path, pack: Pack) -> None:
    archive = pack(tmp_path / "logs", samples())
    os.utime(archive, ns=(1, 1))
    first = take(sqlite_state, archive)
    archive.write_bytes(b"something else, of the same time")
    os.utime(archive, ns=(1, 1))
    assert take(sqlite_state, archive) == ImportResult(0, 8, first.broken)


def test_an_archive_that_was_replaced_is_read_again(sqlite_state: StateDatabase, tmp_path: Path, pack: Pack) -> None:
    archive = tmp_path / "logs"
    for number, expected in ((1, (1, 0)), (2, (1, 0)), (1, (0, 1)), (2, (0, 1))):
        pack(archive, {NAME: log_text(timestamp=f"2025-01-0{number}T00:00:00").encode()})
        result = take(sqlite_state, archive)
        assert (result.imported, result.already_known) == expected
    assert len(rows(sqlite_state)) == 2


def test_two_members_of_a_name_are_two_logs(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        for number in (1, 2, 2):
            with pytest.warns(UserWarning, match="Duplicate") if number == 2 else open(os.devnull):  # noqa: PTH123 - nothing to warn of
                archive.writestr(NAME, log_text(timestamp=f"2025-01-0{number}T00:00:00"))
    result = take(sqlite_state, tmp_path / "logs.zip")
    assert (result.imported, result.already_known, list(result.broken)) == (2, 1, [])


@pytest.mark.parametrize("name", [f"../{NAME}", f"a/../../{NAME}", f"/etc/{NAME}", f"a\\..\\..\\{NAME}", f"C:/{NAME}"])
def test_a_path_that_leads_out_is_named_and_left(sqlite_state: StateDatabase, tmp_path: Path, pack: Pack, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    archive = pack(inside / "logs", {name: log_text().encode(), "good/20250102_000000_violations.json": log_text().encode()})
    result = take(sqlite_state, archive)
    assert result.imported == 1
    if "\\" not in name:  # there it is a part of a name, of none that a log has
        assert [log.problem for log in result.broken] == ["its path leads out of the archive"]
    assert [path.name for path in tmp_path.rglob("*_violations.json")] == []


def test_what_is_no_log_is_ignored_and_what_is_no_file_is_named(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "logs.tar.gz", "w:gz") as archive:
        for name, kind in (("20250101_000001", tarfile.SYMTYPE), ("20250101_000002", tarfile.FIFOTYPE), ("a", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(f"{name}_violations.json")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        folder = tarfile.TarInfo(NAME)
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    result = take(sqlite_state, tmp_path / "logs.tar.gz")
    assert (result.imported, [log.problem for log in result.broken]) == (0, ["it is no regular file"] * 2)


def test_a_log_that_is_too_large_is_named(sqlite_state: StateDatabase, tmp_path: Path, pack: Pack) -> None:
    archive = pack(tmp_path / "logs", {NAME: b" " * 10_000_001, "20250102_000000_violations.json": log_text().encode()})
    limits = Limits(10_000_000, 100_000_000)
    result = import_logs(sqlite_state, archive, limits, DEFAULT_THRESHOLDS, LATER)
    assert (result.imported, [log.problem for log in result.broken]) == (1, ["it is larger than 10 MB"])


def test_a_bomb_is_left_when_it_has_unpacked_enough(sqlite_state: StateDatabase, tmp_path: Path, pack: Pack) -> None:
    members = {f"20250101_{number:06}_violations.json": log_text(n="x" * 900_000, m=number).encode() for number in range(9)}
    archive = pack(tmp_path / "logs", members)
    assert archive.stat().st_size < 20_000
    result = import_logs(sqlite_state, archive, Limits(1_000_000, 3_000_000), DEFAULT_THRESHOLDS, LATER)
    assert result.imported == 3
    assert [(log.path, log.problem) for log in result.broken] == [(str(archive), "it unpacks to more than 3 MB")]


def test_a_tar_whose_own_records_are_a_bomb_is_left(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    member = tarfile.TarInfo("pax")
    member.type, member.size = tarfile.XHDTYPE, 900_000_000
    with gzip.open(tmp_path / "logs.tar.gz", "wb") as file:
        file.write(member.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(9):
            file.write(bytes(1_000_000))
    with pytest.raises(ArchiveDamaged):
        list(logs_in_archive(tmp_path / "logs.tar.gz", Limits(1_000_000, 5_000_000)))


def test_no_record_of_a_tar_is_read_that_is_larger_than_a_log_may_be(tmp_path: Path) -> None:
    """However much an archive may unpack to in all."""
    member = tarfile.TarInfo("pax")
    member.type, member.size = tarfile.XHDTYPE, 400_000_000
    with gzip.open(tmp_path / "logs.tar.gz", "wb", compresslevel=1) as file:
        file.write(member.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(400):
            file.write(bytes(1_000_000))
    tracemalloc.start()
    with pytest.raises(ArchiveDamaged, match="larger than can be"):
        list(logs_in_archive(tmp_path / "logs.tar.gz", Limits(1_000_000, 8_000_000_000)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000


def test_an_archive_that_breaks_off_is_named_and_what_stood_before_is_read(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    members = {f"20250101_{number:06}_violations.json": log_text(note=os.urandom(200).hex()).encode() for number in range(50)}
    whole = as_tar(tmp_path / "logs.tar.gz", members).read_bytes()
    (tmp_path / "logs.tar.gz").write_bytes(whole[: len(whole) // 2])
    result = take(sqlite_state, tmp_path / "logs.tar.gz")
    assert 10 < result.imported < 40
    (damage,) = result.broken
    assert "it is damaged" in str(damage.problem)
    assert Path(damage.path).name == "logs.tar.gz"
    (tmp_path / "logs.tar.gz").write_bytes(whole)
    mended = take(sqlite_state, tmp_path / "logs.tar.gz")
    assert (mended.imported, mended.already_known, list(mended.broken)) == (50 - result.imported, result.imported, [])


def test_a_log_that_is_packed_with_holes_is_read(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    """As tar does on file systems that compress: blocks are fewer than the size lets expect."""
    data = log_text().encode()
    member = tarfile.TarInfo(NAME)
    member.size = len(data)
    member.pax_headers = {"GNU.sparse.map": f"0,{len(data)}", "GNU.sparse.size": f"{len(data)}"}
    with tarfile.open(tmp_path / "logs.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(data))
    with tarfile.open(tmp_path / "logs.tar") as archive:
        assert archive.getmember(NAME).issparse()
    assert take(sqlite_state, tmp_path / "logs.tar").imported == 1


def test_an_encrypted_log_is_named(sqlite_state: StateDatabase, tmp_path: Path) -> None:
    archive = as_zip(tmp_path / "logs.zip", {NAME: log_text().encode()})
    data = bytearray(archive.read_bytes())
    data[6] |= 1  # of the member
    data[data.find(b"PK\x01\x02") + 8] |= 1  # of the directory
    archive.write_bytes(data)
    assert [log.problem for log in take(sqlite_state, archive).broken] == ["it is encrypted"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK", b"{}", b"\x1f\x8b and then nothing of the kind"])
def test_what_is_no_archive_is_told_or_named(sqlite_state: StateDatabase, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "logs.tar.gz"
    path.write_bytes(content)
    if is_archive(path):
        assert [log.path for log in take(sqlite_state, path).broken] == [str(path)]
    assert is_archive(path) is content.startswith((b"PK", b"\x1f\x8b"))
    assert not is_archive(tmp_path)
