"""The fake controllers together: who has to look again when something changes.

All work is done within the write that causes it, so a Deployment's Pods run and its Services have their
endpoints when the write of the Deployment returns. The one thing that takes time is the grace of a
terminating Pod.
"""

from __future__ import annotations

from collections.abc import Mapping

from lbcontroller.local.apiserver.deployments import STORAGE as DEPLOYMENTS
from lbcontroller.local.apiserver.deployments import Deployments
from lbcontroller.local.apiserver.endpoint_slices import (
    MANAGED_BY_LABEL,
    MANAGER,
    SERVICE_LABEL,
    slice_changes,
)
from lbcontroller.local.apiserver.endpoint_slices import STORAGE as SLICES
from lbcontroller.local.apiserver.kubelet import Kubelet, WorkloadSettings
from lbcontroller.local.apiserver.objects import JsonObject, Key, is_terminating, owners_of
from lbcontroller.local.apiserver.requests import Location, WriteOptions
from lbcontroller.local.apiserver.served import ServedApi
from lbcontroller.local.apiserver.store import Change, ChangeType, Stored

_ZONE_LABEL = "topology.kubernetes.io/zone"


class LabelIndex:
    """Keys by the labels they carry: finds what a selector selects without looking at everything."""

    def __init__(self) -> None:
        """Start empty."""
        self._keys: dict[tuple[str, str, str], set[Key]] = {}

    def add(self, key: Key, labels: Mapping[str, str]) -> None:
        """Note that `key` carries these labels."""
        for label, value in labels.items():
            self._keys.setdefault((key.namespace, label, value), set()).add(key)

    def discard(self, key: Key, labels: Mapping[str, str]) -> None:
        """Note that `key` carries these labels no longer."""
        for label, value in labels.items():
            keys = self._keys.get((key.namespace, label, value))
            if keys is not None:
                keys.discard(key)

    def carrying_all(self, namespace: str, labels: Mapping[str, str]) -> set[Key]:
        """Return the keys that carry every one of these labels; none when no label is asked for."""
        found = [self._keys.get((namespace, label, value), set()) for label, value in labels.items()]
        return set.intersection(*sorted(found, key=len)) if found else set()

    def carrying_any(self, namespace: str, labels: Mapping[str, str]) -> set[Key]:
        """Return the keys that carry at least one of these labels."""
        return set().union(
            *(self._keys.get((namespace, label, value), ()) for label, value in labels.items())
        )


