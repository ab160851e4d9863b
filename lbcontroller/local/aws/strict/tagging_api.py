"""Resource Groups Tagging API: type filters down to `loadbalancer/app`, and news that it does not know yet.

That listeners and rules are listed at all is the doing of `StrictBackend.iter_tagged_resources`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.acm.models import AWSCertificateManagerBackend
from moto.resourcegroupstaggingapi import models

from lbcontroller.local.aws.life_cycle import LIFE_CYCLE
from lbcontroller.local.aws.strict.backend import StrictBackend
from lbcontroller.local.aws.strict.patching import Method, wrap

_MATCHER = "match_resource_type"


def install() -> None:
    """Patch the tagging API."""
    setattr(models, _MATCHER, _matches)
    wrap(AWSCertificateManagerBackend, "iter_tagged_resources", _as_far_as_known)
    wrap(StrictBackend, "iter_tagged_resources", _as_far_as_known)


def _as_far_as_known(original: Method) -> Method:
    def iter_tagged_resources(backend: Any) -> Iterator[Any]:
        return (item for item in original(backend) if item.arn not in LIFE_CYCLE.not_listed_yet)

    return iter_tagged_resources


def _matches(resource_type: str, filters: list[str] | None) -> bool:
    """Whether a type such as `elasticloadbalancing:loadbalancer/app` satisfies the filters.

    A filter is a service, a service and kind, or a service, kind and family.
    """
    if not filters:
        return True
    service, kind = resource_type.split(":", 1)[0], resource_type.split("/", 1)[0]
    return not {service, kind, resource_type}.isdisjoint(filters)
