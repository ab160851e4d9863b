from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lbcontroller.aws import listener_wire, load_balancer_wire, target_groups
from lbcontroller.aws.attribute_defaults import beyond
from lbcontroller.aws.ingress_rules import decode_permissions, permissions
from lbcontroller.aws.wire import Changes, given, tag_list, wanted, without_references
from lbcontroller.model.actions import ForwardAction, WeightedTargetGroup
from lbcontroller.model.enums import HealthCheckProtocol, OnOff, Protocol, TargetIpAddressType
from lbcontroller.model.fields import RESET, UNKNOWN, UNMANAGED, Field, OnCreate
from lbcontroller.model.ids import AllocationId, Arn, SecurityGroupId, SubnetId
from lbcontroller.model.ingress_rules import IngressRule, Peer, PeerKind
from lbcontroller.model.observed import LoadBalancerState
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import Listener, LoadBalancer, TargetGroup
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.steps import Change
from tests.support.nlb_stacks import LOAD_BALANCER, a_health_check, a_rule, a_stack, target_group_id


def of_kind(kind: type[Any]) -> Any:
    [resource] = [item for item in a_stack().resources if isinstance(item, kind)]
    return resource


# Load balancers

ANSWER: dict[str, Any] = {
    "LoadBalancerArn": "arn:lb",
    "LoadBalancerName": "web",
    "DNSName": "web.elb.amazonaws.com",
    "Type": "network",
    "Scheme": "internet-facing",
    "IpAddressType": "dualstack",
    "VpcId": "vpc-1",
    "State": {"Code": "active"},
    "CreatedTime": datetime(2026, 1, 1, tzinfo=UTC),
    "SecurityGroups": ["sg-1"],
    "EnablePrefixForIpv6SourceNat": "on",
    "AvailabilityZones": [
        {
            "ZoneName": "us-west-2b",
            "SubnetId": "subnet-b",
            "LoadBalancerAddresses": [
                {"IpAddress": "198.51.100.7", "AllocationId": "eipalloc-1", "IPv6Address": "2001:db8::7"}
            ],
            "SourceNatIpv6Prefixes": ["2001:db8:1::/80"],
        },
        {"ZoneName": "us-west-2a", "SubnetId": "subnet-a"},
    ],
}


def test_a_load_balancer_is_decoded_with_its_addresses() -> None:
    observed = load_balancer_wire.decode_load_balancer(ANSWER, LOAD_BALANCER, {"team": "blue"})

    assert observed.resource.subnets == (
        SubnetMapping(
            subnet=SubnetId("subnet-b"),
            allocation=AllocationId("eipalloc-1"),
            ipv6="2001:db8::7",
            source_nat_ipv6_prefix="2001:db8:1::/80",
        ),
        SubnetMapping(subnet=SubnetId("subnet-a")),
    )
    assert observed.addresses == ("198.51.100.7", "2001:db8::7")
    assert observed.state is LoadBalancerState.ACTIVE
    assert observed.resource.source_nat_prefix is OnOff.ON
    assert observed.resource.tags == {"team": "blue"}


def test_what_costs_a_call_is_unknown() -> None:
    resource = load_balancer_wire.decode_load_balancer(ANSWER, LOAD_BALANCER, {}).resource

    assert resource.attributes is UNKNOWN
    assert resource.capacity_units is UNKNOWN


def test_members_that_aws_leaves_out_have_their_defaults() -> None:
    bare = {
        key: value
        for key, value in ANSWER.items()
        if key not in {"SecurityGroups", "EnablePrefixForIpv6SourceNat", "IpAddressType"}
    }

    resource = load_balancer_wire.decode_load_balancer(bare, LOAD_BALANCER, {}).resource

    assert resource.security_groups == ()
    assert resource.source_nat_prefix is OnOff.OFF
    assert resource.private_link_inbound_rules is UNMANAGED
    assert resource.ip_address_type == "ipv4"


