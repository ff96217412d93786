"""Other processes of this product: to be killed, or limited, where that must not happen to the test itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def running(program: str, *arguments: object, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python program at work in `folder`; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def run(program: str, *arguments: object, folder: Path) -> str:
    """What a program prints; it must end well."""
    with running(program, *arguments, folder=folder) as process:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out


def wait_for_line(process: subprocess.Popen[str]) -> str:
    """The next line that a program prints; an error with what it complained about when it ends instead."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else "it ended"
    return line.strip()
