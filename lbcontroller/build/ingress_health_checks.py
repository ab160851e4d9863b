"""The health check of a target group behind an Ingress.

| field           | default                                    | annotation                   |
|-----------------|--------------------------------------------|------------------------------|
| protocol        | that of the targets                        | healthcheck-protocol         |
| port            | `traffic-port`                             | healthcheck-port             |
| path            | `/`; for gRPC `/AWS.ALB/healthcheck`       | healthcheck-path             |
| success codes   | `200`; for gRPC `12`                       | success-codes                |
| interval        | 15 s                                       | healthcheck-interval-seconds |
| timeout         | 5 s                                        | healthcheck-timeout-seconds  |
| healthy count   | 2                                          | healthy-threshold-count      |
| unhealthy count | 2                                          | unhealthy-threshold-count    |
"""

from __future__ import annotations

import re
from typing import Final

from lbcontroller.annotations.formats import TRAFFIC_PORT
from lbcontroller.build.health_check_ports import health_check_port
from lbcontroller.build.ingress_backends import BackendPort
from lbcontroller.errors import InvalidConfig, ProblemCollector
from lbcontroller.model.enums import HealthCheckProtocol, Protocol, ProtocolVersion
from lbcontroller.model.resources import HealthCheck

INTERVAL_SECONDS: Final = 15
TIMEOUT_SECONDS: Final = 5
THRESHOLD: Final = 2
_CODES: Final = re.compile(r"[0-9]{1,3}(?:-[0-9]{1,3})?(?:,[0-9]{1,3}(?:-[0-9]{1,3})?)*")
_HTTP_CODES: Final = (200, 499)
"""Source: ELBv2 API reference, Matcher, for application load balancers."""
_GRPC_CODES: Final = (0, 99)
"""Source: as above."""


def ingress_health_check(backend: BackendPort, protocol: Protocol, version: ProtocolVersion) -> HealthCheck:
    """Return the health check of a backend's target group.

    Raises:
        InvalidConfig: with all problems.
    """
    asked, problems = backend.asked, ProblemCollector()
    grpc = version is ProtocolVersion.GRPC
    port, matcher = TRAFFIC_PORT, ""
    interval, timeout = INTERVAL_SECONDS, TIMEOUT_SECONDS
    if asked.healthcheck_port is not None:
        with problems.attempt():
            port = health_check_port(
                asked.healthcheck_port, backend.service, backend.target_type, backend.problem
            )
    with problems.attempt():
        matcher = _matcher(backend, grpc=grpc)
    with problems.attempt():
        interval, timeout = _times(backend)
    problems.raise_if_any()
    return HealthCheck(
        protocol=asked.healthcheck_protocol or HealthCheckProtocol(protocol),
        port=port,
        path=asked.healthcheck_path or ("/AWS.ALB/healthcheck" if grpc else "/"),
        matcher=matcher,
        interval_seconds=interval,
        timeout_seconds=timeout,
        healthy_threshold=asked.healthy_threshold_count or THRESHOLD,
        unhealthy_threshold=asked.unhealthy_threshold_count or THRESHOLD,
    )


def _matcher(backend: BackendPort, *, grpc: bool) -> str:
    codes = backend.asked.success_codes
    if codes is None:
        return "12" if grpc else "200"
    minimum, maximum = _GRPC_CODES if grpc else _HTTP_CODES
    ranges = [item.partition("-") for item in codes.split(",")] if _CODES.fullmatch(codes) else []
    if ranges and all(minimum <= int(low) <= int(high or low) <= maximum for low, _, high in ranges):
        return codes
    raise InvalidConfig(
        backend.problem(
            "success_codes",
            f"must be codes and ranges from {minimum} to {maximum} without spaces for "
            f"{'gRPC' if grpc else 'HTTP'} targets",
            hint="write 0-99 or 12 for gRPC" if grpc else "write 200,202 or 200-299",
        ).resting_on("backend_protocol_version")
    )


def _times(backend: BackendPort) -> tuple[int, int]:
    """Return interval and timeout; AWS wants the timeout to be shorter."""
    asked = backend.asked
    interval = asked.healthcheck_interval_seconds or INTERVAL_SECONDS
    timeout = asked.healthcheck_timeout_seconds
    if timeout is None:
        # The default gives way to a short interval: five seconds and less is what AWS calls short.
        return interval, min(TIMEOUT_SECONDS, interval - 1)
    if timeout >= interval:
        raise InvalidConfig(
            backend.problem(
                "healthcheck_timeout_seconds",
                f"must be below the interval, which is {interval} seconds",
                hint=f"lower it, or raise {type(asked).key_of('healthcheck_interval_seconds')}",
            ).resting_on("healthcheck_interval_seconds")
        )
    return interval, timeout
