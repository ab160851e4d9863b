"""What the API server refuses in a Service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface
from typing import Any

from lbcontroller.local.apiserver.allocation import (
    FIRST_NODE_PORT,
    HEADLESS,
    LAST_NODE_PORT,
    ServiceAllocations,
    node_ports_of,
)
from lbcontroller.local.apiserver.names import LABEL_RULE, dns_label_problem, subdomain_problem
from lbcontroller.local.apiserver.objects import JsonObject, members_of, metadata
from lbcontroller.local.apiserver.status import Cause, FieldProblem

SOURCE_RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_POLICIES = ("Cluster", "Local")
_IP_MODES = ("Proxy", "VIP")
_LAST_PORT = 65535
_NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"


def problems_in(
    before: JsonObject | None, service: JsonObject, allocations: ServiceAllocations
) -> list[FieldProblem]:
    """Return every rule that a Service, its defaults filled, breaks in itself or by what it changes."""
    spec = service["spec"]
    if spec["type"] not in _TYPES:
        return [_unsupported("spec.type", spec["type"], _TYPES)]
    found = [
        *_port_problems(spec),
        *_node_port_problems(before, service, allocations),
        *_address_problems(before, spec, allocations),
        *_policy_problems(spec),
        *_source_range_problems(service),
        *_class_problems(before, spec),
    ]
    if spec["type"] == "ExternalName" and not spec.get("externalName"):
        found.append(FieldProblem(field="spec.externalName", cause=Cause.REQUIRED))
    return found


def status_problems_in(service: JsonObject) -> list[FieldProblem]:
    """Return what is wrong with the status of a Service."""
    entries = members_of(service, "status", "loadBalancer", "ingress")
    if entries and service["spec"]["type"] != "LoadBalancer":
        return [
            FieldProblem(
                field="status.loadBalancer.ingress",
                cause=Cause.FORBIDDEN,
                detail='may only be used when `spec.type` is "LoadBalancer"',
            )
        ]
    return [*ingress_entry_problems(entries), *_ip_mode_problems(entries)]


def ingress_entry_problems(entries: list[JsonObject]) -> list[FieldProblem]:
    """Return what is wrong with the entries of a `status.loadBalancer.ingress`."""
    return [problem for index, entry in enumerate(entries) for problem in _ingress_problems(index, entry)]


def _ingress_problems(index: int, entry: JsonObject) -> Iterator[FieldProblem]:
    at = f"status.loadBalancer.ingress[{index}]"
    if (address := entry.get("ip")) and not _is_address(address):
        yield _invalid(f"{at}.ip", address, "must be a valid IP address")
    if hostname := entry.get("hostname"):
        if _is_address(hostname):
            yield _invalid(f"{at}.hostname", hostname, "must be a DNS name, not an IP address")
        elif detail := subdomain_problem(hostname):
            yield _invalid(f"{at}.hostname", hostname, detail)


def _ip_mode_problems(entries: list[JsonObject]) -> Iterator[FieldProblem]:
    for index, entry in enumerate(entries):
        mode, field = entry.get("ipMode"), f"status.loadBalancer.ingress[{index}].ipMode"
        if mode is not None and not entry.get("ip"):
            detail = "may not be specified when `ip` is not set"
            yield FieldProblem(field=field, cause=Cause.FORBIDDEN, detail=detail)
        elif mode is not None and mode not in _IP_MODES:
            yield _unsupported(field, mode, _IP_MODES)


def _port_problems(spec: JsonObject) -> Iterator[FieldProblem]:
    ports = members_of(spec, "ports")
    if not ports and spec["type"] != "ExternalName" and spec.get("clusterIP") != HEADLESS:
        yield FieldProblem(field="spec.ports", cause=Cause.REQUIRED)
    names: set[str] = set()
    served: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        at = f"spec.ports[{index}]"
        yield from _one_port(at, port)
        name = port.get("name", "")
        if not name and len(ports) > 1:
            yield FieldProblem(field=f"{at}.name", cause=Cause.REQUIRED)
        elif name and not LABEL_RULE.fullmatch(name):
            yield _invalid(f"{at}.name", name, dns_label_problem(name))
        if name and name in names:
            yield FieldProblem(field=f"{at}.name", cause=Cause.DUPLICATE, value=name)
        names.add(name)
        pair = (port["protocol"], port.get("port") or 0)
        if pair in served:
            value = {"port": pair[1], "protocol": pair[0]}
            yield FieldProblem(field=at, cause=Cause.DUPLICATE, value=value)
        served.add(pair)


def _one_port(at: str, port: JsonObject) -> Iterator[FieldProblem]:
    between = f"must be between 1 and {_LAST_PORT}, inclusive"
    if not _is_port(port.get("port")):
        yield _invalid(f"{at}.port", port.get("port") or 0, between)
    if port["protocol"] not in _PROTOCOLS:
        yield _unsupported(f"{at}.protocol", port["protocol"], _PROTOCOLS)
    target = port.get("targetPort")
    if isinstance(target, int) and not _is_port(target):
        yield _invalid(f"{at}.targetPort", target, between)
    if isinstance(target, str) and not re.fullmatch(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?", target):
        detail = "must be a port name: at most 15 lower case letters, digits or '-', with a letter"
        yield _invalid(f"{at}.targetPort", target, detail)


def _node_port_problems(
    before: JsonObject | None, service: JsonObject, allocations: ServiceAllocations
) -> Iterator[FieldProblem]:
    spec = service["spec"]
    mine = set(node_ports_of(before)) if before else set()
    for index, port in enumerate(members_of(spec, "ports")):
        node_port, field = port.get("nodePort"), f"spec.ports[{index}].nodePort"
        if not node_port:
            continue
        if spec["type"] in ("ClusterIP", "ExternalName"):
            detail = f"may not be used when `type` is '{spec['type']}'"
            yield FieldProblem(field=field, cause=Cause.FORBIDDEN, detail=detail)
        elif not FIRST_NODE_PORT <= node_port <= LAST_NODE_PORT:
            detail = (
                "provided port is not in the valid range. "
                f"The range of valid ports is {FIRST_NODE_PORT}-{LAST_NODE_PORT}"
            )
            yield _invalid(field, node_port, detail)
        elif node_port not in mine and not allocations.is_free_port(node_port):
            yield _invalid(field, node_port, "provided port is already allocated")


def _address_problems(
    before: JsonObject | None, spec: JsonObject, allocations: ServiceAllocations
) -> Iterator[FieldProblem]:
    sent = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    old = (before["spec"].get("clusterIPs") or []) if before else []
    if sent and spec["type"] == "ExternalName":
        detail = "may not be set when `type` is 'ExternalName'"
        yield FieldProblem(field="spec.clusterIPs[0]", cause=Cause.FORBIDDEN, detail=detail)
    elif old and sent and sent[0] != old[0]:
        yield _invalid("spec.clusterIPs[0]", sent, "may not change once set")
    else:
        yield from _family_problems(spec, allocations)
        yield from _new_address_problems(spec, [each for each in sent if each not in old], allocations)


def _family_problems(spec: JsonObject, allocations: ServiceAllocations) -> Iterator[FieldProblem]:
    if spec.get("ipFamilyPolicy") == "RequireDualStack" and len(allocations.families) == 1:
        detail = "this cluster is not configured for dual-stack services"
        yield _invalid("spec.ipFamilyPolicy", "RequireDualStack", detail)


def _new_address_problems(
    spec: JsonObject, addresses: list[str], allocations: ServiceAllocations
) -> Iterator[FieldProblem]:
    if addresses[:1] == [HEADLESS]:
        if spec["type"] != "ClusterIP":
            detail = f"may not be set to 'None' for {spec['type']} services"
            yield _invalid("spec.clusterIPs[0]", HEADLESS, detail)
        return
    for index, address in enumerate(addresses):
        field = f"spec.clusterIPs[{index}]"
        if not _is_address(address):
            yield _invalid(field, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        elif not allocations.in_range(address):
            yield _invalid(field, address, "failed to allocate IP: the provided IP is not in the valid range")
        elif not allocations.is_free_address(address):
            yield _invalid(field, address, "failed to allocate IP: provided IP is already allocated")


def _policy_problems(spec: JsonObject) -> Iterator[FieldProblem]:
    for name, allowed in (
        ("internalTrafficPolicy", _POLICIES),
        ("externalTrafficPolicy", _POLICIES),
        ("sessionAffinity", ("ClientIP", "None")),
        ("ipFamilyPolicy", ("SingleStack", "PreferDualStack", "RequireDualStack")),
    ):
        if name in spec and spec[name] not in allowed:
            yield _unsupported(f"spec.{name}", spec[name], allowed)
    external = spec["type"] in ("NodePort", "LoadBalancer") or spec.get("externalIPs")
    if "externalTrafficPolicy" in spec and not external:
        detail = "may only be set for externally-accessible services"
        yield _invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], detail)


def _source_range_problems(service: JsonObject) -> Iterator[FieldProblem]:
    spec = service["spec"]
    ranges = spec.get("loadBalancerSourceRanges") or []
    if ranges:
        field = "spec.LoadBalancerSourceRanges"
        if spec["type"] != "LoadBalancer":
            yield FieldProblem(field=field, cause=Cause.FORBIDDEN, detail=_ONLY_LOAD_BALANCER)
        for index, text in enumerate(ranges):
            if detail := _cidr_problem(text.strip()):
                yield _invalid(f"{field}[{index}]", text, detail)
        return
    annotated = (metadata(service).get("annotations") or {}).get(SOURCE_RANGES_ANNOTATION)
    if annotated is None:
        return
    field = f"metadata.annotations[{SOURCE_RANGES_ANNOTATION}]"
    if spec["type"] != "LoadBalancer":
        yield FieldProblem(field=field, cause=Cause.FORBIDDEN, detail=_ONLY_LOAD_BALANCER)
    for text in filter(None, (text.strip() for text in annotated.split(","))):
        if detail := _cidr_problem(text):
            yield _invalid(field, annotated, detail)


def _class_problems(before: JsonObject | None, spec: JsonObject) -> Iterator[FieldProblem]:
    for name in ("loadBalancerClass", "allocateLoadBalancerNodePorts"):
        if spec.get(name) is not None and spec["type"] != "LoadBalancer":
            detail = _ONLY_LOAD_BALANCER
            yield FieldProblem(field=f"spec.{name}", cause=Cause.FORBIDDEN, detail=detail)
    if before is None or spec["type"] != "LoadBalancer" or before["spec"]["type"] != "LoadBalancer":
        return
    if spec.get("loadBalancerClass") != before["spec"].get("loadBalancerClass"):
        yield _invalid("spec.loadBalancerClass", spec.get("loadBalancerClass"), "may not change once set")


def _cidr_problem(text: str) -> str:
    """Return why a text is no CIDR; Kubernetes 1.36 refuses bits set beyond the prefix."""
    try:
        interface = ip_interface(text)
    except ValueError:
        return _NO_CIDR
    if "/" not in text:
        return _NO_CIDR
    if interface.ip == interface.network.network_address:
        return ""
    return f'must not have bits set beyond the prefix length (did you mean "{interface.network}"?)'


def _is_address(text: Any) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_port(value: Any) -> bool:
    return isinstance(value, int) and 1 <= value <= _LAST_PORT


def _invalid(field: str, value: object, detail: str) -> FieldProblem:
    return FieldProblem(field=field, cause=Cause.INVALID, value=value, detail=detail)


def _unsupported(field: str, value: object, allowed: tuple[str, ...]) -> FieldProblem:
    listed = ", ".join(f'"{each}"' for each in allowed)
    return FieldProblem(
        field=field, cause=Cause.NOT_SUPPORTED, value=value, detail=f"supported values: {listed}"
    )
