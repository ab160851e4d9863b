"""The security groups in front of targets: by their network interfaces, with few calls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from lbcontroller.aws.instances import GroupResolver
from lbcontroller.build.targets import TargetsResult
from lbcontroller.cluster.endpoints import Pod
from lbcontroller.cluster.node import Node, NodeReadiness
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, NotReady, Transient
from lbcontroller.keys import ObjectName
from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.world import SeededNode, World
from lbcontroller.model.observed import Target
from tests.support.aws_access import AwsUnderTest
from tests.support.manual_clock import ManualClock
from tests.support.nlb_stacks import CLUSTER


@pytest.fixture
def account(local_aws: LocalAws) -> AwsUnderTest:
    return AwsUnderTest(local_aws, World(cluster_name=CLUSTER, pods_per_node=3))


@dataclass
class Cluster:
    """Nodes and pods as a binding's snapshot has them."""

    account: AwsUnderTest

    def node(self, seeded: SeededNode, **labels: str) -> Node:
        return Node(
            name=seeded.name,
            labels={key.replace("__", "/"): value for key, value in labels.items()},
            taints=frozenset(),
            readiness=NodeReadiness.READY,
            provider_id=f"aws:///{seeded.zone}/{seeded.instance_id}",
        )

    def snapshot(self, *addresses: str, node: int = 0, known: bool = True) -> tuple[TargetsResult, Snapshot]:
        """Targets of pods with these addresses on one node, and what the cluster knows about them."""
        seeded = self.account.world.nodes[node]
        pods = {ObjectName("shop", f"web-{address}"): address for address in addresses}
        result = TargetsResult(
            targets=frozenset(Target(id=address, port=80) for address in addresses),
            pods={Target(id=address, port=80): name for name, address in pods.items()},
        )
        views = {name: a_pod(name, address, seeded.name) for name, address in pods.items()}
        nodes = {one.name: self.node(one) for one in self.account.world.nodes}
        return result, Snapshot(pods=views if known else {}, nodes=nodes)


def a_pod(name: ObjectName, address: str, node: str, branch: str = "") -> Pod:
    pod = Pod.from_object(
        {
            "metadata": {"namespace": name.namespace, "name": name.name},
            "spec": {"nodeName": node},
            "status": {"podIP": address},
        }
    )
    return replace(pod, interfaces=((branch, address),)) if branch else pod


def a_resolver(account: AwsUnderTest, clock: ManualClock | None = None, **flags: str) -> GroupResolver:
    inventory = account.inventory(flags=flags)
    inventory.load()
    return GroupResolver(account.caller, inventory, account.settings(**flags), clock=clock or ManualClock())


def test_instances_have_the_group_of_their_primary_interface(account: AwsUnderTest) -> None:
    groups = a_resolver(account)
    targets = frozenset(Target(id=node.instance_id, port=30080) for node in account.world.nodes)

    calls = account.called(lambda: groups.of_targets(TargetsResult(targets=targets), Snapshot()))
    found = groups.of_targets(TargetsResult(targets=targets), Snapshot())

    assert calls == ["ec2:DescribeInstances"]
    assert set(found.values()) == {account.world.ids["sg.nodes"]}
    assert found.keys() == targets


def test_pods_have_the_group_of_the_interface_with_their_address(account: AwsUnderTest) -> None:
    groups = a_resolver(account)
    first, second, *_ = account.world.nodes[0].pod_ips

    found = groups.of_targets(*Cluster(account).snapshot(first))
    calls = account.called(lambda: groups.of_targets(*Cluster(account).snapshot(first, second)))

    assert found == {Target(id=first, port=80): account.world.ids["sg.nodes"]}
    assert calls == []


def test_a_new_address_costs_one_call_at_most(account: AwsUnderTest) -> None:
    groups = a_resolver(account)
    groups.of_targets(*Cluster(account).snapshot(account.world.nodes[0].pod_ips[0]))

    calls = account.called(lambda: groups.of_targets(*Cluster(account).snapshot("10.0.10.250")))

    assert calls == ["ec2:DescribeInstances"]


