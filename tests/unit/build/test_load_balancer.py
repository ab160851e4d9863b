from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.build.load_balancer import LoadBalancerParts, build_load_balancer
from lbcontroller.config.load_balancer import (
    GivenSecurityGroups,
    ManagedSecurityGroup,
    NamedSubnets,
    NoSecurityGroups,
    StaticAddresses,
)
from lbcontroller.errors import NotReady
from lbcontroller.model.enums import IpAddressType, LoadBalancerType, OnOff, Scheme
from lbcontroller.model.fields import RESET, UNMANAGED
from lbcontroller.model.findings import FindingReason, Severity
from lbcontroller.model.ids import SubnetId
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import LoadBalancer
from lbcontroller.model.subnet_mappings import SubnetMapping
from tests.support.inventories import BACKEND_GROUP
from tests.support.load_balancer_builds import (
    GROUPS,
    SUBNETS,
    a_config,
    a_context,
    an_existing,
    facts,
    inbound,
    problems_of,
)

NO_GROUPS = NoSecurityGroups(field="example.org/disable-security-groups")


def build(
    *, inventory: Inventory | None = None, flags: dict[str, str] | None = None, **changes: Any
) -> LoadBalancerParts:
    return build_load_balancer(a_config(**changes), a_context(inventory=inventory, flags=flags))


def test_what_nobody_asks_for_is_not_managed() -> None:
    parts = build()

    assert parts.load_balancer == LoadBalancer(
        id=ResourceId(Kind.LOAD_BALANCER, "LoadBalancer"),
        name=a_context().names.load_balancer(Scheme.INTERNAL),
        type=LoadBalancerType.NETWORK,
        scheme=Scheme.INTERNAL,
        ip_address_type=IpAddressType.IPV4,
        subnets=tuple(SubnetMapping(subnet=SubnetId(f"subnet-private-{zone}")) for zone in "abc"),
        security_groups=(Ref(ResourceId(Kind.SECURITY_GROUP, "ManagedLBSecurityGroup")), BACKEND_GROUP),
        source_nat_prefix=RESET,
        private_link_inbound_rules=UNMANAGED,
        attributes={},
        capacity_units=UNMANAGED,
        tags={
            "elbv2.k8s.aws/cluster": "yard",
            "service.k8s.aws/resource": "LoadBalancer",
            "service.k8s.aws/stack": "shop/web",
        },
    )
    assert parts.findings == ()


def test_what_the_user_asks_for_is_managed() -> None:
    load_balancer = build(
        name="front-door",
        ip_address_type=IpAddressType.DUALSTACK,
        source_nat_prefix=OnOff.OFF,
        private_link_inbound_rules=OnOff.OFF,
        attributes={"zonal_shift.config.enabled": "true", "access_logs.s3.prefix": ""},
        capacity_units=0,
        tags={"team": "shop"},
    ).load_balancer

    assert load_balancer.name == "front-door"
    assert load_balancer.ip_address_type is IpAddressType.DUALSTACK
    assert load_balancer.source_nat_prefix is OnOff.OFF
    assert load_balancer.private_link_inbound_rules is OnOff.OFF
    assert load_balancer.attributes == {"access_logs.s3.prefix": "", "zonal_shift.config.enabled": "true"}
    assert load_balancer.capacity_units == 0
    assert isinstance(load_balancer.tags, dict)
    assert load_balancer.tags["team"] == "shop"


def test_attributes_are_ordered_by_key() -> None:
    attributes = build(attributes={"z.z": "1", "a.a": "2"}).load_balancer.attributes

    assert isinstance(attributes, dict)
    assert list(attributes) == ["a.a", "z.z"]


def test_the_other_parts_of_the_stack_learn_what_they_need() -> None:
    parts = build(subnets=NamedSubnets(names=("private-b", "private-a"), field=SUBNETS))

    assert [subnet.cidr for subnet in parts.subnets] == ["10.0.11.0/24", "10.0.10.0/24"]
    assert parts.scheme is Scheme.INTERNAL
    assert parts.backend_source == BACKEND_GROUP
    assert parts.security_group is not None


# Scheme


def test_the_scheme_asked_for_counts_most() -> None:
    parts = build(
        scheme=Scheme.INTERNET_FACING,
        inventory=facts(existing=an_existing()),
        flags={"default-load-balancer-scheme": "internal"},
    )

    assert parts.scheme is parts.load_balancer.scheme is Scheme.INTERNET_FACING


