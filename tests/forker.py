"""`coupling-health` without the seconds that its imports take: one process has imported it, and forks for every command.

A command is a process of its own all the same: with arguments, folder, environment, standard streams and an end of its own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browser.patience import eventually
from tests.subprocesses import ROOT


class Forked:
    """A command that runs, as `subprocess.Popen` shows one."""

    def __init__(
        self, forker: Path, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[int]
    ) -> None:
        self._line = connected(forker, ["coupling-health", *arguments], folder, environment, streams)
        self._said = b""
        self.returncode: int | None = None
        self._hear(None, 1)
        self.pid = int(self._said.split()[0])

    def poll(self) -> int | None:
        """Its exit code, when it has ended; minus the signal when that ended it."""
        if self.returncode is None:
            self._hear(0, 2)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self._hear(timeout, 2)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("coupling-health", timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _hear(self, timeout: float | None, lines: int) -> None:
        self._line.settimeout(timeout)
        try:
            while self._said.count(b"\n") < lines:
                heard = self._line.recv(64)
                assert heard, "the forker ended"
                self._said += heard
        except (TimeoutError, BlockingIOError):
            return
        if lines == 2:
            self.returncode = int(self._said.split()[1])
            self._line.close()


def connected(
    forker: Path, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[int]
) -> socket.socket:
    """Ask for a command. The answer is a line with its process, and one with its exit code when it has ended."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(str(forker))
    socket.send_fds(line, [b"."], list(streams))
    line.sendall(json.dumps([[*arguments], str(folder), dict(environment)]).encode())
    line.shutdown(socket.SHUT_WR)
    return line


@contextmanager
def forking(modules: Sequence[str], environment: Mapping[str, str]) -> Iterator[Path]:
    """Where commands can be asked for, which have these modules already."""
    with TemporaryDirectory(prefix="chd-") as folder:
        address = Path(folder) / "forker"
        forker = subprocess.Popen(
            [sys.executable, "-m", "tests.forker", str(address), *modules],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: address.exists() or forker.poll() is not None, "commands can be forked")
            yield address
        finally:
            forker.kill()
            forker.wait()


def _fork_commands(address: str, modules: Sequence[str]) -> None:
    for module in modules:
        __import__(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    while True:
        asked, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _run(asked)
        asked.close()


def _run(asked: socket.socket) -> None:
    """In a process that does nothing but wait for the command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(asked, 1, 3)
    message = b"".join(iter(lambda: asked.recv(65_536), b""))
    process = os.fork()
    if process == 0:
        asked.close()
        os._exit(_code_of(message, streams))
    for stream in streams:
        os.close(stream)
    asked.sendall(f"{process}\n".encode())
    _, status = os.waitpid(process, 0)
    asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _code_of(message: bytes, streams: Sequence[int]) -> int:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.argv, folder, variables = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    from dashboard.cli import main

    code = 70
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - the border of a command
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    _fork_commands(sys.argv[1], sys.argv[2:])
