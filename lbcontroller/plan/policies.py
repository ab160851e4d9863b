"""What the planner may do with what exists: field by field, and in named checks.

The table says for each field what a difference means. The checks are pure predicates: those with words for an
answer return why, as a user understands it, or None, and of a list of them the first answer counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lbcontroller.model.enums import LoadBalancerType
from lbcontroller.model.fields import OnCreate
from lbcontroller.model.observed import (
    LoadBalancerState,
    ObservedBinding,
    ObservedLoadBalancer,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import LoadBalancer, Resource
from lbcontroller.settings import Settings

DELETION_PROTECTION: Final = "deletion_protection.enabled"
"""Attribute of a load balancer that AWS refuses to delete while it is `true`."""


REGISTRATION_WAIT: Final = timedelta(minutes=5)
"""How long traffic waits for targets of a new target group before it moves there anyway."""


class TagPolicy(StrEnum):
    """What happens to tags on our resources that nobody asked for."""

    REMOVE_FOREIGN = "remove-foreign"
    """They are removed, as LBC does: a tag that left an annotation cannot be told from a foreign one."""
    KEEP_FOREIGN = "keep-foreign"
    """They are kept and reported."""


class ForeignListeners(StrEnum):
    """What happens to listeners that somebody added to a load balancer of ours by hand."""

    KEEP = "keep"
    """They are kept and reported."""
    DELETE = "delete"


class Remedy(StrEnum):
    """What to do about a setting that AWS cannot change in place."""

    REPORT = "report"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPolicy:
    """What a plan depends on beside the desired and the observed resources."""

    now: datetime
    cluster: str
    """The cluster's name, as in tags."""
    external_tags: frozenset[str] = frozenset()
    """Keys that somebody else manages: neither set nor removed."""
    replacement_drain: timedelta
    """How long a replaced load balancer goes on serving clients that still have its addresses."""
    registration_wait: timedelta
    """How long traffic waits for the targets of a new target group before it is moved anyway."""
    foreign_listeners: ForeignListeners = ForeignListeners.KEEP
    tags: TagPolicy = TagPolicy.REMOVE_FOREIGN
    security_group_presence: Remedy = Remedy.REPORT
    """For a network load balancer made without security groups that should have some, and the reverse."""

    @classmethod
    def of(cls, settings: Settings, now: datetime) -> PlanPolicy:
        """Return what the settings say, at a moment."""
        return cls(
            now=now,
            cluster=settings.cluster_name,
            external_tags=frozenset(settings.external_managed_tags),
            replacement_drain=timedelta(seconds=settings.replacement_drain_seconds),
            registration_wait=REGISTRATION_WAIT,
        )


class Mode(StrEnum):
    """What a difference in one field means."""

    IDENTITY = "identity"
    """It is what the resource is found by, so it never differs."""
    IMMUTABLE = "immutable"
    """AWS cannot change it: the resource is replaced."""
    CREATE_ONLY = "create-only"
    """It is given once; what exists keeps its own."""
    MUTABLE = "mutable"
    """It is changed in place."""
    ARRANGED = "arranged"
    """It is changed for several resources together, by a `Reorder`."""


MODES: Final[Mapping[Kind, Mapping[str, Mode]]] = MappingProxyType(
    {
        Kind.SECURITY_GROUP: {
            "name": Mode.CREATE_ONLY,
            "description": Mode.CREATE_ONLY,
            "vpc_id": Mode.CREATE_ONLY,
            "ingress": Mode.MUTABLE,
            "tags": Mode.MUTABLE,
        },
        Kind.TARGET_GROUP: {
            "name": Mode.CREATE_ONLY,
            "target_type": Mode.IMMUTABLE,
            "protocol": Mode.IMMUTABLE,
            "protocol_version": Mode.IMMUTABLE,
            "port": Mode.CREATE_ONLY,
            "vpc_id": Mode.CREATE_ONLY,
            "ip_address_type": Mode.IMMUTABLE,
            "control_port": Mode.IMMUTABLE,
            "health_check": Mode.MUTABLE,
            "attributes": Mode.MUTABLE,
            "tags": Mode.MUTABLE,
            "default_attributes": Mode.CREATE_ONLY,
        },
        Kind.LOAD_BALANCER: {
            "name": Mode.CREATE_ONLY,
            "type": Mode.IMMUTABLE,
            "scheme": Mode.IMMUTABLE,
            "ip_address_type": Mode.MUTABLE,
            "subnets": Mode.MUTABLE,
            "security_groups": Mode.MUTABLE,
            "source_nat_prefix": Mode.MUTABLE,
            "private_link_inbound_rules": Mode.MUTABLE,
            "attributes": Mode.MUTABLE,
            "capacity_units": Mode.MUTABLE,
            "tags": Mode.MUTABLE,
            "customer_owned_ipv4_pool": Mode.CREATE_ONLY,
            "ipam_pool": Mode.MUTABLE,
            "web_acl": Mode.MUTABLE,
            "web_acl_classic": Mode.MUTABLE,
            "shield_protection": Mode.MUTABLE,
        },
        Kind.LISTENER: {
            "load_balancer": Mode.IDENTITY,
            "port": Mode.IDENTITY,
            "protocol": Mode.MUTABLE,
            "default_actions": Mode.MUTABLE,
            "certificates": Mode.MUTABLE,
            "ssl_policy": Mode.MUTABLE,
            "alpn_policy": Mode.MUTABLE,
            "mutual_authentication": Mode.MUTABLE,
            "attributes": Mode.MUTABLE,
            "tags": Mode.MUTABLE,
        },
        Kind.LISTENER_RULE: {
            "listener": Mode.IDENTITY,
            "priority": Mode.ARRANGED,
            "conditions": Mode.MUTABLE,
            "actions": Mode.MUTABLE,
            "transforms": Mode.MUTABLE,
            "tags": Mode.MUTABLE,
        },
        Kind.LOAD_BALANCER_TARGET: {
            "target_group": Mode.IDENTITY,
            "load_balancer": Mode.IDENTITY,
            "listener": Mode.IDENTITY,
            "port": Mode.IDENTITY,
        },
        Kind.CERTIFICATE: {"secret": Mode.IDENTITY, "fingerprint": Mode.MUTABLE, "tags": Mode.MUTABLE},
        Kind.TARGET_GROUP_BINDING: {"name": Mode.CREATE_ONLY, "labels": Mode.MUTABLE, "spec": Mode.MUTABLE},
    }
)
"""Every field of every kind but its id.

A target group's `port` is only what targets without a port of their own would get, and every target has one.
Its `ip_address_type` is a reason to replace it although LBC leaves the old target group in place: no target
of the new family can be registered in it, and the update of its TargetGroupBinding is refused.
Of a registered load balancer nothing changes in place: another target gets another target group.
"""


