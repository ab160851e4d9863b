"""Tables: what `kubectl get` prints, which a real server computes too."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lbcontroller.local.apiserver.objects import JsonObject, field_at, is_terminating, is_true, members_of
from lbcontroller.local.apiserver.resources import Column, ResourceType

Cell = Callable[[JsonObject, datetime], Any]
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_PORT_LIST = 3
"""Endpoints of a slice shown before `+ n more...`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """One column: its heading and what stands in it."""

    name: str
    cell: Cell
    type: str = "string"
    wide: bool = False
    """Shown with `-o wide` only."""


def table(resource: ResourceType, objects: list[tuple[JsonObject, Any]], now: datetime) -> JsonObject:
    """Return a Table without list metadata.

    Args:
        resource: whose objects they are.
        objects: each object with what the row is to carry of it (itself, its metadata or nothing).
        now: what ages are counted to.
    """
    columns = columns_of(resource)
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": "name" if column.name == "Name" else "",
            "description": "",
            "priority": int(column.wide),
        }
        for column in columns
    ]
    rows = [
        {"cells": [column.cell(obj, now) for column in columns], "object": shown} for obj, shown in objects
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": definitions,
        "rows": rows,
    }


def columns_of(resource: ResourceType) -> tuple[TableColumn, ...]:
    """Return a resource's columns: printer columns of a custom one, else its kind's, else name and age."""
    if resource.columns:
        return (_NAME, *(_printer_column(column) for column in resource.columns))
    return _COLUMNS.get(resource.storage, (_NAME, _AGE))


def age(since: str | None, now: datetime) -> str:
    """Return the time since a timestamp in the words of kubectl: `45s`, `3m12s`, `5h`, `12d`."""
    if not since:
        return "<unknown>"
    seconds = max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 10 * _MINUTE:
        minutes, rest = divmod(seconds, _MINUTE)
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    return f"{seconds // _HOUR}h" if seconds < 2 * _DAY else f"{seconds // _DAY}d"


def json_path(obj: Any, path: str) -> Any:
    """Return what a printer column's simple JSONPath finds first: members, `[n]`, `[*]`, `[?(@.a=="b")]`."""
    steps = re.findall(
        r"\.([\w\-/]+)|\['([^']+)'\]|\[(\d+|\*)\]|\[\?\(@\.(\w+)\s*==\s*['\"]([^'\"]*)['\"]\)\]", path
    )
    for member, quoted, index, key, value in steps:
        if member or quoted:
            obj = obj.get((member or quoted).replace("\\", "")) if isinstance(obj, dict) else None
        elif not isinstance(obj, list):
            return None
        elif index:
            position = 0 if index == "*" else int(index)
            obj = obj[position] if position < len(obj) else None
        else:
            obj = next((each for each in obj if isinstance(each, dict) and each.get(key) == value), None)
    return obj


def _printer_column(column: Column) -> TableColumn:
    def cell(obj: JsonObject, now: datetime) -> Any:
        found = json_path(obj, column.json_path)
        if column.type == "date":
            return age(found, now)
        return found if not isinstance(found, dict | list) else str(found)

    return TableColumn(name=column.name, type=column.type, wide=column.priority > 0, cell=cell)


def _plain(name: str, *path: str, empty: str = "<none>", wide: bool = False) -> TableColumn:
    def cell(obj: JsonObject, now: datetime) -> Any:
        del now
        found = field_at(obj, path)
        return empty if found in (None, "", [], {}) else found

    return TableColumn(name=name, cell=cell, wide=wide)


def _column(name: str, show: Callable[[JsonObject], Any], *, wide: bool = False) -> TableColumn:
    return TableColumn(name=name, cell=lambda obj, _now: show(obj), wide=wide)


_NAME = _plain("Name", "metadata", "name")
_AGE = TableColumn(name="Age", cell=lambda obj, now: age(obj["metadata"].get("creationTimestamp"), now))


def _labels(labels: JsonObject | None) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted((labels or {}).items())) or "<none>"


def load_balancer_addresses(obj: JsonObject) -> str:
    """Return the addresses in a `status.loadBalancer`, joined by commas."""
    entries = members_of(obj, "status", "loadBalancer", "ingress")
    return ",".join(entry.get("ip") or entry.get("hostname") or "" for entry in entries)


def _external_ip(service: JsonObject) -> str:
    spec = service["spec"]
    if spec["type"] == "ExternalName":
        return str(spec["externalName"])
    found = [load_balancer_addresses(service)] if spec["type"] == "LoadBalancer" else []
    found += spec.get("externalIPs") or []
    return ",".join(filter(None, found)) or ("<pending>" if spec["type"] == "LoadBalancer" else "<none>")


def _service_ports(service: JsonObject) -> str:
    shown = []
    for port in members_of(service, "spec", "ports"):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port['port']}{node}/{port['protocol']}")
    return ",".join(shown) or "<none>"


def _ready_containers(pod: JsonObject) -> str:
    statuses = members_of(pod, "status", "containerStatuses")
    ready = sum(bool(each.get("ready")) for each in statuses)
    return f"{ready}/{len(members_of(pod, 'spec', 'containers'))}"


def _pod_status(pod: JsonObject) -> str:
    return "Terminating" if is_terminating(pod) else field_at(pod, ("status", "phase")) or "Unknown"


