"""A visitor without a browser: asks the server to draw a page as the browser does, and times it until all of it has come."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState, ContextInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

_PATIENCE = 120.0  # seconds
_SOCKET = "/_stcore/stream"
_ZONE = "Europe/Budapest"


@dataclass(frozen=True)
class Visit:
    """One drawing of a page."""

    seconds: float  # from asking to the last byte
    received: int  # bytes
    text: str  # all that it says, charts included


@dataclass(frozen=True)
class Visitor:
    """Somebody who is logged in."""

    port: int
    cookie: str

    def draw(self, page: str, query: Mapping[str, str]) -> Visit:
        """Open a page in a new tab. Raises RuntimeError when it could not be drawn."""
        context = ContextInfo(timezone=_ZONE, url=f"http://127.0.0.1:{self.port}/{page}")
        asked = BackMsg(rerun_script=ClientState(query_string=urlencode(query), page_name=page, context_info=context))
        with connect(
            f"ws://127.0.0.1:{self.port}{_SOCKET}",
            origin=f"http://127.0.0.1:{self.port}",  # type: ignore[arg-type]  # its own kind of text
            subprotocols=["streamlit"],  # type: ignore[list-item]  # the same
            additional_headers={"Cookie": self.cookie},
            max_size=None,
        ) as tab:
            begun = perf_counter()
            tab.send(asked.SerializeToString())
            parts = []
            while True:
                part = tab.recv(_PATIENCE)
                assert isinstance(part, bytes)
                parts.append(part)
                if ForwardMsg.FromString(part).WhichOneof("type") == "script_finished":
                    break
            took = perf_counter() - begun
        return Visit(took, sum(map(len, parts)), "\n".join(part.decode(errors="replace") for part in parts))

    def get(self, path: str) -> Visit:
        """Ask for an address. Raises OSError when it is not answered with 200."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": self.cookie})
        begun = perf_counter()
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - http to ourselves
            body = answer.read()
        return Visit(perf_counter() - begun, len(body), body.decode())
