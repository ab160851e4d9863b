"""What `status.loadBalancer.ingress` of a Service or an Ingress says about its load balancer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
            **({"ports": [_port(*port) for port in entry.ports]} if entry.ports else {}),
        }
        for entry in entries
    ]


def _port(port: int, protocol: str) -> dict[str, Any]:
    return {"port": port, "protocol": protocol}


def group_addresses(
    front: ObservedLoadBalancer, before_it: ObservedLoadBalancer | None, ports: Iterable[int]
) -> tuple[PublishedAddress, ...]:
    """Return the entries for the load balancer of a group of Ingresses, and for the one before it.

    The entry of the load balancer lists the ports of its listeners in ascending order, without a protocol.
    """
    listed = tuple((port, "") for port in sorted(ports))
    entries = [PublishedAddress(hostname=front.dns_name.lower(), ip="", ip_mode="", ports=listed)]
    if before_it is not None:
        hostname = before_it.dns_name.lower()
        entries.append(PublishedAddress(hostname=hostname, ip="", ip_mode="", ports=()))
    return tuple(entries)
