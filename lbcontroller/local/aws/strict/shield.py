"""Shield Advanced: whether the account has subscribed, and protections of what exists only."""

from __future__ import annotations

import json
from typing import Any

from moto.elbv2.models import elbv2_backends
from moto.shield.exceptions import ResourceNotFoundException
from moto.shield.models import ShieldBackend
from moto.shield.responses import ShieldResponse

from lbcontroller.local.aws.strict.patching import Method, wrap

_STATE_CALL = "get_subscription_state"


def install() -> None:
    """Patch Shield."""
    setattr(ShieldResponse, _STATE_CALL, _get_subscription_state)
    wrap(ShieldBackend, "create_protection", _of_what_exists)


def _get_subscription_state(response: Any) -> str:
    subscribed = response.shield_backend.subscription is not None
    return json.dumps({"SubscriptionState": "ACTIVE" if subscribed else "INACTIVE"})


def _of_what_exists(original: Method) -> Method:
    """CreateProtection that wants a subscription and a load balancer."""

    def create_protection(backend: Any, name: str, resource_arn: str, tags: Any) -> Any:
        if backend.subscription is None:
            raise ResourceNotFoundException("The subscription does not exist.")
        region = resource_arn.split(":")[3]
        if ":elasticloadbalancing:" in resource_arn and (
            resource_arn not in elbv2_backends[backend.account_id][region].load_balancers
        ):
            raise ResourceNotFoundException("The referenced resource does not exist.")
        return original(backend, name, resource_arn, tags)

    return create_protection