def fields_of(kind: Kind, mode: Mode) -> tuple[str, ...]:
    """Return the fields of `kind` for which a difference means `mode`."""
    return tuple(field for field, given in MODES[kind].items() if given is mode)


def immutable_field_differs(desired: Resource, observed: Resource) -> str | None:
    """Return which field AWS would have to change but cannot."""
    for field in fields_of(desired.id.kind, Mode.IMMUTABLE):
        before, after = getattr(observed, field), getattr(desired, field)
        if before != after:
            words = field.replace("_", " ")
            return f"{words} changes from {before} to {after}, which AWS cannot do in place"
    return None


def security_groups_appear_or_vanish(desired: LoadBalancer, observed: LoadBalancer) -> bool:
    """Return whether a network load balancer should go from no security groups to some, or back.

    Which of the two it is was decided when it was created (Network Load Balancer guide, "Security groups").
    """
    if observed.type is not LoadBalancerType.NETWORK:
        return False
    before, after = observed.security_groups, desired.security_groups
    return isinstance(before, tuple) and isinstance(after, tuple) and bool(before) is not bool(after)


def addresses_of(load_balancer: LoadBalancer) -> frozenset[str]:
    """Return the static addresses that a load balancer takes in its subnets."""
    subnets = load_balancer.subnets
    mappings = subnets.value if isinstance(subnets, OnCreate) else subnets
    if not isinstance(mappings, tuple):
        return frozenset()
    return frozenset(
        str(address)
        for mapping in mappings
        for address in (mapping.allocation, mapping.private_ipv4, mapping.ipv6)
        if address is not None
    )


def security_groups_need_replacement(
    desired: LoadBalancer, observed: LoadBalancer, policy: PlanPolicy
) -> str | None:
    """Return why the load balancer is replaced for the sake of its security groups."""
    if policy.security_group_presence is Remedy.REPORT:
        return None
    if not security_groups_appear_or_vanish(desired, observed) or shared_addresses(desired, observed):
        return None
    if desired.security_groups:
        return "it gets security groups, which AWS allows only for a network load balancer created with some"
    return "it loses its security groups, which AWS allows only for one created without"


def type_or_scheme_differs(desired: LoadBalancer, observed: LoadBalancer, _policy: PlanPolicy) -> str | None:
    """Return which of the two changes."""
    return immutable_field_differs(desired, observed)


LOAD_BALANCER_REPLACEMENT: Final[
    tuple[Callable[[LoadBalancer, LoadBalancer, PlanPolicy], str | None], ...]
] = (type_or_scheme_differs, security_groups_need_replacement)
"""Why a load balancer cannot become the desired one."""


def load_balancer_is_replaced(
    desired: LoadBalancer, observed: LoadBalancer, policy: PlanPolicy
) -> str | None:
    """Return the first reason why `observed` cannot become `desired`."""
    answers = (check(desired, observed, policy) for check in LOAD_BALANCER_REPLACEMENT)
    return next((answer for answer in answers if answer is not None), None)


def shared_addresses(desired: LoadBalancer, observed: LoadBalancer) -> frozenset[str]:
    """Return the addresses that both want, so that they cannot exist side by side."""
    return addresses_of(desired) & addresses_of(observed)


def is_protected(load_balancer: LoadBalancer) -> bool:
    """Return whether AWS is known to refuse the deletion of an observed load balancer."""
    attributes = load_balancer.attributes
    return isinstance(attributes, Mapping) and attributes.get(DELETION_PROTECTION) == "true"


def is_serving(load_balancer: ObservedLoadBalancer) -> bool:
    """Return whether AWS has finished setting it up."""
    return load_balancer.state in {LoadBalancerState.ACTIVE, LoadBalancerState.ACTIVE_IMPAIRED}


def has_targets(binding: ObservedBinding, policy: PlanPolicy) -> bool:
    """Return whether traffic may go to a binding's target group: registered, or waited for long enough."""
    return not binding.deleting and (
        binding.reconciled or policy.now - binding.created_at >= policy.registration_wait
    )


def target_group_is_replaced(
    desired: Resource, observed: ObservedTargetGroup, taken_by_replaced: frozenset[str]
) -> str | None:
    """Return why `observed` cannot become `desired`.

    Args:
        desired: The target group wanted.
        observed: One with the same identity.
        taken_by_replaced: Load balancers that use it and are themselves being replaced. A target group serves
            one load balancer only (ELBv2 error TargetGroupAssociationLimit), and the old one goes on serving
            until its replacement has taken over.
    """
    if reason := immutable_field_differs(desired, observed.resource):
        return reason
    if taken_by_replaced:
        return "its load balancer is replaced, and AWS lets a target group serve only one load balancer"
    return None
