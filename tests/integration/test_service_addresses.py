"""What the status of a Service publishes for a load balancer with static addresses."""

from __future__ import annotations

from typing import Any

from lbcontroller.cluster.service import PublishedAddress, Service
from lbcontroller.local.apiserver import Request
from tests.support.services import a_service, asking
from tests.support.yard import Yard

DRY_RUN = "dryRun=All"


def published(yard: Yard) -> list[dict[str, Any]]:
    service = yard.kubernetes.get("service", "web")
    entries: list[dict[str, Any]] = service["status"]["loadBalancer"]["ingress"]
    assert {str(entry.pop("ports")) for entry in entries} == {"[{'port': 80, 'protocol': 'TCP'}]"}
    return entries


def requests(yard: Yard, query: str) -> list[Request]:
    return [request for request in yard.kubernetes.requests if request.query == query]


def addresses(yard: Yard) -> list[str]:
    (balancer,) = yard.cluster.aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
    return [
        address["IpAddress"]
        for zone in balancer["AvailabilityZones"]
        for address in zone["LoadBalancerAddresses"]
    ]


def test_the_hostname_unless_addresses_are_asked_for(yard: Yard) -> None:
    allocations = yard.cluster.world.fill("${eip.a},${eip.b},${eip.c}")
    yard.kubernetes.apply(a_service(annotated=asking(scheme="internet-facing", eip_allocations=allocations)))
    yard.settle()
    (hostname,) = published(yard)
    assert list(hostname) == ["hostname"]

    yard.annotate("web", asking(status_addresses="both"))
    yard.settle()
    static = [{"ip": address, "ipMode": "Proxy"} for address in addresses(yard)]
    assert sorted(published(yard), key=str) == sorted([hostname, *static], key=str)

    yard.annotate("web", asking(status_addresses="ip"))
    yard.settle()
    assert sorted(published(yard), key=str) == sorted(static, key=str)

    yard.annotate("web", asking(status_addresses=None))
    yard.settle()
    assert published(yard) == [hostname]


def test_a_load_balancer_without_static_addresses_has_only_its_hostname(yard: Yard) -> None:
    yard.kubernetes.apply(a_service(annotated=asking(status_addresses="ip")))
    yard.settle()

    (entry,) = published(yard)
    assert list(entry) == ["hostname"]


def test_the_api_server_is_asked_once_whether_it_knows_the_mode_of_addresses(yard: Yard) -> None:
    allocations = yard.cluster.world.fill("${eip.a},${eip.b},${eip.c}")
    asked = asking(scheme="internet-facing", eip_allocations=allocations, status_addresses="ip")
    before = len(requests(yard, DRY_RUN))
    yard.kubernetes.apply(a_service(annotated=asked))
    yard.settle()
    yard.annotate("web", asking(status_addresses="hostname"))
    yard.settle()
    yard.annotate("web", asking(status_addresses="both"))
    yard.settle()

    assert len(published(yard)) == 4
    assert len(requests(yard, DRY_RUN)) == before + 1


def test_the_zones_of_elastic_ips_are_told_once_when_nobody_chose_them(yard: Yard) -> None:
    allocations = yard.cluster.world.fill("${eip.a},${eip.b},${eip.c}")
    yard.kubernetes.apply(a_service(annotated=asking(scheme="internet-facing", eip_allocations=allocations)))
    yard.settle()
    yard.annotate("web", asking(additional_resource_tags="team=shop"))
    yard.settle()

    (told,) = [event for event in yard.events("web") if event[1] == "AddressOrder"]
    assert told[0] == "Normal"
    assert yard.cluster.world.fill("${eip.b} in ${subnet.public-b} (us-west-2b)") in told[2]


def test_addresses_that_the_watch_has_not_reported_yet_are_no_news_the_second_time(yard: Yard) -> None:
    yard.kubernetes.apply(a_service(loadBalancerClass="example.com/another"))
    assert yard.controller is not None
    publisher = yard.controller.parts.outcomes.publisher
    service = Service.from_object(yard.kubernetes.get("service", "web"))
    entry = PublishedAddress(hostname="web.example.com", ip="", ip_mode="", ports=((80, "TCP"),))

    assert [publisher.addresses(service, (entry,)) for _ in range(2)] == [True, False]
    assert published(yard) == [{"hostname": "web.example.com"}]
