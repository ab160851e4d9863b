"""What AWS refuses in the actions of listeners and rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from moto.elbv2.exceptions import ActionTargetGroupNotFoundError

from lbcontroller.local.aws.strict.attributes import APPLICATION_PROTOCOLS
from lbcontroller.local.aws.strict.backend import StrictBackend
from lbcontroller.local.aws.strict.errors import invalid, refused
from lbcontroller.local.aws.strict.resources import StrictLoadBalancer

Action = Mapping[str, Any]

MAX_FORWARDED_GROUPS: Final = 5
"""Target groups per forward action ("Quotas for your Application Load Balancers")."""
MAX_WEIGHT: Final = 999
"""Highest weight of a target group tuple."""
_TERMINAL: Final = frozenset({"forward", "redirect", "fixed-response"})
_FIXED_STATUS: Final = re.compile(r"[245]\d\d")


def check_actions(
    backend: StrictBackend, load_balancer: StrictLoadBalancer, protocol: str | None, actions: Sequence[Action]
) -> None:
    """Refuse actions AWS would refuse on a listener of this load balancer.

    Raises:
        ELBClientError: ValidationError, InvalidLoadBalancerAction, TooManyActions, TooManyTargetGroups,
            TargetGroupNotFound, IncompatibleProtocols or TargetGroupAssociationLimit.
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
        if action["Type"] == "forward":
            for arn in _forwarded_groups(action):
                _check_target_group(backend, load_balancer, protocol, arn)
        elif action["Type"] == "fixed-response":
            status = str(action.get("FixedResponseConfig", {}).get("StatusCode", ""))
            if not _FIXED_STATUS.fullmatch(status):
                raise invalid(f"Status code '{status}' is not valid")


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