def test_a_load_balancer_keeps_its_scheme_and_its_subnets_unless_asked() -> None:
    existing = an_existing(scheme=Scheme.INTERNET_FACING, subnets=(SubnetId("subnet-public-b"),))

    parts = build(inventory=facts(existing=existing))

    assert parts.scheme is Scheme.INTERNET_FACING
    assert parts.load_balancer.subnets == (SubnetMapping(subnet=SubnetId("subnet-public-b")),)


@pytest.mark.parametrize("scheme", Scheme)
def test_a_new_load_balancer_has_the_scheme_of_the_flag(scheme: Scheme) -> None:
    assert build(flags={"default-load-balancer-scheme": scheme}).scheme is scheme


def test_a_generated_name_follows_the_scheme() -> None:
    names = {build(scheme=scheme).load_balancer.name for scheme in Scheme}

    assert len(names) == 2


# Problems


@pytest.mark.parametrize("name", ["n" * 33, "", "-front", "front-", "front_door", "internal-front"])
def test_a_name_that_aws_does_not_take_is_a_problem(name: str) -> None:
    (problem,) = problems_of(lambda: build(name=name))

    assert problem.startswith("example.org/name: ")
    assert problem.endswith(
        "must be 1 to 32 letters, digits and hyphens, with no hyphen at either end and not beginning with "
        "internal-"
    )


def test_an_attribute_of_another_type_is_a_problem() -> None:
    assert problems_of(lambda: build(attributes={"idle_timeout.timeout_seconds": "60"})) == [
        (
            "example.org/attributes: 'idle_timeout.timeout_seconds=60': only application load balancers "
            "have the attribute idle_timeout.timeout_seconds, and this one is network"
        )
    ]


def test_an_application_load_balancer_does_not_have_those_of_a_network_load_balancer() -> None:
    policy = {"dns_record.client_routing_policy": "any_availability_zone"}

    assert problems_of(lambda: build(type=LoadBalancerType.APPLICATION, attributes=policy)) == [
        (
            "example.org/attributes: 'dns_record.client_routing_policy=any_availability_zone': "
            "only network load balancers have the attribute dns_record.client_routing_policy, "
            "and this one is application"
        )
    ]


def test_the_problems_of_all_parts_are_told_at_once_and_once() -> None:
    problems = problems_of(
        lambda: build(
            name="-",
            attributes={"waf.fail_open.enabled": "true"},
            tags={"cost": "42"},
            flags={"external-managed-tags": "cost"},
            addresses=StaticAddresses(allocations=("eipalloc-1",)),
            security_groups=ManagedSecurityGroup(inbound=(inbound(cidrs=("office",)),)),
        )
    )

    assert [problem.partition(":")[0] for problem in problems] == [
        "example.org/name",
        "example.org/attributes",
        "example.org/tags",
        "example.org/eip-allocations",
        "example.org/source-ranges",
    ]


def test_problems_are_told_although_the_shared_group_is_missing() -> None:
    assert len(problems_of(lambda: build(name="-", inventory=facts(backend_security_group=None)))) == 1


def test_the_shared_group_is_waited_for() -> None:
    with pytest.raises(NotReady):
        build(inventory=facts(backend_security_group=None))


# Findings


def test_elastic_ips_on_discovered_subnets_are_told_with_their_zones() -> None:
    addresses = StaticAddresses(allocations=("eipalloc-a", "eipalloc-b", "eipalloc-c"))

    parts = build(scheme=Scheme.INTERNET_FACING, addresses=addresses)

    assert [finding.reason for finding in parts.findings] == [FindingReason.ADDRESS_ORDER]
    assert "eipalloc-b in subnet-public-b (us-west-2b)" in parts.findings[0].message


def test_rules_on_private_link_need_security_groups() -> None:
    parts = build(private_link_inbound_rules=OnOff.ON, security_groups=NO_GROUPS)

    assert parts.load_balancer.private_link_inbound_rules is UNMANAGED
    (finding,) = parts.findings
    assert (finding.severity, finding.reason) == (Severity.WARNING, FindingReason.IGNORED_SETTING)
    assert finding.message == "example.org/private-link has no effect without security groups"


def test_a_load_balancer_without_groups_is_known_by_its_subnets() -> None:
    parts = build(security_groups=NO_GROUPS)

    assert parts.load_balancer.security_groups == ()
    assert parts.security_group is None
    assert parts.backend_source is None


def test_the_user_s_groups_are_attached() -> None:
    choice = GivenSecurityGroups(names=("front",), manage_backend_rules=False, field=GROUPS)

    parts = build(security_groups=choice, private_link_inbound_rules=OnOff.ON)

    assert parts.load_balancer.security_groups == ("sg-front",)
    assert parts.load_balancer.private_link_inbound_rules is OnOff.ON