def test_a_load_balancer_without_security_groups_is_asked_for_without_the_member() -> None:
    request = load_balancer_wire.create_request(replace(of_kind(LoadBalancer), security_groups=()))

    assert "SecurityGroups" not in request


def test_defaults_of_ours_are_sent_on_creation() -> None:
    group = SecurityGroupId("sg-1")
    mapping = SubnetMapping(subnet=SubnetId("subnet-a"), private_ipv4="10.0.0.9")
    desired = replace(of_kind(LoadBalancer), security_groups=OnCreate((group,)), subnets=OnCreate((mapping,)))

    request = load_balancer_wire.create_request(desired)

    assert request["SecurityGroups"] == ["sg-1"]
    assert request["SubnetMappings"] == [{"SubnetId": "subnet-a", "PrivateIPv4Address": "10.0.0.9"}]


# Target groups


def test_a_target_group_round_trips() -> None:
    check = a_health_check(protocol=HealthCheckProtocol.HTTP, path="/ready", matcher="200-399")
    desired = replace(
        of_kind(TargetGroup), health_check=check, ip_address_type=TargetIpAddressType.IPV6, attributes=UNKNOWN
    )
    request = target_groups.create_request(desired)

    observed = target_groups.decode_target_group(
        {**request, "TargetGroupName": request["Name"], "TargetGroupArn": "arn:tg"}, desired.id, desired.tags
    )

    assert observed.resource == desired


def test_a_tcp_check_sends_neither_path_nor_matcher() -> None:
    request = target_groups.create_request(of_kind(TargetGroup))

    assert "HealthCheckPath" not in request
    assert "Matcher" not in request


# Listeners


def test_a_plain_forward_is_sent_as_one_group_without_weight() -> None:
    desired = without_references(
        of_kind(Listener), {LOAD_BALANCER: Arn("arn:lb"), target_group_id(80): Arn("arn:tg")}
    )

    assert listener_wire.create_request(desired)["DefaultActions"] == [
        {"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:tg"}]}}
    ]


@pytest.mark.parametrize(
    "action",
    [
        {"Type": "forward", "TargetGroupArn": "arn:tg"},
        {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:tg"}]}},
    ],
)
def test_both_forms_of_a_forward_are_one(action: dict[str, Any]) -> None:
    answer = {
        "ListenerArn": "arn:listener",
        "LoadBalancerArn": "arn:lb",
        "Port": 80,
        "Protocol": "TCP",
        "DefaultActions": [action],
    }

    observed = listener_wire.decode_listener(answer, None, {})

    forward = ForwardAction(
        target_groups=(WeightedTargetGroup(target_group=Arn("arn:tg"), weight=None),), stickiness_enabled=None
    )
    assert observed.resource.default_actions == (forward,)
    assert observed.ours is False


def test_further_certificates_of_a_secure_listener_are_unknown() -> None:
    answer = {
        "ListenerArn": "arn:listener",
        "LoadBalancerArn": "arn:lb",
        "Port": 443,
        "Protocol": "TLS",
        "SslPolicy": "policy",
        "Certificates": [{"CertificateArn": "arn:cert"}],
        "AlpnPolicy": ["None"],
    }

    resource = listener_wire.decode_listener(answer, None, {}).resource

    assert resource.certificates is UNKNOWN
    assert (resource.protocol, resource.ssl_policy, resource.alpn_policy) == (Protocol.TLS, "policy", "None")
    assert listener_wire.default_certificate(answer) == "arn:cert"


def test_the_default_certificate_comes_first_and_each_once() -> None:
    items = [
        {"CertificateArn": "arn:a", "IsDefault": False},
        {"CertificateArn": "arn:b", "IsDefault": True},
        {"CertificateArn": "arn:b", "IsDefault": False},
    ]

    assert listener_wire.decode_certificates(items) == ("arn:b", "arn:a")


# Rules


def test_rules_of_the_same_ports_go_together() -> None:
    rules = [a_rule(peer=Peer(PeerKind.CIDR, cidr)) for cidr in ("10.0.0.0/8", "192.168.0.0/16")]

    assert permissions(rules, described=True) == [
        {
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "192.168.0.0/16"}],
        }
    ]


