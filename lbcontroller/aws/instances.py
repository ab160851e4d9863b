"""Which security group stands in front of a target.

| target                             | its network interface                                   |
|------------------------------------|---------------------------------------------------------|
| an instance                        | the primary one                                         |
| a pod with an interface of its own | that one                                                |
| a pod on Fargate or HyperPod       | the one in the VPC that has its address                 |
| a pod on a hybrid node             | none: no rule is needed                                 |
| any other pod                      | the one of its node that has its address, or its prefix |
| an address without a pod           | none: it is not ours to open                            |
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Generic, TypeVar

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.interfaces import (
    INSTANCE_BATCH,
    Interface,
    read_branch_interfaces,
    read_interfaces,
    read_interfaces_of_addresses,
)
from lbcontroller.aws.inventory import InventorySource
from lbcontroller.build.node_selection import is_hybrid
from lbcontroller.build.targets import TargetsResult
from lbcontroller.cluster.endpoints import Pod
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, NotReady, Problem, Transient
from lbcontroller.model.identity import CLUSTER_TAG_PREFIX
from lbcontroller.model.ids import InstanceId, SecurityGroupId
from lbcontroller.model.observed import Target
from lbcontroller.settings import Settings

REMEMBERED_SECONDS: Final = 600.0
"""How long interfaces are trusted: their groups change rarely, and nobody tells."""
_NOT_SEEN_SECONDS: Final = 1.0
_WITHOUT_INSTANCE: Final = frozenset(
    {("eks.amazonaws.com/compute-type", "fargate"), ("sagemaker.amazonaws.com/compute-type", "hyperpod")}
)
"""Labels of nodes whose pods are not on an instance of the account."""

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class GroupResolver:
    """Finds the security group of each target, from memory where it can. Thread-safe."""

    def __init__(
        self,
        caller: AwsCaller,
        inventory: InventorySource,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Choose among several groups of an interface by their tags in `inventory`."""
        self._caller = caller
        self._inventory = inventory
        self._settings = settings
        self._instances: _Memory[InstanceId, tuple[Interface, ...]] = _Memory(clock)
        self._branches: _Memory[str, Interface] = _Memory(clock)
        self._addresses: _Memory[str, Interface] = _Memory(clock)

    def of_targets(self, wanted: TargetsResult, snapshot: Snapshot) -> Mapping[Target, SecurityGroupId]:
        """Return the security group of each target that has one.

        Args:
            wanted: the targets with the pods behind them.
            snapshot: these pods, and every node.

        Raises:
            InvalidConfig: an interface has several groups and their tags do not name one.
            NotReady: the cluster has not told about a pod or its node yet.
            Transient: no interface has the address of a pod yet, or AWS could not answer.
            Denied: a permission is missing.
        """
        places = _sort_out(wanted, snapshot)
        self._read_in_bulk(places, snapshot)
        interfaces = {
            **self._primary_interfaces(places.instances),
            **self._interfaces_on_nodes(places.on_instances),
            **self._branch_interfaces(places.branches),
            **self._interfaces_elsewhere(places.elsewhere),
        }
        chosen = {interface: self._choose(interface) for interface in set(interfaces.values())}
        return {target: chosen[interface] for target, interface in interfaces.items()}

    def _read_in_bulk(self, places: _Places, snapshot: Snapshot) -> None:
        """Read the instances that are not known, and with them others that pods may come to later.

        A call has room for many instances: what is left of it is filled with nodes of the cluster.
        """
        instances = (*places.instances.values(), *places.on_instances.values())
        missing = {instance for instance in instances if self._instances.get(instance) is None}
        if not missing:
            return
        room = -len(missing) % INSTANCE_BATCH
        others = (
            node.instance_id
            for _, node in sorted(snapshot.nodes.items())
            if node.instance_id is not None
            and not is_hybrid(node)
            and node.instance_id not in missing
            and self._instances.get(node.instance_id) is None
        )
        self._read((*missing, *islice(others, room)))

    def _primary_interfaces(self, targets: Mapping[Target, InstanceId]) -> Mapping[Target, Interface]:
        # An instance that is gone needs no rule, and must not keep the others from theirs.
        return {
            target: interface
            for target, instance in targets.items()
            for interface in self._instances.get(instance) or ()
            if interface.device_index == 0
        }

    def _interfaces_on_nodes(self, targets: Mapping[Target, InstanceId]) -> Mapping[Target, Interface]:
        self._read(
            instance
            for target, instance in targets.items()
            if _certain_interface(target, self._instances.get(instance) or ()) is None
        )
        return _complete(
            {
                target: _likely_interface(target, self._instances.get(instance) or ())
                for target, instance in targets.items()
            }
        )

    def _branch_interfaces(self, targets: Mapping[Target, str]) -> Mapping[Target, Interface]:
        missing = {branch for branch in targets.values() if self._branches.get(branch) is None}
        found = read_branch_interfaces(self._caller, missing)
        self._branches.put({interface.id: interface for interface in found})
        return _complete({target: self._branches.get(branch) for target, branch in targets.items()})

    def _interfaces_elsewhere(self, targets: Iterable[Target]) -> Mapping[Target, Interface]:
        addresses = {target: target.id for target in targets}
        missing = {address for address in addresses.values() if self._addresses.get(address) is None}
        found = read_interfaces_of_addresses(self._caller, self._inventory.vpc_id, missing)
        self._addresses.put(
            {address: interface for interface in found for address in interface.addresses & missing}
        )
        return _complete({target: self._addresses.get(address) for target, address in addresses.items()})

    def _read(self, instances: Iterable[InstanceId]) -> None:
        self._instances.put(read_interfaces(self._caller, frozenset(instances)))

    def _choose(self, interface: Interface) -> SecurityGroupId:
        """Return the only group of an interface, or else the one with the cluster's tag."""
        if len(interface.groups) == 1:
            return interface.groups[0]
        if not set(interface.groups) <= self._inventory.security_groups.keys():
            self._inventory.refresh(f"network interface {interface.id} has a security group not seen before")
        tagged = [group for group in interface.groups if self._is_tagged(group)]
        if len(tagged) == 1:
            return tagged[0]
        found = ", ".join(tagged) or "none"
        raise InvalidConfig(
            Problem(
                subject=f"network interface {interface.id}",
                field="security groups",
                value=", ".join(interface.groups),
                expected=f"expected exactly one with {self._tags_in_words()}, found {found}",
                hint="the rules that let load balancers reach the targets go there",
            )
        )

    def _is_tagged(self, group: SecurityGroupId) -> bool:
        fact = self._inventory.security_groups.get(group)
        return (
            fact is not None
            and self._cluster_tag in fact.tags
            and self._settings.service_target_eni_security_group_tags.items() <= fact.tags.items()
        )

    @property
    def _cluster_tag(self) -> str:
        return f"{CLUSTER_TAG_PREFIX}{self._settings.cluster_name}"

    def _tags_in_words(self) -> str:
        further = sorted(self._settings.service_target_eni_security_group_tags.items())
        return " and ".join((f"the tag {self._cluster_tag}", *(f"{key}={value}" for key, value in further)))


