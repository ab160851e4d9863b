"""Certificates, capacity and the other parts of load balancers and listeners that need calls of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.aws.load_balancers import PROVISIONING_SECONDS
from lbcontroller.errors import NotReady
from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.model.enums import AlpnPolicy, IpAddressType, OnOff, Protocol
from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.ids import CertificateArn, SecurityGroupId
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import Listener, LoadBalancer, Stack
from tests.support.aws_access import AwsUnderTest
from tests.support.manual_clock import ManualClock
from tests.support.nlb_stacks import Port, a_stack


def with_load_balancer(stack: Stack, **changes: Any) -> Stack:
    return Stack(
        stack.id,
        tuple(
            replace(resource, **changes) if isinstance(resource, LoadBalancer) else resource
            for resource in stack.resources
        ),
    )


def with_listener(stack: Stack, **changes: Any) -> Stack:
    return Stack(
        stack.id,
        tuple(
            replace(resource, **changes) if isinstance(resource, Listener) else resource
            for resource in stack.resources
        ),
    )


def certificate(account: AwsUnderTest, domain: str) -> CertificateArn:
    return CertificateArn(account.world.ids[f"cert.{domain}"])


def a_tls_stack(account: AwsUnderTest, *domains: str, **changes: Any) -> Stack:
    return with_listener(
        account.here(a_stack(ports=(Port(number=443),))),
        **{
            "protocol": Protocol.TLS,
            "certificates": tuple(certificate(account, domain) for domain in domains),
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            **changes,
        },
    )


def settled_for_a_new_process(account: AwsUnderTest, stack: Stack) -> bool:
    account.restart()
    account.loader.load()
    return account.plan(stack).is_settled


def test_every_certificate_is_added_to_the_list_and_the_first_is_the_default(account: AwsUnderTest) -> None:
    stack = a_tls_stack(account, "www.example.com", "api.example.com", alpn_policy=AlpnPolicy.HTTP2_PREFERRED)

    account.reconcile(stack)

    [created] = account.params("CreateListener")
    assert created["Certificates"] == [{"CertificateArn": certificate(account, "www.example.com")}]
    assert created["AlpnPolicy"] == ["HTTP2Preferred"]
    added = [call["Certificates"] for call in account.params("AddListenerCertificates")]
    assert sorted(item[0]["CertificateArn"] for item in added) == sorted(
        certificate(account, domain) for domain in ("www.example.com", "api.example.com")
    )
    assert account.plan(stack).is_settled
    assert settled_for_a_new_process(account, stack)


def test_a_new_default_certificate_is_set_before_the_old_one_goes(account: AwsUnderTest) -> None:
    account.reconcile(a_tls_stack(account, "www.example.com"))
    stack = a_tls_stack(account, "api.example.com")

    calls = account.called(lambda: account.reconcile(stack))

    assert calls == ["AddListenerCertificates", "ModifyListener", "RemoveListenerCertificates"]
    assert settled_for_a_new_process(account, stack)


def test_a_bulk_read_keeps_certificates_that_are_known(account: AwsUnderTest) -> None:
    stack = a_tls_stack(account, "www.example.com")
    account.reconcile(stack)

    account.loader.load()

    assert account.called(lambda: account.reconcile(stack)) == []


def test_a_default_certificate_changed_by_hand_is_noticed(account: AwsUnderTest) -> None:
    stack = a_tls_stack(account, "www.example.com")
    account.reconcile(stack)
    [listener] = account.observed(stack, Kind.LISTENER)
    account.aws.client("elbv2").modify_listener(
        ListenerArn=listener.arn, Certificates=[{"CertificateArn": certificate(account, "api.example.com")}]
    )

    assert account.loader.load() == {stack.id}
    calls = account.called(lambda: account.reconcile(stack))

    assert calls == ["DescribeListenerCertificates", "ModifyListener", "RemoveListenerCertificates"]
    assert settled_for_a_new_process(account, stack)


def test_a_listener_turns_from_tcp_to_tls_in_one_call_and_its_certificate(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack(ports=(Port(number=443),))))
    stack = a_tls_stack(account, "www.example.com")

    calls = account.called(lambda: account.reconcile(stack))

    assert calls == ["ModifyListener", "AddListenerCertificates"]
    assert settled_for_a_new_process(account, stack)


def test_a_listener_turns_from_tls_to_tcp(account: AwsUnderTest) -> None:
    account.reconcile(a_tls_stack(account, "www.example.com"))
    stack = account.here(a_stack(ports=(Port(number=443),)))

    calls = account.called(lambda: account.reconcile(stack))

    assert calls == ["ModifyListener"]
    assert settled_for_a_new_process(account, stack)


def test_listener_attributes_that_differ_from_the_default_are_set(account: AwsUnderTest) -> None:
    stack = with_listener(account.here(a_stack()), attributes={"tcp.idle_timeout.seconds": "60"})

    account.reconcile(stack)

    assert account.calls().count("ModifyListenerAttributes") == 1
    assert settled_for_a_new_process(account, stack)


def test_private_link_rules_are_switched_after_creation(account: AwsUnderTest) -> None:
    stack = with_load_balancer(account.here(a_stack()), private_link_inbound_rules=OnOff.OFF)

    account.reconcile(stack)

    [sent] = account.params("SetSecurityGroups")
    assert sent["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    assert settled_for_a_new_process(account, stack)


def test_other_security_groups_are_attached_in_one_call(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack()))
    custom = SecurityGroupId(account.world.ids["sg.custom-front"])
    stack = with_load_balancer(account.here(a_stack()), security_groups=(custom,))

    calls = account.called(lambda: account.reconcile(stack))

    assert calls == ["SetSecurityGroups"]
    assert settled_for_a_new_process(account, stack)


def test_a_load_balancer_becomes_dual_stack(account: AwsUnderTest) -> None:
    account.reconcile(account.here(a_stack()))
    stack = with_load_balancer(account.here(a_stack()), ip_address_type=IpAddressType.DUALSTACK)

    calls = account.called(lambda: account.reconcile(stack))

    assert calls == ["SetIpAddressType"]
    assert settled_for_a_new_process(account, stack)


def test_capacity_is_reserved_when_the_load_balancer_is_active(local_aws: LocalAws) -> None:
    account = AwsUnderTest(local_aws)
    clock = ManualClock()
    local_aws.life_cycle.timing = Timing(now=clock, provisioning_seconds=120)
    stack = with_load_balancer(account.here(a_stack()), capacity_units=3000)
    account.reconcile(stack)

    with pytest.raises(NotReady, match="still being set up") as raised:
        account.reconcile(stack)
    clock.advance(121)
    calls = account.called(lambda: account.reconcile(stack))

    assert raised.value.retry_after == PROVISIONING_SECONDS
    assert calls == ["DescribeLoadBalancers", "ModifyCapacityReservation"]
    [load_balancer] = account.observed(stack, Kind.LOAD_BALANCER)
    assert load_balancer.serving_since is not None
    assert account.plan(stack).is_settled


def test_capacity_that_nobody_asks_for_is_not_read(account: AwsUnderTest) -> None:
    stack = with_load_balancer(account.here(a_stack()), capacity_units=UNMANAGED)
    account.reconcile(stack)
    account.restart()
    account.loader.load()

    account.plan(stack)

    assert "DescribeCapacityReservation" not in account.calls()


def test_the_end_of_provisioning_wakes_the_stack(local_aws: LocalAws) -> None:
    account = AwsUnderTest(local_aws)
    clock = ManualClock()
    local_aws.life_cycle.timing = Timing(now=clock, provisioning_seconds=120)
    stack = account.here(a_stack())
    account.reconcile(stack)

    assert account.loader.load() == frozenset()
    clock.advance(121)

    assert account.loader.load() == {stack.id}
