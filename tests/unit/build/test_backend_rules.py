from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lbcontroller.build.backend_rules import binding_rules, merge_rules, possible_rules
from lbcontroller.build.targets import TargetsResult, build_targets
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.ingress_rules import SHARED_RULE_DESCRIPTION, IngressRule, Peer, PeerKind
from tests.support.cluster_objects import (
    a_binding,
    a_node,
    a_pod,
    a_service,
    a_slice,
    a_snapshot,
    an_endpoint,
)

NODES = SecurityGroupId("sg-nodes")
PODS = SecurityGroupId("sg-pods")
FRONT = Peer(PeerKind.SECURITY_GROUP, "sg-front")


def a_rule(first: int, last: int | None = None, peer: Peer = FRONT, protocol: str = "tcp") -> IngressRule:
    return IngressRule(
        protocol=protocol,
        from_port=first,
        to_port=first if last is None else last,
        peer=peer,
        description=SHARED_RULE_DESCRIPTION,
    )


def an_entry(*ports: Mapping[str, Any], **peer: Any) -> dict[str, Any]:
    return {"from": [peer or {"securityGroup": {"groupID": "sg-front"}}], "ports": list(ports)}


def rules(
    binding: Binding, snapshot: Snapshot, groups: Mapping[str, SecurityGroupId] | None = None
) -> dict[SecurityGroupId, set[IngressRule]]:
    targets = build_targets(binding, snapshot, ("10.0.0.0/16",))
    assert isinstance(targets, TargetsResult)
    known = {
        target: (groups or {}).get(target.id, NODES)
        for target in targets.targets
        if groups is None or target.id in groups
    }
    return {
        group: set(found) for group, found in binding_rules(binding.spec, targets, snapshot, known).items()
    }


def one_pod() -> Snapshot:
    return a_snapshot(a_service(), a_slice(an_endpoint()), a_pod(ports={"http": 8080, "admin": 9000}))


def test_each_port_of_each_peer_is_a_rule_with_exactly_that_port() -> None:
    networking = {"ingress": [an_entry({"protocol": "TCP", "port": 8080}, {"protocol": "UDP", "port": 9100})]}
    assert rules(a_binding(networking=networking), one_pod()) == {
        NODES: {a_rule(8080), a_rule(9100, protocol="udp")}
    }


def test_a_port_that_is_left_out_means_all_ports_and_no_ports_mean_none() -> None:
    everything = a_binding(networking={"ingress": [an_entry({"protocol": "TCP"})]})
    nothing = a_binding(networking={"ingress": [an_entry()]})
    assert rules(everything, one_pod()) == {NODES: {a_rule(0, 65535)}}
    assert rules(nothing, one_pod()) == {NODES: set()}


def test_without_networking_nothing_is_opened() -> None:
    assert rules(a_binding(), one_pod()) == {NODES: set()}


@pytest.mark.parametrize(
    ("cidr", "peer"),
    [
        ("203.0.113.0/24", Peer(PeerKind.CIDR, "203.0.113.0/24")),
        ("10.1.2.3/8", Peer(PeerKind.CIDR, "10.0.0.0/8")),
        ("2001:DB8::/32", Peer(PeerKind.CIDR_IPV6, "2001:db8::/32")),
    ],
)
def test_cidrs_are_written_as_aws_returns_them(cidr: str, peer: Peer) -> None:
    binding = a_binding(networking={"ingress": [an_entry({"port": 8080}, ipBlock={"cidr": cidr})]})
    assert rules(binding, one_pod()) == {NODES: {a_rule(8080, peer=peer)}}


def test_a_malformed_cidr_is_refused() -> None:
    binding = a_binding(networking={"ingress": [an_entry({"port": 1}, ipBlock={"cidr": "everyone"})]})
    with pytest.raises(InvalidConfig, match=r"'everyone': expected a CIDR such as 10\.0\.0\.0/16"):
        rules(binding, one_pod())