def second_interface(account: AwsUnderTest, group: str) -> str:
    """Attach an interface behind another group to the first node; return its address."""
    ec2, node = account.aws.client("ec2"), account.world.nodes[0]
    made = ec2.create_network_interface(
        SubnetId=account.world.ids["subnet.private-a"], Groups=[account.world.ids[group]]
    )["NetworkInterface"]
    id_ = made["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=id_, InstanceId=node.instance_id, DeviceIndex=1)
    # The embedded AWS adds the instance's groups when it attaches, so the tag has to tell which one counts.
    tag = {"Key": f"kubernetes.io/cluster/{CLUSTER}", "Value": "owned"}
    ec2.delete_tags(Resources=[account.world.ids["sg.nodes"]], Tags=[tag])
    ec2.create_tags(Resources=[account.world.ids[group]], Tags=[tag])
    return str(made["PrivateIpAddress"])


def test_interfaces_with_different_groups_are_told_apart(account: AwsUnderTest) -> None:
    address = second_interface(account, "sg.custom-front")
    primary = account.world.nodes[0].pod_ips[0]

    found = a_resolver(account).of_targets(*Cluster(account).snapshot(address, primary))

    assert {target.id: group for target, group in found.items()} == {
        address: account.world.ids["sg.custom-front"],
        primary: account.world.ids["sg.nodes"],
    }


def test_an_address_on_no_interface_is_tried_again_where_groups_differ(account: AwsUnderTest) -> None:
    second_interface(account, "sg.custom-front")

    with pytest.raises(Transient, match=r"10\.0\.10\.250"):
        a_resolver(account).of_targets(*Cluster(account).snapshot("10.0.10.250"))


def test_of_several_groups_the_one_with_the_tag_of_the_cluster_is_taken(account: AwsUnderTest) -> None:
    node = account.world.nodes[0]
    both = [account.world.ids["sg.nodes"], account.world.ids["sg.custom-front"]]
    account.aws.client("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=node.network_interface_id, Groups=both
    )

    found = a_resolver(account).of_targets(*Cluster(account).snapshot(node.pod_ips[0]))

    assert set(found.values()) == {account.world.ids["sg.nodes"]}


def test_without_one_group_to_choose_the_interface_and_the_tags_are_named(account: AwsUnderTest) -> None:
    node = account.world.nodes[0]
    both = [account.world.ids["sg.nodes"], account.world.ids["sg.custom-front"]]
    account.aws.client("ec2").modify_network_interface_attribute(
        NetworkInterfaceId=node.network_interface_id, Groups=both
    )
    groups = a_resolver(account, service_target_eni_security_group_tags="role=targets")

    with pytest.raises(InvalidConfig) as raised:
        groups.of_targets(*Cluster(account).snapshot(node.pod_ips[0]))

    [problem] = raised.value.problems
    assert problem.subject == f"network interface {node.network_interface_id}"
    assert set(problem.value.split(", ")) == set(both)
    assert problem.expected == (
        "expected exactly one with the tag kubernetes.io/cluster/demo and role=targets, found none"
    )


def test_a_pod_with_an_interface_of_its_own_has_that_ones_group(account: AwsUnderTest) -> None:
    ec2 = account.aws.client("ec2")
    branch = ec2.create_network_interface(
        SubnetId=account.world.ids["subnet.private-a"], Groups=[account.world.ids["sg.custom-front"]]
    )["NetworkInterface"]
    result, snapshot = Cluster(account).snapshot(branch["PrivateIpAddress"])
    [name] = snapshot.pods
    pod = a_pod(name, branch["PrivateIpAddress"], "node-0", branch["NetworkInterfaceId"])
    groups = a_resolver(account)

    calls = account.called(
        lambda: groups.of_targets(result, Snapshot(pods={name: pod}, nodes=snapshot.nodes))
    )
    found = groups.of_targets(result, Snapshot(pods={name: pod}, nodes=snapshot.nodes))

    assert calls == ["ec2:DescribeNetworkInterfaces"]
    assert set(found.values()) == {account.world.ids["sg.custom-front"]}


def test_a_pod_on_fargate_is_found_by_its_address(account: AwsUnderTest) -> None:
    address = account.world.nodes[0].pod_ips[0]
    result, snapshot = Cluster(account).snapshot(address)
    node = Cluster(account).node(account.world.nodes[0], **{"eks.amazonaws.com__compute-type": "fargate"})

    found = a_resolver(account).of_targets(result, Snapshot(pods=snapshot.pods, nodes={node.name: node}))

    assert set(found.values()) == {account.world.ids["sg.nodes"]}
    assert "ec2:DescribeInstances" not in account.calls()


def test_a_pod_on_a_hybrid_node_needs_no_group(account: AwsUnderTest) -> None:
    result, snapshot = Cluster(account).snapshot("192.168.1.1")
    node = Cluster(account).node(account.world.nodes[0], **{"eks.amazonaws.com__compute-type": "hybrid"})

    assert a_resolver(account).of_targets(result, Snapshot(pods=snapshot.pods, nodes={node.name: node})) == {}


def test_a_pod_not_seen_yet_is_waited_for(account: AwsUnderTest) -> None:
    with pytest.raises(NotReady, match="shop/web-10"):
        a_resolver(account).of_targets(*Cluster(account).snapshot("10.0.10.40", known=False))


def test_interfaces_are_read_again_after_a_while(account: AwsUnderTest) -> None:
    clock = ManualClock()
    groups = a_resolver(account, clock)
    wanted = Cluster(account).snapshot(account.world.nodes[0].pod_ips[0])
    groups.of_targets(*wanted)
    clock.advance(601)

    assert account.called(lambda: groups.of_targets(*wanted)) == ["ec2:DescribeInstances"]
