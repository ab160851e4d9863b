"""Ingresses and what decides about them, as the watches last reported it.

The groups of an Ingress follow from the object, its class and the parameters of that. They are not stored but
looked up: each lookup returns at least the Ingresses that a pure function then finds to be members, so that
no event has to keep several indexes in step.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from lbcontroller.build.ingress_classes import parameters_name
from lbcontroller.build.ingress_groups import classes_of, groups_it_may_join, groups_of_class
from lbcontroller.build.ingress_services import services_named
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.cluster.key_pairs import KeyPair
from lbcontroller.cluster.secret import Secret
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.keys import ObjectName, StackKey

K = TypeVar("K")
V = TypeVar("V")


class IngressCache:
    """Stores views by kind; every method may be called from any thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._ingresses: dict[ObjectName, Ingress] = {}
        self._classes: Mapping[str, IngressClass] = MappingProxyType({})
        self._params: Mapping[str, IngressClassParams] = MappingProxyType({})
        self._namespaces: dict[str, Namespace] = {}
        self._secrets: dict[ObjectName, Secret | None] = {}
        self._of_group: defaultdict[StackKey, set[ObjectName]] = defaultdict(set)
        """By the groups that the objects alone name."""
        self._of_class: defaultdict[str | None, set[ObjectName]] = defaultdict(set)
        self._of_service: defaultdict[ObjectName, set[ObjectName]] = defaultdict(set)
        self._of_namespace: defaultdict[str, set[ObjectName]] = defaultdict(set)
        self._secrets_of_group: dict[StackKey, frozenset[ObjectName]] = {}

    def put_ingress(self, name: ObjectName, ingress: Ingress | None) -> None:
        """Store an Ingress, or forget it when None."""
        with self._lock:
            before = self._ingresses.pop(name, None)
            if before is not None:
                self._index(before, present=False)
            if ingress is not None:
                self._ingresses[name] = ingress
                self._index(ingress, present=True)

    def _index(self, ingress: Ingress, *, present: bool) -> None:
        name = ingress.meta.name
        services = (ObjectName(name.namespace, service) for service in services_named(ingress))
        _change(self._of_group, groups_it_may_join(ingress), name, present=present)
        _change(self._of_class, (ingress.class_name,), name, present=present)
        _change(self._of_service, services, name, present=present)
        _change(self._of_namespace, (name.namespace,), name, present=present)

    def put_class(self, name: str, found: IngressClass | None) -> None:
        """Store an IngressClass, or forget it when None."""
        with self._lock:
            self._classes = _with(self._classes, name, found)

    def put_params(self, name: str, params: IngressClassParams | None) -> None:
        """Store an IngressClassParams, or forget it when None."""
        with self._lock:
            self._params = _with(self._params, name, params)

    def put_namespace(self, name: str, namespace: Namespace | None) -> None:
        """Store a Namespace, or forget it when None."""
        with self._lock:
            self._namespaces.pop(name, None)
            if namespace is not None:
                self._namespaces[name] = namespace

    def put_secret(self, name: ObjectName, secret: Secret | None) -> bool:
        """Store a Secret; None: it does not exist. Return whether that is news."""
        with self._lock:
            is_news = name not in self._secrets or self._secrets[name] != secret
            self._secrets[name] = secret
            return is_news

    def key_pair(self, name: ObjectName) -> KeyPair | None:
        """Return the certificate and the key in a Secret that some group needs, if they are there."""
        with self._lock:
            secret = self._secrets.get(name)
        return KeyPair.of(secret) if secret is not None else None

    def forget_secret(self, name: ObjectName) -> None:
        """Forget what is known about a Secret."""
        with self._lock:
            self._secrets.pop(name, None)

    def knows_secret(self, name: ObjectName) -> bool:
        """Return whether a Secret was read, be it there or not."""
        with self._lock:
            return name in self._secrets

    def need_secrets(self, group: StackKey, secrets: Iterable[ObjectName]) -> frozenset[ObjectName]:
        """Note which Secrets a group needs; return all that some group needs."""
        with self._lock:
            self._secrets_of_group.pop(group, None)
            if needed := frozenset(secrets):
                self._secrets_of_group[group] = needed
            return frozenset().union(*self._secrets_of_group.values())

    def groups_needing(self, secret: ObjectName) -> tuple[StackKey, ...]:
        """Return the groups that need a Secret."""
        with self._lock:
            return tuple(group for group, needed in self._secrets_of_group.items() if secret in needed)

    def ingress(self, name: ObjectName) -> Ingress | None:
        """Return one Ingress."""
        with self._lock:
            return self._ingresses.get(name)

    def of_service(self, service: ObjectName) -> tuple[Ingress, ...]:
        """Return the Ingresses that may send to a Service."""
        with self._lock:
            return self._named(self._of_service.get(service, ()))

    def of_class(self, name: str, *, by_default: bool) -> tuple[Ingress, ...]:
        """Return the Ingresses that name a class, and those that name none if it is theirs by default."""
        with self._lock:
            classless = self._of_class.get(None, ()) if by_default else ()
            return self._named((*self._of_class.get(name, ()), *classless))

    def of_params(self, name: str) -> tuple[Ingress, ...]:
        """Return the Ingresses of the classes that refer to an IngressClassParams."""
        with self._lock:
            classes = tuple(self._classes.values())
        found: dict[ObjectName, Ingress] = {}
        for item in classes:
            if parameters_name(item) == name:
                ingresses = self.of_class(item.meta.name.name, by_default=item.is_default)
                found |= {ingress.meta.name: ingress for ingress in ingresses}
        return tuple(found.values())

    def in_namespace(self, name: str) -> tuple[Ingress, ...]:
        """Return the Ingresses of a namespace."""
        with self._lock:
            return self._named(self._of_namespace.get(name, ()))

    def groups_of(self, ingress: Ingress) -> frozenset[StackKey]:
        """Return every group that an Ingress, as it is or was, may have a place in now."""
        with self._lock:
            classes, params = self._classes, self._params
        of_classes = (
            groups_of_class(name, classes, params) for name in classes_of(ingress, classes.values())
        )
        return groups_it_may_join(ingress).union(*of_classes)

    def groups_of_class(self, found: IngressClass) -> frozenset[StackKey]:
        """Return the group that a class, as it is or was, puts its Ingresses in, if it does."""
        name = found.meta.name.name
        with self._lock:
            return groups_of_class(name, {name: found}, self._params)

    def groups(self) -> frozenset[StackKey]:
        """Return every group that some Ingress may have a place in."""
        with self._lock:
            ingresses = tuple(self._ingresses.values())
        return frozenset().union(*(self.groups_of(ingress) for ingress in ingresses))

    def snapshot(self, group: StackKey) -> Snapshot:
        """Return what decides about a group: at least its members, every class, and their Secrets."""
        with self._lock:
            members = set(self._of_group.get(group, ()))
            for name, found in self._classes.items():
                if group in groups_of_class(name, self._classes, self._params):
                    classless = self._of_class.get(None, ()) if found.is_default else ()
                    members.update(self._of_class.get(name, ()), classless)
            needed = self._secrets_of_group.get(group, frozenset())
            namespaces = {name.namespace for name in members} & self._namespaces.keys()
            return Snapshot(
                ingresses={name: self._ingresses[name] for name in members},
                ingress_classes=self._classes,
                class_params=self._params,
                namespaces={name: self._namespaces[name] for name in namespaces},
                secrets={name: self._secrets[name] for name in needed if name in self._secrets},
            )

    def deciding(self, namespace: str) -> Snapshot:
        """Return what decides whose the Ingresses of a namespace are: every class, and the namespace."""
        with self._lock:
            found = self._namespaces.get(namespace)
            return Snapshot(
                ingress_classes=self._classes,
                class_params=self._params,
                namespaces={namespace: found} if found is not None else {},
            )

    def everything(self) -> Snapshot:
        """Return every Ingress with what decides about it; of Secrets none."""
        with self._lock:
            return Snapshot(
                ingresses=dict(self._ingresses),
                ingress_classes=self._classes,
                class_params=self._params,
                namespaces=dict(self._namespaces),
            )

    def contents(self) -> Mapping[str, Mapping[Any, object]]:
        """Return every view by the plural of its resource and its name; of Secrets those that exist."""
        with self._lock:
            return {
                "ingresses": dict(self._ingresses),
                "ingressclasses": dict(self._classes.items()),
                "ingressclassparams": dict(self._params.items()),
                "namespaces": dict(self._namespaces),
                "secrets": {name: secret for name, secret in self._secrets.items() if secret is not None},
            }

    def _named(self, names: Iterable[ObjectName]) -> tuple[Ingress, ...]:
        return tuple(self._ingresses[name] for name in sorted(names))


def _with(views: Mapping[str, V], name: str, view: V | None) -> Mapping[str, V]:
    """Return a changed copy, so that snapshots keep theirs."""
    others = {other: found for other, found in views.items() if other != name}
    return MappingProxyType(others | ({name: view} if view is not None else {}))


def _change(
    index: defaultdict[K, set[ObjectName]], keys: Iterable[K], name: ObjectName, *, present: bool
) -> None:
    for key in keys:
        if present:
            index[key].add(name)
            continue
        index[key].discard(name)
        if not index[key]:
            del index[key]
