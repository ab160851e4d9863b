"""`lbcontroller webhooks`: the objects that have an API server ask the webhooks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lbcontroller.webhooks.registration import REGISTRATIONS, SERVICE_CLASS, configurations


def webhook_manifests(service: str, authority: Path | None, *, name: str, class_of_services: bool) -> str:
    """Return the manifests of the webhook configurations as YAML.

    Args:
        service: `namespace/name` of the Service in front of the webhooks, on port 443.
        authority: file with the certificates, as PEM, by which the API server checks ours; None: the
            controller makes the certificate and says itself by what.
        name: of the configurations, and what our own objects carry as `app.kubernetes.io/name`.
        class_of_services: whether new load balancers without a class get ours.
    """
    namespace, _, service_name = service.rpartition("/")
    bundle = {"caBundle": base64.b64encode(authority.read_bytes()).decode()} if authority else {}

    def client_config(path: str) -> Mapping[str, Any]:
        place = {"namespace": namespace or "default", "name": service_name, "path": path, "port": 443}
        return {"service": place, **bundle}

    listed = [each for each in REGISTRATIONS if class_of_services or each is not SERVICE_CLASS]
    return yaml.safe_dump_all(configurations(listed, client_config, name=name), sort_keys=False, width=1000)
