"""What follows from changes: definitions make resources, and what goes takes along what belongs to it."""

from __future__ import annotations

from lbcontroller.local.apiserver import definitions
from lbcontroller.local.apiserver.api import Api
from lbcontroller.local.apiserver.objects import Key, is_terminating, metadata
from lbcontroller.local.apiserver.requests import DeleteOptions, Location, Selection, WriteOptions
from lbcontroller.local.apiserver.resources import ResourceType
from lbcontroller.local.apiserver.served import ServedApi
from lbcontroller.local.apiserver.store import Change, ChangeType


class Definitions:
    """Serves what CustomResourceDefinitions define; a deleted one goes after its last custom resource."""

    def __init__(self, api: Api) -> None:
        """Follow the definitions of `api`."""
        self._api = api
        self._going: set[str] = set()

    def observe(self, resource: str, change: Change) -> None:
        """Serve what is defined as soon as the definition is there; note definitions that go."""
        if resource == definitions.STORAGE:
            if change.type is ChangeType.DELETED:
                self._api.registry.discard(change.key.name)
                self._going.discard(change.key.name)
                return
            self._api.registry.discard(change.key.name)
            for each in definitions.resources_of(change.now.object):
                self._api.registry.add(each)
            if is_terminating(change.now.object):
                self._going.add(change.key.name)

    def settle(self) -> bool:
        """Delete the custom resources of going definitions, then release these."""
        return sum(self._finish(name) for name in sorted(self._going)) > 0

    def _finish(self, name: str) -> bool:
        remaining = self._api.store.objects(name)
        resource = next((each for each in self._api.registry if each.storage == name), None)
        if remaining and resource is not None:
            return _delete_all(self._api, Location(resource=resource))
        at = Location(resource=self._api.registry.named("customresourcedefinitions"), name=name)
        definition = self._api.get(at).copy()
        meta = metadata(definition)
        meta["finalizers"] = [each for each in meta["finalizers"] if each != definitions.CLEANUP]
        self._going.discard(name)
        self._api.update(at, definition, WriteOptions())
        return True


class Namespaces:
    """Empties namespaces that are being deleted, and lets them go when nothing is left."""

    def __init__(self, api: Api) -> None:
        """Follow the namespaces of `api`."""
        self._api = api
        self._going: set[str] = set()

    def observe(self, resource: str, change: Change) -> None:
        """Note namespaces that go."""
        if resource != "namespaces":
            return
        if change.type is ChangeType.DELETED:
            self._going.discard(change.key.name)
        elif is_terminating(change.now.object):
            self._going.add(change.key.name)

    def settle(self) -> bool:
        """Empty the going namespaces, then release those that are empty."""
        return sum(self._finish(name) for name in sorted(self._going)) > 0

    def _finish(self, name: str) -> bool:
        contents = [each for each in self._namespaced() if self._api.store.objects(each.storage, name)]
        if contents:
            return (
                sum(_delete_all(self._api, Location(resource=each, namespace=name)) for each in contents) > 0
            )
        at = Location(resource=self._api.registry.named("namespaces"), name=name)
        namespace = self._api.get(at).copy()
        namespace["spec"]["finalizers"] = []
        self._going.discard(name)
        self._api.update(at, namespace, WriteOptions())
        return True

    def _namespaced(self) -> list[ResourceType]:
        return [each for each in self._api.registry.storages() if each.namespaced]


def _delete_all(api: Api, at: Location) -> bool:
    """Ask for the deletion of everything there; return whether that changed anything."""
    before = api.store.version
    api.delete_collection(at, Selection(), DeleteOptions())
    return api.store.version != before


class GarbageCollector:
    """Deletes what is owned by an object that is gone, as the controller of that name does."""

    def __init__(self, api: ServedApi) -> None:
        """Follow every object of `api`."""
        self._api = api
        self._dependents: dict[str, set[tuple[str, Key]]] = {}
        self._orphaned: list[tuple[str, Key]] = []

    def observe(self, resource: str, change: Change) -> None:
        """Keep the index of owners, note what became ownerless."""
        entry = (resource, change.key)
        if change.before is not None:
            for owner in change.before.object["metadata"].get("ownerReferences") or ():
                self._dependents.get(owner["uid"], set()).discard(entry)
        if change.type is not ChangeType.DELETED:
            for owner in change.now.object["metadata"].get("ownerReferences") or ():
                self._dependents.setdefault(owner["uid"], set()).add(entry)
        else:
            self._orphaned += sorted(self._dependents.pop(change.now.object["metadata"]["uid"], ()))

    def settle(self) -> bool:
        """Delete what became ownerless."""
        found, self._orphaned = self._orphaned, []
        for storage, key in found:
            resource = next((each for each in self._api.registry if each.storage == storage), None)
            if resource is not None and self._api.store.get(storage, key) is not None:
                self._api.delete(Location(resource=resource, namespace=key.namespace, name=key.name))
        return bool(found)
