"""The AWS part of a recorded state, put into the embedded AWS: security groups, target groups and targets.

The recording has names instead of ids, and `<hash>`, `<pod>` and `<nodePort>` where runs differ. Here they
become ids of this run's world, hashes of this run's objects, its pods' addresses and its node ports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lbcontroller.build import names
from lbcontroller.local.cluster import LocalCluster
from tests.support.recorded_ids import NODE_PORT, POD, RecordedIds, changed_attributes, tag_list
from tests.support.recorded_load_balancers import RecordedLoadBalancers
from tests.support.recorded_owners import RecordedOwner

JsonObject = dict[str, Any]

_CREATED_WITH: Final = (
    "Protocol",
    "ProtocolVersion",
    "TargetType",
    "IpAddressType",
    "HealthCheckProtocol",
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "HealthCheckPath",
    "Matcher",
)


@dataclass(slots=True, kw_only=True)
class RecordedAws:
    """The AWS part, made with a client that no test counts."""

    owner: RecordedOwner
    state: JsonObject
    cluster: LocalCluster
    secrets: Mapping[str, str]
    """What OIDC clients prove themselves with, by their ids: AWS does not tell, so the recording cannot."""
    ids: RecordedIds = field(init=False)
    hostnames: Mapping[str, str] = field(init=False, default_factory=dict)
    """Of the load balancers, in lower case, by recorded name."""

    def __post_init__(self) -> None:
        self.ids = RecordedIds(self.cluster.world.names)

    def put(self) -> None:
        """Make groups, target groups, load balancers with listeners, targets and rules."""
        for name, group in self.state["security_groups"].items():
            if f"sg/{name}" not in self.ids:
                self._make_security_group(name, group)
        for name, group in self.state["target_groups"].items():
            self._make_target_group(name, group)
        self.hostnames = RecordedLoadBalancers(
            owner=self.owner, ids=self.ids, cluster=self.cluster, secrets=self.secrets
        ).put(self.state["load_balancers"])
        for name, group in self.state["target_groups"].items():
            self._register(name, group)
        for name, group in self.state["security_groups"].items():
            self._authorize(name, group["ingress"])

    @property
    def _elb(self) -> Any:
        return self.cluster.aws.client("elbv2")

    @property
    def _ec2(self) -> Any:
        return self.cluster.aws.client("ec2")

    def _make_security_group(self, name: str, group: JsonObject) -> None:
        made = self._ec2.create_security_group(
            GroupName=names.backend_security_group_name(self.cluster.world.world.cluster_name)
            if name.startswith("k8s-traffic-")
            else self.owner.security_group_name(name),
            Description=group["description"],
            VpcId=self.cluster.world.vpc_id,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": tag_list(group["tags"])}],
        )
        self.ids.enter(f"sg/{name}", made["GroupId"])

    def _make_target_group(self, name: str, group: JsonObject) -> None:
        backend = self.owner.backend(group)
        port, check = group["Port"], group["HealthCheckPort"]
        if backend is not None and port == NODE_PORT:
            port = backend.node_port()
        if backend is not None and check == NODE_PORT:
            check = str(backend.health_check_port())
        made = self._elb.create_target_group(
            Name=self.owner.target_group_name(group, port),
            VpcId=self.cluster.world.vpc_id,
            Port=port,
            HealthCheckPort=check,
            Tags=tag_list(group["tags"]),
            **{key: group[key] for key in _CREATED_WITH if key in group},
        )
        arn = self.ids.enter(f"tg/{name}", made["TargetGroups"][0]["TargetGroupArn"])
        present = self._elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        if changed := changed_attributes(group["attributes"], present):
            self._elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=changed)

    def _register(self, name: str, group: JsonObject) -> None:
        if described := list(self._targets(group)):
            self._elb.register_targets(TargetGroupArn=self.ids[f"tg/{name}"], Targets=described)

    def _targets(self, group: JsonObject) -> Iterable[JsonObject]:
        backend = self.owner.backend(group)
        pod_ips = iter(backend.pod_ips() if backend is not None else ())
        for target in group["targets"]:
            where, _, rest = target.rpartition(":")
            port, _, zone = rest.partition("@")
            number = backend.node_port() if backend is not None and port == NODE_PORT else int(port)
            address = next(pod_ips) if where == POD else self.ids.resolved(where)
            yield {"Id": address, "Port": number, **({"AvailabilityZone": zone} if zone else {})}

    def targets_of(self, target_group: str) -> Sequence[str]:
        """Return what is registered, as `id:port`."""
        health = self._elb.describe_target_health(TargetGroupArn=target_group)
        targets = (item["Target"] for item in health["TargetHealthDescriptions"])
        return [f"{target['Id']}:{target['Port']}" for target in targets]

    def _authorize(self, name: str, rules: Iterable[JsonObject]) -> None:
        permissions = [self._permission(rule) for rule in rules]
        if permissions:
            self._ec2.authorize_security_group_ingress(
                GroupId=self.ids[f"sg/{name}"], IpPermissions=permissions
            )

    def _permission(self, rule: JsonObject) -> JsonObject:
        ports: JsonObject = {key: rule[key] for key in ("FromPort", "ToPort") if key in rule}
        if NODE_PORT in ports.values():
            used = set(self._node_ports_used())
            ports = {"FromPort": min(used), "ToPort": max(used)}
        described = {"Description": rule["description"]} if rule["description"] else {}
        kind, key = _peer_kind(peer := rule["peer"])
        return {
            "IpProtocol": rule["IpProtocol"],
            **ports,
            kind: [{key: self.ids.resolved(peer), **described}],
        }

    def _node_ports_used(self) -> Iterable[int]:
        """Yield the node ports that are traffic or health check ports; LBC opens the range they span."""
        for group in self.state["target_groups"].values():
            backend = self.owner.backend(group)
            if backend is not None:
                yield backend.node_port()
            if backend is not None and group["HealthCheckPort"] == NODE_PORT:
                yield backend.health_check_port()


def _peer_kind(peer: str) -> tuple[str, str]:
    """Return the list of a permission that a peer belongs to, and its key there."""
    if peer.startswith("sg/"):
        return "UserIdGroupPairs", "GroupId"
    if peer.startswith("pl/"):
        return "PrefixListIds", "PrefixListId"
    return ("Ipv6Ranges", "CidrIpv6") if ":" in peer else ("IpRanges", "CidrIp")
