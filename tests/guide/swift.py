"""`coupling-health` for the guide's terminal, without the second that its imports take: see `tests.forker`."""

from __future__ import annotations

import sys
from pathlib import Path

_COMMAND = """#!{python} -IS
import json, os, socket, sys

forker = socket.socket(socket.AF_UNIX)
forker.connect({address!r})
socket.send_fds(forker, [b"."], [0, 1, 2])
forker.sendall(json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode())
forker.shutdown(socket.SHUT_WR)
code = int(b"".join(iter(lambda: forker.recv(64), b"")).split()[1])
sys.exit(code if code >= 0 else 128 - code)
"""


def swift_command(folder: Path, forker: Path) -> Path:
    """The folder, with a `coupling-health` in it, for the PATH."""
    command = folder / "coupling-health"
    command.write_text(_COMMAND.format(python=sys.executable, address=str(forker)), "utf-8")
    command.chmod(0o755)
    return folder
