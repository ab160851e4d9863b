"""An account a cluster could live in: VPC, subnets, nodes with pod addresses, certificates and the rest.

The same world every time, ids included: discovery sorts subnets and certificates by id, so results depend on
them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from lbcontroller.local.aws.server import LocalAws

if TYPE_CHECKING:
    from lbcontroller.local.aws.account import Snapshot

ID_SEED: Final = 422
"""Gives subnets, certificates and addresses ids in the order that they had when the conformance cases were
recorded: where a manifest names none, the first ones are taken."""
_ZONES: Final = "abc"
_VPC_CIDR: Final = "10.0.0.0/16"
_DOMAINS: Final = ("www.example.com", "*.apps.example.com", "api.example.com")
_ELASTIC_IPS: Final = ("127.176.59.229", "127.214.15.184", "127.159.177.73")
"""One for each zone, those that the recorded conformance cases were given."""
_FIRST_PRIVATE_NET: Final = 10
"""Third octet of the first private subnet: public-a/b/c are 10.0.0-2.0/24, private-a/b/c 10.0.10-12.0/24."""
_FIRST_NODE_HOST: Final = 10
_FIRST_POD_HOST: Final = 40
_POD_HOSTS_PER_NODE: Final = 70
MAX_NODES: Final = 9
"""Three per private subnet: pod addresses of a fourth would not fit into its /24."""
MAX_PODS_PER_NODE: Final = 70
_IMAGE: Final = "ami-0123456789abcdef0"
"""Never looked at."""
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What to seed.

    Attributes:
        cluster_name: The cluster that subnets and the node security group are tagged for.
        nodes: Number of nodes, spread over the private subnets; at most `MAX_NODES`.
        pods_per_node: Secondary addresses per node; at most `MAX_PODS_PER_NODE`.
    """

    cluster_name: str = "yard"
    nodes: int = 3
    pods_per_node: int = 60

    def __post_init__(self) -> None:
        if not 0 <= self.nodes <= MAX_NODES or not 0 <= self.pods_per_node <= MAX_PODS_PER_NODE:
            raise ValueError(
                f"a world has up to {MAX_NODES} nodes with up to {MAX_PODS_PER_NODE} pods each, "
                f"not {self.nodes} with {self.pods_per_node}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededNode:
    """An EC2 instance in a private subnet."""

    name: str
    instance_id: str
    zone: str
    """Full zone name, for example `us-west-2a`."""
    ip: str
    network_interface_id: str
    pod_ips: Sequence[str]
    """Secondary addresses of its network interface, for pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededWorld:
    """A seeded account and the ids of what is in it."""

    aws: LocalAws
    world: World
    vpc_id: str
    nodes: Sequence[SeededNode]
    ids: Mapping[str, str]
    """Id or ARN by placeholder: `vpc`, `subnet.public-a`, `sg.nodes`, `eip.a`, `cert.www.example.com`."""
    names: Mapping[str, str] = field(repr=False)
    """Readable name by id or ARN: `vpc/main`, `subnet/public-a`, `cert/www.example.com`, `node-0`."""

    def fill(self, text: str) -> str:
        """Replace `${subnet.public-a}` and the like by ids.

        Raises:
            KeyError: A placeholder names nothing in this world.
        """
        return _PLACEHOLDER.sub(lambda found: self.ids[found[1]], text)


_MADE: Final[dict[tuple[str, World], tuple[SeededWorld, Snapshot]]] = {}
"""Worlds by region and wish, as they were made first: a copy takes a tenth of the time."""


def seed(aws: LocalAws, world: World | None = None) -> SeededWorld:
    """Empty the account and make the world in it."""
    key = (aws.region, world or World())
    if key in _MADE:
        made, snapshot = _MADE[key]
        aws.restore(snapshot)
        return replace(made, aws=aws)
    aws.reset()
    aws.seed_ids(ID_SEED)
    made = _Seeding(aws, key[1]).run()
    _MADE[key] = (made, aws.snapshot())
    return made


class _Seeding:
    """Makes the resources of a world in a fixed order, which decides their ids."""

    def __init__(self, aws: LocalAws, world: World) -> None:
        self._aws = aws
        self._world = world
        self._ec2 = aws.client("ec2")
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def run(self) -> SeededWorld:
        """Make everything."""
        vpc = self._make_vpc()
        self._make_subnets(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
        gateway = self._ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self._ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self._ids["vpc"])
        owned = {f"kubernetes.io/cluster/{self._world.cluster_name}": "owned"}
        self._make_security_group("nodes", "nodes", tags={**owned, "Name": "nodes"})
        self._make_security_group("custom-front", "custom", tags={"Name": "custom-front"})
        nodes = self._make_nodes()
        self._make_addresses()
        self._make_certificates()
        self._make_prefix_list()
        self._make_web_acl()
        return SeededWorld(
            aws=self._aws,
            world=self._world,
            vpc_id=self._ids["vpc"],
            nodes=nodes,
            ids=self._ids,
            names=self._names,
        )

    def _enter(self, placeholder: str, name: str, resource_id: str) -> None:
        self._ids[placeholder] = resource_id
        self._names[resource_id] = name

    def _make_vpc(self) -> dict[str, Any]:
        vpc: dict[str, Any] = self._ec2.create_vpc(
            CidrBlock=_VPC_CIDR,
            AmazonProvidedIpv6CidrBlock=True,
            TagSpecifications=_tagged("vpc", {"Name": "main"}),
        )["Vpc"]
        self._enter("vpc", "vpc/main", vpc["VpcId"])
        return vpc

    def _make_subnets(self, vpc_ipv6_cidr: str) -> None:
        blocks = list(ipaddress.IPv6Network(vpc_ipv6_cidr).subnets(new_prefix=64))
        for kind, first_net, role in (("public", 0, "elb"), ("private", _FIRST_PRIVATE_NET, "internal-elb")):
            for position, zone in enumerate(_ZONES):
                net = first_net + position
                tags = {
                    "Name": f"{kind}-{zone}",
                    f"kubernetes.io/role/{role}": "1",
                    f"kubernetes.io/cluster/{self._world.cluster_name}": "shared",
                }
                subnet = self._ec2.create_subnet(
                    VpcId=self._ids["vpc"],
                    CidrBlock=f"10.0.{net}.0/24",
                    Ipv6CidrBlock=str(blocks[net]),
                    AvailabilityZone=f"{self._aws.region}{zone}",
                    TagSpecifications=_tagged("subnet", tags),
                )["Subnet"]
                self._enter(f"subnet.{kind}-{zone}", f"subnet/{kind}-{zone}", subnet["SubnetId"])

    def _make_security_group(self, name: str, description: str, *, tags: Mapping[str, str]) -> None:
        group = self._ec2.create_security_group(
            GroupName=name,
            Description=description,
            VpcId=self._ids["vpc"],
            TagSpecifications=_tagged("security-group", tags),
        )
        self._enter(f"sg.{name}", f"sg/{name}", group["GroupId"])

    def _make_nodes(self) -> list[SeededNode]:
        return [self._make_node(number) for number in range(self._world.nodes)]

    def _make_node(self, number: int) -> SeededNode:
        round_, position = divmod(number, len(_ZONES))
        zone, net = _ZONES[position], f"10.0.{_FIRST_PRIVATE_NET + position}"
        ip = f"{net}.{_FIRST_NODE_HOST + round_}"
        launched = self._ec2.run_instances(
            ImageId=_IMAGE,
            MinCount=1,
            MaxCount=1,
            InstanceType="m5.large",
            SubnetId=self._ids[f"subnet.private-{zone}"],
            PrivateIpAddress=ip,
            SecurityGroupIds=[self._ids["sg.nodes"]],
        )["Instances"][0]
        interface = launched["NetworkInterfaces"][0]["NetworkInterfaceId"]
        first_host = _FIRST_POD_HOST + round_ * _POD_HOSTS_PER_NODE
        pod_ips = [f"{net}.{first_host + pod}" for pod in range(self._world.pods_per_node)]
        if pod_ips:
            self._ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, PrivateIpAddresses=pod_ips)
        name = f"node-{number}"
        self._names[launched["InstanceId"]] = name
        return SeededNode(
            name=name,
            instance_id=launched["InstanceId"],
            zone=f"{self._aws.region}{zone}",
            ip=ip,
            network_interface_id=interface,
            pod_ips=pod_ips,
        )

    def _make_addresses(self) -> None:
        for zone, address in zip(_ZONES, _ELASTIC_IPS, strict=True):
            allocated = self._ec2.allocate_address(Domain="vpc", Address=address)
            self._enter(f"eip.{zone}", f"eip/{zone}", allocated["AllocationId"])

    def _make_certificates(self) -> None:
        acm = self._aws.client("acm")
        for domain in _DOMAINS:
            requested = acm.request_certificate(DomainName=domain, ValidationMethod="DNS")
            self._enter(f"cert.{domain}", f"cert/{domain}", requested["CertificateArn"])
        self._aws.issue_certificates()

    def _make_prefix_list(self) -> None:
        made = self._ec2.create_managed_prefix_list(
            PrefixListName="office", AddressFamily="IPv4", MaxEntries=5, Entries=[{"Cidr": "203.0.113.0/24"}]
        )
        self._enter("pl.office", "pl/office", made["PrefixList"]["PrefixListId"])

    def _make_web_acl(self) -> None:
        visibility = {
            "SampledRequestsEnabled": False,
            "CloudWatchMetricsEnabled": False,
            "MetricName": "site",
        }
        made = self._aws.client("wafv2").create_web_acl(
            Name="site", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility
        )
        self._enter("waf.site", "waf/site", made["Summary"]["ARN"])


def _tagged(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
