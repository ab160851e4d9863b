"""A whole cluster on loopback: an API server and the embedded AWS, with the same nodes in both."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lbcontroller.kube.crd import DEFINITIONS
from lbcontroller.local.apiserver import ApiServerSettings, LocalApiServer, WorkloadSettings
from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.local.aws.server import LocalAws
from lbcontroller.local.aws.world import SeededNode, SeededWorld, World, seed
from lbcontroller.local.kubernetes import Kubernetes

POD_PREFIX = 27
"""Each node's pods get the addresses of one /27 within the secondary addresses of its network interface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCluster:
    """What runs, while `local_cluster` is entered."""

    kubernetes: Kubernetes
    aws: LocalAws
    world: SeededWorld

    def flags(self) -> Mapping[str, str]:
        """Return the flags with which a controller finds this cluster in its account."""
        return {
            "cluster-name": self.world.world.cluster_name,
            "aws-region": self.aws.region,
            "aws-vpc-id": self.world.vpc_id,
        }


@contextmanager
def local_cluster(
    *, cluster_name: str, api_server: ApiServerSettings | None = None, timing: Timing | None = None
) -> Iterator[LocalCluster]:
    """Run a cluster of three nodes until the block ends.

    Args:
        cluster_name: name of the cluster, in tags.
        api_server: how the API server behaves; by default fake controllers bring workloads to life.
        timing: how long AWS takes for what takes time there; by default no time at all.
    """
    settings = api_server or ApiServerSettings(workloads=WorkloadSettings())
    with LocalAws(timing=timing) as aws, LocalApiServer(settings) as kubernetes:
        yield furnished(cluster_name, aws, kubernetes)


def furnished(cluster_name: str, aws: LocalAws, kubernetes: Kubernetes) -> LocalCluster:
    """Make an empty API server and an empty account a cluster: our definitions, and three nodes in both."""
    world = seed(aws, World(cluster_name=cluster_name))
    for definition in DEFINITIONS.values():
        kubernetes.apply(definition())
    for node in world.nodes:
        kubernetes.seed(node_object(node))
    return LocalCluster(kubernetes=kubernetes, aws=aws, world=world)


def node_object(node: SeededNode) -> dict[str, Any]:
    """Return the Node of an instance; the first one has label `pool=a`, the others `pool=b`."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": {
                "kubernetes.io/hostname": node.name,
                "topology.kubernetes.io/zone": node.zone,
                "pool": "a" if node.name.endswith("-0") else "b",
            },
        },
        "spec": {"providerID": f"aws:///{node.zone}/{node.instance_id}", "podCIDRs": [_pod_cidr(node)]},
        "status": {
            "addresses": [{"type": "InternalIP", "address": node.ip}],
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    }


def _pod_cidr(node: SeededNode) -> str:
    """Return the first block of addresses that all belong to the node's network interface."""
    available = set(node.pod_ips)
    for address in node.pod_ips:
        block = ipaddress.ip_network(f"{address}/{POD_PREFIX}", strict=False)
        if all(str(host) in available for host in block):
            return str(block)
    raise ValueError(f"{node.name} has no /{POD_PREFIX} of pod addresses")
