from __future__ import annotations

from itertools import permutations
from typing import Any

from lbcontroller.annotations.class_params import ClassParams
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_formats import SubnetTags
from lbcontroller.annotations.ingress_group import (
    GroupMember,
    merge_frontend_listener,
    merge_listener,
    merge_load_balancer,
)
from lbcontroller.model.enums import Protocol, Scheme
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.resources import MutualAuthenticationMode

PREFIX = "alb.ingress.kubernetes.io/"
HINT = "(remove it here or make both say the same)"
HTTP = ListenerKey(Protocol.HTTP, 80)
HTTPS = ListenerKey(Protocol.HTTPS, 443)


def a_member(name: str, params: ClassParams | None = None, order: int = 0, **annotations: str) -> GroupMember:
    subject = f"Ingress shop/{name}"
    keys = {PREFIX + key.replace("__", ".").replace("_", "-"): value for key, value in annotations.items()}
    model = IngressAnnotations.parse(subject, keys).model
    return GroupMember(subject=subject, annotations=model, params=params, order=order)


def a_class(name: str = "shop", **spec: Any) -> ClassParams:
    return ClassParams.parse(f"IngressClassParams {name}", spec)


def attributes(**entries: str) -> list[dict[str, str]]:
    return [{"key": key.replace("__", "."), "value": value} for key, value in entries.items()]


def test_nobody_says_anything() -> None:
    settings = merge_load_balancer([])
    assert settings.merged.annotations == IngressAnnotations()
    assert settings.findings == ()


def test_members_agree_or_are_told_who_wins() -> None:
    members = [
        a_member("a", order=5, scheme="internal", tags="team=a"),
        a_member("b", scheme="internet-facing", tags="team=b,note=x"),
    ]
    for listing in permutations(members):
        merged = merge_load_balancer(listing).merged
        assert merged.annotations.scheme is Scheme.INTERNET_FACING
        assert merged.annotations.tags == {"team": "b", "note": "x"}
        first = "Ingress shop/b, which shares its load balancer and comes first"
        assert {problem.subject for problem in merged.conflicts} == {"Ingress shop/a"}
        assert [str(problem).removesuffix(f" {HINT}") for problem in merged.conflicts] == [
            f"{PREFIX}tags: 'team=a': must be 'team=b' as on {first}",
            f"{PREFIX}scheme: 'internal': must be 'internet-facing' as on {first}",
        ]


def test_what_a_class_says_is_named_by_its_place() -> None:
    merged = merge_load_balancer(
        [a_member("a", a_class(scheme="internal")), a_member("b", scheme="internet-facing")]
    ).merged
    (problem,) = merged.conflicts
    assert "as on Ingress shop/a (IngressClassParams shop spec.scheme), which" in problem.expected
    merged = merge_load_balancer(
        [a_member("a", scheme="internet-facing"), a_member("b", a_class(scheme="internal"))]
    ).merged
    (problem,) = merged.conflicts
    assert (problem.subject, problem.field) == ("Ingress shop/b", "IngressClassParams shop spec.scheme")


def test_members_of_one_class_never_contradict_each_other_where_it_speaks() -> None:
    shop = a_class(scheme="internal", subnets={"tags": {"tier": ["a"]}}, tags=attributes(team="x"))
    merged = merge_load_balancer(
        [a_member("a", shop, scheme="internet-facing", tags="team=a"), a_member("b", shop, subnets="c")]
    ).merged
    assert merged.annotations.scheme is Scheme.INTERNAL
    assert merged.annotations.subnets == SubnetTags({"tier": ("a",)})
    assert merged.annotations.tags == {"team": "x"}
    assert merged.conflicts == ()


