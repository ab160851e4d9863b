"""Which Services are ours. It reads no other annotation, so that a mistake in one never loses a Service.

deleting                                             → not ours
not of type LoadBalancer, with the gate for it on    → not ours
spec.loadBalancerClass given                         → ours when it is the configured one, never otherwise
annotated type nlb-ip                                → ours
annotated type external with a target type           → ours
annotated type external without one                  → not ours, and its owner is told what is missing
anything else                                        → not ours
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.annotations.codecs import one_of
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.model.enums import BACKEND_TARGET_TYPES
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.settings import Settings

TYPE_KEY: Final = ServiceAnnotations.key_of("type")
TARGET_TYPE_KEY: Final = ServiceAnnotations.key_of("nlb_target_type")


class Claiming(StrEnum):
    """The types that claim a Service."""

    EXTERNAL = "external"
    """Together with a target type."""
    NLB_IP = "nlb-ip"
    """Older spelling of `external` with target type `ip`."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The Service wants a load balancer of ours."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """The Service is being deleted, or belongs to somebody else or to nobody."""


@dataclass(frozen=True, slots=True)
class IncompleteClaim:
    """The Service seems to want a load balancer of ours and does not say enough."""

    finding: Finding


Claim = Claimed | NotOurs | IncompleteClaim


def claim(
    annotations: Mapping[str, str],
    *,
    subject: str,
    service_type: str,
    load_balancer_class: str | None,
    deleting: bool,
    settings: Settings,
) -> Claim:
    """Return whether a Service is ours; `subject` is the Service as findings name it."""
    load_balancers_only = settings.feature_gates.service_type_load_balancer_only
    if deleting or (load_balancers_only and service_type != "LoadBalancer"):
        return NotOurs()
    if load_balancer_class is not None:
        return Claimed() if load_balancer_class == settings.load_balancer_class else NotOurs()
    match annotations.get(TYPE_KEY):
        case Claiming.NLB_IP:
            return Claimed()
        case Claiming.EXTERNAL:
            return _external(annotations.get(TARGET_TYPE_KEY), subject)
        case _:
            return NotOurs()


def _external(target_type: str | None, subject: str) -> Claim:
    if target_type in BACKEND_TARGET_TYPES:
        return Claimed()
    found = "missing" if target_type is None else f"{target_type!r}"
    return IncompleteClaim(
        Finding(
            severity=Severity.WARNING,
            subject=subject,
            reason=FindingReason.MISSING_ANNOTATION,
            message=f"{TYPE_KEY}: {Claiming.EXTERNAL} counts only together with {TARGET_TYPE_KEY}, "
            f"which must be {one_of(BACKEND_TARGET_TYPES)} and is {found}",
        )
    )
