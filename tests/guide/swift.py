"""`coupling-health` without the second that its imports take: one process has imported it, and forks for every command.

A command is a process of its own all the same, with the reader's arguments, folder, environment and standard streams.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.patience import eventually
from tests.browser.server import environment
from tests.subprocesses import ROOT

_COMMAND = """#!{python} -IS
import json, os, socket, sys

forker = socket.socket(socket.AF_UNIX)
forker.connect({address!r})
socket.send_fds(forker, [b"."], [0, 1, 2])
forker.sendall(json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode())
forker.shutdown(socket.SHUT_WR)
sys.exit(int(forker.recv(8) or b"70"))
"""


@contextmanager
def swift_command(folder: Path) -> Iterator[Path]:
    """A folder with a `coupling-health` in it, for the PATH."""
    address, command = folder / "forker", folder / "coupling-health"
    command.write_text(_COMMAND.format(python=sys.executable, address=str(address)), "utf-8")
    command.chmod(0o755)
    forker = subprocess.Popen(
        [sys.executable, "-m", "tests.guide.swift", str(address)], cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL
    )
    try:
        eventually(lambda: address.exists() or forker.poll() is not None, "commands can be forked")
        yield folder
    finally:
        forker.kill()
        forker.wait()


def _fork_commands(address: str) -> None:
    import psycopg  # noqa: F401 - loaded before the first command needs it

    import dashboard.cli

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: the terminal hears their exit code
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    while True:
        asked, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            code = 70
            try:
                code = _run(asked, dashboard.cli.main)
            except Exception:  # noqa: BLE001 - the border of a command
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                asked.sendall(str(code).encode())
                os._exit(code)
        asked.close()


def _run(asked: socket.socket, main: Callable[[], object]) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(asked, 1, 3)
    message = b"".join(iter(lambda: asked.recv(65_536), b""))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.argv, folder, variables = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    _fork_commands(sys.argv[1])
