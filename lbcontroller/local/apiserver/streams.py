"""Open watches: woken by changes, kept alive by bookmarks, ended by their timeout."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from lbcontroller.local.apiserver.faults import StreamFaults
from lbcontroller.local.apiserver.status import ApiError
from lbcontroller.local.apiserver.store import Change, Store
from lbcontroller.local.apiserver.watching import WatchCursor, error_line

BOOKMARK_SECONDS = 30.0
"""How often an idle watch is told the present resourceVersion."""
_FLUSH_SECONDS = 1.0
DEFAULT_TIMEOUT_SECONDS = 1800.0
"""A real server picks a random time from half an hour up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """How a client wants to be kept up to date."""

    bookmarks: bool
    timeout_seconds: float
    starts_with_objects: bool
    """Begin with the present objects instead of a version."""
    marks_initial_end: bool
    """Send a bookmark after the present objects, to say that these were all."""


@dataclass(eq=False, slots=True)
class _Stream:
    resource: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Streams:
    """The open watches of one server; all methods but `_observe` belong to its event loop."""

    def __init__(self, store: Store, faults: StreamFaults) -> None:
        """Wake watches on the changes of `store`, and misbehave as `faults` says."""
        self._store = store
        self._faults = faults
        self._open: set[_Stream] = set()
        self._changed: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        store.subscribe(self._observe)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake watches in that loop."""
        self._loop = loop

    async def flushed(self) -> None:
        """Wait until the watches have sent what happened so far, or their clients take no more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                while self._has_unsent():  # noqa: ASYNC110 - nobody signals that a watch has sent
                    await asyncio.sleep(0)

    def _has_unsent(self) -> bool:
        return bool(self._changed) or any(stream.woken.is_set() for stream in self._open)

    async def serve(
        self, request: web.Request, cursor: WatchCursor, options: StreamOptions
    ) -> web.StreamResponse:
        """Answer a watch until it times out, expires, or its client leaves."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        stream = _Stream(cursor.at.resource.storage)
        self._open.add(stream)
        try:
            await response.prepare(request)
            await self._send(response, cursor, options, stream)
            await response.write_eof()
        except ConnectionError:
            pass
        finally:
            self._open.discard(stream)
        return response

    async def _send(
        self, response: web.StreamResponse, cursor: WatchCursor, options: StreamOptions, stream: _Stream
    ) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + options.timeout_seconds
        if options.starts_with_objects:
            lines = cursor.initial_lines()
            if options.marks_initial_end:
                lines.append(cursor.bookmark(ends_initial_events=True))
            await response.write(b"".join(lines))
        while True:
            stream.woken.clear()
            try:
                lines = [] if stream.resource in self._faults.held else cursor.next_lines()
            except ApiError as error:
                await response.write(error_line(error))
                return
            if lines:
                await response.write(b"".join(lines * 2 if self._faults.repeats else lines))
                continue
            remaining = deadline - loop.time()
            if await _rested(stream, min(remaining, BOOKMARK_SECONDS)):
                continue
            if options.bookmarks:
                await response.write(cursor.bookmark())
            if remaining <= BOOKMARK_SECONDS:
                return

    def wake(self, resource: str) -> None:
        """Have watches of a resource look for changes; for any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_those, {resource})

    def _observe(self, resource: str, change: Change) -> None:
        del change
        if self._loop is None or self._loop.is_closed():
            return
        if not self._changed:
            self._loop.call_soon_threadsafe(self._wake)
        self._changed.add(resource)

    def _wake(self) -> None:
        with self._store.lock:
            changed, self._changed = self._changed, set()
        self._wake_those(changed)

    def _wake_those(self, resources: set[str]) -> None:
        for stream in self._open:
            if stream.resource in resources:
                stream.woken.set()


async def _rested(stream: _Stream, seconds: float) -> bool:
    """Wait for a change; return whether one came within that time."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await stream.woken.wait()
    except TimeoutError:
        return False
    return True
