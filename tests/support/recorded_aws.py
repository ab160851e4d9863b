"""The AWS part of a recorded state, put into the embedded AWS.

The recording has names instead of ids, and `<hash>`, `<pod>` and `<nodePort>` where runs differ. Here they
become ids of this run's world, hashes of this run's Service, its pods' addresses and its node ports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lbcontroller.build import names
from lbcontroller.local.cluster import LocalCluster
from lbcontroller.model.enums import HealthCheckProtocol, Protocol, TargetType

Json = Any
JsonObject = dict[str, Any]

NODE_PORT: Final = "<nodePort>"
POD: Final = "<pod>"
_HEALTH_CHECK_PORT: Final = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-port"
_CREATED_WITH: Final = (
    "Protocol",
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


@dataclass(frozen=True, slots=True)
class ClusterNumbers:
    """Ports and addresses that the API server chose."""

    service: JsonObject
    cluster: LocalCluster

    def node_port(self, service_port: int) -> int:
        """Return the node port of a port of the Service."""
        return next(
            int(port["nodePort"]) for port in self.service["spec"]["ports"] if port["port"] == service_port
        )

    def health_check_port(self) -> int:
        """Return the node port that health checks of instances go to when it is not the traffic's."""
        asked = (self.service["metadata"].get("annotations") or {}).get(_HEALTH_CHECK_PORT)
        for port in self.service["spec"]["ports"]:
            if asked is not None and port.get("name") == asked:
                return int(port["nodePort"])
        return int(self.service["spec"]["healthCheckNodePort"])

    def pod_ips(self) -> list[str]:
        """Return the addresses of the Service's pods."""
        pods = self.cluster.kubernetes.list("pods", namespace=self.service["metadata"]["namespace"])
        return sorted(pod["status"]["podIP"] for pod in pods)


