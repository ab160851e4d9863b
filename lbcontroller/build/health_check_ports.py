"""The port of a health check, where it is named as a port of the Service behind the target group."""

from __future__ import annotations

from collections.abc import Callable

from lbcontroller.annotations.formats import TRAFFIC_PORT
from lbcontroller.cluster.service import Service
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.enums import TargetType


def health_check_port(
    asked: int | str, service: Service, target_type: TargetType, problem: Callable[..., Problem]
) -> str:
    """Return the port as AWS takes it, names of Service ports resolved.

    Args:
        asked: what the annotation says.
        service: whose endpoints are checked.
        target_type: of the target group.
        problem: returns a problem with an annotation of whoever asks.

    Raises:
        InvalidConfig: for a port name that has no number.
    """
    if asked == TRAFFIC_PORT or isinstance(asked, int):
        return str(asked)
    named = next((port for port in service.ports if port.name == asked), None)
    if named is None:
        names = ", ".join(port.name for port in service.ports if port.name) or "none has a name"
        raise InvalidConfig(
            problem(
                "healthcheck_port",
                f"must be {TRAFFIC_PORT}, a number, or the name of a port of Service {service.meta.name}",
                hint=f"names of its ports: {names}",
            )
        )
    if target_type is TargetType.INSTANCE:
        return str(named.node_port)
    if isinstance(named.target_port, str):
        raise InvalidConfig(
            problem(
                "healthcheck_port",
                f"must stand for a number, and the targetPort of that port is the name {named.target_port!r}",
                hint="give the number of the container port",
            )
        )
    return str(named.target_port)
