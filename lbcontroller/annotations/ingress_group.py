"""What the Ingresses of a group say together, with what their classes say for them.

Each member has the parameters of its own class. Four settings count only from the class of the first member,
of the group or of the listener, and then beat every annotation: the attributes of the load balancer and of
listeners, the capacity, and the IPAM pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lbcontroller.annotations.class_params import ClassParams, override, sources
from lbcontroller.annotations.declare import Scope
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.merge import Decided, Member, Merged, merge
from lbcontroller.model.enums import Protocol
from lbcontroller.model.findings import Finding, FindingReason, Severity

OF_FIRST: Final[Mapping[str, str]] = {
    "load_balancer_attributes": "loadBalancerAttributes",
    "minimum_load_balancer_capacity": "minimumLoadBalancerCapacity",
    "ipam_ipv4_pool_id": "ipamConfiguration",
}
"""Settings that count from the class of the first member only, with their names in the spec."""
_key: Final = IngressAnnotations.key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """An Ingress of a group."""

    subject: str
    """`Ingress namespace/name`."""
    annotations: IngressAnnotations
    """Its own, or already with those of its class."""
    params: ClassParams | None = None
    order: int = 0
    """Lower ones come first; equal ones are ordered by their subjects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """What a group says about its load balancer."""

    merged: Merged[IngressAnnotations]
    findings: tuple[Finding, ...]


def merge_load_balancer(members: Iterable[GroupMember]) -> GroupSettings:
    """Return what the members of a group say about their load balancer.

    The tags of a listener are those of its members that hold here, so that nobody is told twice.
    """
    ordered = _in_order(members)
    said = tuple(_one_spelling(_member(member)) for member in ordered)
    first = ordered[0].params if ordered else None
    decided = {
        (field, None): Decided(value=getattr(first, field), source=f"{first.subject} spec.{name}")
        for field, name in OF_FIRST.items()
        if first is not None and getattr(first, field) not in (None, {})
    }
    merged = merge(IngressAnnotations, said, decided=decided)
    return GroupSettings(merged=merged, findings=tuple(_not_of_first(ordered, merged.annotations)))


def merge_listener(members: Iterable[GroupMember], listener: ListenerKey) -> Merged[IngressAnnotations]:
    """Return what the members that use a listener say about it.

    Mutual authentication and listener attributes are those of this listener only.
    """
    ordered = _in_order(members)
    said = tuple(_about(_member(member), listener) for member in ordered)
    first = ordered[0].params if ordered else None
    decided = {}
    if first is not None and (attributes := first.listeners.get(listener)):
        source = f"{first.subject} spec.listeners"
        decided["listener_attributes", listener] = Decided(value=attributes, source=source)
    return merge(IngressAnnotations, said, Scope.LISTENER, decided=decided)


def merge_frontend_listener(members: Iterable[GroupMember]) -> Merged[IngressAnnotations]:
    """Return what the members behind one listener of the network load balancer in front say about it."""
    return merge(IngressAnnotations, map(_member, members), Scope.FRONTEND_LISTENER)


def _in_order(members: Iterable[GroupMember]) -> tuple[GroupMember, ...]:
    return tuple(sorted(members, key=lambda member: (member.order, member.subject)))


def _member(member: GroupMember) -> Member[IngressAnnotations]:
    params = member.params
    return Member(
        subject=member.subject,
        order=member.order,
        annotations=member.annotations if params is None else override(member.annotations, params),
        sources={} if params is None else sources(params),
    )


def _one_spelling(member: Member[IngressAnnotations]) -> Member[IngressAnnotations]:
    """Return a member that says the older spelling of a web ACL's id in the newer one."""
    older = member.annotations.web_acl_id
    if older is None:
        return member
    changed: dict[str, Any] = {"web_acl_id": None}
    where = dict(member.sources)
    if member.annotations.waf_acl_id is None:
        changed["waf_acl_id"] = older
        where[_key("waf_acl_id")] = _key("web_acl_id")
    return replace(member, annotations=member.annotations.model_copy(update=changed), sources=where)


def _about(member: Member[IngressAnnotations], listener: ListenerKey) -> Member[IngressAnnotations]:
    """Return a member that speaks of one listener: what it says about others contradicts nobody there."""
    asked, encrypted = member.annotations, listener.protocol is Protocol.HTTPS
    own = tuple(entry for entry in asked.mutual_authentication or () if entry.port == listener.port)
    given = asked.listener_attributes.get(listener)
    narrowed = {
        "ssl_policy": asked.ssl_policy if encrypted else None,
        "mutual_authentication": own if own and encrypted else None,
        "listener_attributes": {} if given is None else {listener: given},
    }
    return replace(member, annotations=asked.model_copy(update=narrowed))


def _not_of_first(members: Sequence[GroupMember], holds: IngressAnnotations) -> Iterator[Finding]:
    """Yield a finding for each setting of a class that does not count, because it is not the first one's."""
    for member in members[1:]:
        for field, name in OF_FIRST.items():
            value = getattr(member.params, field, None)
            if value in (None, {}) or _is_part(value, getattr(holds, field)):
                continue
            yield Finding(
                severity=Severity.WARNING,
                subject=member.subject,
                reason=FindingReason.IGNORED_SETTING,
                message=f"{member.params.subject if member.params else name} spec.{name} has no effect: it "
                f"counts only for the first Ingress of a group, which is {members[0].subject}",
            )


def _is_part(value: Any, whole: Any) -> bool:
    return value.items() <= whole.items() if isinstance(value, Mapping) else bool(value == whole)