@dataclass(slots=True, kw_only=True)
class RecordedAws:
    """The AWS part, made with a client that no test counts."""

    service: JsonObject
    state: JsonObject
    cluster: LocalCluster
    numbers: ClusterNumbers
    ids: dict[str, str] = field(init=False)
    """Id or ARN by the name that the recording shows."""
    hostname: str = ""
    """Of the load balancer made last, in lower case."""

    def __post_init__(self) -> None:
        self.ids = {name: resource_id for resource_id, name in self.cluster.world.names.items()}

    def put(self) -> None:
        """Make groups, target groups, load balancers with listeners, targets and rules."""
        for name, group in self.state["security_groups"].items():
            if f"sg/{name}" not in self.ids:
                self._make_security_group(name, group)
        for name, group in self.state["target_groups"].items():
            self._make_target_group(name, group)
        for name, load_balancer in self.state["load_balancers"].items():
            self._make_load_balancer(name, load_balancer)
        for name, group in self.state["target_groups"].items():
            self._register(name, group["targets"])
        for name, group in self.state["security_groups"].items():
            self._authorize(name, group["ingress"])

    @property
    def _elb(self) -> Any:
        return self.cluster.aws.client("elbv2")

    @property
    def _ec2(self) -> Any:
        return self.cluster.aws.client("ec2")

    @property
    def _identity(self) -> tuple[str, str, str, str]:
        """Cluster, namespace and name of the Service, and its uid."""
        metadata = self.service["metadata"]
        cluster = self.cluster.world.world.cluster_name
        return cluster, metadata["namespace"], metadata["name"], metadata["uid"]

    def _make_security_group(self, name: str, group: JsonObject) -> None:
        cluster, namespace, service, uid = self._identity
        made = self._ec2.create_security_group(
            GroupName=names.backend_security_group_name(cluster)
            if name.startswith("k8s-traffic-")
            else _with_hash(name, cluster, service, namespace, uid),
            Description=group["description"],
            VpcId=self.cluster.world.vpc_id,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": _tags(group["tags"])}],
        )
        self.ids[f"sg/{name}"] = made["GroupId"]

    def _make_target_group(self, name: str, group: JsonObject) -> None:
        service_port = int(_resource(group).rpartition(":")[2])
        port = self.numbers.node_port(service_port) if group["Port"] == NODE_PORT else group["Port"]
        check = group["HealthCheckPort"]
        if check == NODE_PORT:
            check = str(self.numbers.health_check_port())
        made = self._elb.create_target_group(
            Name=self._target_group_name(group, port, service_port),
            VpcId=self.cluster.world.vpc_id,
            Port=port,
            HealthCheckPort=check,
            Tags=_tags(group["tags"]),
            **{key: group[key] for key in _CREATED_WITH if key in group},
        )
        arn = self.ids[f"tg/{name}"] = made["TargetGroups"][0]["TargetGroupArn"]
        present = self._elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        if changed := _changed(group["attributes"], present):
            self._elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=changed)

    def _target_group_name(self, group: JsonObject, port: int, service_port: int) -> str:
        cluster, namespace, service, uid = self._identity
        return names.target_group_name(
            names.TargetGroupNameParts(
                cluster=cluster,
                namespace=namespace,
                service=service,
                uid=uid,
                base_uid=None,
                port=port,
                service_port=service_port,
                target_type=TargetType(group["TargetType"]),
                protocol=Protocol(group["Protocol"]),
                health_check_protocol=HealthCheckProtocol(group["HealthCheckProtocol"]),
                health_check_interval=group["HealthCheckIntervalSeconds"],
            )
        )

    def _make_load_balancer(self, name: str, item: JsonObject) -> None:
        cluster, _, _, uid = self._identity
        made = self._elb.create_load_balancer(
            Name=_with_hash(name, cluster, uid, item["scheme"]),
            Type=item["type"],
            Scheme=item["scheme"],
            IpAddressType=item["ip_address_type"],
            SubnetMappings=[self._subnet_mapping(zone) for zone in item["zones"]],
            Tags=_tags(item["tags"]),
            **({"SecurityGroups": groups} if (groups := self.resolved(item["security_groups"])) else {}),
        )["LoadBalancers"][0]
        arn = self.ids[f"lb/{name}"] = made["LoadBalancerArn"]
        self.hostname = made["DNSName"].lower()
        present = self._elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        if changed := _changed(item["attributes"], present):
            self._elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=changed)
        for place, listener in item["listeners"].items():
            self._make_listener(arn, int(place.partition("/")[0]), listener)

    def _subnet_mapping(self, zone: JsonObject) -> JsonObject:
        mapping = {"SubnetId": self.ids[zone["SubnetId"]]}
        for address in zone["LoadBalancerAddresses"]:
            if "AllocationId" in address:
                mapping["AllocationId"] = self.ids[address["AllocationId"]]
            elif "PrivateIPv4Address" in address:
                mapping["PrivateIPv4Address"] = address["PrivateIPv4Address"]
        return mapping

    def _make_listener(self, load_balancer: str, port: int, listener: JsonObject) -> None:
        certificates = self.resolved(listener.get("certificates", {"default": [], "sni": []}))
        options: JsonObject = {key: listener[key] for key in ("SslPolicy", "AlpnPolicy") if key in listener}
        if certificates["default"]:
            options["Certificates"] = [{"CertificateArn": arn} for arn in certificates["default"]]
        made = self._elb.create_listener(
            LoadBalancerArn=load_balancer,
            Port=port,
            Protocol=listener["Protocol"],
            DefaultActions=self.resolved(listener["DefaultActions"]),
            Tags=_tags(listener["tags"]),
            **options,
        )
        arn = made["Listeners"][0]["ListenerArn"]
        for further in certificates["sni"]:
            self._elb.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": further}])
        present = self._elb.describe_listener_attributes(ListenerArn=arn)["Attributes"]
        if changed := _changed(listener["attributes"], present):
            self._elb.modify_listener_attributes(ListenerArn=arn, Attributes=changed)

    def _register(self, name: str, targets: Sequence[str]) -> None:
        service_port = int(_resource(self.state["target_groups"][name]).rpartition(":")[2])
        pod_ips = iter(self.numbers.pod_ips())
        described = []
        for target in targets:
            where, _, rest = target.partition(":")
            port, _, zone = rest.partition("@")
            number = self.numbers.node_port(service_port) if port == NODE_PORT else int(port)
            address = next(pod_ips) if where == POD else self.ids.get(where, where)
            described.append({"Id": address, "Port": number, **({"AvailabilityZone": zone} if zone else {})})
        if described:
            self._elb.register_targets(TargetGroupArn=self.ids[f"tg/{name}"], Targets=described)

    def targets_of(self, target_group: str) -> list[str]:
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
            used = self._node_ports_used
            ports = {"FromPort": min(used), "ToPort": max(used)}
        peer, described = rule["peer"], {"Description": rule["description"]} if rule["description"] else {}
        resolved = self.resolved(peer)
        kind, key = _peer_kind(peer)
        return {"IpProtocol": rule["IpProtocol"], **ports, kind: [{key: resolved, **described}]}

    @property
    def _node_ports_used(self) -> set[int]:
        """Return the node ports that are traffic or health check ports; LBC opens the range they span."""
        groups = self.state["target_groups"].values()
        used = {self.numbers.node_port(int(_resource(group).rpartition(":")[2])) for group in groups}
        if any(group["HealthCheckPort"] == NODE_PORT for group in groups):
            used.add(self.numbers.health_check_port())
        return used

    def resolved(self, document: Json) -> Json:
        """Return a document with ids where the recording has names."""
        if isinstance(document, dict):
            return {key: self.resolved(value) for key, value in document.items()}
        if isinstance(document, list):
            return [self.resolved(item) for item in document]
        return self.ids.get(document, document) if isinstance(document, str) else document


def _with_hash(name: str, *parts: str) -> str:
    return name.replace("<hash>", names.short_hash(*parts))


def _resource(item: JsonObject) -> str:
    """Return which resource of its stack something is, as its tags say."""
    return next(str(value) for key, value in item["tags"].items() if key.endswith("/resource"))


def _tags(tags: Mapping[str, str]) -> list[JsonObject]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _changed(wanted: Mapping[str, str], present: Iterable[Mapping[str, str]]) -> list[JsonObject]:
    """Return the attributes that are not as wanted yet."""
    values = {item["Key"]: item["Value"] for item in present}
    return [{"Key": key, "Value": value} for key, value in wanted.items() if values.get(key) != value]


def _peer_kind(peer: str) -> tuple[str, str]:
    """Return the list of a permission that a peer belongs to, and its key there."""
    if peer.startswith("sg/"):
        return "UserIdGroupPairs", "GroupId"
    if peer.startswith("pl/"):
        return "PrefixListIds", "PrefixListId"
    return ("Ipv6Ranges", "CidrIpv6") if ":" in peer else ("IpRanges", "CidrIp")