class Workloads:
    """Deployments, Pods and EndpointSlices come to life as they do in a cluster."""

    def __init__(self, api: ServedApi, settings: WorkloadSettings) -> None:
        """Bring the objects of `api` to life."""
        self._api = api
        self.kubelet = Kubelet(api, settings)
        self._deployments = Deployments(api)
        self._slices = api.registry.named("endpointslices")
        self._pods_by_label = LabelIndex()
        self._services_by_label = LabelIndex()
        self._slices_by_label = LabelIndex()
        self._pods_by_owner: dict[str, dict[Key, None]] = {}
        self._zones: dict[str, str] = {}
        self._pods_due: dict[Key, None] = {}
        self._deployments_due: dict[Key, None] = {}
        self._services_due: dict[Key, None] = {}

    def observe(self, resource: str, change: Change) -> None:
        """Note who has to look again."""
        match resource:
            case "pods":
                self._observe_pod(change)
            case "services":
                self._observe_service(change)
            case "nodes":
                self._observe_node(change)
            case _ if resource == DEPLOYMENTS:
                self._deployments_due[change.key] = None
            case _ if resource == SLICES:
                self._observe_slice(change)
            case _:
                pass

    def settle(self) -> bool:
        """Let everybody look who has to: Pods first, then their Deployments, then the Services."""
        pods, self._pods_due = self._pods_due, {}
        for key in pods:
            self.kubelet.run(key)
        deployments, self._deployments_due = self._deployments_due, {}
        for key in deployments:
            self._deployments.run(key, self._owned_pods(key))
        if self._pods_due or self._deployments_due:
            return True
        services, self._services_due = self._services_due, {}
        for key in services:
            self._slice(key)
        return bool(pods or deployments or services)

    def _observe_pod(self, change: Change) -> None:
        self.kubelet.observe_pod(change)
        self._pods_due[change.key] = None
        for stored, present in ((change.before, False), (change.now, change.type is not ChangeType.DELETED)):
            if stored is not None:
                self._index_pod(change.key, stored, present=present)

    def _index_pod(self, key: Key, stored: Stored, *, present: bool) -> None:
        labels = _labels(stored.object)
        for service in self._services_by_label.carrying_any(key.namespace, labels):
            self._services_due[service] = None
        (self._pods_by_label.add if present else self._pods_by_label.discard)(key, labels)
        for owner in owners_of(stored.object):
            pods = self._pods_by_owner.setdefault(owner["uid"], {})
            if present:
                pods[key] = None
            else:
                pods.pop(key, None)
            if owner.get("kind") == "Deployment":
                self._deployments_due[Key(key.namespace, owner["name"])] = None

    def _observe_service(self, change: Change) -> None:
        if change.before is not None:
            self._services_by_label.discard(change.key, _one_of(_selector(change.before.object)))
        if change.type is not ChangeType.DELETED:
            self._services_by_label.add(change.key, _one_of(_selector(change.now.object)))
        self._services_due[change.key] = None

    def _observe_slice(self, change: Change) -> None:
        if change.before is not None:
            self._slices_by_label.discard(change.key, _labels(change.before.object))
        if change.type is not ChangeType.DELETED:
            self._slices_by_label.add(change.key, _labels(change.now.object))
        service = _labels(change.now.object).get(SERVICE_LABEL)
        if service and change.type is ChangeType.DELETED:
            self._services_due[Key(change.key.namespace, service)] = None

    def _observe_node(self, change: Change) -> None:
        zone = _labels(change.now.object).get(_ZONE_LABEL)
        if zone:
            self._zones[change.key.name] = zone
        for key in self.kubelet.waiting_pods():
            self._pods_due[key] = None

    def _owned_pods(self, key: Key) -> list[JsonObject]:
        deployment = self._api.store.get(DEPLOYMENTS, key)
        if deployment is None:
            return []
        return self._objects("pods", self._pods_by_owner.get(deployment.object["metadata"]["uid"], {}))

    def _objects(self, resource: str, keys: set[Key] | dict[Key, None]) -> list[JsonObject]:
        found = [self._api.store.get(resource, key) for key in sorted(keys)]
        return [stored.object for stored in found if stored is not None]

    def _slice(self, key: Key) -> None:
        stored = self._api.store.get("services", key)
        if stored is None or is_terminating(stored.object) or not _selector(stored.object):
            return
        pods = self._pods_by_label.carrying_all(key.namespace, _selector(stored.object))
        mine = {SERVICE_LABEL: key.name, MANAGED_BY_LABEL: MANAGER}
        existing = self._slices_by_label.carrying_all(key.namespace, mine)
        changes = slice_changes(
            stored.object, self._objects("pods", pods), self._objects(SLICES, existing), self._zones
        )
        for obj in changes.update:
            at = self._slice_at(key, obj["metadata"]["name"])
            changed = {**self._api.get(at).copy(), **{name: obj[name] for name in ("endpoints", "ports")}}
            self._api.update(at, changed, WriteOptions())
        for obj in changes.create:
            self._api.create(self._slice_at(key, ""), obj, WriteOptions())
        for obj in changes.delete:
            self._api.delete(self._slice_at(key, obj["metadata"]["name"]))

    def _slice_at(self, key: Key, name: str) -> Location:
        return Location(resource=self._slices, namespace=key.namespace, name=name)


def _labels(obj: JsonObject) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _selector(service: JsonObject) -> dict[str, str]:
    return service["spec"].get("selector") or {}


def _one_of(selector: dict[str, str]) -> dict[str, str]:
    """Return one pair of a selector: enough to find the Service by the labels of a Pod."""
    return dict(sorted(selector.items())[:1])
