from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.model.actions import ForwardAction, WeightedTargetGroup
from lbcontroller.model.enums import AlpnPolicy, IpAddressType, OnOff, Protocol
from lbcontroller.model.fields import RESET, UNKNOWN, UNMANAGED, OnCreate
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.ids import Arn, SecurityGroupId, SubnetId
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingPort,
    Listener,
    LoadBalancer,
    Resource,
    SecurityGroup,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.differences import Difference, Scope, compare
from lbcontroller.plan.equality import resolve
from lbcontroller.plan.policies import TagPolicy
from tests.support.nlb_stacks import a_health_check, a_policy, a_rule, a_stack

ARNS = {resource.id: Arn(f"arn-of-{resource.id.kind}") for resource in a_stack().resources}


def desired(kind: type[Resource], **changes: Any) -> Any:
    (resource,) = [item for item in a_stack().resources if isinstance(item, kind)]
    return replace(resource, **changes)


def observed(kind: type[Resource], **changes: Any) -> Any:
    return replace(resolve(desired(kind), ARNS), **changes)


def difference(wanted: Resource, found: Resource, **policy: Any) -> Difference:
    return compare(wanted, found, Scope(subject="Service shop/web", arns=ARNS, policy=a_policy(**policy)))


def changed(wanted: Resource, found: Resource, **policy: Any) -> dict[str, tuple[object, object]]:
    changes = difference(wanted, found, **policy).changes
    return {change.field: (change.before, change.after) for change in changes}


def forward(*weights: tuple[str, int | None], sticky: bool | None = None) -> tuple[ForwardAction, ...]:
    return (
        ForwardAction(
            target_groups=tuple(
                WeightedTargetGroup(target_group=Arn(arn), weight=weight) for arn, weight in weights
            ),
            stickiness_enabled=sticky,
        ),
    )


def mapping(subnet: str, **addresses: str) -> SubnetMapping:
    return SubnetMapping(subnet=SubnetId(subnet), **addresses)  # type: ignore[arg-type] # ids are text here


@pytest.mark.parametrize("kind", [SecurityGroup, TargetGroup, LoadBalancer, Listener, TargetGroupBinding])
def test_resources_that_agree_need_nothing(kind: type[Resource]) -> None:
    assert changed(desired(kind), observed(kind)) == {}


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        pytest.param("on", "off", {"source_nat_prefix": ("off", "on")}, id="a value"),
        pytest.param("on", UNKNOWN, {}, id="a value, not read"),
        pytest.param("on", UNMANAGED, {"source_nat_prefix": (None, "on")}, id="a value, nothing set"),
        pytest.param(UNMANAGED, "on", {}, id="unmanaged"),
        pytest.param(OnCreate("on"), "off", {}, id="a default"),
        pytest.param(RESET, "on", {"source_nat_prefix": ("on", RESET)}, id="a reset"),
        pytest.param(RESET, OnOff.OFF, {}, id="a reset of what is the default"),
        pytest.param(RESET, UNKNOWN, {}, id="a reset of what was not read"),
    ],
)
def test_a_field_says_what_a_difference_means(
    wanted: object, found: object, expected: Mapping[str, object]
) -> None:
    assert (
        changed(
            desired(LoadBalancer, source_nat_prefix=wanted), observed(LoadBalancer, source_nat_prefix=found)
        )
        == expected
    )


def test_a_reset_of_a_field_without_a_default_leaves_it() -> None:
    assert changed(desired(LoadBalancer, subnets=RESET), observed(LoadBalancer)) == {}


def test_a_default_that_does_not_apply_to_what_exists_is_reported() -> None:
    made = difference(desired(Listener, ssl_policy=OnCreate("new")), observed(Listener, ssl_policy="old"))

    assert [finding.reason for finding in made.findings] == [FindingReason.KEPT_AS_IS]
    assert made.findings[0].message == (
        "Listener 80 keeps its ssl policy old; a new one would get new. It changes when that is asked for"
    )


def test_a_listener_that_becomes_tls_gets_the_default_policy() -> None:
    wanted = desired(
        Listener, protocol=Protocol.TLS, ssl_policy=OnCreate("modern"), certificates=("arn-of-certificate",)
    )

    made = difference(wanted, observed(Listener))

    assert [change.field for change in made.changes] == ["certificates", "protocol", "ssl_policy"]
    assert isinstance(made.resource, Listener)
    assert made.resource.ssl_policy == "modern"


