"""The facts of one plausible account: three zones, each with a public and a private subnet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lbcontroller.model.ids import CertificateArn, SecurityGroupId, SubnetId, VpcId
from lbcontroller.model.inventory import CertificateFact, Inventory, SecurityGroupFact, Subnet, ZoneType

REGION = "us-west-2"
CLUSTER = "yard"
BACKEND_GROUP = SecurityGroupId("sg-backend")
CERTIFICATES = ("www", "api")


def certificate_arn(name: str) -> CertificateArn:
    """Return the ARN of one of the account's certificates."""
    return CertificateArn(f"arn:aws:acm:{REGION}:123456789012:certificate/{name}")


def certificate_facts(names: Iterable[str]) -> Mapping[CertificateArn, CertificateFact]:
    """Return certificates of the account, each for the domain `<name>.example.com`."""
    return {
        certificate_arn(name): CertificateFact(
            arn=certificate_arn(name), domains=frozenset({f"{name}.example.com"})
        )
        for name in names
    }


def a_subnet(kind: str, zone: str) -> Subnet:
    """Return the `public` or `private` subnet of zone `a`, `b` or `c`, tagged for discovery."""
    index = "abc".index(zone)
    public = kind == "public"
    return Subnet(
        id=SubnetId(f"subnet-{kind}-{zone}"),
        zone=f"{REGION}{zone}",
        zone_type=ZoneType.AVAILABILITY_ZONE,
        cidr=f"10.0.{index + (0 if public else 10)}.0/24",
        ipv6_cidrs=(f"2600:1f14:0:{'0' if public else '1'}{index}::/64",),
        free_addresses=200,
        tags={
            "Name": f"{kind}-{zone}",
            f"kubernetes.io/cluster/{CLUSTER}": "shared",
            f"kubernetes.io/role/{'elb' if public else 'internal-elb'}": "1",
        },
        public=public,
    )


def an_inventory() -> Inventory:
    """Return the facts for a Service that has nothing in AWS yet."""
    subnets = [a_subnet(kind, zone) for kind in ("public", "private") for zone in "abc"]
    groups = [
        SecurityGroupFact(id=SecurityGroupId(f"sg-{name}"), name=name, tags={"Name": name})
        for name in ("nodes", "front", "partners")
    ]
    return Inventory(
        vpc_id=VpcId("vpc-main"),
        vpc_cidrs=("10.0.0.0/16",),
        vpc_ipv6_cidrs=("2600:1f14::/56",),
        subnets={subnet.id: subnet for subnet in subnets},
        security_groups={group.id: group for group in groups},
        backend_security_group=BACKEND_GROUP,
        certificates=certificate_facts(CERTIFICATES),
    )
