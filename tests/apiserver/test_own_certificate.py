"""The API server asks webhooks behind a Service, and trusts the certificate that the controller made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError
from lbcontroller.local.webhooks import free_port
from lbcontroller.webhooks.registration import CHECK_INGRESS, configurations
from tests.support.admitting_yard import unregister, wait_until_served
from tests.support.real_cluster.access import CERTIFICATE, CONFIGURATIONS, NAMESPACE
from tests.support.sites import a_site
from tests.support.yard import Yard

SERVICE = "webhooks"
PORT = free_port()
FLAGS = {
    "webhook-service": f"{NAMESPACE}/{SERVICE}",
    "webhook-secret": CERTIFICATE,
    "webhook-configurations": CONFIGURATIONS,
    "webhook-bind-port": str(PORT),
}
WITHIN_SECONDS = 20.0


@pytest.fixture
def registered(yard: Yard) -> Iterator[Yard]:
    """A controller whose webhook of Ingresses is registered without saying whom to trust."""

    def client_config(path: str) -> dict[str, Any]:
        return {"service": {"namespace": NAMESPACE, "name": SERVICE, "path": path, "port": PORT}}

    yard.kubernetes.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVICE, "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }
    )
    for configuration in configurations([CHECK_INGRESS], client_config, name=CONFIGURATIONS):
        yard.kubernetes.apply(configuration)
    yield yard
    unregister(yard.kubernetes)
    yard.kubernetes.delete("service", SERVICE, namespace=NAMESPACE)


def is_asked(yard: Yard) -> bool:
    """Whether the API server takes our answer; while it cannot, it stores what we would refuse."""
    try:
        yard.kubernetes.create(a_site("probe", ingressClassName="missing"))
    except ApiError as error:
        return "there is no IngressClass of that name" in error.message
    yard.kubernetes.delete("ingress", "probe")
    return False


def begins_to_ask(yard: Yard) -> bool:
    """Whether it does so soon: it hears of a changed configuration from a watch."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not is_asked(yard):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # between two looks at a condition that has no signal
    return True


@pytest.mark.parametrize("yard", [FLAGS], indirect=True)
def test_a_certificate_of_our_own_is_trusted_and_so_is_the_next_one(registered: Yard) -> None:
    registered.restart_controller()
    wait_until_served(registered)
    assert begins_to_ask(registered)

    first = registered.kubernetes.get("secret", CERTIFICATE, namespace=NAMESPACE)["data"]
    registered.kubernetes.patch("secret", CERTIFICATE, {"data": {"tls.key": "QQ=="}}, namespace=NAMESPACE)
    registered.restart_controller()
    wait_until_served(registered)

    second = registered.kubernetes.get("secret", CERTIFICATE, namespace=NAMESPACE)["data"]
    assert second["tls.crt"] != first["tls.crt"]
    assert begins_to_ask(registered)
