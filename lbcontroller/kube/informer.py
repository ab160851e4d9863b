"""Keeps a projection of every object of a resource in step with the API server, and reports each difference.

Why not kopf's watch: after a gap it lists again and forgets what was deleted meanwhile. Here a new listing
*replaces* what was known, so a deletion is always reported, however long we were away. And only projections
are kept, a few hundred bytes instead of the 25 kB of a decoded pod.

What the server may do, and what follows:

| server                                    | informer                                             |
|-------------------------------------------|------------------------------------------------------|
| ends or breaks the stream                 | watches on from the last version: nothing is lost    |
| no longer knows that version (410)        | lists anew after a pause, and replaces               |
| does not serve the resource (404)         | says what to install, and tries again; if a cluster  |
|                                           | may do without it, there is none                     |
| reports an error in the stream            | lists anew after a pause                             |
| says nothing, not even bookmarks          | gives the stream up and watches on                   |
| answers anything else, or cuts a line off | tries again after a pause, for ever                  |
| is away                                   | tries again every few seconds, for ever              |
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias, TypeVar

import aiohttp
import orjson

from lbcontroller.errors import Denied, LbControllerError
from lbcontroller.keys import ObjectName
from lbcontroller.kube.errors import AWAY_SECONDS, Failure, NotFound, error_of
from lbcontroller.kube.resources import ResourceType
from lbcontroller.telemetry import logs
from lbcontroller.telemetry.metrics import Metrics

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

OnChange: TypeAlias = Callable[[ObjectName, T | None, T | None], None]
"""Told an object's name and its projection before and after; None where there is none."""

GONE: Final = 410
TOO_MANY_REQUESTS: Final = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Sizes and times of an informer, in seconds, and where it takes time and chance from."""

    page_size: int = 500
    """Objects a page of a listing, as client-go asks for: bounds memory and how long the loop is held up."""
    list_timeout: float = 60.0
    """Longest wait for one page."""
    watch_timeout: float = 300.0
    """When the server is asked to end a stream: after this to twice this, so that not all end together."""
    stall_timeout: float = 75.0
    """Silence after which a stream is given up; bookmarks come about every minute."""
    stale_after: float = 150.0
    """Silence after which what is known must be taken for old: two stalls."""
    brief: float = 1.0
    """A stream that ends sooner without a word is a failure: watching on at once would be a busy loop."""
    backoff_base: float = 0.5
    backoff_cap: float = 30.0
    away_cap: float = 2 * AWAY_SECONDS / 3
    """Longest wait while nobody answers, which is spread by half of it."""
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    """A number in [0, 1)."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    def backoff(self, failures: int, *, away: bool) -> float:
        """Return how long to wait after `failures` (≥ 1) in a row, spread by ±50 %.

        An API server that is `away` is not spared: asking costs nothing, and much waits for its return.
        """
        exponential = self.backoff_base * 2.0 ** min(failures - 1, 16)
        return min(self.away_cap if away else self.backoff_cap, exponential) * (0.5 + self.chance())


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched(Generic[T]):
    """What an informer follows, and what becomes of it."""

    resource: ResourceType
    namespace: str
    """Empty for all namespaces."""
    project: Callable[[dict[str, Any]], T | None]
    """Makes of a decoded object what is kept; None for objects that do not matter, which are then as absent.

    Projections are compared with `==`; equal ones are not reported.
    """
    on_change: OnChange[T]
    """Called on the event loop, once for each difference."""
    selection: Mapping[str, str] = field(default_factory=dict)
    """`fieldSelector` and `labelSelector`, where not all objects are followed."""
    may_be_missing: bool = False
    """Whether a cluster may do without the resource: as long as it does, there are no objects."""


class _Expired(Exception):  # noqa: N818 - a fact about a version, not an error
    """The server no longer knows the version we want to go on from."""


class _Interrupted(Exception):  # noqa: N818 - as above
    """The server did not serve us, for a reason that is not ours."""

    def __init__(self, why: str, *, retry_after: float = 0.0) -> None:
        self.retry_after = retry_after
        super().__init__(why)