def test_subnets_by_tags_and_by_names_contradict_each_other() -> None:
    merged = merge_load_balancer(
        [a_member("a", a_class(subnets={"tags": {"tier": ["a", "b"]}})), a_member("b", subnets="x,y")]
    ).merged
    assert merged.annotations.subnets == SubnetTags({"tier": ("a", "b")})
    (problem,) = merged.conflicts
    assert (problem.field, problem.value) == (f"{PREFIX}subnets", "x,y")
    assert problem.expected.startswith(
        "must be 'tier=a|b' as on Ingress shop/a (IngressClassParams shop spec.subnets), which"
    )


def test_subnets_are_the_same_in_any_order() -> None:
    merged = merge_load_balancer(
        [a_member("a", subnets="x,y"), a_member("b", a_class(subnets={"ids": ["y", "x"]}))]
    ).merged
    assert merged.annotations.subnets == ("x", "y")
    assert merged.conflicts == ()


def test_the_class_of_the_first_member_decides_on_attributes_capacity_and_pool() -> None:
    shop = a_class(
        loadBalancerAttributes=attributes(idle_timeout__timeout_seconds="30"),
        minimumLoadBalancerCapacity={"capacityUnits": 100},
        ipamConfiguration={"ipv4IPAMPoolId": "ipam-pool-1"},
    )
    settings = merge_load_balancer(
        [
            a_member(
                "a",
                shop,
                load_balancer_attributes="idle_timeout.timeout_seconds=60,routing.http2.enabled=false",
                minimum_load_balancer_capacity="CapacityUnits=7",
            ),
            a_member(
                "b",
                load_balancer_attributes="idle_timeout.timeout_seconds=90",
                minimum_load_balancer_capacity="CapacityUnits=8",
                ipam_ipv4_pool_id="ipam-pool-2",
            ),
        ]
    )
    holds = settings.merged.annotations
    assert holds.load_balancer_attributes == {
        "idle_timeout.timeout_seconds": "30",
        "routing.http2.enabled": "false",
    }
    assert holds.minimum_load_balancer_capacity == 100
    assert holds.ipam_ipv4_pool_id == "ipam-pool-1"
    assert settings.merged.conflicts == ()
    assert settings.findings == ()


def test_the_class_of_another_member_does_not_and_its_members_are_told() -> None:
    other = a_class(
        "other",
        loadBalancerAttributes=attributes(idle_timeout__timeout_seconds="30"),
        minimumLoadBalancerCapacity={"capacityUnits": 100},
    )
    settings = merge_load_balancer([a_member("a"), a_member("b", other)])
    assert settings.merged.annotations == IngressAnnotations()
    assert {finding.reason for finding in settings.findings} == {FindingReason.IGNORED_SETTING}
    assert {finding.subject for finding in settings.findings} == {"Ingress shop/b"}
    why = "it counts only for the first Ingress of a group, which is Ingress shop/a"
    assert [finding.message for finding in settings.findings] == [
        f"IngressClassParams other spec.loadBalancerAttributes has no effect: {why}",
        f"IngressClassParams other spec.minimumLoadBalancerCapacity has no effect: {why}",
    ]


def test_nobody_is_told_of_what_holds_anyway() -> None:
    shop = a_class(minimumLoadBalancerCapacity={"capacityUnits": 100})
    assert merge_load_balancer([a_member("a", shop), a_member("b", shop)]).findings == ()


def test_both_spellings_of_a_web_acl_are_one_setting() -> None:
    merged = merge_load_balancer([a_member("a", web_acl_id="x"), a_member("b", waf_acl_id="y")]).merged
    assert (merged.annotations.waf_acl_id, merged.annotations.web_acl_id) == ("x", None)
    (problem,) = merged.conflicts
    assert problem.field == f"{PREFIX}waf-acl-id"
    assert f"as on Ingress shop/a ({PREFIX}web-acl-id), which" in problem.expected


def test_the_newer_spelling_counts_on_the_same_member() -> None:
    merged = merge_load_balancer([a_member("a", web_acl_id="x", waf_acl_id="y")]).merged
    assert merged.annotations.waf_acl_id == "y"
    assert merged.conflicts == ()


