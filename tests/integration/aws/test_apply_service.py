"""The life of the stack of a Service, call by call."""

from __future__ import annotations

from lbcontroller.model.enums import Scheme
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.references import Kind
from tests.support.aws_access import AwsUnderTest
from tests.support.nlb_stacks import Port, a_stack, empty_stack


def test_creating_a_service_takes_one_call_for_each_resource_and_no_read(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())

    calls = account.called(lambda: account.reconcile(stack))

    assert calls == [
        "ec2:CreateSecurityGroup",
        "ec2:AuthorizeSecurityGroupIngress",
        "CreateTargetGroup",
        "ModifyTargetGroupAttributes",
        "CreateLoadBalancer",
        "CreateListener",
    ]


def test_a_second_reconcile_calls_nothing(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)

    calls = account.called(lambda: account.reconcile(stack))

    assert calls == []


def test_what_was_created_is_known_without_reading(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    written = account.observer.observe(stack.id)

    account.mirror.doubt(stack.id)
    account.loader.load()
    account.observer.read_unknown(stack)
    read = account.observer.observe(stack.id)

    for before, after in zip(written, read, strict=True):
        for field in type(before.resource).__dataclass_fields__:
            now = getattr(after.resource, field)
            if now is not UNKNOWN:
                assert getattr(before.resource, field) == now, (before.resource.id, field)


def test_after_a_restart_a_settled_stack_needs_reads_and_no_write(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    account.restart()

    loaded = account.called(account.loader.load)
    planned = account.called(lambda: account.reconcile(stack))

    assert sorted(loaded) == sorted(
        [
            "DescribeLoadBalancers",
            "DescribeTargetGroups",
            "DescribeTags",
            "ec2:DescribeSecurityGroups",
            "DescribeListeners",
            "DescribeTags",
            "resourcegroupstaggingapi:GetResources",
        ]
    )
    assert planned == ["DescribeTargetGroupAttributes"]


def test_deleting_the_stack_leaves_nothing(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack()))

    calls = account.called(lambda: account.reconcile(empty_stack()))

    assert calls == ["DeleteLoadBalancer", "DeleteTargetGroup", "ec2:DeleteSecurityGroup"]
    account.restart()
    account.loader.load()
    assert account.mirror.stacks() == frozenset()


def test_each_change_is_its_own_call(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack(subnets=("subnet-a",))))
    changed = account.here(
        a_stack(
            subnets=("subnet-a", "subnet-b"),
            tags={"team": "blue"},
            attributes={"load_balancing.cross_zone.enabled": "true"},
            ports=(Port(interval=20),),
        )
    )

    calls = account.called(lambda: account.reconcile(changed))

    assert sorted(calls) == sorted(
        ["ec2:CreateTags", "AddTags", "ModifyTargetGroup", "SetSubnets", "ModifyLoadBalancerAttributes"]
    )
    assert account.called(lambda: account.reconcile(changed)) == []
    account.restart()
    account.loader.load()
    account.observer.read_unknown(changed)
    assert account.plan(changed).is_settled


def test_a_port_that_comes_and_one_that_goes(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack(ports=(Port(number=80),))))

    calls = account.called(lambda: account.reconcile(account.here(a_stack(ports=(Port(number=443),)))))

    assert calls == [
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupIngress",
        "CreateTargetGroup",
        "ModifyTargetGroupAttributes",
        "CreateListener",
        "DeleteListener",
        "DeleteTargetGroup",
    ]


def test_attributes_that_are_the_default_of_a_new_resource_are_not_sent(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack(attributes={"deletion_protection.enabled": "false"})))

    assert "ModifyLoadBalancerAttributes" not in account.calls()


def test_the_requests_are_complete(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack(scheme=Scheme.INTERNET_FACING)))
    ids = account.world.ids

    [load_balancer] = account.params("CreateLoadBalancer")
    [target_group] = account.params("CreateTargetGroup")

    assert load_balancer["Name"] == "k8s-shop-web-facade1000"
    assert load_balancer["Type"] == "network"
    assert load_balancer["Scheme"] == "internet-facing"
    assert load_balancer["IpAddressType"] == "ipv4"
    assert load_balancer["SubnetMappings"] == [
        {"SubnetId": ids["subnet.private-a"]},
        {"SubnetId": ids["subnet.private-b"]},
    ]
    assert load_balancer["EnablePrefixForIpv6SourceNat"] == "off"
    assert [tag["Key"] for tag in load_balancer["Tags"]] == [
        "elbv2.k8s.aws/cluster",
        "service.k8s.aws/resource",
        "service.k8s.aws/stack",
    ]
    assert target_group["HealthCheckEnabled"] is True
    assert "IpAddressType" not in target_group
    assert "ProtocolVersion" not in target_group


def test_the_kind_of_each_resource_is_found_again_after_a_restart(account: AwsUnderTest) -> None:
    stack = account.here(a_stack())
    account.reconcile(stack)
    account.restart()
    account.loader.load()

    assert {kind: len(account.observed(stack, kind)) for kind in Kind if account.observed(stack, kind)} == {
        Kind.SECURITY_GROUP: 1,
        Kind.TARGET_GROUP: 1,
        Kind.LOAD_BALANCER: 1,
        Kind.LISTENER: 1,
    }
