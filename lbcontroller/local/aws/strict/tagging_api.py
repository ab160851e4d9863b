"""Resource Groups Tagging API: type filters down to `loadbalancer/app`.

That listeners and rules are listed at all is the doing of `StrictBackend.iter_tagged_resources`.
"""

from __future__ import annotations

from moto.resourcegroupstaggingapi import models

_MATCHER = "match_resource_type"


def install() -> None:
    """Patch the tagging API."""
    setattr(models, _MATCHER, _matches)


def _matches(resource_type: str, filters: list[str] | None) -> bool:
    """Whether a type such as `elasticloadbalancing:loadbalancer/app` satisfies the filters.

    A filter is a service, a service and kind, or a service, kind and family.
    """
    if not filters:
        return True
    service, kind = resource_type.split(":", 1)[0], resource_type.split("/", 1)[0]
    return not {service, kind, resource_type}.isdisjoint(filters)
