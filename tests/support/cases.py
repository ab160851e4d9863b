"""Golden cases: a folder with manifests and facts, and what is built of them.

    case.yaml       sentence: what the case shows; covers: suffixes of annotations it shows; flags: settings
    cluster.yaml    manifests; the first Service is the one that is built
    inventory.yaml  optional: what differs from `tests.support.inventories`
    stack.json      the desired resources
    findings.json   what the owner is told; absent when there is nothing to tell
    problems.json   instead of a stack: what the owner must mend

Manifests are completed as an API server would: namespace `shop`, a UID made of the name, type LoadBalancer
with our class, node ports 30000 + port, protocol TCP, targetPort as port, one IPv4 address family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from lbcontroller.annotations.claims import Claimed, IncompleteClaim, NotOurs
from lbcontroller.build.service import build_service_stack, claim
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.enums import Protocol, Scheme
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import SecurityGroupId, SubnetId
from lbcontroller.model.inventory import ExistingLoadBalancer, Inventory, SecurityGroupFact, Subnet, ZoneType
from lbcontroller.model.stack_json import listed, stack_json
from lbcontroller.settings import Settings
from tests.support.inventories import CERTIFICATES, CLUSTER, an_inventory, certificate_facts
from tests.support.rendering import as_text

OUTPUTS = ("stack.json", "findings.json", "problems.json")
_CLASS = "service.k8s.aws/nlb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One folder, read."""

    folder: Path
    sentence: str
    covers: frozenset[str]
    service: Service
    snapshot: Snapshot
    inventory: Inventory
    settings: Settings

    @property
    def golden(self) -> Mapping[str, str]:
        """The expected files by name."""
        return {
            path.name: path.read_text("utf-8") for name in OUTPUTS if (path := self.folder / name).exists()
        }


def read_case(folder: Path) -> Case:
    """Read the inputs of a case."""
    head = _yaml(folder / "case.yaml")
    manifests = list(yaml.safe_load_all((folder / "cluster.yaml").read_text("utf-8")))
    services = [Service.from_object(completed_service(manifest)) for manifest in manifests]
    facts = folder / "inventory.yaml"
    return Case(
        folder=folder,
        sentence=head["sentence"],
        covers=frozenset(head.get("covers", ())),
        service=services[0],
        snapshot=Snapshot(services={service.meta.name: service for service in services}),
        inventory=inventory_with(_yaml(facts) if facts.exists() else {}),
        settings=Settings.parse({"cluster-name": CLUSTER} | head.get("flags", {})),
    )


def build_case(case: Case) -> Mapping[str, str]:
    """Return the files that the present code makes of a case."""
    outputs: dict[str, Any] = {}
    match claim(case.service, case.settings):
        case IncompleteClaim(finding):
            outputs["findings.json"] = listed([finding])
        case NotOurs():
            outputs["stack.json"] = {}
        case Claimed():
            try:
                built = build_service_stack(case.service, case.snapshot, case.inventory, case.settings)
            except InvalidConfig as error:
                outputs["problems.json"] = [str(problem) for problem in error.problems]
            else:
                outputs["stack.json"] = stack_json(built.stack)
                if built.findings:
                    outputs["findings.json"] = listed(built.findings)
    return {name: as_text(data) for name, data in outputs.items()}


def _yaml(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return content


def completed_service(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a Service with what an API server adds."""
    meta, spec = manifest["metadata"], manifest["spec"]
    balanced = spec.get("type", "LoadBalancer") == "LoadBalancer"
    claimed = any(key.endswith("/aws-load-balancer-type") for key in meta.get("annotations", {}))
    return {
        "metadata": {"namespace": "shop", "uid": f"uid-of-{meta['name']}", "generation": 1} | meta,
        "spec": {"type": "LoadBalancer", "ipFamilies": ["IPv4"]}
        | ({"loadBalancerClass": _CLASS} if balanced and not claimed else {})
        | spec
        | {"ports": [_completed_port(port, spec) for port in spec["ports"]]},
    }


def _completed_port(port: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    node_ports = spec.get("type") != "ClusterIP" and spec.get("allocateLoadBalancerNodePorts") is not False
    return {
        "protocol": "TCP",
        "targetPort": port["port"],
        "nodePort": 30000 + port["port"] % 2768 if node_ports else 0,
    } | dict(port)


def inventory_with(facts: Mapping[str, Any]) -> Inventory:
    """Return the plausible account with what differs from it."""
    inventory = an_inventory()
    if existing := facts.get("existing"):
        subnets = existing.get("subnets", ["subnet-private-a", "subnet-private-b", "subnet-private-c"])
        inventory = replace(
            inventory,
            existing=ExistingLoadBalancer(
                scheme=Scheme(existing.get("scheme", "internal")),
                subnets=tuple(map(SubnetId, subnets)),
                has_security_groups=existing.get("has_security_groups", True),
                listeners={
                    port: Protocol(protocol) for port, protocol in existing.get("listeners", {}).items()
                },
            ),
        )
    if changed := facts.get("subnets"):
        subnets_of = dict(inventory.subnets)
        for id_, fields in changed.items():
            subnets_of[SubnetId(id_)] = _subnet(subnets_of[SubnetId(id_)], fields)
        inventory = replace(inventory, subnets=subnets_of)
    if more := facts.get("security_groups"):
        groups = {
            SecurityGroupId(id_): SecurityGroupFact(id=SecurityGroupId(id_), name="", tags={}) for id_ in more
        }
        inventory = replace(inventory, security_groups={**inventory.security_groups, **groups})
    if certificates := facts.get("more_certificates"):
        inventory = replace(inventory, certificates=certificate_facts((*CERTIFICATES, *certificates)))
    if facts.get("certificates") == "unknown":
        inventory = replace(inventory, certificates=UNKNOWN)
    return inventory


def _subnet(subnet: Subnet, fields: Mapping[str, Any]) -> Subnet:
    """Return a subnet with other facts; tags are added to those it has, and a tag of null goes."""
    tags = {**subnet.tags, **fields.get("tags", {})}
    return replace(
        subnet,
        ipv6_cidrs=tuple(fields.get("ipv6_cidrs", subnet.ipv6_cidrs)),
        free_addresses=fields.get("free_addresses", subnet.free_addresses),
        zone_type=ZoneType(fields.get("zone_type", subnet.zone_type)),
        tags={key: value for key, value in tags.items() if value is not None},
    )
