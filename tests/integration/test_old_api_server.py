"""What a Service publishes on an API server that drops `ipMode`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lbcontroller.controller.address_publisher import ASK_AGAIN
from lbcontroller.local.apiserver import ApiServerSettings, Request, WorkloadSettings
from lbcontroller.local.cluster import local_cluster
from tests.support.services import a_service, asking
from tests.support.yard import Yard

DRY_RUN = "dryRun=All"


@pytest.fixture
def old_yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """A cluster whose API server does not know `ipMode`."""
    settings = ApiServerSettings(workloads=WorkloadSettings(), stores_ip_mode=False)
    kubeconfig = tmp_path_factory.mktemp("old") / "kubeconfig"
    with local_cluster(cluster_name="old", api_server=settings) as cluster:
        cluster.kubernetes.write_kubeconfig(kubeconfig)
        with Yard(cluster, str(kubeconfig)) as yard:
            yield yard


def status_patches(yard: Yard, query: str = "") -> list[Request]:
    return [
        request
        for request in yard.kubernetes.requests
        if request.method == "PATCH"
        and request.path.endswith("/services/web/status")
        and request.query == query
    ]


def touch(yard: Yard, value: str) -> None:
    yard.annotate("web", {"example.com/touched": value})
    yard.settle()


def test_addresses_are_not_published_where_kube_proxy_would_take_traffic_past_the_load_balancer(
    old_yard: Yard,
) -> None:
    yard = old_yard
    allocations = yard.cluster.world.fill("${eip.a},${eip.b},${eip.c}")
    asked = asking(scheme="internet-facing", eip_allocations=allocations, status_addresses="ip")
    yard.kubernetes.apply(a_service(annotated=asked))
    yard.settle()

    (entry,) = yard.kubernetes.get("service", "web")["status"]["loadBalancer"]["ingress"]
    assert sorted(entry) == ["hostname", "ports"]
    (warning,) = [message for kind, _, message in yard.events("web") if kind == "Warning"]
    assert warning == (
        "the status shows the hostname only, although "
        "service.beta.kubernetes.io/aws-load-balancer-status-addresses or --status-addresses asks for ip: "
        "this API server does not store the field ipMode, without which kube-proxy takes traffic to these "
        "addresses past the load balancer. Kubernetes knows ipMode from 1.30 on, 1.29 with the feature gate "
        "LoadBalancerIPMode: upgrade, or ask for hostname"
    )
    written = len(status_patches(yard))
    assert len(status_patches(yard, DRY_RUN)) == 1

    touch(yard, "once")
    touch(yard, "twice")
    assert (len(status_patches(yard)), len(status_patches(yard, DRY_RUN))) == (written, 1)
    assert [message for kind, _, message in yard.events("web") if kind == "Warning"] == [warning]

    assert yard.controller is not None
    publisher = yard.controller.parts.outcomes.publisher
    publisher.now = lambda: datetime.now(UTC) + ASK_AGAIN + timedelta(seconds=1)
    touch(yard, "after an hour")
    assert (len(status_patches(yard)), len(status_patches(yard, DRY_RUN))) == (written, 2)
