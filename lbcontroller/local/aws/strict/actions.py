"""What AWS refuses in the actions of listeners and rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from moto.elbv2.exceptions import ActionTargetGroupNotFoundError
from moto.elbv2.models import FakeAction

from lbcontroller.local.aws.strict.attributes import APPLICATION_PROTOCOLS
from lbcontroller.local.aws.strict.backend import StrictBackend
from lbcontroller.local.aws.strict.errors import invalid, refused
from lbcontroller.local.aws.strict.resources import UNCHANGED_PARTS, StrictLoadBalancer

Action = Mapping[str, Any]

MAX_FORWARDED_GROUPS: Final = 5
"""Target groups per forward action ("Quotas for your Application Load Balancers")."""
MAX_WEIGHT: Final = 999
"""Highest weight of a target group tuple."""
MAX_TARGET_GROUPS: Final = 100
"""Target groups of an Application Load Balancer (same source)."""
MAX_BODY_LENGTH: Final = 1024
"""Characters of a fixed response (FixedResponseActionConfig in the API reference)."""
_TERMINAL: Final = frozenset({"forward", "redirect", "fixed-response"})
_SECURE_ONLY: Final = frozenset({"authenticate-oidc", "authenticate-cognito", "jwt-validation"})
"""Actions of HTTPS listeners alone ("Authenticate users" and "Verify JWTs" in the ALB guide)."""
_FIXED_STATUS: Final = re.compile(r"[245]\d\d")
_REDIRECT_STATUS: Final = frozenset({"HTTP_301", "HTTP_302"})
_CONTENT_TYPES: Final = frozenset(
    {"text/plain", "text/css", "text/html", "application/javascript", "application/json"}
)
"""FixedResponseActionConfig, ContentType."""


def check_actions(
    backend: StrictBackend,
    load_balancer: StrictLoadBalancer,
    protocol: str | None,
    actions: Sequence[Action],
    *,
    instead_of: Sequence[FakeAction] = (),
) -> None:
    """Refuse actions AWS would refuse on a listener of this load balancer.

    Args:
        backend: The account.
        load_balancer: What the listener belongs to.
        protocol: Of the listener.
        actions: As asked for.
        instead_of: The actions that are there now.

    Raises:
        ELBClientError: ValidationError, InvalidLoadBalancerAction, TooManyActions, TooManyTargetGroups,
            TargetGroupNotFound, IncompatibleProtocols, TargetGroupAssociationLimit or
            TooManyUniqueTargetGroupsPerLoadBalancer.
    """
    if not actions:
        raise invalid("At least one action must be specified")
    terminal = [action for action in actions if action["Type"] in _TERMINAL]
    if not terminal:
        raise refused(
            "InvalidLoadBalancerAction",
            "You must specify exactly one forward, redirect or fixed-response action",
        )
    if len(terminal) > 1:
        raise refused("TooManyActions", "Only one terminal action is allowed")
    for action in actions:
        _check_kind(load_balancer, protocol, action["Type"])
        match action["Type"]:
            case "forward":
                _check_forward(backend, load_balancer, protocol, action)
            case "fixed-response":
                _check_fixed_response(action.get("FixedResponseConfig", {}))
            case "redirect":
                _check_redirect(action.get("RedirectConfig", {}))
            case "authenticate-oidc":
                _check_secret(action.get("AuthenticateOidcConfig", {}), instead_of)


def _check_kind(load_balancer: StrictLoadBalancer, protocol: str | None, kind: str) -> None:
    if load_balancer.type == "network" and kind != "forward":
        raise refused(
            "InvalidLoadBalancerAction", f"Action type '{kind}' is not valid with network listeners"
        )
    if kind in _SECURE_ONLY and protocol != "HTTPS":
        raise refused(
            "InvalidLoadBalancerAction", f"Actions of type '{kind}' are supported only on HTTPS listeners"
        )


def _check_forward(
    backend: StrictBackend, load_balancer: StrictLoadBalancer, protocol: str | None, action: Action
) -> None:
    arns = _forwarded_groups(action)
    for arn in arns:
        _check_target_group(backend, load_balancer, protocol, arn)
    sticky = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
    if sticky.get("Enabled") and load_balancer.type == "application" and "DurationSeconds" not in sticky:
        raise invalid("You must specify the stickiness duration when enabling target group stickiness")
    together = {*backend.usage.target_groups_of(load_balancer.arn), *arns}
    if load_balancer.type == "application" and len(together) > MAX_TARGET_GROUPS:
        raise refused(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            "You have reached the maximum number of unique target groups that you can associate with a load "
            "balancer",
        )


def _check_fixed_response(config: Mapping[str, str]) -> None:
    status, kind = str(config.get("StatusCode", "")), config.get("ContentType")
    if not _FIXED_STATUS.fullmatch(status):
        raise invalid(f"Status code '{status}' is not valid")
    if kind and kind not in _CONTENT_TYPES:
        raise invalid(f"Content type '{kind}' must be one of '{', '.join(sorted(_CONTENT_TYPES))}'")
    if len(config.get("MessageBody", "")) > MAX_BODY_LENGTH:
        raise invalid(f"The message body is too long; the limit is '{MAX_BODY_LENGTH}'")


def _check_redirect(config: Mapping[str, str]) -> None:
    if config.get("StatusCode") not in _REDIRECT_STATUS:
        raise invalid(f"Status code '{config.get('StatusCode')}' must be one of 'HTTP_301, HTTP_302'")
    if all(
        config.get(part, neutral) == neutral for part, neutral in UNCHANGED_PARTS.items() if part != "Query"
    ):
        raise refused(
            "InvalidLoadBalancerAction",
            "You must modify at least one of the following components to avoid a redirect loop: protocol, "
            "port, hostname or path",
        )


def _check_secret(config: Mapping[str, Any], instead_of: Sequence[FakeAction]) -> None:
    if config.get("UseExistingClientSecret"):
        if not any(action.data["Type"] == "authenticate-oidc" for action in instead_of):
            raise invalid("There is no existing client secret")
    elif not config.get("ClientSecret"):
        raise invalid("A client secret must be specified")


def _forwarded_groups(action: Action) -> list[str]:
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    if len(groups) > MAX_FORWARDED_GROUPS:
        raise refused("TooManyTargetGroups", f"You can specify up to {MAX_FORWARDED_GROUPS} target groups")
    for group in groups:
        if not 0 <= group.get("Weight", 1) <= MAX_WEIGHT:
            raise invalid(f"Target group weight '{group['Weight']}' must be between '0' and '{MAX_WEIGHT}'")
    arns = [group["TargetGroupArn"] for group in groups]
    if not arns and action.get("TargetGroupArn"):
        arns = [action["TargetGroupArn"]]
    if not arns:
        raise invalid("A target group ARN must be specified")
    return arns


def _check_target_group(
    backend: StrictBackend, load_balancer: StrictLoadBalancer, protocol: str | None, arn: str
) -> None:
    group = backend.target_groups.get(arn)
    if group is None:
        raise ActionTargetGroupNotFoundError(arn)
    if group.protocol_version == "GRPC" and protocol == "HTTP":
        raise refused(
            "InvalidLoadBalancerAction",
            "Listener protocol 'HTTP' is not supported with a target group with the protocol-version 'GRPC'",
        )
    takes_http = group.protocol in APPLICATION_PROTOCOLS
    if group.target_type != "lambda" and takes_http != (load_balancer.type == "application"):
        raise refused(
            "IncompatibleProtocols",
            f"The protocol '{group.protocol}' of target group '{arn}' is not compatible with the listener",
        )
    if set(backend.usage.load_balancers_of(arn)) - {load_balancer.arn}:
        raise refused(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {arn}",
        )
