"""How long an API server waits for answers of the admission webhooks, and what they cost the controller."""

from __future__ import annotations

import http.client
import ssl
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lbcontroller.local.certificates import CERTIFICATE_FILE, LOOPBACK, write_certificate
from lbcontroller.local.webhooks import free_port
from lbcontroller.webhooks.registration import (
    CHECK_BINDING,
    CHECK_INGRESS,
    DRAIN,
    READINESS_GATES,
    SERVICE_CLASS,
)
from tests.benchmarks.measured import Measured, Result, controller_process
from tests.benchmarks.scenarios import CREATED_SECONDS, UNLIMITED, a_service, served
from tests.support.admitted_pods import a_new_pod
from tests.support.reviews import a_review_body, response_of
from tests.support.sites import a_class, a_site
from tests.support.sites import a_service as a_backend
from tests.support.yard import Yard

JsonObject = dict[str, Any]
NAMESPACE = "default"


def answers(*, services: int = 100, pods: int = 10, times: int = 1000) -> Result:
    """Return the time and CPU of answers about one object of each kind.

    They are asked for one after the other over one connection, as an API server keeps them.

    Args:
        services: load balancers that the controller knows; the pod belongs to one of them.
        pods: behind each of them.
        times: how often each is asked for.
    """
    with served(services=services, pods=pods) as yard:
        yard.apply(a_service("asked").replace("app: web", "app: asked"))
        for obj in (a_class(), a_backend()):
            yard.kubernetes.apply(obj)
        yard.settle(within=CREATED_SECONDS)
        with _asked_controller(yard) as (running, connection):
            return {
                "services": services,
                "answers": {
                    path: _ask(running, connection, path, body, times) for path, body in _asked(yard)
                },
            }


def _asked(yard: Yard) -> Iterator[tuple[str, bytes]]:
    """Yield the path of each webhook that is asked often, and what it is asked about."""
    pod = a_new_pod(labels={"app": "asked"})
    (binding, *_) = yard.kubernetes.list("targetgroupbindings")
    service = yard.kubernetes.get("service", "asked")
    objects: Mapping[str, JsonObject] = {
        READINESS_GATES.path: pod,
        DRAIN.path: pod,
        SERVICE_CLASS.path: service,
        CHECK_BINDING.path: binding,
        CHECK_INGRESS.path: a_site("asked"),
    }
    for path, obj in objects.items():
        yield path, a_review_body(obj, namespace=NAMESPACE)


@contextmanager
def _asked_controller(yard: Yard) -> Iterator[tuple[Measured, http.client.HTTPSConnection]]:
    """Run a controller as a process of its own, in place of the yard's, and connect to its webhooks."""
    yard.stop_controller()
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        write_certificate(Path(directory))
        webhooks = {"webhook-bind-port": str(port), "webhook-cert-dir": directory}
        with controller_process(yard.cluster, {**UNLIMITED, **webhooks}) as running:
            running.until_idle(CREATED_SECONDS)
            trusted = ssl.create_default_context(cafile=Path(directory) / CERTIFICATE_FILE)
            yield running, http.client.HTTPSConnection(LOOPBACK, port, context=trusted)


def _ask(
    running: Measured, connection: http.client.HTTPSConnection, path: str, body: bytes, times: int
) -> Result:
    milliseconds, response = [], dict[str, Any]()
    before = running.cpu_seconds()
    for _ in range(times):
        begun = time.perf_counter_ns()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse().read()
        milliseconds.append((time.perf_counter_ns() - begun) / 1e6)
        response = response_of(answer)
        assert response["allowed"]
    cpu_ms = (running.cpu_seconds() - before) * 1000 / times
    milliseconds.sort()
    return {
        "median_ms": round(milliseconds[times // 2], 2),
        "p99_ms": round(milliseconds[int(times * 0.99)], 2),
        "longest_ms": round(milliseconds[-1], 2),
        "cpu_ms": round(cpu_ms, 2),
        "patched": "patch" in response,
        "warnings": response.get("warnings", []),
    }
