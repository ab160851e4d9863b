"""A yard whose API server asks the controller's webhooks, over HTTPS on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lbcontroller.local.cluster import LocalCluster
from lbcontroller.local.kubernetes import Kubernetes
from lbcontroller.local.webhooks import NAME, free_port, register_webhooks
from lbcontroller.webhooks.registration import REGISTRATIONS, WebhookKind
from tests.support.manual_clock import ManualClock
from tests.support.yard import Yard

SERVED_WITHIN_SECONDS = 10.0


@contextmanager
def admitting_yard(
    cluster: LocalCluster, directory: Path, flags: Mapping[str, str], *, clock: ManualClock | None = None
) -> Iterator[Yard]:
    """Run a controller with every webhook registered; the registrations go when the block ends."""
    kubeconfig = directory / "kubeconfig"
    cluster.kubernetes.write_kubeconfig(kubeconfig)
    webhooks = register_webhooks(cluster.kubernetes, free_port(), directory / "certificate")
    try:
        with Yard(cluster, str(kubeconfig), {**flags, **webhooks}, clock=clock) as yard:
            wait_until_served(yard)
            yield yard
    finally:
        unregister(cluster.kubernetes)


def unregister(kubernetes: Kubernetes) -> None:
    for kind in {registration.kind for registration in REGISTRATIONS}:
        if kubernetes.find(kind, NAME) is not None:
            kubernetes.delete(kind, NAME)


def register_only(yard: Yard, kind: WebhookKind, change: Mapping[str, object]) -> None:
    """Change every webhook of a configuration, such as its failure policy."""
    configuration = yard.kubernetes.get(kind, NAME)
    webhooks = [{**webhook, **change} for webhook in configuration["webhooks"]]
    yard.kubernetes.patch(kind, NAME, {"webhooks": webhooks})


def wait_until_served(yard: Yard) -> None:
    controller = yard.controller
    assert controller is not None
    deadline = time.monotonic() + SERVED_WITHIN_SECONDS
    while controller.parts.admission.trouble() is not None:
        assert time.monotonic() < deadline, controller.parts.admission.trouble()
        time.sleep(0.005)  # between two looks at a condition that has no signal


def label_namespace(yard: Yard, labels: Mapping[str, str | None], namespace: str = "default") -> None:
    yard.kubernetes.patch("namespace", namespace, {"metadata": {"labels": dict(labels)}})