def test_a_reference_to_what_does_not_exist_differs() -> None:
    wanted, found = desired(Listener), observed(Listener)
    scope = Scope(subject="", arns={}, policy=a_policy())
    assert [change.field for change in compare(wanted, found, scope).changes] == ["default_actions"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param({}, {"attributes.a": (None, "1")}, id="missing"),
        pytest.param({"a": "2"}, {"attributes.a": ("2", "1")}, id="another value"),
        pytest.param({"a": "1", "b": "2"}, {}, id="keys nobody manages stay"),
        pytest.param(UNKNOWN, {}, id="not read"),
    ],
)
def test_attributes_are_compared_by_the_keys_that_are_managed(
    found: object, expected: Mapping[str, object]
) -> None:
    assert (
        changed(desired(LoadBalancer, attributes={"a": "1"}), observed(LoadBalancer, attributes=found))
        == expected
    )


@pytest.mark.parametrize("kind", [SecurityGroup, TargetGroup, LoadBalancer, Listener])
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param({}, {"tags.mine": (None, "1")}, id="missing"),
        pytest.param({"mine": "2"}, {"tags.mine": ("2", "1")}, id="another value"),
        pytest.param({"mine": "1", "foreign": "2"}, {"tags.foreign": ("2", None)}, id="foreign"),
        pytest.param({"mine": "1", "aws:cloudformation:stack-name": "2"}, {}, id="of AWS"),
        pytest.param({"mine": "1", "external": "2"}, {}, id="of somebody else"),
        pytest.param(UNKNOWN, {}, id="not read"),
    ],
)
def test_tags_become_those_that_are_wanted(
    kind: type[Resource], found: object, expected: Mapping[str, object]
) -> None:
    wanted = desired(kind, tags={"mine": "1"})
    assert changed(wanted, observed(kind, tags=found), external_tags=frozenset({"external"})) == expected


def test_an_externally_managed_tag_is_not_set_either() -> None:
    wanted = desired(LoadBalancer, tags={"external": "1"})
    policy = frozenset({"external"})
    assert changed(wanted, observed(LoadBalancer, tags={}), external_tags=policy) == {}


@pytest.mark.parametrize("key", ["kubernetes.io/cluster/demo", "kubernetes.io/service-name"])
def test_tags_of_earlier_controllers_stay_except_on_listeners(key: str) -> None:
    wanted, found = desired(TargetGroup, tags={}), observed(TargetGroup, tags={key: "owned"})
    assert changed(wanted, found) == {}
    assert changed(desired(Listener, tags={}), observed(Listener, tags={key: "owned"})) == {
        f"tags.{key}": ("owned", None)
    }


def test_foreign_tags_can_be_kept_and_are_reported_then() -> None:
    found = observed(LoadBalancer, tags={"foreign": "1"})
    made = difference(desired(LoadBalancer, tags={}), found, tags=TagPolicy.KEEP_FOREIGN)

    assert made.changes == ()
    assert [finding.message for finding in made.findings] == [
        "LoadBalancer LoadBalancer has the tag foreign=1, which nobody asked for; it is kept"
    ]


def test_rules_are_compared_without_their_descriptions() -> None:
    found = frozenset({a_rule(port=80, description="somebody wrote this")})
    assert changed(desired(SecurityGroup), observed(SecurityGroup, ingress=found)) == {}
    assert set(changed(desired(SecurityGroup), observed(SecurityGroup, ingress=frozenset()))) == {"ingress"}


def test_security_groups_are_compared_without_order() -> None:
    groups = (SecurityGroupId("sg-1"), SecurityGroupId("sg-2"))
    wanted = desired(LoadBalancer, security_groups=groups)
    assert changed(wanted, observed(LoadBalancer, security_groups=groups[::-1])) == {}
    assert set(changed(wanted, observed(LoadBalancer, security_groups=groups[:1]))) == {"security_groups"}


@pytest.mark.parametrize(
    ("wanted", "found", "differs"),
    [
        pytest.param((mapping("b"), mapping("a")), (mapping("a"), mapping("b")), False, id="order"),
        pytest.param((mapping("a"), mapping("b")), (mapping("a"),), True, id="one more"),
        pytest.param((mapping("a"),), (mapping("a"), mapping("b")), True, id="one less"),
        pytest.param(
            (mapping("a"),), (mapping("a", allocation="eipalloc-1"),), False, id="AWS's own address"
        ),
        pytest.param(
            (mapping("a", allocation="eipalloc-1"),), (mapping("a"),), False, id="too late for an address"
        ),
        pytest.param(
            (mapping("a", source_nat_ipv6_prefix="auto_assigned"),),
            (mapping("a", source_nat_ipv6_prefix="2001:db8::/80"),),
            False,
            id="any prefix is auto-assigned",
        ),
        pytest.param(
            (mapping("a", source_nat_ipv6_prefix="auto_assigned"),), (mapping("a"),), True, id="no prefix yet"
        ),
        pytest.param(
            (mapping("a", source_nat_ipv6_prefix="2001:db8:1::/80"),),
            (mapping("a", source_nat_ipv6_prefix="2001:db8::/80"),),
            True,
            id="another prefix",
        ),
    ],
)
def test_subnets_change_when_their_set_or_a_prefix_does(
    wanted: tuple[SubnetMapping, ...], found: tuple[SubnetMapping, ...], differs: bool
) -> None:
    fields = changed(desired(LoadBalancer, subnets=wanted), observed(LoadBalancer, subnets=found))
    assert set(fields) == ({"subnets"} if differs else set())


