"""Answers: small ones are kept in memory as long as they hold, large ones stream."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from weakref import WeakValueDictionary

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from core.errors import CouplingHealthError
from core.health_monitor import Known

log = logging.getLogger("coupling_health.console")

JSON = "application/json"

_PIECE = 64 * 1024  # bytes that are sent at once
_SMALL = 4 * 1024 * 1024  # bytes up to which an answer is kept
_MOST_KEPT, _MOST_BYTES = 128, 32 * 1024 * 1024  # of all of them
_STALLED_SECONDS = 60.0  # how long a client may take for a piece
_STREAMS_AT_WORK = 4

Pieces = Iterator[str]
Key = tuple[str, bytes]  # path and query


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that holds as long as what it was made from is what is known."""

    known: Known
    body: bytes
    headers: list[tuple[bytes, bytes]]
    etag: str


class Answers:
    """The answers at hand, by path and query. All of them are GETs that need the scope read."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._long: set[Key] = set()  # what was too long to be kept: nobody waits for another's
        self._turns: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._at_work: anyio.CapacityLimiter | None = None

    def at_hand(self, path: str, query: bytes, known: Known) -> Kept | None:
        """The answer to a request, if it was given before and still holds."""
        kept = self._kept.get((path, query))
        return kept if kept is not None and kept.known is known else None

    def again(self, request: Request, known: Known) -> Response | None:
        """The same for a request that came as far as its route."""
        kept = self.at_hand(*_key(request), known)
        if kept is None:
            return None
        if is_fresh(request.headers.get("if-none-match"), kept.etag):
            return not_modified(kept.etag)
        response = Response(kept.body)
        response.raw_headers = list(kept.headers)
        return response

    def turn(self, request: Request) -> AbstractAsyncContextManager[object]:
        """Those who ask for the same make an answer one after another; but nobody waits for what is too long to be kept."""
        key = _key(request)
        return nullcontext() if key in self._long else self._turns.setdefault(key, asyncio.Lock())

    async def give(
        self,
        request: Request,
        pieces: Pieces | str,
        *,
        known: Known | None = None,
        made_from: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer with JSON in pieces, which are made by another thread. Errors before the first one is sent are raised.
        What is a text already is sent without one, however many wait for theirs.

        `made_from` names what the text depends on, beside the address; without it the text itself does, and it must be small.
        With `known` a small answer is kept as long as that is what is known. `headers` may be filled while the pieces are made.
        """
        etag = None if made_from is None else _tag(made_from, request.url.path, request.url.query)
        if etag is not None and is_fresh(request.headers.get("if-none-match"), etag):
            return not_modified(etag)
        if isinstance(pieces, str):
            pieces = iter([pieces])
            body, ended = _gather(pieces, _SMALL)
        else:
            body, ended = await self._next(pieces, _SMALL)
        extra = {"Cache-Control": "private, no-cache", **(headers or {})}
        self._note_length(_key(request), long=not ended)
        if not ended:
            return _Stream(body, pieces, self, {**extra, **({"ETag": etag} if etag else {})})
        etag = etag or _tag(body.decode())
        response = Response(body, media_type=JSON, headers={**extra, "ETag": etag})
        if known is not None:
            self._keep(_key(request), Kept(known, body, response.raw_headers, etag))
        return not_modified(etag) if is_fresh(request.headers.get("if-none-match"), etag) else response

    def _keep(self, key: Key, kept: Kept) -> None:
        self._kept.pop(key, None)
        self._kept[key] = kept
        while len(self._kept) > _MOST_KEPT or sum(len(one.body) for one in self._kept.values()) > _MOST_BYTES:
            self._kept.popitem(last=False)

    def _note_length(self, key: Key, *, long: bool) -> None:
        if not long:
            self._long.discard(key)
        elif len(self._long) < _MOST_KEPT:
            self._long.add(key)

    async def more(self, pieces: Pieces) -> tuple[bytes, bool]:
        """The next piece of a stream, and whether it is the last."""
        return await self._next(pieces, _PIECE)

    async def _next(self, pieces: Pieces, size: int) -> tuple[bytes, bool]:
        if self._at_work is None:
            self._at_work = anyio.CapacityLimiter(_STREAMS_AT_WORK)  # long answers must not take the threads of short ones
        return await anyio.to_thread.run_sync(_gather, pieces, size, limiter=self._at_work)


class _Stream(StreamingResponse):
    """An answer of any length. When it cannot go on, the connection breaks off: a part never looks like the whole."""

    def __init__(self, first: bytes, pieces: Pieces, answers: Answers, headers: Mapping[str, str]) -> None:
        super().__init__(self._pieces(first, pieces, answers), media_type=JSON, headers=headers)

    async def _pieces(self, first: bytes, pieces: Pieces, answers: Answers) -> AsyncIterator[bytes]:
        piece, ended = first, False
        while not ended:
            yield piece
            piece, ended = await answers.more(pieces)
        yield piece

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self.body_iterator:
                async with asyncio.timeout(_STALLED_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            log.warning("A client stopped reading an answer; the connection was given up")
        except CouplingHealthError as failed:
            log.warning("An answer could not be sent to its end, and was broken off: %s", failed)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _key(request: Request) -> Key:
    return request.url.path, request.scope["query_string"]


def is_fresh(if_none_match: str | None, etag: str) -> bool:
    """Whether a client's copy is what would be sent."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))


def not_modified(etag: str) -> Response:
    """The client's copy is what would be sent."""
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "private, no-cache"})


def _tag(*parts: str) -> str:
    return f'"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"'


def _gather(pieces: Pieces, size: int) -> tuple[bytes, bool]:
    """The next pieces, at least `size` bytes together unless they end before; and whether they did."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece.encode()
        if len(gathered) >= size:
            return bytes(gathered), False
    return bytes(gathered), True
