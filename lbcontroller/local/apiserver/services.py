"""What the API server does to a Service on its way in: carry over, default, allocate, validate."""

from __future__ import annotations

from lbcontroller.local.apiserver.allocation import HEADLESS, ServiceAllocations, ip_family
from lbcontroller.local.apiserver.objects import JsonObject, members_of
from lbcontroller.local.apiserver.service_rules import problems_in
from lbcontroller.local.apiserver.status import Cause, FieldProblem

_EXTERNAL = frozenset({"NodePort", "LoadBalancer"})
_CLIENT_AFFINITY_SECONDS = 10800


def prepare(
    before: JsonObject | None, service: JsonObject, allocations: ServiceAllocations
) -> list[FieldProblem]:
    """Complete a Service in place, as the API server does, and return what is wrong with it.

    Args:
        before: the Service as stored; None when it is being created.
        service: the Service as sent; filled with defaults, carried-over and newly allocated values.
        allocations: the cluster IPs and node ports that are taken.
    """
    spec = service.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    old = before["spec"] if before else None
    if old is not None:
        _carry_over(old, spec)
        _drop_what_the_type_left_behind(old, spec)
        if spec["type"] != "LoadBalancer" and old["type"] == "LoadBalancer":
            service["status"] = {"loadBalancer": {}}
    _default(spec)
    service.setdefault("status", {}).setdefault("loadBalancer", {})
    problems = problems_in(before, service, allocations)
    if problems:
        return problems
    problems = _assign_addresses(spec, allocations)
    _assign_node_ports(spec, allocations)
    return problems


def complete_status(service: JsonObject, *, stores_ip_mode: bool) -> None:
    """Complete the status of a Service in place, as the API server does.

    Args:
        service: the Service with the status as sent.
        stores_ip_mode: False for an API server before Kubernetes 1.30, which drops `ipMode`.
    """
    for entry in members_of(service, "status", "loadBalancer", "ingress"):
        if not stores_ip_mode:
            entry.pop("ipMode", None)
        elif entry.get("ip"):
            entry.setdefault("ipMode", "VIP")


def wants_address(spec: JsonObject) -> bool:
    """Whether a Service of this type has a cluster IP (or asks to have none)."""
    return bool(spec["type"] != "ExternalName")


def wants_node_ports(spec: JsonObject) -> bool:
    """Whether a Service of this type may have node ports."""
    return spec["type"] in _EXTERNAL


def wants_health_check_port(spec: JsonObject) -> bool:
    """Whether load balancers of this Service ask nodes for local endpoints."""
    return bool(spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local")


def _carry_over(old: JsonObject, spec: JsonObject) -> None:
    """Keep allocated values that the writer left out: a client that applies a manifest never sends them."""
    if wants_address(old) and wants_address(spec):
        if not spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIP"] = old.get("clusterIP")
            spec["clusterIPs"] = list(old.get("clusterIPs") or ())
        for name in ("ipFamilies", "ipFamilyPolicy"):
            if name not in spec and name in old:
                spec[name] = old[name]
    if wants_node_ports(old) and wants_node_ports(spec):
        taken = {port["nodePort"] for port in members_of(spec, "ports") if port.get("nodePort")}
        earlier = {port.get("name", ""): port.get("nodePort") for port in members_of(old, "ports")}
        for port in members_of(spec, "ports"):
            kept = earlier.get(port.get("name", ""))
            if not port.get("nodePort") and kept and kept not in taken:
                port["nodePort"] = kept
    if wants_health_check_port(old) and wants_health_check_port(spec):
        spec.setdefault("healthCheckNodePort", old.get("healthCheckNodePort"))


def _drop_what_the_type_left_behind(old: JsonObject, spec: JsonObject) -> None:
    """Remove values that belong to the former type, if the writer left them as they were."""
    if wants_address(old) and not wants_address(spec):
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            _drop_unchanged(old, spec, name)
    if wants_node_ports(old) and not wants_node_ports(spec):
        earlier = {(port.get("name"), port.get("nodePort")) for port in members_of(old, "ports")}
        for port in members_of(spec, "ports"):
            if (port.get("name"), port.get("nodePort")) in earlier:
                port.pop("nodePort", None)
        if not spec.get("externalIPs"):
            _drop_unchanged(old, spec, "externalTrafficPolicy")
    if wants_health_check_port(old) and not wants_health_check_port(spec):
        _drop_unchanged(old, spec, "healthCheckNodePort")
    if old["type"] == "LoadBalancer" and spec["type"] != "LoadBalancer":
        _drop_unchanged(old, spec, "allocateLoadBalancerNodePorts")
        _drop_unchanged(old, spec, "loadBalancerClass")


def _drop_unchanged(old: JsonObject, spec: JsonObject, name: str) -> None:
    if spec.get(name) == old.get(name):
        spec.pop(name, None)


def _default(spec: JsonObject) -> None:
    spec.setdefault("sessionAffinity", "None")
    if spec["sessionAffinity"] == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", _CLIENT_AFFINITY_SECONDS)
    for port in members_of(spec, "ports"):
        port.setdefault("protocol", "TCP")
        if "port" in port:
            port.setdefault("targetPort", port["port"])
    if wants_address(spec):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if wants_node_ports(spec) or spec.get("externalIPs"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _assign_addresses(spec: JsonObject, allocations: ServiceAllocations) -> list[FieldProblem]:
    if not wants_address(spec):
        return []
    addresses = list(spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else []))
    families = _families(spec, addresses, allocations)
    unknown = [family for family in families if family not in allocations.families]
    if unknown and addresses[:1] != [HEADLESS]:
        detail = "not configured on this cluster"
        return [
            FieldProblem(field="spec.ipFamilies[0]", cause=Cause.INVALID, value=unknown[0], detail=detail)
        ]
    if addresses[:1] != [HEADLESS]:
        addresses = addresses[: len(families)]
        addresses += [allocations.next_address(family) for family in families[len(addresses) :]]
    spec["clusterIP"], spec["clusterIPs"], spec["ipFamilies"] = addresses[0], addresses, families
    return []


def _families(spec: JsonObject, addresses: list[str], allocations: ServiceAllocations) -> list[str]:
    """Return the IP families by what the Service asks for: its families, its addresses, its policy."""
    families = list(spec.get("ipFamilies") or [])
    families += [ip_family(each) for each in addresses[len(families) :] if each != HEADLESS]
    policy = spec.setdefault("ipFamilyPolicy", "RequireDualStack" if len(families) > 1 else "SingleStack")
    if not families:
        families.append(allocations.families[0])
    if policy == "SingleStack":
        return families[:1]
    return families + [family for family in allocations.families if family not in families]


def _assign_node_ports(spec: JsonObject, allocations: ServiceAllocations) -> None:
    if not wants_node_ports(spec):
        return
    ports = members_of(spec, "ports")
    taken = {port["nodePort"] for port in ports if port.get("nodePort")}
    if spec["type"] == "NodePort" or spec.get("allocateLoadBalancerNodePorts"):
        for port in ports:
            if not port.get("nodePort"):
                port["nodePort"] = _twin(port, ports) or allocations.next_port(taken)
                taken.add(port["nodePort"])
    if wants_health_check_port(spec) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = allocations.next_port(taken)


def _twin(port: JsonObject, ports: list[JsonObject]) -> int | None:
    """Return the node port of the same port in another protocol: the two share it."""
    return next(
        (
            other["nodePort"]
            for other in ports
            if other is not port
            and other["port"] == port["port"]
            and other["protocol"] != port["protocol"]
            and other.get("nodePort")
        ),
        None,
    )