def test_ipv6_addresses_are_taken_when_a_load_balancer_becomes_dualstack() -> None:
    wanted = (mapping("a", ipv6="2001:db8::1"),)
    becomes = desired(LoadBalancer, subnets=wanted, ip_address_type=IpAddressType.DUALSTACK)
    before = observed(LoadBalancer, subnets=(mapping("a"),))
    after = replace(before, ip_address_type=IpAddressType.DUALSTACK)

    assert set(changed(becomes, before)) == {"ip_address_type", "subnets"}
    assert changed(becomes, after) == {}


@pytest.mark.parametrize(
    ("wanted", "found", "differs"),
    [
        pytest.param(forward(("a", 5)), forward(("a", None)), False, id="the weight of the only one"),
        pytest.param(forward(("a", None), ("b", 2)), forward(("b", 2), ("a", 1)), False, id="order, default"),
        pytest.param(forward(("a", 2), ("b", 2)), forward(("a", 1), ("b", 2)), True, id="another share"),
        pytest.param(forward(("a", 1)), forward(("b", 1)), True, id="another target group"),
        pytest.param(forward(("a", 1)), (), True, id="no action"),
        pytest.param(forward(("a", 1)), forward(("a", 1), sticky=True), False, id="stickiness is AWS's"),
        pytest.param(forward(("a", 1), sticky=False), forward(("a", 1)), False, id="not sticky by default"),
        pytest.param(forward(("a", 1), sticky=True), forward(("a", 1), sticky=False), True, id="sticky"),
    ],
)
def test_actions_are_compared_by_where_traffic_goes(
    wanted: tuple[ForwardAction, ...], found: tuple[ForwardAction, ...], differs: bool
) -> None:
    fields = changed(desired(Listener, default_actions=wanted), observed(Listener, default_actions=found))
    assert set(fields) == ({"default_actions"} if differs else set())


@pytest.mark.parametrize(
    ("wanted", "found", "differs"),
    [(("a", "b", "c"), ("a", "c", "b"), False), (("a", "b"), ("b", "a"), True), (("a",), ("a", "b"), True)],
)
def test_the_first_certificate_is_special(
    wanted: tuple[str, ...], found: tuple[str, ...], differs: bool
) -> None:
    fields = changed(desired(Listener, certificates=wanted), observed(Listener, certificates=found))
    assert set(fields) == ({"certificates"} if differs else set())


def test_no_alpn_policy_is_the_policy_none() -> None:
    assert changed(desired(Listener, alpn_policy=AlpnPolicy.NONE), observed(Listener)) == {}
    assert set(changed(desired(Listener, alpn_policy=AlpnPolicy.HTTP2_ONLY), observed(Listener))) == {
        "alpn_policy"
    }


def test_a_health_check_is_compared_by_what_is_asked_for() -> None:
    found = observed(TargetGroup, health_check=a_health_check(path="/", matcher="200-399"))
    assert changed(desired(TargetGroup), found) == {}
    assert set(changed(desired(TargetGroup, health_check=a_health_check(path="/up")), found)) == {
        "health_check"
    }


def test_a_binding_keeps_labels_of_others() -> None:
    labels = observed(TargetGroupBinding).labels
    found = observed(TargetGroupBinding, labels={**labels, "team": "a"})
    assert changed(desired(TargetGroupBinding), found) == {}
    assert set(changed(desired(TargetGroupBinding), observed(TargetGroupBinding, labels={}))) == {"labels"}


def test_a_bindings_peers_and_ports_are_compared_without_order_and_grouping() -> None:
    peer, tcp, udp = (
        BindingPeer(cidr="10.0.0.0/8"),
        *(BindingPort(protocol=p, port=1) for p in ("TCP", "UDP")),
    )
    grouped = (BindingIngress(peers=(peer,), ports=(tcp, udp)),)
    split = (BindingIngress(peers=(peer,), ports=(udp,)), BindingIngress(peers=(peer,), ports=(tcp,)))
    binding = desired(TargetGroupBinding)
    found = observed(TargetGroupBinding)

    def with_networking(resource: Any, networking: object) -> Any:
        return replace(resource, spec=replace(resource.spec, networking=networking))

    assert changed(with_networking(binding, grouped), with_networking(found, split)) == {}
    assert set(changed(with_networking(binding, grouped), with_networking(found, split[:1]))) == {"spec"}
    assert set(changed(with_networking(binding, None), with_networking(found, ()))) == {"spec"}
