"""What has to change in a resource that exists.

| desired       | observed | outcome                                                               |
|---------------|----------|-----------------------------------------------------------------------|
| anything      | UNKNOWN  | nothing: what was not read is not judged                              |
| UNMANAGED     | anything | nothing                                                               |
| OnCreate      | other    | nothing, and a finding says what a new resource would get             |
| RESET         | other    | a change to the default of AWS, where it has one                      |
| a value       | other    | a change                                                              |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import eq
from types import MappingProxyType
from typing import Any, Final

from lbcontroller.model.enums import AlpnPolicy, IpAddressType, OnOff
from lbcontroller.model.fields import UNKNOWN, Mark, OnCreate
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.identity import CLUSTER_TAG_PREFIX, TagFamily
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    MutualAuthentication,
    MutualAuthenticationMode,
    Resource,
    TargetGroup,
)
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.equality import SAME, resolve
from lbcontroller.plan.misfits import security_groups_appear_or_vanish
from lbcontroller.plan.policies import Mode, PlanPolicy, TagPolicy, fields_of
from lbcontroller.plan.steps import Change

AWS_DEFAULTS: Final[Mapping[tuple[Kind, str], object]] = MappingProxyType(
    {
        (Kind.SECURITY_GROUP, "ingress"): frozenset(),
        (Kind.LOAD_BALANCER, "source_nat_prefix"): OnOff.OFF,
        (Kind.LOAD_BALANCER, "private_link_inbound_rules"): OnOff.ON,
        (Kind.LOAD_BALANCER, "capacity_units"): 0,
        (Kind.LOAD_BALANCER, "ipam_pool"): "",
        (Kind.LOAD_BALANCER, "web_acl"): "",
        (Kind.LOAD_BALANCER, "web_acl_classic"): "",
        (Kind.LOAD_BALANCER, "shield_protection"): False,
        (Kind.LISTENER, "certificates"): (),
        (Kind.LISTENER, "ssl_policy"): "ELBSecurityPolicy-2016-08",
        (Kind.LISTENER, "alpn_policy"): AlpnPolicy.NONE,
        (Kind.LISTENER, "mutual_authentication"): MutualAuthentication(mode=MutualAuthenticationMode.OFF),
    }
)
"""What a field is when nothing was set (ELBv2 and EC2 API references). A field that is not listed has no
default, and a reset leaves it as it is."""

_RESERVED_TAG_PREFIX: Final = "aws:"
"""Tags of AWS itself; nobody else may set them."""
_LEGACY_TAGS: Final = frozenset(
    {
        "ingress.k8s.aws/cluster",
        "kubernetes.io/cluster-name",
        "kubernetes.io/ingress-name",
        "kubernetes.io/namespace",
        "kubernetes.io/service-name",
        "kubernetes.io/service-port",
    }
)
"""Tags of earlier controllers, which LBC leaves where they are; the cluster's own tag likewise."""
_RULE_NAME_TAG: Final = f"{TagFamily.INGRESS}/resource"
"""Tag of a rule with its listener's port and its priority, as `port:priority`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What comparing depends on beside the two resources."""

    subject: str
    """The object the stack is built for, for findings."""
    arns: Mapping[ResourceId, Arn]
    """What references stand for."""
    policy: PlanPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What to change in one resource."""

    resource: Resource
    """The desired resource as it is to be sent."""
    changes: tuple[Change, ...]
    """Ordered by field; empty when nothing has to change."""
    findings: tuple[Finding, ...]


def compare(desired: Resource, observed: Resource, scope: Scope) -> Difference:
    """Return what turns `observed` into `desired`."""
    sent = _to_send(desired, observed)
    changes: list[Change] = []
    findings: list[Finding] = []
    for field in fields_of(desired.id.kind, Mode.MUTABLE):
        before, after = getattr(observed, field), getattr(sent, field)
        if before is UNKNOWN:
            continue
        if field == "attributes":
            changes += _attribute_changes(before, after)
        elif field == "tags":
            changes += _tag_changes(desired.id.kind, before, after, scope.policy)
            findings += _foreign_tags(desired.id, before, after, scope)
        elif isinstance(after, OnCreate):
            findings += _kept_default(desired.id, field, (before, after.value), scope)
        elif not _means_the_same(desired.id.kind, field, before, resolve(after, scope.arns)):
            changes.append(Change(field=field, before=_shown(before), after=after))
    if isinstance(desired, TargetGroup) and isinstance(observed, TargetGroup):
        findings += _kept_attributes(desired, observed, scope)
    return Difference(
        resource=sent,
        changes=tuple(sorted(changes, key=lambda change: change.field)),
        findings=tuple(findings),
    )


def _to_send(desired: Resource, observed: Resource) -> Resource:
    if isinstance(desired, Listener) and isinstance(observed, Listener):
        return _with_settings_of_new_protocol(desired, observed)
    if isinstance(desired, LoadBalancer) and isinstance(observed, LoadBalancer):
        return _with_what_cannot_change(desired, observed)
    if isinstance(desired, ListenerRule) and isinstance(observed, ListenerRule):
        return _with_the_name_it_got(desired, observed)
    return desired


def _with_the_name_it_got(desired: ListenerRule, observed: ListenerRule) -> ListenerRule:
    """Leave the priority in the name of a rule as it was when the rule got it: it says nothing any more."""
    wanted, found = desired.tags, observed.tags
    if isinstance(wanted, Mark) or isinstance(found, Mark):
        return desired
    new, present = wanted.get(_RULE_NAME_TAG, ""), found.get(_RULE_NAME_TAG, "")
    if not present or new.rpartition(":")[0] != present.rpartition(":")[0]:
        return desired
    return replace(desired, tags={**wanted, _RULE_NAME_TAG: present})


def _with_settings_of_new_protocol(desired: Listener, observed: Listener) -> Listener:
    """Ask for defaults too when the protocol changes: what exists has no value of its own for them."""
    if desired.protocol == observed.protocol:
        return desired
    return replace(
        desired,
        certificates=_now(desired.certificates),
        ssl_policy=_now(desired.ssl_policy),
        alpn_policy=_now(desired.alpn_policy),
    )


def _with_what_cannot_change(desired: LoadBalancer, observed: LoadBalancer) -> LoadBalancer:
    if security_groups_appear_or_vanish(desired, observed):
        desired = replace(desired, security_groups=observed.security_groups)
    wanted, found = desired.subnets, observed.subnets
    if not isinstance(wanted, tuple) or not isinstance(found, tuple):
        return desired
    becomes_dualstack = (
        observed.ip_address_type is IpAddressType.IPV4 and desired.ip_address_type is not IpAddressType.IPV4
    )
    by_subnet = {mapping.subnet: mapping for mapping in found}
    return replace(
        desired,
        subnets=tuple(
            _with_addresses_in_use(mapping, by_subnet.get(mapping.subnet), takes_ipv6=becomes_dualstack)
            for mapping in wanted
        ),
    )


def _with_addresses_in_use(
    wanted: SubnetMapping, found: SubnetMapping | None, *, takes_ipv6: bool
) -> SubnetMapping:
    """Keep the addresses of a subnet that is in use already: AWS takes others only for a new subnet.

    An IPv6 address is the exception, once: when the load balancer becomes dual-stack. AWS also reports IPv6
    addresses that it chose itself, so one that nobody asked for is not repeated.
    """
    if found is None:
        return wanted
    asked_for = wanted.ipv6 if takes_ipv6 and found.ipv6 is None else found.ipv6
    return replace(
        wanted,
        allocation=found.allocation,
        private_ipv4=found.private_ipv4,
        ipv6=asked_for if wanted.ipv6 is not None else None,
    )


def _means_the_same(kind: Kind, field: str, before: object, after: object) -> bool:
    default = AWS_DEFAULTS.get((kind, field), Mark.UNMANAGED)
    if after is Mark.RESET:
        after = default
    if isinstance(before, Mark):
        before = default
    if after is Mark.UNMANAGED:
        return True
    if before is Mark.UNMANAGED:
        return False
    same: Callable[[Any, Any], bool] = SAME.get((kind, field), eq)
    return same(after, before)


def _attribute_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for key, value in after.items():
        if before.get(key) != value:
            yield Change(field=f"attributes.{key}", before=before.get(key), after=value)


def _tag_changes(
    kind: Kind, before: Mapping[str, str], after: Mapping[str, str], policy: PlanPolicy
) -> Iterator[Change]:
    for key, value in after.items():
        if before.get(key) != value and not _is_left_alone(kind, key, policy):
            yield Change(field=f"tags.{key}", before=before.get(key), after=value)
    if policy.tags is TagPolicy.REMOVE_FOREIGN:
        for key in _extra_tags(kind, before, after, policy):
            yield Change(field=f"tags.{key}", before=before[key], after=None)


def _foreign_tags(
    id_: ResourceId, before: Mapping[str, str], after: Mapping[str, str], scope: Scope
) -> Iterator[Finding]:
    if scope.policy.tags is TagPolicy.KEEP_FOREIGN:
        for key in _extra_tags(id_.kind, before, after, scope.policy):
            yield Finding(
                severity=Severity.NOTICE,
                subject=scope.subject,
                reason=FindingReason.FOREIGN_RESOURCE,
                message=f"{id_} has the tag {key}={before[key]}, which nobody asked for; it is kept",
            )


def _extra_tags(
    kind: Kind, before: Mapping[str, str], after: Mapping[str, str], policy: PlanPolicy
) -> Iterable[str]:
    return sorted(key for key in before.keys() - after.keys() if not _is_left_alone(kind, key, policy))


def _is_left_alone(kind: Kind, key: str, policy: PlanPolicy) -> bool:
    if key.startswith(_RESERVED_TAG_PREFIX) or key in policy.external_tags:
        return True
    return kind not in {Kind.LISTENER, Kind.LISTENER_RULE} and (
        key in _LEGACY_TAGS or key == f"{CLUSTER_TAG_PREFIX}{policy.cluster}"
    )


def _kept_default(
    id_: ResourceId, field: str, values: tuple[object, object], scope: Scope
) -> Iterator[Finding]:
    before, default = values
    if isinstance(before, Mark) or _means_the_same(id_.kind, field, before, resolve(default, scope.arns)):
        return
    words = field.replace("_", " ")
    if isinstance(before, str) and isinstance(default, str):
        message = f"{id_} keeps its {words} {before}; a new one would get {default}"
    else:
        message = f"{id_} keeps its {words}; a new one would get others"
    yield Finding(
        severity=Severity.INFO,
        subject=scope.subject,
        reason=FindingReason.KEPT_AS_IS,
        message=f"{message}. It changes when that is asked for",
    )


def _kept_attributes(desired: TargetGroup, observed: TargetGroup, scope: Scope) -> Iterator[Finding]:
    """Yield a warning, because a default attribute stands for what the user says in words of Kubernetes."""
    present = observed.attributes
    if isinstance(present, Mark):
        return
    kept = [key for key, value in desired.default_attributes.items() if present.get(key) != value]
    if kept:
        now = ", ".join(f"{key}={present.get(key, '')}" for key in kept)
        asked = ", ".join(f"{key}={desired.default_attributes[key]}" for key in kept)
        yield Finding(
            severity=Severity.WARNING,
            subject=scope.subject,
            reason=FindingReason.KEPT_AS_IS,
            message=f"{desired.id} exists and keeps {now}; a new one would get {asked}. "
            "To change it, ask for this attribute in the annotation for target group attributes",
        )


def _now(value: Any) -> Any:
    return value.value if isinstance(value, OnCreate) else value


def _shown(before: object) -> object:
    return None if isinstance(before, Mark) else before
