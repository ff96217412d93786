"""The floor of the HTTP API: one Starlette route that answers with one JSON document, in a process of its own.

`python -m benchmarks.bare_server PORT DOCUMENT`
"""

from __future__ import annotations

import json
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

PATH = "/status"


def main(port: str, document: str) -> None:
    """Serve until the process is told to stop, with the settings that the dashboard gives uvicorn."""
    content = json.loads(document)

    async def status(_request: Request) -> JSONResponse:
        return JSONResponse(content)

    uvicorn.run(
        Starlette(routes=[Route(PATH, status), Route("/healthz", status)]),
        host="127.0.0.1",
        port=int(port),
        http="httptools",
        loop="uvloop",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
