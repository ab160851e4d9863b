"""A real API server behind the hands that tests lay on a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from lbcontroller.kube.crd import DEFINITIONS
from lbcontroller.local.apiserver import ApiError, Reason, Request, Subresource, WorkloadSettings
from lbcontroller.local.apiserver.definitions import resources_of
from lbcontroller.local.apiserver.faults import Match
from lbcontroller.local.apiserver.objects import JsonObject, metadata
from lbcontroller.local.apiserver.requests import Selection
from lbcontroller.local.apiserver.resources import Registry, ResourceType
from lbcontroller.local.apiserver.selectors import parse_fields, parse_labels
from tests.support.real_cluster.access import USER, grant, login, write_kubeconfig
from tests.support.real_cluster.audit import AuditLog
from tests.support.real_cluster.controllers import ClusterControllers
from tests.support.real_cluster.objects import Objects
from tests.support.real_cluster.requests import Requests, path_of
from tests.support.real_cluster.servers import the_api_server

JsonObjects: TypeAlias = list[JsonObject]

APPLY: Final = "application/apply-patch+yaml"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
ESTABLISHED_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 0.02
"""How long to wait between two looks at a condition."""
EVENTS_OF_ITS_OWN: Final = frozenset({"ClusterIPNotAllocated"})
"""Reasons of events in which it tells users what it mends itself: addresses of Services not noted yet."""
LEFT_BEHIND: Final = (
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "ingresses",
    "ingressclasses",
    "ingressclassparams",
    "targetgroupbindings",
    "deployments",
    "services",
    "endpointslices",
    "pods",
    "nodes",
    "secrets",
    "configmaps",
    "events",
    "leases",
)
"""What tests make, in an order in which it can go."""


class RealApiServer:
    """The real API server of this process, empty while entered, with the controllers of a cluster."""

    def __init__(self, workloads: WorkloadSettings | None = None) -> None:
        self._server = the_api_server()
        self._requests = Requests(self._server)
        self._registry = Registry()
        for definition in DEFINITIONS.values():
            for resource in resources_of(definition()):
                self._registry.add(resource)
        self._objects = Objects(self._requests, self._server.etcd_url, self._registry)
        self._controllers = ClusterControllers(
            self._requests, self._objects, self._registry, workloads or WorkloadSettings()
        )
        self._audit = AuditLog(self._server.audit_log)
        self._everything = AuditLog(self._server.audit_log)

    def __enter__(self) -> Self:
        grant(self._written_as_given)
        self._empty()
        self._controllers.run()
        self._audit.forget()
        return self

    def __exit__(self, *_: object) -> None:
        self._controllers.stop()
        self._empty()

    def _empty(self) -> None:
        """Remove what earlier clusters left; the definitions stay."""
        for name in LEFT_BEHIND:
            try:
                found = self._listed(name)
            except ApiError as error:
                if error.reason is not Reason.NOT_FOUND:
                    raise
                continue  # not defined yet
            for obj in found:
                self._remove(name, obj)

    def _remove(self, kind: str, obj: JsonObject) -> None:
        meta = metadata(obj)
        namespace = meta.get("namespace") or ""
        if _is_of_the_server(obj["kind"], namespace, meta["name"]):
            return
        path = path_of(self._registry.named(kind), namespace, meta["name"])
        try:
            if meta.get("finalizers"):
                change = {"metadata": {"finalizers": None}}
                self._requests.send("PATCH", path, change, content_type=MERGE_PATCH)
            self._requests.send("DELETE", path, query={"gracePeriodSeconds": "0"})
        except ApiError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise

    # --- what the controller and its requests need

    def write_kubeconfig(self, path: Path) -> None:
        """Write the login of the controller's ServiceAccount."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_kubeconfig(path, self._server, login(self._requests))

    @property
    def requests(self) -> Sequence[Request]:
        return tuple(each.request for each in self._audit.read() if each.user == USER)

    def refused(self) -> list[str]:
        """Return which requests of the controller its roles did not allow, since the cluster began."""
        return [
            f"{each.request.method} {each.request.path}?{each.request.query}"
            for each in self._everything.read()
            if each.user == USER and each.is_forbidden
        ]

    def forget_requests(self) -> None:
        self._audit.forget()

    def refuse(self, match: Match, *, code: int, times: int = 1) -> None:
        raise NotImplementedError("a real API server refuses nothing on demand")

    # --- objects

    def create(self, obj: JsonObject) -> JsonObject:
        created = self._requests.send("POST", self._path_of(obj, collection=True), obj)
        self._followed_up(obj)
        return created

    def seed(self, obj: JsonObject) -> JsonObject:
        created = self._requests.send("POST", self._path_of(obj, collection=True), obj)
        if obj["kind"] == "Node":
            # A node is created with the taint that it is not ready, which is taken off when it is.
            created["spec"].pop("taints", None)
            created = self._requests.send("PUT", self._path_of(obj), created)
        if "status" in obj:
            path = f"{self._path_of(obj)}/status"
            created = self._requests.send("PUT", path, {**created, "status": obj["status"]})
        self._controllers.run()
        return created

    def update_status(self, obj: JsonObject) -> JsonObject:
        updated = self._requests.send("PUT", f"{self._path_of(obj)}/status", obj)
        self._controllers.run()
        return updated

    def apply(self, obj: JsonObject, *, manager: str = "local", force: bool = True) -> JsonObject:
        applied = self._written_as_given(obj, manager=manager, force=force)
        self._followed_up(obj)
        return applied

    def _written_as_given(self, obj: JsonObject, *, manager: str = "local", force: bool = True) -> JsonObject:
        query = {"fieldManager": manager, "force": str(force).lower()}
        return self._requests.send("PATCH", self._path_of(obj), obj, content_type=APPLY, query=query)

    def patch(
        self,
        kind: str,
        name: str,
        change: Any,
        *,
        namespace: str = "default",
        part: Subresource = Subresource.MAIN,
    ) -> JsonObject:
        content_type = JSON_PATCH if isinstance(change, list) else MERGE_PATCH
        path = path_of(self._registry.named(kind), namespace, name, part.value)
        patched = self._requests.send("PATCH", path, change, content_type=content_type)
        self._controllers.run()
        return patched

    def get(self, kind: str, name: str, *, namespace: str = "default") -> JsonObject:
        return self._requests.send("GET", path_of(self._registry.named(kind), namespace, name))

    def find(self, kind: str, name: str, *, namespace: str = "default") -> JsonObject | None:
        try:
            return self.get(kind, name, namespace=namespace)
        except ApiError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            return None

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> JsonObjects:
        self._controllers.run()
        resource = self._registry.named(kind)
        if not self._objects.knows(resource):
            return self._listed(kind, namespace or "")
        selection = Selection(labels=parse_labels(labels), fields=parse_fields(fields, resource.selectable))
        found = self._objects.objects(resource.storage, namespace)
        return [
            each.copy()
            for each in found
            if selection.selects(each.object) and each.object.get("reason") not in EVENTS_OF_ITS_OWN
        ]

    def _listed(self, kind: str, namespace: str = "") -> JsonObjects:
        resource = self._registry.named(kind)
        found = self._requests.send("GET", path_of(resource, namespace))["items"]
        own = {"apiVersion": resource.api_version, "kind": resource.kind}
        return [{**own, **each} for each in found]

    def delete(
        self, kind: str, name: str, *, namespace: str = "default", grace_seconds: int | None = None
    ) -> None:
        resource = self._registry.named(kind)
        if _is_of_the_server(resource.kind, namespace, name):
            return
        query = {} if grace_seconds is None else {"gracePeriodSeconds": str(grace_seconds)}
        self._requests.send("DELETE", path_of(resource, namespace, name), query=query)
        self._controllers.run()

    def finish_terminating(self) -> int:
        return self._controllers.finish_terminating()

    def one_step(self) -> AbstractContextManager[None]:
        return self._controllers.held()

    def wait_for(self, predicate: Callable[[], bool], *, timeout: float = 10) -> None:
        deadline = time.monotonic() + timeout
        while True:
            self._controllers.run()
            if predicate():
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the condition did not hold within {timeout} s")
            time.sleep(LOOK_SECONDS)  # between two looks at a condition that has no signal

    def _followed_up(self, obj: JsonObject) -> None:
        if obj["kind"] == "CustomResourceDefinition":
            self._serve(obj)
        self._controllers.run()

    def _serve(self, definition: JsonObject) -> None:
        """Wait until what a definition defines is served."""
        for resource in resources_of(definition):
            deadline = time.monotonic() + ESTABLISHED_SECONDS
            while not self._is_served(resource):
                assert time.monotonic() < deadline, f"{resource.qualified} is not served"
                time.sleep(LOOK_SECONDS)  # between two looks at a condition that has no signal

    def _is_served(self, resource: ResourceType) -> bool:
        try:
            self._requests.send("GET", path_of(resource))
        except ApiError:
            return False
        return True

    def _path_of(self, obj: JsonObject, *, collection: bool = False) -> str:
        resource = self._resource_of(obj)
        meta = metadata(obj)
        return path_of(resource, meta.get("namespace") or "default", "" if collection else meta["name"])

    def _resource_of(self, obj: JsonObject) -> ResourceType:
        return self._registry.by_kind(obj["apiVersion"], obj["kind"])


def _is_of_the_server(kind: str, namespace: str, name: str) -> bool:
    """Whether it is the Service that an API server makes for itself, and makes again."""
    return (kind, namespace, name) == ("Service", "default", "kubernetes")