@pytest.mark.parametrize(
    "peer",
    [
        Peer(PeerKind.CIDR, "10.0.0.0/8"),
        Peer(PeerKind.CIDR_IPV6, "2001:db8::/32"),
        Peer(PeerKind.PREFIX_LIST, "pl-1"),
        Peer(PeerKind.SECURITY_GROUP, "sg-1"),
    ],
)
def test_rules_round_trip(peer: Peer) -> None:
    rules = frozenset({a_rule(peer=peer, description="why"), a_rule(peer=peer, port=443)})

    assert decode_permissions(permissions(rules, described=True)) == rules


def test_a_rule_for_everything_has_no_ports() -> None:
    [permission] = permissions([a_rule(protocol="-1", from_port=0, to_port=65535)], described=True)

    assert "FromPort" not in permission
    assert decode_permissions([permission]) == {
        IngressRule(protocol="-1", from_port=0, to_port=65535, peer=a_rule().peer)
    }


def test_a_revoke_needs_no_description() -> None:
    [permission] = permissions([a_rule(description="why")], described=False)

    assert permission["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]


# Small pieces


def test_tags_are_ordered_by_key() -> None:
    assert tag_list({"b": "2", "a": "1"}) == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]


def test_what_to_create_with_and_what_to_set() -> None:
    ours: Field[int] = OnCreate(5)
    nobodys: Field[int] = UNMANAGED
    assert given(ours) == 5
    assert given(nobodys) is None
    assert wanted(Kind.LOAD_BALANCER, "capacity_units", RESET) == 0
    assert wanted(Kind.LOAD_BALANCER, "source_nat_prefix", RESET) is OnOff.OFF


def test_a_dangling_reference_is_our_bug() -> None:
    with pytest.raises(AssertionError, match="refers to what does not exist"):
        without_references(of_kind(Listener), {})


def test_only_what_differs_from_the_defaults_is_sent() -> None:
    assert beyond({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == {"b": "3", "c": "4"}


def test_changes_are_sorted_out_by_the_calls_that_make_them() -> None:
    changes = Changes.of(
        [
            Change(field="tags.team", before="red", after="blue"),
            Change(field="tags.old", before="1", after=None),
            Change(field="attributes.idle.time", before=None, after="60"),
            Change(field="subnets", before=(), after=()),
        ]
    )

    assert changes == Changes(
        fields=frozenset({"subnets"}),
        new_tags={"team": "blue"},
        gone_tags=("old",),
        attributes={"idle.time": "60"},
    )
    assert changes.applied_to_tags({"team": "red", "old": "1", "kept": "2"}) == {"team": "blue", "kept": "2"}


def test_a_load_balancer_serves_since_it_is_first_seen_to_be_set_up() -> None:
    now, later = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 13, tzinfo=UTC)
    ready = load_balancer_wire.decode_load_balancer(ANSWER, LOAD_BALANCER, {})
    set_up = replace(ready, state=LoadBalancerState.PROVISIONING)

    assert load_balancer_wire.seen_again(ready, ready, now).serving_since is None
    assert load_balancer_wire.seen_again(set_up, set_up, now).serving_since is None
    news = load_balancer_wire.seen_again(ready, set_up, now)
    assert news.serving_since == now
    assert load_balancer_wire.seen_again(ready, news, later).serving_since == now


def test_a_default_certificate_alone_is_none_because_it_is_missing_in_the_sni_list() -> None:
    assert listener_wire.decode_certificates([{"CertificateArn": "arn:a", "IsDefault": True}]) == ()
