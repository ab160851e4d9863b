"""Laws of merging: the order of the listing never matters, and the first member always wins."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.annotations.class_params import ClassParams
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_group import GroupMember, merge_listener, merge_load_balancer
from lbcontroller.model.enums import Protocol

PREFIX = "alb.ingress.kubernetes.io/"
HTTP = ListenerKey(Protocol.HTTP, 80)
VALUES = {
    "scheme": ["internal", "internet-facing"],
    "subnets": ["a,b", "b,a", "c"],
    "tags": ["team=a", "team=b,note=x", "note=x,tier=1"],
    "load-balancer-attributes": ["idle_timeout.timeout_seconds=30", "idle_timeout.timeout_seconds=60,a=1"],
    "minimum-load-balancer-capacity": ["CapacityUnits=1", "CapacityUnits=2"],
    "ssl-redirect": ["443", "8443"],
    "inbound-cidrs": ["10.0.0.0/8", "192.0.2.0/24,10.0.0.0/8", ""],
    "ssl-policy": ["ELBSecurityPolicy-2016-08"],
    "listener-attributes.HTTP-80": ["a=1", "a=2,b=3"],
    "waf-acl-id": ["x", "none"],
    "web-acl-id": ["y", "x"],
}
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "scheme": st.sampled_from(["internal", "internet-facing"]),
        "subnets": st.just({"tags": {"tier": ["a"]}}),
        "tags": st.just([{"key": "team", "value": "platform"}]),
        "minimumLoadBalancerCapacity": st.just({"capacityUnits": 7}),
        "loadBalancerAttributes": st.just([{"key": "a", "value": "9"}]),
        "listeners": st.just(
            [{"protocol": "HTTP", "port": 80, "listenerAttributes": [{"key": "a", "value": "9"}]}]
        ),
    },
)


@st.composite
def groups(draw: st.DrawFn) -> list[GroupMember]:
    """Draw a group of up to four members."""
    members = []
    for name in draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=4)):
        subject = f"Ingress shop/{name}"
        said: dict[str, Any] = {
            PREFIX + key: draw(st.sampled_from(VALUES[key]))
            for key in draw(st.sets(st.sampled_from(sorted(VALUES))))
        }
        spec = draw(st.none() | SPECS)
        members.append(
            GroupMember(
                subject=subject,
                order=draw(st.integers(-1, 1)),
                annotations=IngressAnnotations.parse(subject, said).model,
                params=None if spec is None else ClassParams.parse(f"IngressClassParams {name}", spec),
            )
        )
    return members


def in_order(members: list[GroupMember]) -> list[GroupMember]:
    return sorted(members, key=lambda member: (member.order, member.subject))


@given(groups(), st.randoms(use_true_random=False))
def test_the_order_of_the_listing_does_not_matter(members: list[GroupMember], random: Any) -> None:
    shuffled = [*members]
    random.shuffle(shuffled)
    assert merge_load_balancer(shuffled) == merge_load_balancer(members)
    assert merge_listener(shuffled, HTTP) == merge_listener(members, HTTP)


@given(groups())
def test_the_first_member_is_never_contradicted(members: list[GroupMember]) -> None:
    merged = merge_load_balancer(members).merged
    on_listener = merge_listener(members, HTTP)
    first = in_order(members)[:1]
    alone = merge_load_balancer(first).merged
    for problem in (*merged.conflicts, *on_listener.conflicts):
        assert problem.subject != first[0].subject
    for field in ("scheme", "subnets", "ssl_redirect", "minimum_load_balancer_capacity", "waf_acl_id"):
        if (said := getattr(alone.annotations, field)) is not None:
            assert getattr(merged.annotations, field) == said


@given(groups())
def test_a_member_that_joins_at_the_end_changes_nothing_that_holds(members: list[GroupMember]) -> None:
    before = merge_load_balancer(in_order(members)[:-1]).merged
    after = merge_load_balancer(members).merged
    for field, value in before.annotations:
        if isinstance(value, dict):
            assert value.items() <= getattr(after.annotations, field).items()
        elif value is not None and value != ():
            assert getattr(after.annotations, field) == value
    assert before.speakers.items() <= after.speakers.items()


@given(groups())
def test_every_value_that_holds_was_said_by_who_is_named(members: list[GroupMember]) -> None:
    subjects = {member.subject for member in members}
    merged = merge_load_balancer(members).merged
    assert set(merged.speakers.values()) <= subjects
    for field in merged.annotations.model_fields_set:
        assert IngressAnnotations.key_of(field) in merged.speakers


@given(groups())
def test_members_that_agree_are_told_nothing(members: list[GroupMember]) -> None:
    first = in_order(members)[:1]
    copies = [
        GroupMember(
            subject=f"Ingress shop/copy-{place}", annotations=one.annotations, params=one.params, order=2
        )
        for one in first
        for place in range(3)
    ]
    settings = merge_load_balancer([*first, *copies])
    assert settings.merged.conflicts == ()
    assert settings.findings == ()
    assert merge_listener([*first, *copies], HTTP).conflicts == ()
