"""EndpointSlices of a Service, computed from its Pods as the endpoint slice controller does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lbcontroller.local.apiserver.allocation import HEADLESS, ip_family
from lbcontroller.local.apiserver.objects import JsonObject, field_at, is_terminating, is_true, members_of

STORAGE = "endpointslices.discovery.k8s.io"
SERVICE_LABEL = "kubernetes.io/service-name"
MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
HEADLESS_LABEL = "service.kubernetes.io/headless"
MOST_ENDPOINTS = 100
"""Endpoints in a slice at most: the default of `--max-endpoints-per-slice`."""
_FINISHED = frozenset({"Failed", "Succeeded"})


class Port(NamedTuple):
    """A port of a slice, with the number that the Pods give a named target port."""

    name: str
    port: int
    protocol: str
    app_protocol: str


class Group(NamedTuple):
    """Endpoints that can share a slice: of one family, with equal ports."""

    address_type: str
    ports: tuple[Port, ...]


@dataclass(slots=True, kw_only=True)
class SliceChanges:
    """What to do to the slices of a Service; unchanged ones are not mentioned."""

    create: list[JsonObject] = field(default_factory=list)
    update: list[JsonObject] = field(default_factory=list)
    delete: list[JsonObject] = field(default_factory=list)


def slice_changes(
    service: JsonObject, pods: Sequence[JsonObject], existing: Sequence[JsonObject], zones: dict[str, str]
) -> SliceChanges:
    """Return how to bring the slices of a Service up to date with as few changes as possible.

    Args:
        service: a Service with a selector.
        pods: the Pods it selects, in a stable order.
        existing: the slices that are there.
        zones: the zone of each Node by name.
    """
    wanted = _wanted_endpoints(service, pods, zones)
    changes, spare = SliceChanges(), []
    for group, endpoints in wanted.items():
        mine = [each for each in existing if _group_of(each) == group]
        filled, surplus = _fill(endpoints, mine, group)
        spare += surplus
        changes.update += [new for new, old in filled if old is not None and new != old]
        changes.create += [new for new, old in filled if old is None]
    spare += [each for each in existing if _group_of(each) not in wanted]
    changes.create = [_reused(service, each, spare, changes) for each in changes.create]
    changes.create = [each for each in changes.create if each]
    changes.delete = spare
    return changes


def _reused(
    service: JsonObject, new: JsonObject, spare: list[JsonObject], changes: SliceChanges
) -> JsonObject:
    """Turn a slice that is left over into the new one, if there is one; else return what to create."""
    old = next((each for each in spare if each["addressType"] == new["addressType"]), None)
    if old is None:
        return {**_shell(service), **new}
    spare.remove(old)
    changes.update.append({**old, **new})
    return {}


def _wanted_endpoints(
    service: JsonObject, pods: Sequence[JsonObject], zones: dict[str, str]
) -> dict[Group, list[JsonObject]]:
    wanted: dict[Group, list[JsonObject]] = {}
    for family in service["spec"].get("ipFamilies") or ():
        found: dict[Group, list[JsonObject]] = {}
        for pod in pods:
            address = _address(pod, family)
            if address and field_at(pod, ("status", "phase")) not in _FINISHED:
                group = Group(family, _ports(service, pod))
                found.setdefault(group, []).append(_endpoint(service, pod, address, zones))
        wanted |= found or {Group(family, ()): []}
    return wanted


def _address(pod: JsonObject, family: str) -> str:
    addresses = [each["ip"] for each in members_of(pod, "status", "podIPs")]
    addresses = addresses or [address for address in [field_at(pod, ("status", "podIP"))] if address]
    return next((address for address in addresses if ip_family(address) == family), "")


def _ports(service: JsonObject, pod: JsonObject) -> tuple[Port, ...]:
    found = []
    for port in members_of(service, "spec", "ports"):
        number = _number(port, pod)
        if number:
            found.append(Port(port.get("name", ""), number, port["protocol"], port.get("appProtocol", "")))
    return tuple(found)


def _number(port: JsonObject, pod: JsonObject) -> int:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in members_of(pod, "spec", "containers"):
        for candidate in members_of(container, "ports"):
            if (candidate.get("name"), candidate.get("protocol", "TCP")) == (target, port["protocol"]):
                return int(candidate["containerPort"])
    return 0


def _endpoint(service: JsonObject, pod: JsonObject, address: str, zones: dict[str, str]) -> JsonObject:
    serving, terminating = is_true(pod, "Ready"), is_terminating(pod)
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    node = field_at(pod, ("spec", "nodeName"))
    meta = pod["metadata"]
    reference = {name: meta[name] for name in ("name", "namespace", "uid")}
    endpoint: JsonObject = {
        "addresses": [address],
        "conditions": {
            "ready": always or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {"kind": "Pod", **reference},
    }
    if node:
        endpoint["nodeName"] = node
    if node in zones:
        endpoint["zone"] = zones[node]
    return endpoint


def _group_of(existing: JsonObject) -> Group:
    ports = tuple(
        Port(port.get("name", ""), port["port"], port["protocol"], port.get("appProtocol", ""))
        for port in members_of(existing, "ports")
    )
    return Group(existing["addressType"], ports)


def _fill(
    endpoints: list[JsonObject], existing: list[JsonObject], group: Group
) -> tuple[list[tuple[JsonObject, JsonObject | None]], list[JsonObject]]:
    """Spread endpoints over slices, each staying where it is; return (new, old) pairs and leftovers."""
    waiting = {each["targetRef"]["uid"]: each for each in endpoints}
    kept = []
    for old in existing:
        mine = [
            waiting.pop(uid)
            for uid in (each["targetRef"]["uid"] for each in members_of(old, "endpoints"))
            if uid in waiting
        ]
        kept.append((old, mine))
    rest = list(waiting.values())
    filled: list[tuple[JsonObject, JsonObject | None]] = []
    spare = []
    for old, mine in kept:
        room = MOST_ENDPOINTS - len(mine)
        full, rest = mine + rest[:room], rest[room:]
        if full or not (endpoints or filled):
            filled.append(({**old, "endpoints": full}, old))
        else:
            spare.append(old)
    while rest or not filled:
        filled.append((_contents(group, rest[:MOST_ENDPOINTS]), None))
        rest = rest[MOST_ENDPOINTS:]
    return filled, spare


def _contents(group: Group, endpoints: list[JsonObject]) -> JsonObject:
    ports: list[JsonObject] = []
    for port in group.ports:
        entry: JsonObject = {"name": port.name, "port": port.port, "protocol": port.protocol}
        if port.app_protocol:
            entry["appProtocol"] = port.app_protocol
        ports.append(entry)
    return {"addressType": group.address_type, "ports": ports, "endpoints": endpoints}


def _shell(service: JsonObject) -> JsonObject:
    meta = service["metadata"]
    labels = {**(meta.get("labels") or {}), SERVICE_LABEL: meta["name"], MANAGED_BY_LABEL: MANAGER}
    if service["spec"].get("clusterIP") == HEADLESS:
        labels[HEADLESS_LABEL] = ""
    owner = {
        "apiVersion": "v1",
        "kind": "Service",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "labels": labels,
            "ownerReferences": [owner],
        },
    }
