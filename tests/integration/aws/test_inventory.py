"""The facts that builds get."""

from __future__ import annotations

from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from lbcontroller.model.enums import Protocol, Scheme
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.inventory import ZoneType
from tests.support.aws_access import AwsUnderTest
from tests.support.manual_clock import ManualClock
from tests.support.nlb_stacks import STACK, a_stack


def test_the_facts_take_four_calls(account: AwsUnderTest) -> None:
    inventory = account.inventory()

    assert account.called(inventory.load) == [
        "ec2:DescribeSubnets",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeVpcs",
        "ec2:DescribeSecurityGroups",
    ]
    assert account.called(lambda: inventory.for_stack(STACK)) == []


def test_subnets_and_groups_are_as_seeded(account: AwsUnderTest) -> None:
    source = account.inventory()
    source.load()
    inventory, ids = source.for_stack(STACK), account.world.ids

    subnet = inventory.subnets[ids["subnet.private-a"]]  # type: ignore[index] # a seeded id
    assert (subnet.zone, subnet.zone_type, subnet.cidr) == (
        "us-west-2a",
        ZoneType.AVAILABILITY_ZONE,
        "10.0.10.0/24",
    )
    assert subnet.public is UNKNOWN
    assert len(subnet.ipv6_cidrs) == 1
    assert inventory.vpc_cidrs == ("10.0.0.0/16",)
    assert len(inventory.vpc_ipv6_cidrs) == 1
    assert inventory.security_groups[ids["sg.custom-front"]].name == "custom-front"  # type: ignore[index] # a seeded id
    assert inventory.existing is None


def test_routes_are_read_where_a_role_tag_is_missing(account: AwsUnderTest) -> None:
    ec2, ids = account.aws.client("ec2"), account.world.ids
    ec2.delete_tags(
        Resources=[ids[f"subnet.public-{zone}"] for zone in "abc"], Tags=[{"Key": "kubernetes.io/role/elb"}]
    )
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [account.world.vpc_id]}])
    gateway = ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
    public = ec2.create_route_table(VpcId=account.world.vpc_id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=public, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=public, SubnetId=ids["subnet.public-a"])
    assert len(tables["RouteTables"]) == 1
    source = account.inventory()

    calls = account.called(source.load)

    assert "ec2:DescribeRouteTables" in calls
    subnets = source.for_stack(STACK).subnets.values()
    assert [subnet.id for subnet in subnets if subnet.public] == [ids["subnet.public-a"]]


def test_routes_are_read_where_role_tags_have_values_that_do_not_count(account: AwsUnderTest) -> None:
    ec2, ids = account.aws.client("ec2"), account.world.ids
    for zone in "abc":
        tags = [{"Key": "kubernetes.io/role/elb", "Value": "false"}]
        ec2.create_tags(Resources=[ids[f"subnet.public-{zone}"]], Tags=tags)
    source = account.inventory()

    assert "ec2:DescribeRouteTables" in account.called(source.load)
    assert {subnet.public for subnet in source.for_stack(STACK).subnets.values()} == {False}


def test_certificates_are_read_once_they_are_wanted(account: AwsUnderTest) -> None:
    source = account.inventory()
    source.load()
    assert source.for_stack(STACK).certificates is UNKNOWN

    calls = account.called(source.want_certificates)
    again = account.called(source.want_certificates)

    assert calls == ["acm:ListCertificates"]
    assert again == []
    assert account.world.ids["cert.www.example.com"] in source.for_stack(STACK).certificates  # type: ignore[operator] # known now


def test_certificates_we_may_not_list_are_unknown(account: AwsUnderTest) -> None:
    account.aws.inject(
        Fault(effect=ErrorReply(code="AccessDeniedException"), operation="ListCertificates", times=ALWAYS)
    )
    source = account.inventory()
    source.load()

    source.want_certificates()

    assert source.for_stack(STACK).certificates is UNKNOWN


def test_a_refresh_tells_whether_builds_may_come_out_differently(account: AwsUnderTest) -> None:
    clock = ManualClock()
    source = account.inventory(clock=clock)
    source.load()

    assert account.called(lambda: source.refresh("too soon")) == []
    clock.advance(60)
    assert source.refresh("nothing new") is False
    account.aws.client("ec2").create_security_group(
        GroupName="new", Description="new", VpcId=account.world.vpc_id
    )
    clock.advance(60)
    assert source.refresh("a new group") is True


def test_a_refresh_reads_no_zone_twice(account: AwsUnderTest) -> None:
    clock = ManualClock()
    source = account.inventory(clock=clock)
    source.load()
    clock.advance(60)

    assert "ec2:DescribeAvailabilityZones" not in account.called(lambda: source.refresh("again"))


def test_the_existing_load_balancer_comes_from_the_mirror(account: AwsUnderTest) -> None:
    source = account.inventory()
    source.load()
    stack = account.here(a_stack(scheme=Scheme.INTERNET_FACING))
    account.reconcile(stack)

    existing = source.for_stack(stack.id).existing

    assert existing is not None
    assert existing.scheme is Scheme.INTERNET_FACING
    assert existing.has_security_groups
    assert existing.listeners == {80: Protocol.TCP}
    assert set(existing.subnets) == {account.world.ids[f"subnet.private-{zone}"] for zone in "ab"}


def test_a_backend_group_of_the_user_is_taken_as_given(account: AwsUnderTest) -> None:
    source = account.inventory(flags={"backend_security_group": "sg-given"})
    source.load()

    assert source.for_stack(STACK).backend_security_group == "sg-given"
