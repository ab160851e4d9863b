"""When a desired value and an observed one mean the same, field by field.

The desired value comes first, with its references resolved. Fields that are not listed compare with `==`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, Final

from lbcontroller.model.actions import (
    Action,
    AuthenticateOidcAction,
    FixedResponseAction,
    ForwardAction,
    RedirectAction,
    ValidateJwtAction,
)
from lbcontroller.model.enums import AlpnPolicy, OnOff
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.references import Kind, Ref, ResourceId, referring_fields
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingPort,
    BindingSpec,
    HealthCheck,
    MutualAuthentication,
    MutualAuthenticationMode,
)
from lbcontroller.model.rule_conditions import Condition, Transform
from lbcontroller.model.subnet_mappings import AUTO_ASSIGNED, SubnetMapping

DEFAULT_WEIGHT: Final = 1
"""Weight of a target group that was given none (ELBv2 API reference, TargetGroupTuple)."""
_AS_REQUESTED: Final = {
    "protocol": "#{protocol}",
    "host": "#{host}",
    "port": "#{port}",
    "path": "/#{path}",
    "query": "#{query}",
}
"""What the parts of a redirect are that nobody set (ELBv2 API reference, RedirectActionConfig)."""


def resolve(value: Any, arns: Mapping[ResourceId, Arn]) -> Any:
    """Replace references by ARNs at any depth; what does not exist yet stays a `Ref` and equals nothing."""
    if isinstance(value, Ref):
        return arns.get(value.to, value)
    if isinstance(value, (tuple, frozenset)):
        items = [resolve(item, arns) for item in value]
        changed = any(after is not before for after, before in zip(items, value, strict=True))
        return type(value)(items) if changed else value
    parts = {name: getattr(value, name) for name in referring_fields(value.__class__)}
    resolved = {name: resolve(part, arns) for name, part in parts.items()}
    changes = {name: part for name, part in resolved.items() if part is not parts[name]}
    return replace(value, **changes) if changes else value


def same_rules(desired: frozenset[IngressRule], observed: frozenset[IngressRule]) -> bool:
    """Compare rules by what they let in; their descriptions do not matter."""
    return {replace(rule, description="") for rule in desired} == {
        replace(rule, description="") for rule in observed
    }


def same_subnets(desired: tuple[SubnetMapping, ...], observed: tuple[SubnetMapping, ...]) -> bool:
    """Compare without order; where no address is asked for, those of AWS do."""
    found = {mapping.subnet: mapping for mapping in observed}
    return {mapping.subnet for mapping in desired} == found.keys() and all(
        _same_mapping(mapping, found[mapping.subnet]) for mapping in desired
    )


def same_members(desired: tuple[object, ...], observed: tuple[object, ...]) -> bool:
    """Compare without order."""
    return set(desired) == set(observed)


def same_health_check(desired: HealthCheck, observed: HealthCheck) -> bool:
    """Compare what is asked for: no path and no matcher leave those of AWS."""
    return desired == replace(
        observed,
        path=observed.path if desired.path is not None else None,
        matcher=observed.matcher if desired.matcher is not None else None,
    )


def same_actions(desired: tuple[Action, ...], observed: tuple[Action, ...]) -> bool:
    """Compare where traffic goes, and in which shares."""
    return len(desired) == len(observed) and all(
        _same_action(wanted, found) for wanted, found in zip(desired, observed, strict=True)
    )


def same_conditions(desired: tuple[Condition, ...], observed: tuple[Condition, ...]) -> bool:
    """Compare which requests are meant: all conditions must be met, so that their order has no meaning."""
    return set(desired) == set(observed)


def same_transforms(desired: tuple[Transform, ...], observed: tuple[Transform, ...]) -> bool:
    """Compare without order: a rule has at most one of each type."""
    return {type(one): one for one in desired} == {type(one): one for one in observed}


def same_mutual_authentication(desired: MutualAuthentication, observed: MutualAuthentication) -> bool:
    """Compare the mode and, where clients are verified, how; AWS repeats for other modes what it likes."""
    if desired.mode is not observed.mode:
        return False
    return desired.mode is not MutualAuthenticationMode.VERIFY or (
        desired.trust_store,
        bool(desired.ignore_expiry),
        desired.advertise_ca_names or OnOff.OFF,
    ) == (observed.trust_store, bool(observed.ignore_expiry), observed.advertise_ca_names or OnOff.OFF)


def same_certificates(desired: tuple[CertificateArn, ...], observed: tuple[CertificateArn, ...]) -> bool:
    """Compare the default certificate, and the set of all."""
    return desired[:1] == observed[:1] and set(desired) == set(observed)


def same_alpn(desired: AlpnPolicy, observed: object) -> bool:
    """Compare policies; a listener without one negotiates nothing."""
    return desired == (observed if isinstance(observed, AlpnPolicy) else AlpnPolicy.NONE)


def same_labels(desired: Mapping[str, str], observed: Mapping[str, str]) -> bool:
    """Return whether the labels we need are there; others may be somebody else's."""
    return desired.items() <= observed.items()


