"""What an Ingress, and each Service behind it, says about the way from the load balancer to the targets.

An Ingress says it for all of its Services, and a Service for itself: what the Service says wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field

from lbcontroller.annotations import formats, ingress_formats
from lbcontroller.annotations.authentication import COGNITO, OIDC, AuthType, CognitoPool, OidcProvider
from lbcontroller.annotations.codecs import BOOLEAN, enumeration, integer
from lbcontroller.annotations.declare import AnnotationModel, Key, Merge, declarations
from lbcontroller.model.actions import OnUnauthenticated
from lbcontroller.model.enums import (
    BACKEND_TARGET_TYPES,
    HealthCheckProtocol,
    Protocol,
    ProtocolVersion,
    TargetType,
)

PREFIX: Final = "alb.ingress.kubernetes.io/"

TARGETS: Final = "Target groups"
HEALTH_CHECKS: Final = "Health checks"
AUTHENTICATION: Final = "Authentication"
TAGS: Final = "Tags"


class BackendAnnotations(AnnotationModel):
    """What the annotations of a Service behind an Ingress say; those of an Ingress say it too, and more."""

    carrier: ClassVar[str] = "Services behind Ingresses"
    prefix: ClassVar[str] = PREFIX
    watched: ClassVar[tuple[str, ...]] = ("",)
    effectless: ClassVar[Mapping[str, str]] = {}
    unknown: ClassVar[str] = "is none of the annotations that Services behind Ingresses have"

    target_type: Annotated[
        TargetType | None,
        Key("target-type", TARGETS, "`--default-target-type`"),
        enumeration(TargetType, only=BACKEND_TARGET_TYPES),
    ] = None
    """Whether traffic goes to nodes by their node ports, or straight to pods."""
    backend_protocol: Annotated[
        Protocol | None,
        Key("backend-protocol", TARGETS, "`HTTP`"),
        enumeration(Protocol, only=ingress_formats.ALB_PROTOCOLS),
    ] = None
    """What the load balancer speaks to the targets."""
    backend_protocol_version: Annotated[
        ProtocolVersion | None,
        Key("backend-protocol-version", TARGETS, "`HTTP1`"),
        enumeration(ProtocolVersion),
    ] = None
    """Version of that protocol."""
    target_group_attributes: Annotated[
        Mapping[str, str], Key("target-group-attributes", TARGETS, "as they are"), formats.ATTRIBUTES
    ] = Field(default_factory=dict)
    """Attributes of the target groups."""
    target_node_labels: Annotated[
        Mapping[str, str], Key("target-node-labels", TARGETS, "all nodes"), formats.NODE_LABELS
    ] = Field(default_factory=dict)
    """Labels of the nodes that become targets, with target type `instance`."""
    multi_cluster_target_group: Annotated[
        bool | None, Key("multi-cluster-target-group", TARGETS, "false"), BOOLEAN
    ] = None
    """Leave targets alone that other clusters registered in the same target group. True on the Ingress or on
    the Service is enough."""
    target_control_port: Annotated[
        Mapping[str, int],
        Key("target-control-port", TARGETS, "none", parameter=ingress_formats.SERVICE_PORT_PARAMETER),
        formats.PORT,
    ] = Field(default_factory=dict)
    """Port of the target control agent beside the pods of one Service port."""
    tags: Annotated[Mapping[str, str], Key("tags", TAGS, merge=Merge.UNION), formats.TAGS] = Field(
        default_factory=dict
    )
    """Tags of the target groups; those of an Ingress are also on everything else that is made for it."""

    healthcheck_protocol: Annotated[
        HealthCheckProtocol | None,
        Key("healthcheck-protocol", HEALTH_CHECKS, "that of the targets"),
        enumeration(HealthCheckProtocol, only=(HealthCheckProtocol.HTTP, HealthCheckProtocol.HTTPS)),
    ] = None
    """Protocol of health checks."""
    healthcheck_port: Annotated[
        int | str | None, Key("healthcheck-port", HEALTH_CHECKS, "`traffic-port`"), formats.HEALTH_CHECK_PORT
    ] = None
    """Port of health checks; a name is that of a port of the Service."""
    healthcheck_path: Annotated[
        str | None,
        Key("healthcheck-path", HEALTH_CHECKS, "`/`; `/AWS.ALB/healthcheck` with GRPC"),
        formats.HEALTH_CHECK_PATH,
    ] = None
    """Path of health checks."""
    healthcheck_interval_seconds: Annotated[
        int | None, Key("healthcheck-interval-seconds", HEALTH_CHECKS, "15"), integer(5, 300)
    ] = None
    """Seconds between two health checks of a target."""
    healthcheck_timeout_seconds: Annotated[
        int | None, Key("healthcheck-timeout-seconds", HEALTH_CHECKS, "5"), integer(2, 120)
    ] = None
    """Seconds without an answer after which a health check has failed."""
    healthy_threshold_count: Annotated[
        int | None, Key("healthy-threshold-count", HEALTH_CHECKS, "2"), integer(2, 10)
    ] = None
    """Successes in a row that make a target healthy."""
    unhealthy_threshold_count: Annotated[
        int | None, Key("unhealthy-threshold-count", HEALTH_CHECKS, "2"), integer(2, 10)
    ] = None
    """Failures in a row that make a target unhealthy."""
    success_codes: Annotated[
        str | None,
        Key("success-codes", HEALTH_CHECKS, "`200`; `12` with GRPC"),
        ingress_formats.SUCCESS_CODES,
    ] = None
    """Status codes of healthy targets."""

    auth_type: Annotated[
        AuthType | None, Key("auth-type", AUTHENTICATION, "`none`"), enumeration(AuthType)
    ] = None
    """How clients of HTTPS listeners are logged in."""
    auth_idp_cognito: Annotated[CognitoPool | None, Key("auth-idp-cognito", AUTHENTICATION), COGNITO] = None
    """The user pool of `cognito`. Example: `{"userPoolARN":
    "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a1b2", "userPoolClientID": "client",
    "userPoolDomain": "login"}`."""
    auth_idp_oidc: Annotated[OidcProvider | None, Key("auth-idp-oidc", AUTHENTICATION), OIDC] = None
    """The provider of `oidc`; the Secret has the entries `clientID` and `clientSecret`. Example:
    `{"issuer": "https://idp.example.com", "authorizationEndpoint": "https://idp.example.com/auth",
    "tokenEndpoint": "https://idp.example.com/token", "userInfoEndpoint": "https://idp.example.com/user",
    "secretName": "oidc-client"}`."""
    auth_on_unauthenticated_request: Annotated[
        OnUnauthenticated | None,
        Key("auth-on-unauthenticated-request", AUTHENTICATION, "`authenticate`"),
        enumeration(OnUnauthenticated),
    ] = None
    """What happens to clients that are not logged in."""
    auth_scope: Annotated[
        str | None, Key("auth-scope", AUTHENTICATION, "`openid`"), ingress_formats.SCOPE
    ] = None
    """What is asked of the provider about the client."""
    auth_session_cookie: Annotated[
        str | None,
        Key("auth-session-cookie", AUTHENTICATION, "`AWSELBAuthSessionCookie`"),
        ingress_formats.COOKIE_NAME,
    ] = None
    """Name of the cookie that keeps clients logged in."""
    auth_session_timeout: Annotated[
        int | None, Key("auth-session-timeout", AUTHENTICATION, "604800"), ingress_formats.SESSION_SECONDS
    ] = None
    """Seconds until clients have to log in again."""


def combine(service: BackendAnnotations, ingress: BackendAnnotations) -> BackendAnnotations:
    """Return what holds for the targets of a Service.

    What the Service says wins, value by value, but for three: tags and parameters of keys are joined one by
    one, and a target group is shared with other clusters when either says so.
    """
    values = {
        declaration.field: getattr(model, declaration.field)
        for model in (ingress, service)
        for declaration in declarations(BackendAnnotations)
        if declaration.field in model.model_fields_set
    }
    for field in ("tags", "target_control_port"):
        values[field] = {**getattr(ingress, field), **getattr(service, field)}
    shared = {service.multi_cluster_target_group, ingress.multi_cluster_target_group}
    values["multi_cluster_target_group"] = True if True in shared else False if False in shared else None
    return BackendAnnotations.model_validate(values)
