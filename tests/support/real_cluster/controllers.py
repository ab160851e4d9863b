"""The controllers of a cluster in front of a real API server, on which no controller manager runs.

They are those of the embedded server: they work on a copy of the objects, and write to the server. They run
when somebody looks, after every write of a test and before every look at a condition; so nothing happens in
the background, and a Deployment's pods are there when the test's write returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from lbcontroller.local.apiserver import ApiError, Reason, WorkloadSettings
from lbcontroller.local.apiserver.lifecycle import GarbageCollector
from lbcontroller.local.apiserver.objects import JsonObject, Key, is_terminating, key_of, timestamp
from lbcontroller.local.apiserver.requests import DeleteOptions, Location, WriteOptions
from lbcontroller.local.apiserver.resources import Registry, Subresource
from lbcontroller.local.apiserver.store import Stored
from lbcontroller.local.apiserver.workloads import Workloads
from tests.support.real_cluster.objects import Objects
from tests.support.real_cluster.requests import Requests, path_of

_MOST_ROUNDS: Final = 50
"""Rounds until everything has come to rest; a rollout of a few pods takes about ten."""


class ClusterControllers:
    """Scheduler, kubelets, garbage collector; controllers of namespaces, Deployments and EndpointSlices."""

    def __init__(
        self, requests: Requests, objects: Objects, registry: Registry, settings: WorkloadSettings
    ) -> None:
        self.registry = registry
        self.graceful_pods = False
        self.store = objects
        self._requests = requests
        self._held = 0
        self._workloads = Workloads(self, settings)
        self._reactions = (GarbageCollector(self), self._workloads)
        for reaction in self._reactions:
            objects.subscribe(reaction.observe)

    def run(self) -> None:
        """Read what changed and let every controller work until there is nothing left to do."""
        with self.store.lock:
            if self._held:
                return
            self.store.read()
            for _ in range(_MOST_ROUNDS):
                try:
                    while sum(reaction.settle() for reaction in self._reactions):
                        pass
                    self._end_namespaces()
                except ApiError as error:
                    if error.reason not in {Reason.CONFLICT, Reason.NOT_FOUND}:
                        raise  # else somebody else was faster: look again
                if not self.store.read():
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
        self.store.take_up(at.resource, self._requests.send("POST", path_of(at.resource, at.namespace), obj))

    def update(self, at: Location, obj: JsonObject, options: WriteOptions) -> None:
        del options
        if at.resource.storage == "pods" and at.subresource is Subresource.MAIN:
            self._bind(at, obj["spec"]["nodeName"])
            return
        path = path_of(at.resource, at.namespace, at.name, at.subresource.value)
        self.store.take_up(at.resource, self._requests.send("PUT", path, obj))

    def delete(self, at: Location, options: DeleteOptions | None = None) -> None:
        grace = None if options is None else options.grace_seconds
        query = {} if grace is None else {"gracePeriodSeconds": str(grace)}
        path = path_of(at.resource, at.namespace, at.name)
        self._requests.send("DELETE", path, query=query)
        self.store.read_one(at.resource, at.key)

    def _end_namespaces(self) -> None:
        """Empty the namespaces that are being deleted, and let those go that are empty."""
        for name in [each.object["metadata"]["name"] for each in self.store.objects("namespaces")]:
            namespace = self.store.get("namespaces", Key("", name))
            if namespace is None or not is_terminating(namespace.object):
                continue
            left = list(self.store.contents(name))
            for resource, stored in left:
                if not is_terminating(stored.object):
                    key = key_of(stored.object)
                    self.delete(
                        Location(resource=resource, namespace=key.namespace, name=key.name),
                        DeleteOptions(grace_seconds=0),
                    )
            if not left:
                ended = {**namespace.copy(), "spec": {"finalizers": []}}
                self._requests.send("PUT", f"api/v1/namespaces/{name}/finalize", ended)

    def _bind(self, at: Location, node: str) -> None:
        """Put a Pod on a Node, which only this request may."""
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": at.name, "namespace": at.namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        self._requests.send("POST", path_of(at.resource, at.namespace, at.name, "binding"), binding)
        self.store.read_one(at.resource, at.key)
