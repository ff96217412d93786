"""Reading many logs, side by side or not."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path

from core.logs.parsing import ParsedChunk, parse_all
from core.logs.sources import FoundLog, Limits, logs_in_archive
from tests.logs.test_archives import as_tar
from tests.logs.test_reading import SAMPLES
from tests.subprocesses import running, wait_for_line

LARGEST = 10_000_000  # bytes


def read(*, many: bool) -> list[ParsedChunk]:
    return list(parse_all(sorted(map(str, SAMPLES.iterdir())), LARGEST, many=many))


def test_processes_read_as_one_does() -> None:
    (alone,) = read(many=False)
    assert len(alone.logs) == 8
    assert len(alone.unread) > 1
    assert read(many=True) == [alone]


def test_where_many_logs_are_expected_there_may_be_none() -> None:
    assert list(parse_all([], LARGEST, many=True)) == []


def test_processes_that_die_before_the_first_log_is_asked_for_are_done_without() -> None:
    def found() -> Iterator[str]:
        for process in active_children():
            process.kill()
            process.join()
        yield from sorted(map(str, SAMPLES.iterdir()))

    assert list(parse_all(found(), LARGEST, many=True)) == read(many=False)


def test_large_logs_of_an_archive_do_not_wait_in_memory_all_at_once(tmp_path: Path) -> None:
    members = {f"20250101_{number:06}_violations.json": b" " * 9_000_000 for number in range(40)}
    archive = as_tar(tmp_path / "logs.tar.gz", members)
    taken = 0

    def counted() -> Iterator[FoundLog]:
        nonlocal taken
        for log in logs_in_archive(archive, Limits(10_000_000, 8_000_000_000)):
            taken += 1
            yield log

    chunks = parse_all(counted(), 10_000_000)
    assert [log.problem for log in next(chunks).unread] == ["it is empty"]
    assert taken <= 9, "64 MB wait, and no more"
    assert sum(len(chunk.unread) for chunk in chunks) == 39


def test_workers_that_die_while_they_are_given_large_logs_hold_nothing_up(tmp_path: Path) -> None:
    """What is written to a worker that is no more must not be waited for."""
    members = {f"20250101_{number:06}_violations.json": b" " * 9_000_000 for number in range(24)}
    archive = as_tar(tmp_path / "logs.tar.gz", members)
    chunks = parse_all(logs_in_archive(archive, Limits(10_000_000, 8_000_000_000)), 10_000_000)
    read = len(next(chunks).unread)
    for worker in active_children():
        worker.kill()
    assert read + sum(len(chunk.unread) for chunk in chunks) == 24


_READ_AND_WAIT = """
import sys
from multiprocessing import active_children
from core.logs.parsing import parse_all

def found():
    print(*(process.pid for process in active_children()), flush=True)
    sys.stdin.readline()
    yield from ()

list(parse_all(found(), 1, many=True))
"""


def test_processes_that_read_end_with_the_one_that_is_killed(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    with running(_READ_AND_WAIT, folder=tmp_path) as process:
        readers = [int(number) for number in wait_for_line(process).split()]
        assert len(readers) == (cores if cores > 1 else 0)
        process.kill()
        try:
            process.communicate(timeout=30)  # until nobody has its output open any more
        except subprocess.TimeoutExpired:
            for reader in readers:
                os.kill(reader, signal.SIGKILL)
            raise
