"""Webhooks of a controller on loopback, registered with an API server on loopback."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from lbcontroller.local.certificates import LOOPBACK, write_certificate
from lbcontroller.local.kubernetes import Kubernetes
from lbcontroller.webhooks.registration import REGISTRATIONS, Registration, configurations

NAME: Final = "lbcontroller"


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def register_webhooks(
    kubernetes: Kubernetes, port: int, directory: Path, listed: Iterable[Registration] = REGISTRATIONS
) -> Mapping[str, str]:
    """Have the API server ask a controller that will listen on `port`.

    Args:
        kubernetes: the API server.
        port: where the controller listens.
        directory: where the controller's certificate is written.
        listed: the webhooks.

    Returns:
        The flags that the controller needs.
    """
    authority = base64.b64encode(write_certificate(directory).encode()).decode()

    def client_config(path: str) -> Mapping[str, Any]:
        return {"url": f"https://{LOOPBACK}:{port}{path}", "caBundle": authority}

    for configuration in configurations(listed, client_config, name=NAME):
        kubernetes.apply(configuration)
    return {"webhook-bind-port": str(port), "webhook-cert-dir": str(directory)}
