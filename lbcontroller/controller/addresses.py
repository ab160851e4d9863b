"""What `status.loadBalancer.ingress` of a Service says about its load balancer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lbcontroller.cluster.service import PublishedAddress, Service
from lbcontroller.model.observed import ObservedLoadBalancer
from lbcontroller.settings import StatusAddresses


def addresses(
    service: Service, load_balancer: ObservedLoadBalancer, wanted: StatusAddresses
) -> tuple[PublishedAddress, ...]:
    """Return the entries for a load balancer; each lists every port of the Service.

    A load balancer without static addresses is published by its name whatever is wanted, because AWS changes
    the addresses of such a one. Entries with an address say `ipMode: Proxy`, so that kube-proxy does not take
    traffic to that address past the load balancer.
    """
    ports = tuple((port.port, port.protocol) for port in service.ports)
    entries: list[PublishedAddress] = []
    if wanted is not StatusAddresses.IP or not load_balancer.addresses:
        hostname = load_balancer.dns_name.lower()
        entries.append(PublishedAddress(hostname=hostname, ip="", ip_mode="", ports=ports))
    if wanted is not StatusAddresses.HOSTNAME:
        entries.extend(
            PublishedAddress(hostname="", ip=address, ip_mode="Proxy", ports=ports)
            for address in load_balancer.addresses
        )
    return tuple(entries)


def as_json(entries: Sequence[PublishedAddress]) -> list[dict[str, Any]]:
    """Return entries as they stand in the object; what is empty is left out."""
    return [
        {
            **({"hostname": entry.hostname} if entry.hostname else {}),
            **({"ip": entry.ip} if entry.ip else {}),
            **({"ipMode": entry.ip_mode} if entry.ip_mode else {}),
            "ports": [{"port": port, "protocol": protocol} for port, protocol in entry.ports],
        }
        for entry in entries
    ]
