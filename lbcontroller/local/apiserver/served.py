"""What the fake controllers ask of an API server, so that they work in front of any.

Within the embedded server they run within each write. A server that runs elsewhere is given to them as a
copy of its objects, with a way to write.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Any, Protocol

from lbcontroller.local.apiserver.objects import JsonObject, Key
from lbcontroller.local.apiserver.requests import DeleteOptions, Location, WriteOptions
from lbcontroller.local.apiserver.resources import Registry
from lbcontroller.local.apiserver.store import Stored


class ServedObjects(Protocol):
    """The objects as they are now."""

    @property
    def lock(self) -> threading.RLock:
        """Held by whoever reads several objects that belong together."""

    def get(self, resource: str, key: Key) -> Stored | None:
        """Return the object, if it is there."""

    def objects(self, resource: str, namespace: str | None = None) -> list[Stored]:
        """Return the objects of one namespace, or of all with None, in the order of their keys."""


class ServedApi(Protocol):
    """Reads and writes of objects; each write raises ApiError where a client gets a Status."""

    registry: Registry
    graceful_pods: bool
    """Whether deleted Pods that run on a Node stay until their kubelet takes them away."""

    @property
    def store(self) -> ServedObjects:
        """What is there."""

    @property
    def now(self) -> Any:
        """Return the time as Kubernetes writes it, when called."""

    def one_step(self) -> AbstractContextManager[None]:
        """Make several writes one step for the other fake controllers."""

    def get(self, at: Location) -> Stored:
        """Return an object."""

    def create(self, at: Location, obj: JsonObject, options: WriteOptions) -> object:
        """Create an object."""

    def update(self, at: Location, obj: JsonObject, options: WriteOptions) -> object:
        """Replace an object, or its status."""

    def delete(self, at: Location, options: DeleteOptions | None = None) -> object:
        """Delete an object, or mark it when something still holds it."""