@dataclass(slots=True)
class _Places:
    """Targets by the way in which their interface is found."""

    instances: dict[Target, InstanceId] = field(default_factory=dict)
    on_instances: dict[Target, InstanceId] = field(default_factory=dict)
    branches: dict[Target, str] = field(default_factory=dict)
    elsewhere: set[Target] = field(default_factory=set)


def _sort_out(wanted: TargetsResult, snapshot: Snapshot) -> _Places:
    places = _Places()
    for target in wanted.targets:
        if target in wanted.pods:
            _place_pod(places, target, wanted, snapshot)
        elif target.id.startswith("i-"):
            places.instances[target] = InstanceId(target.id)
    return places


def _place_pod(places: _Places, target: Target, wanted: TargetsResult, snapshot: Snapshot) -> None:
    pod = snapshot.pods.get(wanted.pods[target])
    # Slices and pods come by different watches: until the pod is here, its endpoint says where it runs.
    node = snapshot.nodes.get(pod.node if pod is not None else wanted.nodes.get(target, ""))
    if node is None:
        raise NotReady(
            f"the node of Pod {wanted.pods[target]} has not been seen yet", retry_after=_NOT_SEEN_SECONDS
        )
    branch = _branch_of(pod, target) if pod is not None else None
    if branch is not None:
        places.branches[target] = branch
    elif node.labels.items() & _WITHOUT_INSTANCE:
        places.elsewhere.add(target)
    elif node.instance_id is not None and not is_hybrid(node):
        places.on_instances[target] = node.instance_id


def _branch_of(pod: Pod, target: Target) -> str | None:
    return next((interface for interface, address in pod.interfaces if address == target.id), None)


def _certain_interface(target: Target, interfaces: tuple[Interface, ...]) -> Interface | None:
    """Return the interface with the target's address, or any of several that all carry the same groups.

    A node with one interface may have got another one, with other groups, since it was read.
    """
    exact = next((interface for interface in interfaces if interface.has(target.id)), None)
    return exact or (_likely_interface(target, interfaces) if len(interfaces) > 1 else None)


def _likely_interface(target: Target, interfaces: tuple[Interface, ...]) -> Interface | None:
    """Return the interface with the target's address, or any where all carry the same groups."""
    exact = next((interface for interface in interfaces if interface.has(target.id)), None)
    alike = len({frozenset(interface.groups) for interface in interfaces}) == 1
    return exact or (interfaces[0] if alike else None)


def _complete(found: Mapping[Target, Interface | None]) -> Mapping[Target, Interface]:
    if missing := sorted(target.id for target, interface in found.items() if interface is None):
        raise Transient(f"no network interface has the pod addresses {', '.join(missing)} yet")
    return {target: interface for target, interface in found.items() if interface is not None}


class _Memory(Generic[KeyT, ValueT]):
    """What was read, for as long as it is trusted."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._values: dict[KeyT, tuple[float, ValueT]] = {}

    def get(self, key: KeyT) -> ValueT | None:
        with self._lock:
            read_at, value = self._values.get(key, (0.0, None))
            return value if value is not None and self._clock() - read_at < REMEMBERED_SECONDS else None

    def put(self, values: Mapping[KeyT, ValueT]) -> None:
        now = self._clock()
        with self._lock:
            kept = {old: entry for old, entry in self._values.items() if now - entry[0] < REMEMBERED_SECONDS}
            self._values = {**kept, **{key: (now, value) for key, value in values.items()}}
