"""The controllers of a cluster in front of a real API server, on which no controller manager runs.

They are those of the embedded server: they work on a copy of the objects, and write to the server. They run
when somebody looks, after every write of a test and before every look at a condition; so nothing happens in
the background, and a Deployment's pods are there when the test's write returns.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import orjson

from lbcontroller.local.apiserver import ApiError, Reason, WorkloadSettings
from lbcontroller.local.apiserver.lifecycle import GarbageCollector
from lbcontroller.local.apiserver.objects import JsonObject, Key, key_of, timestamp
from lbcontroller.local.apiserver.requests import DeleteOptions, Location, WriteOptions
from lbcontroller.local.apiserver.resources import Registry, ResourceType, Subresource
from lbcontroller.local.apiserver.store import Change, ChangeType, Stored
from lbcontroller.local.apiserver.workloads import Workloads
from tests.support.real_cluster.requests import Requests, path_of

FOLLOWED: Final = ("nodes", "deployments", "pods", "services", "endpointslices")
_MOST_ROUNDS: Final = 50
"""Rounds until everything has come to rest; a rollout of a few pods takes about ten."""


class Copy:
    """The followed objects as they were last read or written, under the versions that the server gave."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._objects: dict[str, dict[Key, Stored]] = {}

    def get(self, resource: str, key: Key) -> Stored | None:
        return self._objects.get(resource, {}).get(key)

    def objects(self, resource: str, namespace: str | None = None) -> list[Stored]:
        found = sorted(self._objects.get(resource, {}).items())
        return [stored for key, stored in found if namespace in (None, key.namespace)]

    def put(self, resource: str, obj: JsonObject) -> Change | None:
        """Take up an object; return what changed, if anything did."""
        key, collection = key_of(obj), self._objects.setdefault(resource, {})
        before = collection.get(key)
        if before is not None and _version(before.object) == _version(obj):
            return None
        now = collection[key] = Stored(object=obj, encoded=orjson.dumps(obj))
        kind = ChangeType.ADDED if before is None else ChangeType.MODIFIED
        return Change(version=0, type=kind, key=key, now=now, before=before)

    def remove(self, resource: str, key: Key) -> Change | None:
        """Forget an object; return what changed, if anything did."""
        before = self._objects.get(resource, {}).pop(key, None)
        if before is None:
            return None
        return Change(version=0, type=ChangeType.DELETED, key=key, now=before, before=before)


class ClusterControllers:
    """Scheduler, kubelets, garbage collector, and the controllers of Deployments and EndpointSlices."""

    def __init__(self, requests: Requests, settings: WorkloadSettings) -> None:
        self.registry = Registry()
        self.graceful_pods = False
        self.store = Copy()
        self._requests = requests
        self._held = 0
        self._workloads = Workloads(self, settings)
        self._reactions = (GarbageCollector(self), self._workloads)

    def run(self) -> None:
        """Read what changed and let every controller work until there is nothing left to do."""
        with self.store.lock:
            if self._held:
                return
            for _ in range(_MOST_ROUNDS):
                self._read()
                try:
                    while sum(reaction.settle() for reaction in self._reactions):
                        pass
                except ApiError as error:
                    if error.reason not in {Reason.CONFLICT, Reason.NOT_FOUND}:
                        raise
                    continue  # somebody else was faster: look again
                if not self._read():
                    return
            raise AssertionError("the cluster's controllers do not come to rest")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no controller work before the block ends."""
        with self.store.lock:
            self._held += 1
        try:
            yield
        finally:
            with self.store.lock:
                self._held -= 1
        self.run()

    def finish_terminating(self) -> int:
        """Take terminating Pods away before their grace is over; return how many left."""
        self.run()
        left = self._workloads.kubelet.finish_terminating()
        self.run()
        return left

    def stop(self) -> None:
        """Forget the graces that still run."""
        self._workloads.kubelet.stop()

    # --- what the controllers ask for

    def now(self) -> str:
        return timestamp(datetime.now(UTC))

    @contextmanager
    def one_step(self) -> Iterator[None]:
        with self.store.lock:
            yield

    def get(self, at: Location) -> Stored:
        found = self.store.get(at.resource.storage, at.key)
        if found is None:
            raise ApiError(Reason.NOT_FOUND, f"{at.resource.qualified} {at.name} is not there")
        return found

    def create(self, at: Location, obj: JsonObject, options: WriteOptions) -> None:
        del options
        self._took_up(at.resource, self._requests.send("POST", path_of(at.resource, at.namespace), obj))

    def update(self, at: Location, obj: JsonObject, options: WriteOptions) -> None:
        del options
        if at.resource.storage == "pods" and at.subresource is Subresource.MAIN:
            self._bind(at, obj["spec"]["nodeName"])
            return
        path = path_of(at.resource, at.namespace, at.name, at.subresource.value)
        self._took_up(at.resource, self._requests.send("PUT", path, obj))

    def delete(self, at: Location, options: DeleteOptions | None = None) -> None:
        grace = None if options is None else options.grace_seconds
        query = {} if grace is None else {"gracePeriodSeconds": str(grace)}
        path = path_of(at.resource, at.namespace, at.name)
        self._requests.send("DELETE", path, query=query)
        self._read_one(at)

    def _bind(self, at: Location, node: str) -> None:
        """Put a Pod on a Node, which only this request may."""
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": at.name, "namespace": at.namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        self._requests.send("POST", path_of(at.resource, at.namespace, at.name, "binding"), binding)
        self._read_one(at)

    def _read_one(self, at: Location) -> None:
        try:
            self._took_up(
                at.resource, self._requests.send("GET", path_of(at.resource, at.namespace, at.name))
            )
        except ApiError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            self._noted(at.resource.storage, self.store.remove(at.resource.storage, at.key))

    def _took_up(self, resource: ResourceType, obj: JsonObject) -> None:
        self._noted(resource.storage, self.store.put(resource.storage, obj))

    def _read(self) -> bool:
        """Read every followed object; return whether anything changed since it was last read or written."""
        changed = False
        for name in FOLLOWED:
            resource = self.registry.named(name)
            found = self._requests.send("GET", path_of(resource))["items"]
            kind = {"apiVersion": resource.api_version, "kind": resource.kind}
            objects: Mapping[Key, JsonObject] = {key_of(each): {**kind, **each} for each in found}
            known = [each.object for each in self.store.objects(resource.storage)]
            gone = [old for old in known if not _is_same(old, objects.get(key_of(old)))]
            changes = [
                *(self.store.remove(resource.storage, key_of(old)) for old in gone),
                *(self.store.put(resource.storage, obj) for obj in objects.values()),
            ]
            for change in changes:
                changed = self._noted(resource.storage, change) or changed
        return changed

    def _noted(self, resource: str, change: Change | None) -> bool:
        if change is None:
            return False
        for reaction in self._reactions:
            reaction.observe(resource, change)
        return True


def _is_same(old: JsonObject, new: JsonObject | None) -> bool:
    """Whether they are one object, perhaps changed, and not two that followed each other under one name."""
    return new is not None and old["metadata"]["uid"] == new["metadata"]["uid"]


def _version(obj: JsonObject) -> tuple[str, str]:
    return obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
