"""What the planner may do with what exists: field by field, and in named checks.

The table says for each field what a difference means. The checks are pure predicates: those with words for an
answer return why, as a user understands it, or None, and of a list of them the first answer counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.limits import RULES_PER_LOAD_BALANCER
from lbcontroller.model.observed import (
    CertificateStatus,
    LoadBalancerState,
    ObservedBinding,
    ObservedLoadBalancer,
    ObservedRequestedCertificate,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import LoadBalancer, Resource
from lbcontroller.plan.misfits import misfits
from lbcontroller.settings import REPLACEMENT_FLAG, Settings

DELETION_PROTECTION: Final = "deletion_protection.enabled"
"""Attribute of a load balancer that AWS refuses to delete while it is `true`."""


REGISTRATION_WAIT: Final = timedelta(minutes=5)
"""How long traffic waits for targets of a new target group before it moves there anyway."""


FAILED_CERTIFICATE_WAIT: Final = timedelta(days=1)
"""How long after the request for a certificate that failed it is asked for again: an account may ask for few
thousand in a year (ACM quotas), and what is wrong in DNS rarely mends itself."""


_USABLE_CERTIFICATES: Final = frozenset({CertificateStatus.ISSUED, CertificateStatus.PENDING_VALIDATION})


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
    misfits: Remedy = Remedy.REPORT
    """For a load balancer that differs in what AWS settles at its creation, beside type and scheme."""
    replacement_setting: str = REPLACEMENT_FLAG
    """What allows to replace it, for messages."""
    rules_per_load_balancer: int = RULES_PER_LOAD_BALANCER
    """How many rules a load balancer is known to take; one that has more takes as many as it has."""

    @classmethod
    def of(cls, settings: Settings, now: datetime) -> PlanPolicy:
        """Return what the settings say, at a moment."""
        return cls(
            now=now,
            cluster=settings.cluster_name,
            external_tags=frozenset(settings.external_managed_tags),
            replacement_drain=timedelta(seconds=settings.replacement_drain_seconds),
            registration_wait=REGISTRATION_WAIT,
            misfits=_remedy(allowed=settings.allow_load_balancer_replacement),
        )

    def for_object(self, *, allowed: bool | None, setting: str) -> PlanPolicy:
        """Return the policy for an object that says for itself whether its load balancer may be replaced.

        Args:
            allowed: what it says; None: nothing, so that the flag counts.
            setting: the annotation or field where it says so; empty where there is none.
        """
        return replace(
            self,
            misfits=self.misfits if allowed is None else _remedy(allowed=allowed),
            replacement_setting=f"{setting}: true, or {REPLACEMENT_FLAG}" if setting else REPLACEMENT_FLAG,
        )

    def for_drift(self, mode: DriftMode, *, brought_about: bool) -> PlanPolicy:
        """Return the policy for what others add.

        Args:
            mode: what the object asks for.
            brought_about: whether what it wants was there before. Then a tag that nobody asks for is not left
                over from what it wanted earlier: somebody else added it.
        """
        keeps_tags = brought_about and mode is not DriftMode.STRICT
        return replace(
            self,
            tags=TagPolicy.KEEP_FOREIGN if keeps_tags else self.tags,
            foreign_listeners=(
                ForeignListeners.DELETE if mode is DriftMode.STRICT else self.foreign_listeners
            ),
        )


def _remedy(*, allowed: bool) -> Remedy:
    return Remedy.REPLACE if allowed else Remedy.REPORT


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
        Kind.REQUESTED_CERTIFICATE: {
            "hosts": Mode.IMMUTABLE,
            "authority": Mode.IMMUTABLE,
            "records": Mode.MUTABLE,
            "tags": Mode.MUTABLE,
        },
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


def misfit_needs_replacement(desired: LoadBalancer, observed: LoadBalancer, policy: PlanPolicy) -> str | None:
    """Return why the load balancer is replaced for what AWS settles at creation, where that is allowed."""
    if policy.misfits is Remedy.REPORT:
        return None
    return next(misfits(desired, observed), None)


def type_or_scheme_differs(desired: LoadBalancer, observed: LoadBalancer, _policy: PlanPolicy) -> str | None:
    """Return which of the two changes."""
    return immutable_field_differs(desired, observed)


LOAD_BALANCER_REPLACEMENT: Final[
    tuple[Callable[[LoadBalancer, LoadBalancer, PlanPolicy], str | None], ...]
] = (type_or_scheme_differs, misfit_needs_replacement)
"""Why a load balancer cannot become the desired one."""


def load_balancer_is_replaced(
    desired: LoadBalancer, observed: LoadBalancer, policy: PlanPolicy
) -> str | None:
    """Return the first reason why `observed` cannot become `desired`."""
    answers = (check(desired, observed, policy) for check in LOAD_BALANCER_REPLACEMENT)
    return next((answer for answer in answers if answer is not None), None)


def is_protected(load_balancer: LoadBalancer) -> bool:
    """Return whether AWS is known to refuse the deletion of an observed load balancer."""
    attributes = load_balancer.attributes
    return isinstance(attributes, Mapping) and attributes.get(DELETION_PROTECTION) == "true"


def is_serving(load_balancer: ObservedLoadBalancer) -> bool:
    """Return whether AWS has finished setting it up."""
    return load_balancer.state in {LoadBalancerState.ACTIVE, LoadBalancerState.ACTIVE_IMPAIRED}


def has_targets(binding: ObservedBinding, policy: PlanPolicy) -> bool:
    """Return whether traffic may go to a binding's target group: reconciled, or waited for long enough."""
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


def certificate_is_replaced(
    desired: Resource, observed: ObservedRequestedCertificate, policy: PlanPolicy
) -> str | None:
    """Return why another certificate is asked for in place of `observed`."""
    if reason := immutable_field_differs(desired, observed.resource):
        return reason
    if observed.status in _USABLE_CERTIFICATES or policy.now - observed.created_at < FAILED_CERTIFICATE_WAIT:
        return None
    return f"ACM says {observed.status}{f': {observed.reason}' if observed.reason else ''}"
