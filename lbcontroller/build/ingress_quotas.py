"""What AWS takes of an application load balancer, compared with what a group of Ingresses asks for.

Rules are not counted here: which of them have room depends on what the load balancer has already.
"""

from __future__ import annotations

from typing import Final

from lbcontroller.build.result import BuildContext
from lbcontroller.model.enums import Protocol, TargetType
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.limits import (
    CERTIFICATES_PER_APPLICATION_LOAD_BALANCER,
    LISTENERS_PER_APPLICATION_LOAD_BALANCER,
    TARGET_GROUPS_PER_LOAD_BALANCER,
    VERIFYING_LISTENERS_PER_LOAD_BALANCER,
)
from lbcontroller.model.resources import (
    Listener,
    MutualAuthentication,
    MutualAuthenticationMode,
    Stack,
    TargetGroup,
)

_PROTOCOLS: Final = frozenset({Protocol.HTTP, Protocol.HTTPS})
_RAISED: Final = "without a raised quota AWS takes"
_NEVER_RAISED: Final = "AWS takes at most"


def over_quotas(stack: Stack, context: BuildContext) -> tuple[Finding, ...]:
    """Return a finding for each quota that is exceeded."""
    listeners = [
        resource
        for resource in stack.resources
        if isinstance(resource, Listener) and resource.protocol in _PROTOCOLS
    ]
    targets = (item for item in stack.resources if isinstance(item, TargetGroup))
    groups = sum(group.target_type is not TargetType.ALB for group in targets)
    counts = (
        (len(listeners), LISTENERS_PER_APPLICATION_LOAD_BALANCER, "listeners", _RAISED),
        (
            sum(_further_certificates(listener) for listener in listeners),
            CERTIFICATES_PER_APPLICATION_LOAD_BALANCER,
            "certificates beside the default ones of its listeners",
            _RAISED,
        ),
        (groups, TARGET_GROUPS_PER_LOAD_BALANCER, "target groups", _NEVER_RAISED),
        (
            sum(_verifies(listener) for listener in listeners),
            VERIFYING_LISTENERS_PER_LOAD_BALANCER,
            "listeners that verify client certificates",
            _NEVER_RAISED,
        ),
    )
    return tuple(
        context.warning(
            FindingReason.OVER_DEFAULT_QUOTA, f"the load balancer has {count} {what}, and {takes} {most}"
        )
        for count, most, what, takes in counts
        if count > most
    )


def _further_certificates(listener: Listener) -> int:
    certificates = listener.certificates
    return (
        len(set(certificates) - {certificates[0]}) if isinstance(certificates, tuple) and certificates else 0
    )


def _verifies(listener: Listener) -> bool:
    mutual = listener.mutual_authentication
    return isinstance(mutual, MutualAuthentication) and mutual.mode is MutualAuthenticationMode.VERIFY