def same_spec(desired: BindingSpec, observed: BindingSpec) -> bool:
    """Compare specs; peers and ports without their order and grouping."""
    if (desired.networking is None) is not (observed.networking is None):
        return False
    return replace(desired, networking=None) == replace(observed, networking=None) and _openings(
        desired.networking or ()
    ) == _openings(observed.networking or ())


SAME: Final[Mapping[tuple[Kind, str], Callable[[Any, Any], bool]]] = MappingProxyType(
    {
        (Kind.SECURITY_GROUP, "ingress"): same_rules,
        (Kind.LOAD_BALANCER, "subnets"): same_subnets,
        (Kind.LOAD_BALANCER, "security_groups"): same_members,
        (Kind.TARGET_GROUP, "health_check"): same_health_check,
        (Kind.LISTENER, "default_actions"): same_actions,
        (Kind.LISTENER, "certificates"): same_certificates,
        (Kind.LISTENER, "alpn_policy"): same_alpn,
        (Kind.LISTENER, "mutual_authentication"): same_mutual_authentication,
        (Kind.LISTENER_RULE, "actions"): same_actions,
        (Kind.LISTENER_RULE, "conditions"): same_conditions,
        (Kind.LISTENER_RULE, "transforms"): same_transforms,
        (Kind.TARGET_GROUP_BINDING, "labels"): same_labels,
        (Kind.TARGET_GROUP_BINDING, "spec"): same_spec,
    }
)


def _same_mapping(desired: SubnetMapping, observed: SubnetMapping) -> bool:
    if desired.source_nat_ipv6_prefix == AUTO_ASSIGNED and observed.source_nat_ipv6_prefix is not None:
        desired = replace(desired, source_nat_ipv6_prefix=None)
    return all(
        getattr(desired, field.name) in {None, getattr(observed, field.name)}
        for field in fields(SubnetMapping)
    )


def _same_action(desired: Action, observed: Action) -> bool:
    match desired, observed:
        case ForwardAction(), ForwardAction():
            return _same_stickiness(desired, observed) and _shares(desired) == _shares(observed)
        case RedirectAction(), RedirectAction():
            return _destination(desired) == _destination(observed)
        case FixedResponseAction(), FixedResponseAction():
            return _response(desired) == _response(observed)
        case AuthenticateOidcAction(), AuthenticateOidcAction():
            return _same_login(desired, observed)
        case ValidateJwtAction(), ValidateJwtAction():
            return _required(desired) == _required(observed)
        case _:
            return desired == observed


def _same_stickiness(desired: ForwardAction, observed: ForwardAction) -> bool:
    """Compare what is asked for; nobody is kept anywhere for a time when it is off."""
    if desired.stickiness_enabled is None:
        return True
    if desired.stickiness_enabled != bool(observed.stickiness_enabled):
        return False
    return not desired.stickiness_enabled or desired.stickiness_seconds in {None, observed.stickiness_seconds}


def _destination(action: RedirectAction) -> tuple[str | None, ...]:
    """Return what a redirect changes; None for what stays as the client asked for it."""
    parts = ((getattr(action, part), unset) for part, unset in _AS_REQUESTED.items())
    return (action.status, *(None if value in {None, "", unset} else value for value, unset in parts))


def _response(action: FixedResponseAction) -> FixedResponseAction:
    return replace(action, content_type=action.content_type or None, body=action.body or None)


def _same_login(desired: AuthenticateOidcAction, observed: AuthenticateOidcAction) -> bool:
    """Compare a login; a client secret that AWS does not tell is taken for the right one."""
    if UNKNOWN in {desired.client_secret, observed.client_secret}:
        observed = replace(observed, client_secret=desired.client_secret)
    return desired == observed


def _required(action: ValidateJwtAction) -> ValidateJwtAction:
    """Return what is required of a token, the claims without their order."""
    return replace(action, claims=tuple(sorted(action.claims, key=lambda claim: claim.name)))


def _shares(action: ForwardAction) -> dict[object, int]:
    if len(action.target_groups) == 1:
        return {action.target_groups[0].target_group: DEFAULT_WEIGHT}
    return {
        weighted.target_group: DEFAULT_WEIGHT if weighted.weight is None else weighted.weight
        for weighted in action.target_groups
    }


def _openings(networking: tuple[BindingIngress, ...]) -> frozenset[tuple[BindingPeer, BindingPort]]:
    return frozenset(
        (peer, port) for ingress in networking for peer in ingress.peers for port in ingress.ports
    )