def _restarts(pod: JsonObject) -> int:
    return sum(each.get("restartCount", 0) for each in members_of(pod, "status", "containerStatuses"))


def _readiness_gates(pod: JsonObject) -> str:
    gates = members_of(pod, "spec", "readinessGates")
    met = sum(is_true(pod, gate["conditionType"]) for gate in gates)
    return f"{met}/{len(gates)}" if gates else "<none>"


def _node_status(node: JsonObject) -> str:
    cordoned = ",SchedulingDisabled" if field_at(node, ("spec", "unschedulable")) else ""
    return ("Ready" if is_true(node, "Ready") else "NotReady") + cordoned


def _node_address(node: JsonObject) -> str:
    found = (
        each["address"] for each in members_of(node, "status", "addresses") if each["type"] == "InternalIP"
    )
    return next(found, "<none>")


def _replicas(obj: JsonObject) -> str:
    return f"{field_at(obj, ('status', 'readyReplicas')) or 0}/{field_at(obj, ('spec', 'replicas')) or 0}"


def _count(*path: str) -> Callable[[JsonObject], int]:
    return lambda obj: field_at(obj, path) or 0


def _ingress_hosts(ingress: JsonObject) -> str:
    hosts = [rule.get("host") or "*" for rule in members_of(ingress, "spec", "rules")]
    return ",".join(hosts) or "*"


def _ingress_ports(ingress: JsonObject) -> str:
    return "80, 443" if field_at(ingress, ("spec", "tls")) else "80"


def _slice_ports(obj: JsonObject) -> str:
    return ",".join(str(port.get("port")) for port in members_of(obj, "ports")) or "<unset>"


def _slice_endpoints(obj: JsonObject) -> str:
    addresses = [address for each in members_of(obj, "endpoints") for address in each["addresses"]]
    more = f" + {len(addresses) - _PORT_LIST} more..." if len(addresses) > _PORT_LIST else ""
    return (",".join(addresses[:_PORT_LIST]) or "<unset>") + more


def _event_object(event: JsonObject) -> str:
    about = event.get("involvedObject") or {}
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def _last_seen(event: JsonObject, now: datetime) -> str:
    series = field_at(event, ("series", "lastObservedTime"))
    created = event["metadata"].get("creationTimestamp")
    return age(series or event.get("lastTimestamp") or event.get("eventTime") or created, now)


_COLUMNS: dict[str, tuple[TableColumn, ...]] = {
    "services": (
        _NAME,
        _plain("Type", "spec", "type"),
        _plain("Cluster-IP", "spec", "clusterIP"),
        _column("External-IP", _external_ip),
        _column("Port(s)", _service_ports),
        _AGE,
        _column("Selector", lambda obj: _labels(field_at(obj, ("spec", "selector"))), wide=True),
    ),
    "pods": (
        _NAME,
        _column("Ready", _ready_containers),
        _column("Status", _pod_status),
        _column("Restarts", _restarts),
        _AGE,
        _plain("IP", "status", "podIP", wide=True),
        _plain("Node", "spec", "nodeName", wide=True),
        _plain("Nominated Node", "status", "nominatedNodeName", wide=True),
        _column("Readiness Gates", _readiness_gates, wide=True),
    ),
    "nodes": (
        _NAME,
        _column("Status", _node_status),
        _column("Roles", lambda _obj: "<none>"),
        _AGE,
        _plain("Version", "status", "nodeInfo", "kubeletVersion"),
        _column("Internal-IP", _node_address, wide=True),
    ),
    "namespaces": (_NAME, _plain("Status", "status", "phase"), _AGE),
    "deployments.apps": (
        _NAME,
        _column("Ready", _replicas),
        _column("Up-to-date", _count("status", "updatedReplicas")),
        _column("Available", _count("status", "availableReplicas")),
        _AGE,
    ),
    "ingresses.networking.k8s.io": (
        _NAME,
        _plain("Class", "spec", "ingressClassName"),
        _column("Hosts", _ingress_hosts),
        _column("Address", load_balancer_addresses),
        _column("Ports", _ingress_ports),
        _AGE,
    ),
    "ingressclasses.networking.k8s.io": (
        _NAME,
        _plain("Controller", "spec", "controller"),
        _plain("Parameters", "spec", "parameters", "name"),
        _AGE,
    ),
    "endpointslices.discovery.k8s.io": (
        _NAME,
        _plain("AddressType", "addressType"),
        _column("Ports", _slice_ports),
        _column("Endpoints", _slice_endpoints),
        _AGE,
    ),
    "leases.coordination.k8s.io": (_NAME, _plain("Holder", "spec", "holderIdentity"), _AGE),
    "events": (
        TableColumn(name="Last Seen", cell=_last_seen),
        _plain("Type", "type"),
        _plain("Reason", "reason"),
        _column("Object", _event_object),
        _column("Message", lambda obj: str(obj.get("message") or "").strip()),
        _plain("Name", "metadata", "name", wide=True),
    ),
    "secrets": (_NAME, _plain("Type", "type"), _column("Data", lambda obj: len(obj.get("data") or {})), _AGE),
    "configmaps": (_NAME, _column("Data", lambda obj: len(obj.get("data") or {})), _AGE),
    "customresourcedefinitions.apiextensions.k8s.io": (
        _NAME,
        _plain("Created At", "metadata", "creationTimestamp"),
    ),
}
