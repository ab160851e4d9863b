from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.model.attributes import (
    ALB_ATTRIBUTES,
    ALB_ONLY_ATTRIBUTES,
    ALB_TARGET_GROUP_ATTRIBUTES,
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


@pytest.mark.parametrize("protocol", [Protocol.HTTP, Protocol.HTTPS])
def test_those_of_application_load_balancers_have_others(protocol: Protocol) -> None:
    (target_group,) = (item for item in a_stack().resources if isinstance(item, TargetGroup))
    (listener,) = (item for item in a_stack().resources if isinstance(item, Listener))
    attributes = {
        "slow_start.duration_seconds": "30",
        "routing.http.response.server.enabled": "false",
        "tcp.idle_timeout.seconds": "60",
        "preserve_client_ip.enabled": "true",
    }
    behind = replace(target_group, attributes=attributes, protocol=protocol)
    front = replace(listener, attributes=attributes, protocol=protocol)

    assert undocumented(behind) == attributes.keys() - {"slow_start.duration_seconds"}
    assert undocumented(front) == attributes.keys() - {"routing.http.response.server.enabled"}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("slow_start.duration_seconds", "29", "0 or a number from 30 to 900"),
        ("stickiness.type", "source_ip", "lb_cookie or app_cookie"),
        ("stickiness.lb_cookie.duration_seconds", "604801", "a number from 1 to 604800"),
        ("stickiness.app_cookie.cookie_name", "AWSALBTG", "a text that does not begin with AWSALB"),
        (
            "load_balancing.algorithm.type",
            "random",
            "round_robin, least_outstanding_requests or weighted_random",
        ),
    ],
)
def test_values_of_target_groups_behind_applications_have_limits(key: str, value: str, expected: str) -> None:
    attribute = ALB_TARGET_GROUP_ATTRIBUTES[key]

    assert not attribute.accepts(value)
    assert attribute.expected == expected


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        ("idle_timeout.timeout_seconds", "4000", "4001"),
        ("client_keep_alive.seconds", "60", "59"),
        ("load_balancing.cross_zone.enabled", "true", "false"),
        ("routing.http.desync_mitigation_mode", "strictest", "strict"),
        ("routing.http.xff_header_processing.mode", "remove", "off"),
    ],
)
def test_values_of_application_load_balancers_have_limits(key: str, right: str, wrong: str) -> None:
    assert ALB_ATTRIBUTES[key].accepts(right)
    assert not ALB_ATTRIBUTES[key].accepts(wrong)


def test_cookies_have_any_name_but_those_of_aws() -> None:
    name = ALB_TARGET_GROUP_ATTRIBUTES["stickiness.app_cookie.cookie_name"]

    assert name.accepts("session")
    assert name.accepts("")
