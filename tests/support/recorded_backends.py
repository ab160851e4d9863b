"""What is behind a recorded target group: a port of a Service, with its node ports and pods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lbcontroller.local.cluster import LocalCluster

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedBackend:
    """One port of a Service, and what the API server chose for it."""

    cluster: LocalCluster
    service: JsonObject
    """As the API server has it."""
    reference: int | str
    """The port as whoever sends traffic there writes it: a number or a name."""
    checked_port: str | None = None
    """The port that health checks are said to go to, which may be the name of one of the Service's."""

    @property
    def namespace(self) -> str:
        """That of the Service."""
        return str(self.service["metadata"]["namespace"])

    @property
    def port(self) -> JsonObject:
        """The port of the Service."""
        ports: list[JsonObject] = self.service["spec"]["ports"]
        return next(port for port in ports if self.reference in (port["port"], port.get("name")))

    def node_port(self) -> int:
        """Return the port's node port."""
        return int(self.port["nodePort"])

    def health_check_port(self) -> int:
        """Return the node port that health checks of instances go to when it is not the traffic's."""
        for port in self.service["spec"]["ports"]:
            if self.checked_port is not None and port.get("name") == self.checked_port:
                return int(port["nodePort"])
        return int(self.service["spec"]["healthCheckNodePort"])

    def pod_ips(self) -> list[str]:
        """Return the addresses of the Service's pods."""
        selector: dict[str, str] = self.service["spec"].get("selector") or {}
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        pods = self.cluster.kubernetes.list("pods", namespace=self.namespace, labels=labels) if labels else []
        return sorted(pod["status"]["podIP"] for pod in pods)
