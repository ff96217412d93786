"""Where the tests put their files: in memory where there is room, for the product waits for the disk wherever it writes."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a place in memory by its convention
_ENOUGH = 6 * 2**30  # two test processes fill more than half of it, most of it with databases of PostgreSQL


def keep_temporary_files_in_memory() -> None:
    """From now on, in this process and those that it starts; a TMPDIR that somebody chose stays."""
    if "TMPDIR" not in os.environ and _is_fit(_MEMORY):
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # it is looked for anew


def _is_fit(folder: Path) -> bool:
    """There is room, and programs may be run from there: a test makes one."""
    if not folder.is_dir() or not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < _ENOUGH:
        return False
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC
