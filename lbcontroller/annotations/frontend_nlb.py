"""The annotations of Ingresses about a network load balancer in front of the application load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from lbcontroller.annotations import formats, ingress_formats
from lbcontroller.annotations.codecs import BOOLEAN, enumeration, integer, list_of
from lbcontroller.annotations.declare import AnnotationModel, Key, Merge, Scope
from lbcontroller.model.enums import HealthCheckProtocol, Scheme
from lbcontroller.model.ids import AllocationId

TOPIC: Final = "Network load balancer in front"


def _check(suffix: str, absent: str) -> Key:
    """Return the key of a health check's setting: members with the same listener must agree on it."""
    return Key(suffix, TOPIC, absent, merge=Merge.EXCLUSIVE, scope=Scope.FRONTEND_LISTENER)


class FrontendNlbAnnotations(AnnotationModel):
    """What an Ingress says about the network load balancer in front; a part of `IngressAnnotations`."""

    enable_frontend_nlb: Annotated[
        bool | None, Key("enable-frontend-nlb", TOPIC, "false", merge=Merge.EXCLUSIVE), BOOLEAN
    ] = None
    """Put a network load balancer in front; without it the keys below have no effect."""
    frontend_nlb_scheme: Annotated[
        Scheme | None,
        Key("frontend-nlb-scheme", TOPIC, "`--default-load-balancer-scheme`", merge=Merge.EXCLUSIVE),
        enumeration(Scheme),
    ] = None
    """Whether it gets public addresses."""
    frontend_nlb_subnets: Annotated[
        tuple[str, ...] | None,
        Key("frontend-nlb-subnets", TOPIC, "discovered by their tags", merge=Merge.SAME_SET),
        list_of(formats.SUBNET),
    ] = None
    """Its subnets, one of each zone."""
    frontend_nlb_eip_allocations: Annotated[
        tuple[AllocationId, ...] | None,
        Key("frontend-nlb-eip-allocations", TOPIC, merge=Merge.SAME_SET),
        list_of(formats.ALLOCATION),
    ] = None
    """Its Elastic IP addresses, one for each subnet, in their order."""
    frontend_nlb_security_groups: Annotated[
        tuple[str, ...],
        Key(
            "frontend-nlb-security-groups",
            TOPIC,
            "those of the application load balancer",
            merge=Merge.EXCLUSIVE,
        ),
        list_of(formats.SECURITY_GROUP),
    ] = ()
    """Its security groups."""
    frontend_nlb_listener_port_mapping: Annotated[
        Mapping[int, int],
        Key("frontend-nlb-listener-port-mapping", TOPIC, "each listen port to itself"),
        ingress_formats.PORT_MAPPING,
    ] = Field(default_factory=dict)
    """Its ports, and the port of the application load balancer that each leads to."""
    frontend_nlb_healthcheck_port: Annotated[
        int | str | None,
        _check("frontend-nlb-healthcheck-port", "`traffic-port`"),
        ingress_formats.FRONTEND_HEALTH_CHECK_PORT,
    ] = None
    """Port of its health checks."""
    frontend_nlb_healthcheck_protocol: Annotated[
        HealthCheckProtocol | None,
        _check("frontend-nlb-healthcheck-protocol", "`HTTP`"),
        enumeration(HealthCheckProtocol, only=(HealthCheckProtocol.HTTP, HealthCheckProtocol.HTTPS)),
    ] = None
    """Protocol of its health checks."""
    frontend_nlb_healthcheck_path: Annotated[
        str | None, _check("frontend-nlb-healthcheck-path", "`/`"), formats.HEALTH_CHECK_PATH
    ] = None
    """Path of its health checks."""
    frontend_nlb_healthcheck_interval_seconds: Annotated[
        int | None, _check("frontend-nlb-healthcheck-interval-seconds", "15"), integer(5, 300)
    ] = None
    """Seconds between two of its health checks."""
    frontend_nlb_healthcheck_timeout_seconds: Annotated[
        int | None, _check("frontend-nlb-healthcheck-timeout-seconds", "5"), integer(2, 120)
    ] = None
    """Seconds without an answer after which one has failed."""
    frontend_nlb_healthcheck_healthy_threshold_count: Annotated[
        int | None, _check("frontend-nlb-healthcheck-healthy-threshold-count", "2"), integer(2, 10)
    ] = None
    """Successes in a row that make the application load balancer healthy."""
    frontend_nlb_healthcheck_unhealthy_threshold_count: Annotated[
        int | None, _check("frontend-nlb-healthcheck-unhealthy-threshold-count", "2"), integer(2, 10)
    ] = None
    """Failures in a row that make it unhealthy."""
    frontend_nlb_healthcheck_success_codes: Annotated[
        str | None, _check("frontend-nlb-healthcheck-success-codes", "`200`"), formats.status_codes(200, 499)
    ] = None
    """Status codes of a healthy application load balancer."""
    frontend_nlb_tags: Annotated[
        Mapping[str, str],
        Key("frontend-nlb-tags", TOPIC, "those of the application load balancer", merge=Merge.EXCLUSIVE),
        formats.TAGS,
    ] = Field(default_factory=dict)
    """Its tags, instead of those of the application load balancer."""
    frontend_nlb_attributes: Annotated[
        Mapping[str, str],
        Key("frontend-nlb-attributes", TOPIC, "as they are", merge=Merge.EXCLUSIVE),
        formats.ATTRIBUTES,
    ] = Field(default_factory=dict)
    """Its attributes."""
