"""Which annotation of a Service gives a resource each of its attributes: what to mend when AWS refuses it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.build.result import AttributeFields
from lbcontroller.model.fields import Mark
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import Listener, LoadBalancer, Stack, TargetGroup

PROXY_PROTOCOL: Final = "proxy_protocol_v2.enabled"
"""Attribute of target groups whose targets hear of clients in the PROXY protocol."""
_OF_LOAD_BALANCERS: Final = {
    "access_log_enabled": "access_logs.s3.enabled",
    "access_log_s3_bucket_name": "access_logs.s3.bucket",
    "access_log_s3_bucket_prefix": "access_logs.s3.prefix",
    "cross_zone_load_balancing_enabled": "load_balancing.cross_zone.enabled",
}
_OF_TARGET_GROUPS: Final = {
    "proxy_protocol": PROXY_PROTOCOL,
    "proxy_protocol_per_target_group": PROXY_PROTOCOL,
}
"""The attribute by the field of the annotation that stands for it alone."""


def attribute_fields(asked: ServiceAnnotations, stack: Stack) -> AttributeFields:
    """Return where each attribute comes from; our own defaults come from no annotation."""
    fields: dict[tuple[ResourceId, str], str] = {}
    for resource in stack.resources:
        if isinstance(resource, LoadBalancer | TargetGroup | Listener) and not isinstance(
            resource.attributes, Mark
        ):
            for field, attributes in _sources(asked, resource):
                for attribute in resource.attributes.keys() & attributes:
                    fields.setdefault((resource.id, attribute), field)
    return fields


def _sources(
    asked: ServiceAnnotations, resource: LoadBalancer | TargetGroup | Listener
) -> Iterator[tuple[str, Collection[str]]]:
    """Yield annotations and the attributes that they give, those that win first."""
    match resource:
        case LoadBalancer():
            yield from _alone(asked, _OF_LOAD_BALANCERS)
            yield ServiceAnnotations.key_of("attributes"), asked.attributes
        case TargetGroup():
            yield from _alone(asked, _OF_TARGET_GROUPS)
            for port, given in asked.port_target_group_attributes.items():
                if resource.id.name.endswith(f":{port}"):
                    set_here = [attribute for attribute, value in given.items() if value]
                    yield ServiceAnnotations.key_of("port_target_group_attributes", port), set_here
            yield ServiceAnnotations.key_of("target_group_attributes"), asked.target_group_attributes
        case Listener():
            for key, given in asked.listener_attributes.items():
                if key.port == resource.port:
                    yield ServiceAnnotations.key_of("listener_attributes", key), given


def _alone(asked: ServiceAnnotations, fields: Mapping[str, str]) -> Iterator[tuple[str, Collection[str]]]:
    for field, attribute in fields.items():
        if getattr(asked, field) is not None:
            yield ServiceAnnotations.key_of(field), (attribute,)
