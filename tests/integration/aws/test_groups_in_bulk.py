"""Security groups of targets: one call for many nodes, and no wait for pods that are reported late."""

from __future__ import annotations

import pytest

from lbcontroller.aws.instances import GroupResolver
from lbcontroller.build.targets import TargetsResult
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import NotReady
from lbcontroller.keys import ObjectName
from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.world import SeededNode, World
from lbcontroller.model.observed import Target
from tests.support.aws_access import AwsUnderTest
from tests.support.cluster_objects import a_node
from tests.support.nlb_stacks import CLUSTER

POD = ObjectName("shop", "web-1")


@pytest.fixture
def account(local_aws: LocalAws) -> AwsUnderTest:
    return AwsUnderTest(local_aws, World(cluster_name=CLUSTER, pods_per_node=3))


def a_resolver(account: AwsUnderTest) -> GroupResolver:
    inventory = account.inventory()
    inventory.load()
    return GroupResolver(account.caller, inventory, account.settings())


def view(node: SeededNode) -> Node:
    return a_node(node.name, provider_id=f"aws:///{node.zone}/{node.instance_id}")


def listed(node: SeededNode) -> TargetsResult:
    """An endpoint on a node whose pod the watch has not reported yet."""
    target = Target(id=node.pod_ips[0], port=8080)
    return TargetsResult(targets=frozenset({target}), pods={target: POD}, nodes={target: node.name})


def test_a_pod_that_is_reported_late_is_found_by_the_node_of_its_endpoint(account: AwsUnderTest) -> None:
    node = account.world.nodes[0]
    snapshot = Snapshot(nodes={node.name: view(node)})

    found = a_resolver(account).of_targets(listed(node), snapshot)

    assert list(found.values()) == [account.world.ids["sg.nodes"]]


def test_a_node_that_is_reported_late_is_waited_for(account: AwsUnderTest) -> None:
    with pytest.raises(NotReady, match=r"the node of Pod shop/web-1 has not been seen yet"):
        a_resolver(account).of_targets(listed(account.world.nodes[0]), Snapshot())


def test_the_first_call_reads_every_node_that_fits_into_it(account: AwsUnderTest) -> None:
    first, second, *_ = account.world.nodes
    groups = a_resolver(account)
    snapshot = Snapshot(nodes={node.name: view(node) for node in account.world.nodes})

    calls = account.called(lambda: groups.of_targets(listed(first), snapshot))
    calls += account.called(lambda: groups.of_targets(listed(second), snapshot))

    assert calls == ["ec2:DescribeInstances"]
