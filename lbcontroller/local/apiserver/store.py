"""Objects, the version counter and the history of changes: the etcd and watch cache of this server.

The store knows nothing about kinds. It holds finished objects, gives each write the next resourceVersion,
and keeps a bounded history per resource, so that a watch is nothing but a cursor into that history. Objects
in the store are never changed in place: a write replaces them. Readers may share them, and must not touch.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

from lbcontroller.local.apiserver.objects import JsonObject, Key, key_of, metadata
from lbcontroller.local.apiserver.status import expired

HISTORY = 50_000
"""Changes kept for each resource before the older half is dropped."""


class ChangeType(StrEnum):
    """The type of a watch event."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object as it stands, with its JSON encoding (made once, sent to every reader)."""

    object: JsonObject
    encoded: bytes

    def copy(self) -> JsonObject:
        """Return the object for changing."""
        found: JsonObject = orjson.loads(self.encoded)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write: what is there now (for a deletion: what was there last) and what was there before."""

    version: int
    type: ChangeType
    key: Key
    now: Stored
    before: Stored | None


Listener = Callable[[str, Change], None]


@dataclass(slots=True)
class _Collection:
    namespaces: dict[str, dict[str, Stored]] = field(default_factory=dict)
    history: list[Change] = field(default_factory=list)
    compacted: int = 0
    """Watches from before this version cannot be served any more."""


class Store:
    """All objects of one server, by resource (`services`, `ingresses.networking.k8s.io`) and key.

    Every public method may be called from any thread; `lock` makes several calls one step.
    """

    def __init__(self, *, history: int = HISTORY) -> None:
        """Start empty, keeping at most `history` changes of each resource."""
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._history = history
        self._version = 0
        self._compacted = 0
        self._collections: dict[str, _Collection] = {}
        self._listeners: list[Listener] = []

    @property
    def version(self) -> int:
        """The resourceVersion of the latest write."""
        return self._version

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` within each write from now on; it must be quick and must not write."""
        self._listeners.append(listener)

    def get(self, resource: str, key: Key) -> Stored | None:
        """Return the object, if it is there."""
        with self.lock:
            return self._collection(resource).namespaces.get(key.namespace, {}).get(key.name)

    def objects(self, resource: str, namespace: str | None = None) -> list[Stored]:
        """Return the objects of one namespace, or of all with None, in the order of their keys."""
        with self.lock:
            namespaces = self._collection(resource).namespaces
            chosen = sorted(namespaces) if namespace is None else [namespace]
            return [
                stored for each in chosen for _, stored in sorted(namespaces.get(each, {}).items(), key=_name)
            ]

    def each(self, resource: str, namespace: str) -> Iterator[Stored]:
        """Yield the objects of one namespace in the order of creation; nothing may be written meanwhile."""
        yield from self._collection(resource).namespaces.get(namespace, {}).values()

    def put(self, resource: str, obj: JsonObject) -> Stored:
        """Add or replace an object under its own key, giving it the next resourceVersion."""
        with self.lock:
            key = key_of(obj)
            objects = self._collection(resource).namespaces.setdefault(key.namespace, {})
            before = objects.get(key.name)
            now = self._stamped(obj)
            objects[key.name] = now
            kind = ChangeType.ADDED if before is None else ChangeType.MODIFIED
            self._record(resource, Change(version=self._version, type=kind, key=key, now=now, before=before))
            return now

    def remove(self, resource: str, key: Key) -> Stored:
        """Remove an object that is there; its last form carries the version of the removal."""
        with self.lock:
            objects = self._collection(resource).namespaces[key.namespace]
            before = objects.pop(key.name)
            now = self._stamped(before.copy())
            gone = Change(version=self._version, type=ChangeType.DELETED, key=key, now=now, before=before)
            self._record(resource, gone)
            return now

    def changes_after(self, resource: str, version: int) -> list[Change]:
        """Return the changes after `version`; raises ApiError (Expired) when they are no longer known."""
        with self.lock:
            collection = self._collection(resource)
            oldest = max(collection.compacted, self._compacted)
            if version < oldest:
                raise expired(f"too old resource version: {version} ({oldest})")
            history = collection.history
            return history[bisect_right(history, version, key=_version) :]

    def compact(self) -> None:
        """Forget all history, and every version handed out so far: clients that resume must list again."""
        with self.lock:
            self._version += 1
            self._compacted = self._version
            for collection in self._collections.values():
                collection.history.clear()
            self.changed.notify_all()

    def _collection(self, resource: str) -> _Collection:
        found = self._collections.get(resource)
        if found is None:
            found = self._collections[resource] = _Collection()
        return found

    def _stamped(self, obj: JsonObject) -> Stored:
        self._version += 1
        metadata(obj)["resourceVersion"] = str(self._version)
        return Stored(object=obj, encoded=orjson.dumps(obj))

    def _record(self, resource: str, change: Change) -> None:
        collection = self._collection(resource)
        collection.history.append(change)
        if len(collection.history) > self._history:
            dropped = len(collection.history) // 2
            collection.compacted = collection.history[dropped - 1].version
            del collection.history[:dropped]
        for listener in self._listeners:
            listener(resource, change)
        self.changed.notify_all()


def _name(item: tuple[str, Stored]) -> str:
    return item[0]


def _version(change: Change) -> int:
    return change.version