def test_a_named_port_becomes_the_numbers_its_pods_give_it_by_security_group() -> None:
    snapshot = a_snapshot(
        a_service(),
        a_slice(an_endpoint("10.0.10.1", pod="a"), an_endpoint("10.0.10.2", pod="b")),
        a_pod("a", ports={"http": 8080}),
        a_pod("b", ports={"http": 9090}),
    )
    binding = a_binding(networking={"ingress": [an_entry({"port": "http"})]})
    assert rules(binding, snapshot, {"10.0.10.1": NODES, "10.0.10.2": PODS}) == {
        NODES: {a_rule(8080)},
        PODS: {a_rule(9090)},
    }


def test_a_named_port_of_an_address_without_a_pod_is_the_registered_port() -> None:
    snapshot = a_snapshot(a_service(), a_slice(an_endpoint(pod=None)))
    assert rules(a_binding(networking={"ingress": [an_entry({"port": "http"})]}), snapshot) == {
        NODES: {a_rule(8080)}
    }


def test_a_port_name_that_no_pod_has_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="'htpp': expected the name of a container port"):
        rules(a_binding(networking={"ingress": [an_entry({"port": "htpp"})]}), one_pod())


def test_a_port_name_is_refused_for_instance_targets() -> None:
    binding = a_binding(targetType="instance", networking={"ingress": [an_entry({"port": "http"})]})
    with pytest.raises(InvalidConfig, match="expected a number"):
        rules(binding, a_snapshot(a_service(), a_node()))


def test_targets_without_a_security_group_need_no_rule() -> None:
    binding = a_binding(networking={"ingress": [an_entry({"port": 8080})]})
    assert rules(binding, one_pod(), {}) == {}


def test_rules_within_the_limit_stay_exact() -> None:
    exact = [a_rule(8080), a_rule(9100), a_rule(8081)]
    assert merge_rules([*exact, a_rule(8080)], limit=3) == set(exact)


def test_rules_over_the_limit_are_joined_where_that_opens_the_fewest_ports() -> None:
    wanted = [a_rule(80), a_rule(8080), a_rule(8083), a_rule(8090), a_rule(53, protocol="udp")]
    assert merge_rules(wanted, limit=4) == {
        a_rule(80),
        a_rule(8080, 8083),
        a_rule(8090),
        a_rule(53, protocol="udp"),
    }
    assert merge_rules(wanted, limit=3) == {a_rule(80), a_rule(8080, 8090), a_rule(53, protocol="udp")}


def test_joining_never_mixes_peers_or_protocols() -> None:
    other = Peer(PeerKind.CIDR, "10.0.0.0/16")
    wanted = {a_rule(80), a_rule(81, peer=other), a_rule(82, protocol="udp")}
    assert merge_rules(wanted, limit=1) == wanted


def test_ranges_that_lie_in_others_go_first() -> None:
    assert merge_rules([a_rule(0, 65535), a_rule(80), a_rule(8080)], limit=1) == {a_rule(0, 65535)}
    assert merge_rules([a_rule(1, 100), a_rule(20), a_rule(102)], limit=2) == {a_rule(1, 100), a_rule(102)}


def test_without_a_look_at_targets_a_port_given_by_name_may_be_any() -> None:
    binding = a_binding(
        networking={
            "ingress": [
                an_entry({"protocol": "TCP", "port": 8080}, {"protocol": "UDP"}),
                an_entry({"protocol": "TCP", "port": "http"}, ipBlock={"cidr": "10.1.2.3/16"}),
                an_entry({"protocol": "TCP", "port": 22}, ipBlock={"cidr": "nonsense"}),
            ]
        }
    )

    assert possible_rules(binding.spec) == {
        a_rule(8080),
        a_rule(0, 65535, protocol="udp"),
        a_rule(0, 65535, peer=Peer(PeerKind.CIDR, "10.1.0.0/16")),
    }


def test_a_binding_without_networking_needs_no_rule() -> None:
    assert possible_rules(a_binding().spec) == frozenset()
