"""Cluster IPs and node ports: who has which, and which is next.

Both follow the store: what a stored Service carries is taken, what no Service carries any more is free. So
a refused or dry-run write takes nothing. The next free one is searched upwards from the last one taken:
deterministic, and a freed address is not handed out again at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from lbcontroller.local.apiserver.objects import JsonObject, members_of
from lbcontroller.local.apiserver.status import ApiError, Reason
from lbcontroller.local.apiserver.store import Change, ChangeType

FIRST_NODE_PORT, LAST_NODE_PORT = 30000, 32767
"""The API server's default `--service-node-port-range`."""
HEADLESS = "None"
"""The cluster IP of a Service that has none."""
_MOST_ADDRESSES = 1 << 20
"""Addresses used of a large network, such as an IPv6 one."""


def ip_family(address: str) -> str:
    """Return `IPv4` or `IPv6`; raises ValueError when the text is no address."""
    return f"IPv{ip_address(address).version}"


def node_ports_of(service: JsonObject) -> Iterator[int]:
    """Yield every node port a Service carries, its health check's too."""
    for port in members_of(service, "spec", "ports"):
        if port.get("nodePort"):
            yield port["nodePort"]
    if health_check := service["spec"].get("healthCheckNodePort"):
        yield health_check


def cluster_ips_of(service: JsonObject) -> Iterator[str]:
    """Yield every cluster IP a Service carries."""
    yield from (ip for ip in service["spec"].get("clusterIPs") or () if ip and ip != HEADLESS)


class AddressPool:
    """The addresses of one network, handed out in order, but for its first and its last."""

    def __init__(self, cidr: str) -> None:
        """Start with all of `cidr` free."""
        self._network = ip_network(cidr)
        self._first = int(self._network.network_address)
        self._taken: set[int] = set()
        self._last = 0

    @property
    def family(self) -> str:
        """`IPv4` or `IPv6`."""
        return f"IPv{self._network.version}"

    def contains(self, address: str) -> bool:
        """Whether the address belongs to the network."""
        return ip_address(address) in self._network

    def take(self, address: str) -> None:
        """Note that an address of the network is in use."""
        self._last = int(ip_address(address)) - self._first
        self._taken.add(self._last)

    def release(self, address: str) -> None:
        """Note that an address is free again."""
        self._taken.discard(int(ip_address(address)) - self._first)

    def is_free(self, address: str) -> bool:
        """Whether nobody uses the address."""
        return int(ip_address(address)) - self._first not in self._taken

    def next_free(self) -> str:
        """Return the free address after the one taken last, without taking it; raises ApiError when full."""
        usable = min(self._network.num_addresses, _MOST_ADDRESSES) - 2
        for step in range(usable):
            offset = (self._last + step) % usable + 1
            if offset not in self._taken:
                return str(self._network[offset])
        raise ApiError(Reason.INTERNAL_ERROR, f"failed to allocate an address: {self._network} is full")


class ServiceAllocations:
    """The cluster IPs and node ports of one server."""

    def __init__(self, cidrs: tuple[str, ...]) -> None:
        """Hand out cluster IPs from `cidrs`: one, or one of each family for a dual-stack cluster."""
        self._pools = {pool.family: pool for pool in map(AddressPool, cidrs)}
        self._ports: set[int] = set()
        self._last_port = FIRST_NODE_PORT - 1

    @property
    def families(self) -> tuple[str, ...]:
        """The IP families of the cluster, the default one first."""
        return tuple(self._pools)

    def follow(self, resource: str, change: Change) -> None:
        """Take what a Service now carries, release what it carried before; to be subscribed to the store."""
        if resource != "services":
            return
        if change.before is not None:
            self._release(change.before.object)
        if change.type is not ChangeType.DELETED:
            self._take(change.now.object)

    def next_address(self, family: str) -> str:
        """Return the cluster IP of that family that is next to be taken."""
        return self._pools[family].next_free()

    def is_free_address(self, address: str) -> bool:
        """Whether no Service has this cluster IP."""
        return self._pools[ip_family(address)].is_free(address)

    def in_range(self, address: str) -> bool:
        """Whether the address can be a cluster IP here."""
        pool = self._pools.get(ip_family(address))
        return pool is not None and pool.contains(address)

    def is_free_port(self, port: int) -> bool:
        """Whether no Service has this node port."""
        return port not in self._ports

    def next_port(self, also_taken: set[int]) -> int:
        """Return the node port that is next to be taken, leaving out those about to be taken."""
        size = LAST_NODE_PORT - FIRST_NODE_PORT + 1
        for step in range(1, size + 1):
            port = FIRST_NODE_PORT + (self._last_port - FIRST_NODE_PORT + step) % size
            if port not in self._ports and port not in also_taken:
                return port
        raise ApiError(Reason.INTERNAL_ERROR, "failed to allocate a nodePort: range is full")

    def _take(self, service: JsonObject) -> None:
        for address in cluster_ips_of(service):
            self._pools[ip_family(address)].take(address)
        for port in node_ports_of(service):
            if port not in self._ports:
                self._ports.add(port)
                self._last_port = port

    def _release(self, service: JsonObject) -> None:
        for address in cluster_ips_of(service):
            self._pools[ip_family(address)].release(address)
        self._ports.difference_update(node_ports_of(service))
