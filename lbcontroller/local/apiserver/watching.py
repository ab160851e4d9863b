"""Watches: a cursor into the history of a resource, turned into the lines of a response.

What one watcher sees depends on its selection: an object that stops matching is DELETED for it, one that
starts to match is ADDED, whatever happened to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.requests import Location, Selection
from lbcontroller.local.apiserver.status import ApiError
from lbcontroller.local.apiserver.store import Change, ChangeType, Store, Stored

Encoder = Callable[[Stored], bytes]
"""Turns a stored object into the JSON the client asked for: whole, as metadata only, or as a table."""
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(slots=True, kw_only=True)
class WatchCursor:
    """Where one watch stands."""

    store: Store
    at: Location
    selection: Selection
    encode: Encoder
    version: int = field(default=0)
    """The version up to which the watcher has seen everything."""

    def initial_lines(self) -> list[bytes]:
        """Return the present objects as ADDED events, and move to the present."""
        with self.store.lock:
            self.version = self.store.version
            items = self.store.objects(self.at.resource.storage, self.at.listed)
        return [self._line(ChangeType.ADDED, item) for item in items if self.selection.selects(item.object)]

    def next_lines(self) -> list[bytes]:
        """Return the events since the last call and move on; raises ApiError (Expired) when they are lost."""
        with self.store.lock:
            changes = self.store.changes_after(self.at.resource.storage, self.version)
            self.version = max(self.version, self.store.version)
        return [line for change in changes for line in self._lines_of(change)]

    def bookmark(self, *, ends_initial_events: bool = False) -> bytes:
        """Return the event that only tells the client how far it is."""
        resource = self.at.resource
        meta: JsonObject = {"resourceVersion": str(self.version), "creationTimestamp": None}
        if ends_initial_events:
            meta["annotations"] = {INITIAL_EVENTS_END: "true"}
        obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        return orjson.dumps({"type": "BOOKMARK", "object": obj}, option=orjson.OPT_APPEND_NEWLINE)

    def _lines_of(self, change: Change) -> Iterator[bytes]:
        if self.at.listed is not None and change.key.namespace != self.at.listed:
            return
        was = change.before is not None and self.selection.selects(change.before.object)
        matches = change.type is not ChangeType.DELETED and self.selection.selects(change.now.object)
        if matches:
            yield self._line(ChangeType.MODIFIED if was else ChangeType.ADDED, change.now)
        elif was:
            yield self._line(ChangeType.DELETED, change.now)

    def _line(self, kind: ChangeType, stored: Stored) -> bytes:
        return b'{"type":"%s","object":%s}\n' % (kind.encode(), self.encode(stored))


def error_line(error: ApiError) -> bytes:
    """Return the event that ends a watch which cannot go on."""
    return orjson.dumps({"type": "ERROR", "object": error.status}, option=orjson.OPT_APPEND_NEWLINE)
