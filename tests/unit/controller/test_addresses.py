from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lbcontroller.cluster.service import PublishedAddress, Service
from lbcontroller.controller.addresses import addresses, as_json
from lbcontroller.model.enums import IpAddressType, LoadBalancerType, Scheme
from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import LoadBalancerState, ObservedLoadBalancer
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import LoadBalancer
from lbcontroller.settings import StatusAddresses

SERVICE = Service.from_object(
    {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "type": "LoadBalancer",
            "ports": [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}],
        },
    }
)
BALANCER = ObservedLoadBalancer(
    arn=Arn("arn:lb"),
    resource=LoadBalancer(
        id=ResourceId(Kind.LOAD_BALANCER, "LoadBalancer"),
        name="web",
        type=LoadBalancerType.NETWORK,
        scheme=Scheme.INTERNAL,
        ip_address_type=IpAddressType.IPV4,
        subnets=UNMANAGED,
        security_groups=UNMANAGED,
        source_nat_prefix=UNMANAGED,
        private_link_inbound_rules=UNMANAGED,
        attributes={},
        capacity_units=UNMANAGED,
        tags={},
    ),
    dns_name="Web-1.elb.us-west-2.amazonaws.com",
    state=LoadBalancerState.PROVISIONING,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    addresses=("192.0.2.1", "2001:db8::1"),
)
PORTS = ((80, "TCP"), (53, "UDP"))
HOSTNAME = PublishedAddress(hostname="web-1.elb.us-west-2.amazonaws.com", ip="", ip_mode="", ports=PORTS)
IPS = tuple(
    PublishedAddress(hostname="", ip=ip, ip_mode="Proxy", ports=PORTS) for ip in ("192.0.2.1", "2001:db8::1")
)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (StatusAddresses.HOSTNAME, (HOSTNAME,)),
        (StatusAddresses.IP, IPS),
        (StatusAddresses.BOTH, (HOSTNAME, *IPS)),
    ],
)
def test_what_is_published(wanted: StatusAddresses, expected: tuple[PublishedAddress, ...]) -> None:
    assert addresses(SERVICE, BALANCER, wanted) == expected


def test_without_static_addresses_the_name_is_published() -> None:
    assert addresses(SERVICE, replace(BALANCER, addresses=()), StatusAddresses.IP) == (HOSTNAME,)


def test_entries_are_written_without_what_is_empty_and_read_back_the_same() -> None:
    entries = as_json((HOSTNAME, IPS[0]))

    assert entries[0] == {
        "hostname": "web-1.elb.us-west-2.amazonaws.com",
        "ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
    }
    published = Service.from_object(
        {"metadata": {"name": "web"}, "status": {"loadBalancer": {"ingress": entries}}}
    ).published
    assert published == (HOSTNAME, IPS[0])