def test_a_listener_has_what_its_members_say_about_it() -> None:
    merged = merge_listener(
        [
            a_member(
                "a",
                ssl_policy="ELBSecurityPolicy-2016-08",
                mutual_authentication='[{"port":443,"mode":"off"},{"port":8443,"mode":"passthrough"}]',
                listener_attributes__HTTPS_443="a=1",
                scheme="internal",
            ),
            a_member(
                "b",
                mutual_authentication='[{"port":443,"mode":"off"},{"port":8443,"mode":"off"}]',
                listener_attributes__HTTPS_443="b=2",
                inbound_cidrs="10.0.0.0/8",
            ),
        ],
        HTTPS,
    )
    holds = merged.annotations
    assert holds.ssl_policy == "ELBSecurityPolicy-2016-08"
    assert [entry.mode for entry in holds.mutual_authentication or ()] == [MutualAuthenticationMode.OFF]
    assert holds.listener_attributes == {HTTPS: {"a": "1", "b": "2"}}
    assert holds.inbound_cidrs == ("10.0.0.0/8",)
    assert holds.scheme is None
    assert merged.conflicts == ()


def test_members_contradict_each_other_only_about_the_listener_they_share() -> None:
    one = a_member(
        "a",
        ssl_policy="ELBSecurityPolicy-2016-08",
        inbound_cidrs="10.0.0.0/8,192.0.2.0/24",
        listener_attributes__HTTP_80="a=1",
    )
    two = a_member(
        "b",
        ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        inbound_cidrs="192.0.2.0/24,10.0.0.0/8",
        listener_attributes__HTTP_80="a=2",
    )
    assert [problem.field for problem in merge_listener([one, two], HTTP).conflicts] == [
        f"{PREFIX}listener-attributes.HTTP-80"
    ]
    assert [problem.field for problem in merge_listener([one, two], HTTPS).conflicts] == [
        f"{PREFIX}ssl-policy"
    ]


def test_the_class_of_the_first_member_on_a_listener_decides_on_its_attributes() -> None:
    shop = a_class(
        listeners=[{"protocol": "HTTP", "port": 80, "listenerAttributes": attributes(a="9", b="9")}]
    )
    members = [
        a_member("a", shop, listener_attributes__HTTP_80="a=1,c=1"),
        a_member("b", listener_attributes__HTTP_80="a=2"),
    ]
    merged = merge_listener(members, HTTP)
    assert merged.annotations.listener_attributes == {HTTP: {"a": "9", "b": "9", "c": "1"}}
    assert merged.conflicts == ()
    assert merge_listener(members[1:], HTTP).annotations.listener_attributes == {HTTP: {"a": "2"}}
    assert merge_listener(members, HTTPS).annotations.listener_attributes == {}


def test_a_class_says_who_may_connect_for_each_of_its_members() -> None:
    merged = merge_listener(
        [
            a_member("a", a_class(inboundCIDRs=["192.0.2.0/24"], prefixListsIDs=["pl-1"])),
            a_member("b", inbound_cidrs="10.0.0.0/8"),
        ],
        HTTP,
    )
    assert merged.annotations.inbound_cidrs == ("192.0.2.0/24",)
    assert merged.annotations.security_group_prefix_lists == ("pl-1",)
    assert [problem.subject for problem in merged.conflicts] == ["Ingress shop/b"]


def test_health_checks_of_the_load_balancer_in_front_are_agreed_on_port_by_port() -> None:
    merged = merge_frontend_listener(
        [
            a_member("a", frontend_nlb_healthcheck_path="/a", scheme="internal"),
            a_member("b", frontend_nlb_healthcheck_path="/b", frontend_nlb_healthcheck_port="8080"),
        ]
    )
    assert merged.annotations == IngressAnnotations(
        frontend_nlb_healthcheck_path="/a", frontend_nlb_healthcheck_port=8080
    )
    assert [problem.subject for problem in merged.conflicts] == ["Ingress shop/b"]
