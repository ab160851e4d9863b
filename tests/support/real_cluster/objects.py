"""The objects of a real API server as they are now, without asking for whole lists.

After a write of any object, a list of others takes kube-apiserver up to 0.1 seconds: it waits until it knows
that it missed nothing. Tests look often, so etcd is asked which objects there are in which versions, in one
request, and the API server only for the few that changed.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import orjson
import urllib3

from lbcontroller.local.apiserver import ApiError, Reason
from lbcontroller.local.apiserver.objects import JsonObject, Key, key_of
from lbcontroller.local.apiserver.resources import Registry, ResourceType
from lbcontroller.local.apiserver.store import Change, ChangeType, Stored
from tests.support.real_cluster.requests import TIMEOUT_SECONDS, Requests, path_of

Listener: TypeAlias = Callable[[str, Change], None]

KNOWN: Final = (
    "configmaps",
    "deployments",
    "endpointslices",
    "events",
    "ingressclasses",
    "ingressclassparams",
    "ingresses",
    "leases",
    "namespaces",
    "nodes",
    "pods",
    "secrets",
    "services",
    "targetgroupbindings",
)
_ROOT: Final = "/registry/"
_FOLDERS: Final = {"nodes": "minions", "services": "services/specs", "ingresses": "ingress"}
"""Where kube-apiserver keeps what is not under its plural, or under `group/plural` if custom."""


class Objects:
    """A copy of the objects of the known resources, under the versions that the server gave them."""

    def __init__(self, requests: Requests, etcd_url: str, registry: Registry) -> None:
        self.lock = threading.RLock()
        self._requests = requests
        self._etcd = urllib3.PoolManager(maxsize=8)
        self._range_url = f"{etcd_url}/v3/kv/range"
        self._resources = [registry.named(name) for name in KNOWN]
        self._objects: dict[str, dict[Key, Stored]] = {each.storage: {} for each in self._resources}
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Tell `listener` of every change from now on."""
        self._listeners.append(listener)

    def knows(self, resource: ResourceType) -> bool:
        return resource.storage in self._objects

    def get(self, resource: str, key: Key) -> Stored | None:
        with self.lock:
            return self._objects[resource].get(key)

    def objects(self, resource: str, namespace: str | None = None) -> list[Stored]:
        with self.lock:
            found = sorted(self._objects[resource].items())
        return [stored for key, stored in found if namespace in (None, key.namespace)]

    def contents(self, namespace: str) -> Iterator[tuple[ResourceType, Stored]]:
        """Yield the objects of a namespace with their resources."""
        for resource in self._resources:
            if resource.namespaced:
                yield from ((resource, stored) for stored in self.objects(resource.storage, namespace))

    def read(self) -> bool:
        """Take up what changed; return whether anything did."""
        with self.lock:
            versions = self._versions()
            changes = 0
            for resource in self._resources:
                there = dict(_below(_folder(resource), resource, versions))
                for key in self._objects[resource.storage].keys() - there.keys():
                    changes += self._gone(resource, key)
                for key, version in there.items():
                    known = self._objects[resource.storage].get(key)
                    if known is None or known.object["metadata"]["resourceVersion"] != version:
                        changes += self.read_one(resource, key)
            return changes > 0

    def read_one(self, resource: ResourceType, key: Key) -> bool:
        """Take up one object; return whether it changed."""
        try:
            obj = self._requests.send("GET", path_of(resource, key.namespace, key.name))
        except ApiError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            return self._gone(resource, key)
        return self.take_up(resource, obj)

    def take_up(self, resource: ResourceType, obj: JsonObject) -> bool:
        """Take up what the server answered to a write; return whether that changed anything."""
        with self.lock:
            key, collection = key_of(obj), self._objects[resource.storage]
            before = collection.get(key)
            if before is not None and _uid(before.object) != _uid(obj):
                self._gone(resource, key)
                before = None
            if before is not None and _version(before.object) == _version(obj):
                return False
            now = collection[key] = Stored(object=obj, encoded=orjson.dumps(obj))
            kind = ChangeType.ADDED if before is None else ChangeType.MODIFIED
            self._tell(resource, Change(version=0, type=kind, key=key, now=now, before=before))
            return True

    def _gone(self, resource: ResourceType, key: Key) -> bool:
        before = self._objects[resource.storage].pop(key, None)
        if before is None:
            return False
        self._tell(resource, Change(version=0, type=ChangeType.DELETED, key=key, now=before, before=before))
        return True

    def _tell(self, resource: ResourceType, change: Change) -> None:
        for listener in self._listeners:
            listener(resource.storage, change)

    def _versions(self) -> dict[str, str]:
        """Return the version of everything in the store, by where it is kept."""
        asked = {"key": _encoded(_ROOT), "range_end": _encoded(_ROOT[:-1] + "0"), "keys_only": True}
        answer = self._etcd.request(
            "POST", self._range_url, body=orjson.dumps(asked), timeout=TIMEOUT_SECONDS, retries=False
        )
        assert answer.status == 200, answer.data
        return {
            base64.b64decode(entry["key"]).decode(): entry["mod_revision"]
            for entry in orjson.loads(answer.data)["kvs"]
        }


def _folder(resource: ResourceType) -> str:
    below = f"{resource.group}/{resource.plural}" if resource.custom else resource.plural
    return f"{_ROOT}{_FOLDERS.get(resource.plural, below)}/"


def _below(folder: str, resource: ResourceType, versions: dict[str, str]) -> Iterator[tuple[Key, str]]:
    for path, version in versions.items():
        if path.startswith(folder):
            steps: Sequence[str] = path.removeprefix(folder).split("/")
            yield (Key(*steps) if resource.namespaced else Key("", steps[0])), version


def _version(obj: JsonObject) -> str:
    version: str = obj["metadata"]["resourceVersion"]
    return version


def _uid(obj: JsonObject) -> str:
    uid: str = obj["metadata"]["uid"]
    return uid


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
