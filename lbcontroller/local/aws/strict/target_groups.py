"""Target groups: checks and defaults of their health checks, idempotent creation, attributes per type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.exceptions import LoadBalancerNotFoundError, TargetGroupNotFoundError, ValidationError

from lbcontroller.local.aws.strict.attributes import APPLICATION_PROTOCOLS, target_group_attributes
from lbcontroller.local.aws.strict.backend import StrictBackend, StrictCalls
from lbcontroller.local.aws.strict.errors import constraint, invalid, refused
from lbcontroller.local.aws.strict.paging import page
from lbcontroller.local.aws.strict.resources import StrictTargetGroup
from lbcontroller.local.aws.strict.tags import check_tags

_RANGES: Final = {
    "Port": range(1, 65536),
    "HealthCheckIntervalSeconds": range(5, 301),
    "HealthCheckTimeoutSeconds": range(2, 121),
    "HealthyThresholdCount": range(2, 11),
    "UnhealthyThresholdCount": range(2, 11),
}
"""Integer limits of CreateTargetGroup."""
_MAX_DEREGISTRATION_DELAY: Final = 3600
_TRANSPORT_PROTOCOLS: Final = frozenset({"TCP", "UDP", "TCP_UDP", "TLS", "QUIC", "TCP_QUIC"})
_HEALTH_CHECK_PROTOCOLS: Final = frozenset({"HTTP", "HTTPS", "TCP"})
_KNOWN_TO_MOTO: Final = {"QUIC": "UDP", "TCP_QUIC": "TCP_UDP"}
"""Protocols moto refuses, and those with the same defaults it accepts."""
_CREATE_ARGUMENTS: Final = {
    "VpcId": "vpc_id",
    "Protocol": "protocol",
    "ProtocolVersion": "protocol_version",
    "Port": "port",
    "HealthCheckProtocol": "healthcheck_protocol",
    "HealthCheckPort": "healthcheck_port",
    "HealthCheckPath": "healthcheck_path",
    "HealthCheckIntervalSeconds": "healthcheck_interval_seconds",
    "HealthCheckTimeoutSeconds": "healthcheck_timeout_seconds",
    "HealthCheckEnabled": "healthcheck_enabled",
    "HealthyThresholdCount": "healthy_threshold_count",
    "UnhealthyThresholdCount": "unhealthy_threshold_count",
    "Matcher": "matcher",
    "IpAddressType": "ip_address_type",
}


class TargetGroupCalls(StrictCalls):
    """The API calls about target groups, except their targets."""

    def create_target_group(self) -> ActionResult:
        """Create a target group, or answer the existing one for the same request."""
        backend, params = self.elbv2_backend, self._get_params()
        check_tags(params.get("Tags"))
        _check_health_check(params, params.get("Protocol"))
        _check_kind(params)
        request = _with_defaults(params)
        for existing in backend.target_groups.values():
            if existing.name == request["Name"]:
                if _same(existing, request):
                    return ActionResult({"TargetGroups": [existing]})
                raise refused(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{existing.name}' exists, "
                    "but with different settings",
                )
        created = _create(backend, request)
        backend.tagging_service.tag_resource(created.arn, params.get("Tags"))
        return ActionResult({"TargetGroups": [created]})

    def modify_target_group(self) -> ActionResult:
        """Change the health check; moto drops matchers of TCP groups and gRPC codes."""
        params = self._get_params()
        changed = self.elbv2_backend.target_group(params["TargetGroupArn"])
        _check_health_check(params, changed.protocol)
        super().modify_target_group()
        if matcher := params.get("Matcher"):
            changed.matcher = dict(matcher)
        return ActionResult({"TargetGroups": [changed]})

    def delete_target_group(self) -> ActionResult:
        """Delete a target group nothing forwards to; succeeds when it is already gone."""
        backend, arn = self.elbv2_backend, self._get_params()["TargetGroupArn"]
        if arn not in backend.target_groups:
            return EmptyResult()
        if backend.usage.load_balancers_of(arn):
            raise refused(
                "ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule"
            )
        backend.forget_tags([arn])
        del backend.target_groups[arn]
        return EmptyResult()

    def describe_target_groups(self) -> ActionResult:
        """Target groups by ARN, by name, of a load balancer or all, sorted by name."""
        params = self._get_params()
        found = _selected(self.elbv2_backend, params)
        ordered = sorted(found, key=lambda group: group.name)
        return page(ordered, "TargetGroups", size=params.get("PageSize"), marker=params.get("Marker"))

    def modify_target_group_attributes(self) -> ActionResult:
        """Change attributes the group has; answers all of them."""
        backend, params = self.elbv2_backend, self._get_params()
        changed = backend.target_group(params["TargetGroupArn"])
        wanted = {item["Key"]: item.get("Value", "") for item in params["Attributes"]}
        for key, value in wanted.items():
            if key not in changed.attributes:
                raise invalid(f"Target group attribute key '{key}' is not recognized")
            if changed.attributes[key] in {"true", "false"} and value not in {"true", "false"}:
                raise invalid(f"'{key}' value '{value}' must be one of 'true, false'")
        if wanted.get("deregistration_delay.timeout_seconds") == str(_MAX_DEREGISTRATION_DELAY):
            # moto's upper limit is off by one; its other checks are right
            known = {k: v for k, v in wanted.items() if k != "deregistration_delay.timeout_seconds"}
            backend.modify_target_group_attributes(changed.arn, known)
        else:
            backend.modify_target_group_attributes(changed.arn, wanted)
        changed.attributes.update(wanted)
        return ActionResult({"Attributes": changed.attributes})


def _check_health_check(params: Mapping[str, Any], protocol: str | None) -> None:
    for member, limits in _RANGES.items():
        value = params.get(member)
        if value is not None and value not in limits:
            field = member[0].lower() + member[1:]
            raise constraint(value, field, f"have value between {limits[0]} and {limits[-1]}")
    check = params.get("HealthCheckProtocol")
    if check and check not in _HEALTH_CHECK_PROTOCOLS:
        raise refused("InvalidConfigurationRequest", f"Health check protocol '{check}' is not supported")
    if check == "TCP" and protocol in APPLICATION_PROTOCOLS:
        raise refused(
            "InvalidConfigurationRequest", "TCP health checks are not supported for HTTP/HTTPS target groups"
        )
    path = params.get("HealthCheckPath")
    if path and not path.startswith("/"):
        raise invalid(f"Health check path '{path}' must begin with '/'")


def _check_kind(params: Mapping[str, Any]) -> None:
    """Target groups for load balancers speak TCP to them (Network Load Balancer guide, "Target type")."""
    control, version = params.get("TargetControlPort"), params.get("ProtocolVersion")
    application = params.get("Protocol") in APPLICATION_PROTOCOLS
    if version and not application:
        raise invalid("Protocol version is supported only for target groups with protocol HTTP or HTTPS")
    if control is not None and not (application and params.get("TargetType") in {"ip", "instance"}):
        raise invalid(
            "A target control port is supported only for target groups of Application Load Balancers"
        )
    if params.get("TargetType") != "alb":
        return
    if params.get("Protocol") != "TCP":
        raise refused("InvalidConfigurationRequest", "Target groups of type alb must have protocol TCP")
    if params.get("HealthCheckProtocol") == "TCP":
        raise refused(
            "InvalidConfigurationRequest", "Target groups of type alb have health checks of HTTP or HTTPS"
        )


def _with_defaults(params: Mapping[str, Any]) -> dict[str, Any]:
    """The request with the health check defaults moto does not know."""
    request = dict(params)
    if params.get("ProtocolVersion") == "GRPC":
        request["Matcher"] = params.get("Matcher") or {"GrpcCode": "12"}
        request["HealthCheckPath"] = params.get("HealthCheckPath") or "/AWS.ALB/healthcheck"
    elif (
        params.get("Protocol") in _TRANSPORT_PROTOCOLS
        and params.get("HealthCheckProtocol") in APPLICATION_PROTOCOLS
    ):
        request["Matcher"] = params.get("Matcher") or {"HttpCode": "200-399"}
        request["HealthCheckPath"] = params.get("HealthCheckPath") or "/"
    request["TargetType"] = params.get("TargetType") or "instance"
    return request


def _same(existing: Any, request: Mapping[str, Any]) -> bool:
    protocol = None if request["TargetType"] == "lambda" else request.get("Protocol")
    return (existing.protocol, existing.port, existing.vpc_id, existing.target_type) == (
        protocol,
        request.get("Port"),
        request.get("VpcId"),
        request["TargetType"],
    )


def _create(backend: StrictBackend, request: Mapping[str, Any]) -> StrictTargetGroup:
    arguments = {argument: request.get(member) for member, argument in _CREATE_ARGUMENTS.items()}
    protocol = request.get("Protocol")
    arguments["protocol"] = _KNOWN_TO_MOTO.get(protocol or "", protocol)
    arguments["target_type"] = request["TargetType"]
    made = backend.create_target_group(request["Name"], **arguments)
    created = backend.target_group(made.arn)
    if created.target_type != "lambda":
        created.protocol = protocol
    created.target_control_port = request.get("TargetControlPort")
    created.attributes = target_group_attributes(created.protocol, created.target_type)
    return created


def _selected(backend: StrictBackend, params: Mapping[str, Any]) -> list[StrictTargetGroup]:
    owner, arns, names = params.get("LoadBalancerArn"), params.get("TargetGroupArns"), params.get("Names")
    if sum(map(bool, (owner, arns, names))) > 1:
        raise ValidationError(
            "Target group names, target group ARNs, and a load balancer ARN "
            "cannot be specified at the same time"
        )
    if owner:
        if owner not in backend.load_balancers:
            raise LoadBalancerNotFoundError
        return [backend.target_group(arn) for arn in backend.usage.target_groups_of(owner)]
    if arns:
        return [backend.target_group(arn) for arn in dict.fromkeys(arns)]
    if names:
        by_name = {group.name: arn for arn, group in backend.target_groups.items()}
        if not by_name.keys() >= set(names):
            raise TargetGroupNotFoundError
        return [backend.target_group(by_name[name]) for name in dict.fromkeys(names)]
    return [backend.target_group(arn) for arn in backend.target_groups]
