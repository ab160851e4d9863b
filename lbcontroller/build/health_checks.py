"""The health check of a Service's target groups.

Two sets of defaults. The second one holds for instances of a Service with `externalTrafficPolicy: Local`:
there kube-proxy itself answers, on a port of its own, whether the node has ready pods.

| field             | else           | instances with Local  | annotation                      |
|-------------------|----------------|-----------------------|---------------------------------|
| protocol          | TCP            | HTTP                  | healthcheck-protocol            |
| port              | `traffic-port` | `healthCheckNodePort` | healthcheck-port                |
| path              | `/`            | `/healthz`            | healthcheck-path                |
| success codes     | `200-399`      | `200-399`             | healthcheck-success-codes       |
| interval          | 10 s           | 10 s                  | healthcheck-interval            |
| timeout           | 10 s           | 6 s                   | healthcheck-timeout             |
| healthy count     | 3              | 2                     | healthcheck-healthy-threshold   |
| unhealthy count   | 3              | 2                     | healthcheck-unhealthy-threshold |

Each annotation changes its own field only. A TCP check has neither path nor success codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.formats import TRAFFIC_PORT
from lbcontroller.build.health_check_ports import health_check_port
from lbcontroller.build.service_source import ServiceSource
from lbcontroller.cluster.service import Service, ServiceType
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.enums import HealthCheckProtocol, TargetType
from lbcontroller.model.resources import HealthCheck

SUCCESS_CODES: Final = "200-399"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Defaults:
    protocol: HealthCheckProtocol
    port: str
    path: str
    timeout_seconds: int
    threshold: int
    interval_seconds: int = 10


def build_health_check(source: ServiceSource, backend: Service, target_type: TargetType) -> HealthCheck:
    """Return the health check of the target groups of `backend`, which may be another Service of an action.

    Raises:
        InvalidConfig: for a port name that has no number, or a timeout above the interval.
    """
    asked, defaults = source.annotations, _defaults(source.service, backend, target_type)
    protocol = asked.healthcheck_protocol or defaults.protocol
    over_http = protocol is not HealthCheckProtocol.TCP
    advanced = source.context.settings.feature_gates.nlb_health_check_advanced_config
    interval = asked.healthcheck_interval or defaults.interval_seconds
    port = asked.healthcheck_port
    return HealthCheck(
        protocol=protocol,
        port=(
            defaults.port if port is None else health_check_port(port, backend, target_type, source.problem)
        ),
        path=(asked.healthcheck_path or defaults.path) if over_http else None,
        matcher=(asked.healthcheck_success_codes or SUCCESS_CODES) if over_http and advanced else None,
        interval_seconds=interval,
        timeout_seconds=_timeout(source, defaults, interval) if advanced else defaults.timeout_seconds,
        healthy_threshold=asked.healthcheck_healthy_threshold or defaults.threshold,
        unhealthy_threshold=asked.healthcheck_unhealthy_threshold or defaults.threshold,
    )


def _defaults(base: Service, backend: Service, target_type: TargetType) -> _Defaults:
    if (
        target_type is TargetType.INSTANCE
        and backend.local_traffic_only
        and backend.type is ServiceType.LOAD_BALANCER
    ):
        return _Defaults(
            protocol=HealthCheckProtocol.HTTP,
            port=str(base.health_check_node_port),
            path="/healthz",
            timeout_seconds=6,
            threshold=2,
        )
    return _Defaults(
        protocol=HealthCheckProtocol.TCP, port=TRAFFIC_PORT, path="/", timeout_seconds=10, threshold=3
    )


def _timeout(source: ServiceSource, defaults: _Defaults, interval: int) -> int:
    """Return the timeout; AWS refuses one above the interval."""
    asked = source.annotations.healthcheck_timeout
    if asked is None:
        return min(defaults.timeout_seconds, interval)
    if asked > interval:
        raise InvalidConfig(
            source.problem(
                "healthcheck_timeout",
                f"must not be above the interval, which is {interval} seconds",
                hint=f"lower it, or raise {type(source.annotations).key_of('healthcheck_interval')}",
            )
        )
    return asked
