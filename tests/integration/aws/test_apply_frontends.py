"""Application load balancers behind network ones, and target groups of applications."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.aws.load_balancer_targets import ACTIVE_SECONDS
from lbcontroller.errors import NotReady
from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.faults import ErrorReply, Fault, LoseReply
from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.model.enums import OnOff, Protocol, ProtocolVersion
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import (
    LoadBalancerTarget,
    MutualAuthentication,
    MutualAuthenticationMode,
    Stack,
)
from lbcontroller.plan.steps import Create, Delete
from tests.support.alb_stacks import (
    LOAD_BALANCER,
    AlbGroup,
    Backend,
    certificates_of,
    listener_id,
    target_group_id,
)
from tests.support.aws_access import AwsUnderTest
from tests.support.manual_clock import ManualClock

FRONT_GROUP = ResourceId(Kind.TARGET_GROUP, "FrontendNlb-tg-TCP-80")
TARGET = ResourceId(Kind.LOAD_BALANCER_TARGET, FRONT_GROUP.name)


def a_front(account: AwsUnderTest, **changes: Any) -> Stack:
    return account.here(AlbGroup(frontend=True, **changes).stack())


def the_target(stack: Stack) -> LoadBalancerTarget:
    [found] = [resource for resource in stack.resources if isinstance(resource, LoadBalancerTarget)]
    return found


def registered(account: AwsUnderTest, target_group: Arn) -> list[str]:
    health = account.aws.client("elbv2").describe_target_health(TargetGroupArn=target_group)
    return [
        item["Target"]["Id"]
        for item in health["TargetHealthDescriptions"]
        if item["TargetHealth"]["State"] != "draining"
    ]


def test_the_load_balancer_is_registered_last(account: AwsUnderTest) -> None:
    stack = a_front(account)

    calls = account.called(lambda: account.make(stack))

    assert calls[-2:] == ["DescribeLoadBalancers", "RegisterTargets"]
    arns = account.arns(stack)
    assert registered(account, arns[FRONT_GROUP]) == [arns[LOAD_BALANCER]]
    assert account.differences(stack) == {}


def test_what_is_registered_is_known_as_it_is_read_later(account: AwsUnderTest) -> None:
    stack = a_front(account)
    account.make(stack)
    [written] = account.observed(stack, Kind.LOAD_BALANCER_TARGET)

    account.restart()
    account.loader.load()

    [read] = account.observed(stack, Kind.LOAD_BALANCER_TARGET)
    assert read == written


def test_a_load_balancer_is_registered_when_it_is_active(local_aws: LocalAws) -> None:
    account = AwsUnderTest(local_aws)
    clock = ManualClock()
    local_aws.life_cycle.timing = Timing(now=clock, provisioning_seconds=120)
    stack = a_front(account)

    with pytest.raises(NotReady, match="still being set up") as raised:
        account.make(stack)
    arns = account.arns(stack)
    clock.advance(121)
    account.applier.execute(Create(resource=the_target(stack), reason="asked for"), arns)

    assert raised.value.retry_after == ACTIVE_SECONDS
    assert registered(account, arns[FRONT_GROUP]) == [arns[LOAD_BALANCER]]


def test_a_load_balancer_that_aws_does_not_take_yet_is_waited_for(account: AwsUnderTest) -> None:
    account.aws.inject(Fault(effect=ErrorReply(code="InvalidTarget"), operation="RegisterTargets"))

    with pytest.raises(NotReady) as raised:
        account.make(a_front(account))

    assert raised.value.retry_after == ACTIVE_SECONDS


def test_a_lost_reply_registers_nothing_twice(account: AwsUnderTest) -> None:
    account.aws.inject(Fault(effect=LoseReply(), operation="RegisterTargets"))
    stack = a_front(account)

    account.make(stack)

    arns = account.arns(stack)
    assert registered(account, arns[FRONT_GROUP]) == [arns[LOAD_BALANCER]]


def test_another_load_balancer_takes_the_place_of_the_first(account: AwsUnderTest) -> None:
    stack = a_front(account)
    arns = account.make(stack)
    elbv2 = account.aws.client("elbv2")
    other = elbv2.create_load_balancer(
        Name="other",
        Scheme="internal",
        Subnets=[account.world.ids[f"subnet.private-{zone}"] for zone in "ab"],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.create_listener(
        LoadBalancerArn=other,
        Port=80,
        Protocol="HTTP",
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    group = arns[FRONT_GROUP]
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": arns[LOAD_BALANCER], "Port": 80}])
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": other, "Port": 80}])
    account.loader.load()

    account.applier.execute(Create(resource=the_target(stack), reason="asked for"), arns)

    assert registered(account, arns[FRONT_GROUP]) == [arns[LOAD_BALANCER]]


def test_a_load_balancer_is_deregistered_before_it_goes(account: AwsUnderTest) -> None:
    stack = a_front(account)
    arns = account.make(stack)
    delete = Delete(id=LOAD_BALANCER, arn=arns[LOAD_BALANCER], reason="gone")

    with pytest.raises(NotReady, match="ResourceInUse"):
        account.applier.execute(delete, arns)
    calls = account.called(
        lambda: account.execute([Delete(id=TARGET, arn=arns[TARGET], reason="gone"), delete], arns)
    )

    assert calls == ["DeregisterTargets", "DeleteLoadBalancer"]
    account.applier.execute(Delete(id=TARGET, arn=arns[TARGET], reason="gone"), arns)


def test_both_load_balancers_are_told_apart(account: AwsUnderTest) -> None:
    source = account.inventory()
    source.load()
    stack = a_front(account)
    account.make(stack)
    listeners = {"main": {80: Protocol.HTTP}, "front": {80: Protocol.TCP}}

    inventory = source.for_stack(stack.id)

    assert inventory.existing is not None
    assert inventory.existing_frontend is not None
    assert inventory.existing.listeners == listeners["main"]
    assert inventory.existing_frontend.listeners == listeners["front"]
    assert inventory.existing_frontend.routing.rules == {}


@pytest.mark.parametrize(
    "backend",
    [
        Backend(),
        Backend(version=ProtocolVersion.GRPC, matcher="0-99"),
        Backend(protocol=Protocol.HTTPS, version=ProtocolVersion.HTTP2),
        Backend(control_port=3000),
        Backend(attributes={"load_balancing.algorithm.type": "least_outstanding_requests"}),
    ],
    ids=str,
)
def test_target_groups_of_applications_are_read_back_equal(account: AwsUnderTest, backend: Backend) -> None:
    certificates = certificates_of(account.world.ids, "www.example.com")
    stack = account.here(AlbGroup(port=443, certificates=certificates, backends=(backend,)).stack())

    account.make(stack)

    assert account.differences(stack) == {}
    [observed] = account.observed(stack, Kind.TARGET_GROUP)
    assert observed.resource.control_port == backend.control_port


def test_a_health_check_of_grpc_changes_with_grpc_codes(account: AwsUnderTest) -> None:
    certificates = certificates_of(account.world.ids, "www.example.com")

    def group(matcher: str) -> Stack:
        backend = Backend(version=ProtocolVersion.GRPC, matcher=matcher)
        return account.here(AlbGroup(port=443, certificates=certificates, backends=(backend,)).stack())

    account.make(group("12"))
    account.change(group("0-99"), target_group_id("web"), "health_check")

    assert account.params("ModifyTargetGroup")[0]["Matcher"] == {"GrpcCode": "0-99"}
    assert account.differences(group("0-99")) == {}


def test_what_a_new_application_load_balancer_has_anyway_is_not_sent(account: AwsUnderTest) -> None:
    defaults = {"idle_timeout.timeout_seconds": "60", "routing.http2.enabled": "true"}
    account.make(account.here(AlbGroup(attributes=defaults).stack()))

    assert "ModifyLoadBalancerAttributes" not in account.calls()


def test_clients_are_verified_with_a_trust_store(account: AwsUnderTest) -> None:
    store = account.aws.client("elbv2").create_trust_store(
        Name="clients", CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k"
    )["TrustStores"][0]["TrustStoreArn"]
    verify = MutualAuthentication(
        mode=MutualAuthenticationMode.VERIFY,
        trust_store=Arn(store),
        ignore_expiry=False,
        advertise_ca_names=OnOff.ON,
    )
    certificates = certificates_of(account.world.ids, "www.example.com")
    group = AlbGroup(port=443, certificates=certificates, mutual_authentication=verify)
    account.make(account.here(group.stack()))
    assert account.differences(account.here(group.stack())) == {}

    off = MutualAuthentication(mode=MutualAuthenticationMode.OFF)
    changed = account.here(replace(group, mutual_authentication=off).stack())
    calls = account.called(lambda: account.change(changed, listener_id(443), "mutual_authentication"))

    assert calls == ["ModifyListener"]
    assert account.differences(changed) == {}