@dataclass(slots=True)
class _Position:
    """Where to go on watching."""

    version: str = ""
    """Empty: a listing is due."""
    failures: int = 0
    """In a row; only a change or bookmark ends the row, so that listing again and again gets slower, too."""
    last_word: float = field(default=float("-inf"))
    """When the server last said anything."""
    trouble: str = ""
    """What went wrong last, in words."""
    missing: bool = False
    """Whether the server does not serve the resource, and may do so."""


class Informer(Generic[T]):
    """Follows one resource on the running event loop until its `run` is cancelled."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        watched: Watched[T],
        metrics: Metrics,
        rhythm: Rhythm | None = None,
    ) -> None:
        """Follow `watched` over `session`, whose paths are relative to the API server."""
        self._session = session
        self._watched = watched
        self._metrics = metrics
        self._rhythm = rhythm or Rhythm()
        self._items: dict[ObjectName, T] = {}
        self._at = _Position()
        self.synced = asyncio.Event()
        """Set once the first listing has been reported, and ever after."""

    def trouble(self, now: float) -> str | None:
        """Return why what is known may be old, None when the server was heard lately.

        Args:
            now: of the same clock as the rhythm's.
        """
        heard = now - self._at.last_word < self._rhythm.stale_after
        if self.synced.is_set() and (heard or self._at.missing):
            return None
        return (
            f"{self._watched.resource.qualified}: {self._at.trouble or 'the API server was not heard lately'}"
        )

    async def run(self) -> None:
        """List, watch, and begin again whatever happens."""
        while True:
            try:
                if not self._at.version:
                    await self._list()
                await self._watch()
            except _Expired as error:
                self._at.version = ""
                await self._wait_after(error)
            except (LbControllerError, _Interrupted, aiohttp.ClientError, OSError, ValueError) as error:
                await self._wait_after(error)
            except Exception as error:  # noqa: BLE001 - a dead informer would freeze targets for ever
                self._report_bug(error, "informer_failed")
                self._at.version = ""
                await self._wait_after(error)

    async def _wait_after(self, error: Exception) -> None:
        self._at.failures += 1
        self._at.trouble = self._in_words(error)
        self._at.missing = self._watched.may_be_missing and isinstance(error, NotFound)
        if self._at.missing:
            self.synced.set()
        asked = error.retry_after if isinstance(error, _Interrupted) else 0.0
        away = isinstance(error, OSError | aiohttp.ClientConnectionError)
        seconds = max(asked, self._rhythm.backoff(self._at.failures, away=away))
        logs.event(
            _LOG,
            self._level(error),
            "informer_interrupted",
            resource=self._watched.resource.plural,
            error=repr(error),
            message=self._at.trouble,
            failures=self._at.failures,
            retry_after=round(seconds, 1),
        )
        await self._rhythm.pause(seconds)

    def _level(self, error: Exception) -> int:
        if self._at.missing:
            return logging.INFO if self._at.failures == 1 else logging.DEBUG
        return logging.ERROR if isinstance(error, Denied | NotFound) else logging.WARNING

    def _in_words(self, error: Exception) -> str:
        match error:
            case NotFound():
                return (
                    f"the API server does not serve {self._watched.resource.api_version} "
                    f"{self._watched.resource.kind}: install its CustomResourceDefinition"
                )
            case Denied():
                return f"{error}: the ClusterRole of this service account must allow it"
            case _:
                return str(error) or type(error).__name__

    async def _list(self) -> None:
        """Read everything and replace what was known by it."""
        self._metrics.relisted(self._watched.resource.plural)
        seen: set[ObjectName] = set()
        query = {"limit": str(self._rhythm.page_size), **self._watched.selection}
        while True:
            page = await self._page(query)
            for obj in page["items"]:
                seen.add(name := _name_of(obj))
                self._put(name, obj)
            query["continue"] = page["metadata"].get("continue") or ""
            if not query["continue"]:
                break
            await asyncio.sleep(0)  # other watches and requests go on between pages
        for name in self._items.keys() - seen:
            self._remove(name)
        self._at.version = page["metadata"]["resourceVersion"]
        self.synced.set()

    async def _page(self, query: dict[str, str]) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=self._rhythm.list_timeout)
        async with self._session.get(self._path, params=query, timeout=timeout) as answer:
            await self._check(answer, "list")
            page: dict[str, Any] = orjson.loads(await answer.read())
        self._at.last_word = self._rhythm.clock()
        return page

    async def _watch(self) -> None:
        """Report changes until the stream ends."""
        begun, lines = self._rhythm.clock(), 0
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._at.version,
            "timeoutSeconds": str(int(self._rhythm.watch_timeout * (1 + self._rhythm.chance()))),
            **self._watched.selection,
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=self._rhythm.stall_timeout)
        async with self._session.get(self._path, params=query, timeout=timeout) as answer:
            await self._check(answer, "watch")
            async for line in _lines(answer.content):
                lines += 1
                self._at.last_word = self._rhythm.clock()
                self._take(orjson.loads(line))
                self._at.failures = 0
        if not lines and self._rhythm.clock() - begun < self._rhythm.brief:
            raise _Interrupted("the stream ended at once")

    def _take(self, event: dict[str, Any]) -> None:
        kind, obj = event["type"], event["object"]
        if kind == "ERROR":
            if obj.get("code") == GONE:
                raise _Expired("the stream reported 410")
            self._at.version = ""
            raise _Interrupted(f"the stream reported {obj.get('code')} {obj.get('message')}")
        if kind == "DELETED":
            self._remove(_name_of(obj))
        elif kind != "BOOKMARK":
            self._put(_name_of(obj), obj)
        self._at.version = obj["metadata"]["resourceVersion"]

    async def _check(self, answer: aiohttp.ClientResponse, verb: str) -> None:
        if answer.status < 300:  # noqa: PLR2004 - success by HTTP's definition
            return
        if answer.status == GONE:
            raise _Expired(f"{verb}: 410")
        failure = Failure.from_answer(answer.status, await answer.read())
        if answer.status == TOO_MANY_REQUESTS:
            raise _Interrupted(failure.message, retry_after=_seconds(answer.headers.get("Retry-After", "")))
        raise error_of(failure, f"{verb} {self._watched.resource.qualified}")

    @property
    def _path(self) -> str:
        return self._watched.resource.path(self._watched.namespace)

    def _put(self, name: ObjectName, obj: dict[str, Any]) -> None:
        try:
            after = self._watched.project(obj)
        except Exception as error:  # noqa: BLE001 - one odd object must not stop all others
            self._report_bug(error, "projection_failed", name)
            return
        before = self._items.get(name)
        if after == before:
            return
        if after is None:
            del self._items[name]
        else:
            self._items[name] = after
        self._report(name, before, after)

    def _remove(self, name: ObjectName) -> None:
        before = self._items.pop(name, None)
        if before is not None:
            self._report(name, before, None)

    def _report(self, name: ObjectName, before: T | None, after: T | None) -> None:
        try:
            self._watched.on_change(name, before, after)
        except Exception as error:  # noqa: BLE001 - as above
            self._report_bug(error, "change_not_taken", name)

    def _report_bug(self, error: Exception, name: str, subject: ObjectName | None = None) -> None:
        self._metrics.bug("informer")
        logs.event(
            _LOG,
            logging.ERROR,
            "informer_bug",
            traceback_of=error,
            resource=self._watched.resource.plural,
            reason=name,
            subject=subject,
        )


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yield every complete line; one that is cut off by the end of the stream is not yielded."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line


def _name_of(obj: dict[str, Any]) -> ObjectName:
    metadata = obj["metadata"]
    return ObjectName(metadata.get("namespace") or "", metadata["name"])


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdecimal() else 0.0
