from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.model.attributes import (
    ALB_ONLY_ATTRIBUTES,
    NLB_ATTRIBUTES,
    NLB_LISTENER_ATTRIBUTES,
    NLB_ONLY_ATTRIBUTES,
    NLB_TARGET_GROUP_ATTRIBUTES,
    Attribute,
    undocumented,
)
from lbcontroller.model.enums import LoadBalancerType, Protocol
from lbcontroller.model.resources import Listener, LoadBalancer, TargetGroup
from tests.support.nlb_stacks import a_stack


@pytest.mark.parametrize(
    ("value", "accepted"),
    [("0", True), ("3600", True), ("3601", False), ("-1", False), ("²", False), ("", False)],
)
def test_numbers_are_whole_and_within_their_limits(value: str, accepted: bool) -> None:
    assert NLB_TARGET_GROUP_ATTRIBUTES["deregistration_delay.timeout_seconds"].accepts(value) is accepted


@pytest.mark.parametrize(("value", "accepted"), [("true", True), ("True", False), ("yes", False)])
def test_words_are_spelled_as_aws_does(value: str, accepted: bool) -> None:
    assert NLB_TARGET_GROUP_ATTRIBUTES["preserve_client_ip.enabled"].accepts(value) is accepted


def test_an_attribute_without_limits_takes_any_text() -> None:
    assert Attribute().accepts("any thing")
    assert Attribute().expected == "any text"


def test_what_is_expected_is_said_in_words() -> None:
    percentage = NLB_TARGET_GROUP_ATTRIBUTES[
        "target_group_health.dns_failover.minimum_healthy_targets.percentage"
    ]
    assert percentage.expected == "off or a number from 1 to 100"
    assert percentage.accepts("off")
    assert NLB_LISTENER_ATTRIBUTES["tcp.idle_timeout.seconds"].expected == "a number from 60 to 6000"
    assert NLB_TARGET_GROUP_ATTRIBUTES["load_balancing.cross_zone.enabled"].expected == (
        "true, false or use_load_balancer_configuration"
    )


@pytest.mark.parametrize(
    "policy", ["availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"]
)
def test_clients_are_routed_by_the_policies_of_aws(policy: str) -> None:
    routing = NLB_ATTRIBUTES["dns_record.client_routing_policy"]

    assert routing.accepts(policy)
    assert not routing.accepts(policy.upper())


def test_no_attribute_is_of_one_type_only_and_of_the_other() -> None:
    assert not ALB_ONLY_ATTRIBUTES & NLB_ATTRIBUTES.keys()
    assert NLB_ATTRIBUTES.keys() >= NLB_ONLY_ATTRIBUTES


def test_attributes_are_documented_for_the_type_of_their_resource() -> None:
    attributes = {"idle_timeout.timeout_seconds": "60", "dns_record.client_routing_policy": "any", "x": "1"}
    (balancer,) = (item for item in a_stack().resources if isinstance(item, LoadBalancer))
    balancer = replace(balancer, attributes=attributes)

    assert undocumented(balancer) == {"idle_timeout.timeout_seconds", "x"}
    assert undocumented(replace(balancer, type=LoadBalancerType.APPLICATION)) == {
        "dns_record.client_routing_policy",
        "x",
    }


def test_target_groups_and_listeners_have_attributes_of_their_own() -> None:
    (target_group,) = (item for item in a_stack().resources if isinstance(item, TargetGroup))
    (listener,) = (item for item in a_stack().resources if isinstance(item, Listener))
    attributes = {"stickiness.enabled": "true", "tcp.idle_timeout.seconds": "60", "x": "1"}

    assert undocumented(replace(target_group, attributes=attributes)) == {"tcp.idle_timeout.seconds", "x"}
    assert undocumented(replace(listener, attributes=attributes)) == {"stickiness.enabled", "x"}
    of_an_application = replace(target_group, attributes=attributes, protocol=Protocol.HTTP)
    assert undocumented(of_an_application) == frozenset()
