"""The rules on the security groups of nodes that let load balancers reach targets."""

from __future__ import annotations

from collections.abc import Iterable

from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from lbcontroller.local.aws.recorder import Request
from tests.support.node_groups import NodeGroup
from tests.support.own_target_groups import a_target_group, an_app, bind, targets
from tests.support.yard import Yard

LIMIT = 60
LONG_SECONDS = 400.0


def covers(ranges: Iterable[tuple[int, int]], ports: Iterable[int]) -> bool:
    return all(any(first <= port <= last for first, last in ranges) for port in ports)


def test_ports_are_opened_exactly_and_closed_with_the_last_binding(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    nodes.open_by_hand(22)
    before = nodes.ranges(ours=False)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080, 9100]))
    yard.settle()
    assert nodes.ranges() == [(8080, 8080), (9100, 9100)]

    yard.delete("targetgroupbinding", "own")
    yard.settle()
    assert nodes.ranges() == []
    assert nodes.ranges(ours=False) == before


def test_nothing_is_read_or_written_when_nothing_changed(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080]))
    yard.settle()
    yard.forget_calls()

    yard.replace_a_pod("app")
    yard.settle()

    assert yard.calls() == {"elbv2:RegisterTargets": 1, "elbv2:DeregisterTargets": 1}


def test_a_change_of_ports_opens_before_it_closes_in_one_call_each(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080, 8081]))
    yard.settle()
    yard.forget_calls()

    bind(yard, targetGroupARN=arn, networking=nodes.networking([8082, 8083]))
    yard.settle()

    assert [call.operation for call in yard.cluster.aws.calls] == [
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
    ]
    assert nodes.ranges() == [(8082, 8082), (8083, 8083)]


def test_more_ports_than_a_group_may_have_rules_are_joined_to_ranges(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    nodes.open_by_hand(22, 23, 24)
    ports = [8000 + 3 * number for number in range(70)]
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking(ports))
    yard.settle()

    assert covers(nodes.ranges(), ports)
    assert len(nodes.ranges()) + len(nodes.ranges(ours=False)) <= LIMIT
    assert set(targets(yard, arn)) == yard.pod_ips("app")


def test_a_group_that_fills_up_port_by_port_stays_below_its_limit_without_a_gap(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    yard.apply(an_app())
    for count in (54, 56, 58, 61, 64):
        ports = [8000 + 3 * number for number in range(count)]
        bind(yard, targetGroupARN=arn, networking=nodes.networking(ports))
        yard.settle()
        assert covers(nodes.ranges(), ports)
        assert len(nodes.ranges()) + len(nodes.ranges(ours=False)) <= LIMIT
        operations = [call.operation for call in yard.cluster.aws.calls if "Ingress" in call.operation]
        assert operations[:1] == ["AuthorizeSecurityGroupIngress"]
        yard.forget_calls()


def test_a_group_that_is_full_anyway_is_emptied_before_it_is_filled(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080]))
    yard.settle()
    fault = Fault(
        service="ec2",
        operation="AuthorizeSecurityGroupIngress",
        effect=ErrorReply(code="RulesPerSecurityGroupLimitExceeded", status=400),
        times=1,
    )
    yard.cluster.aws.inject(fault)

    bind(yard, targetGroupARN=arn, networking=nodes.networking([9090]))
    yard.settle()

    assert nodes.ranges() == [(9090, 9090)]


def test_rules_of_a_binding_that_goes_while_no_controller_runs_are_closed(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080]))
    yard.settle()
    yard.stop_controller()
    yard.delete("targetgroupbinding", "own")

    yard.start_controller()
    yard.settle()

    assert nodes.ranges() == []


def test_a_binding_is_told_of_its_success_when_its_rules_are_in_place(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    yard.apply(an_app())
    refusal = ErrorReply(code="UnauthorizedOperation", status=403)
    refused = Fault(operation="AuthorizeSecurityGroupIngress", effect=refusal, times=ALWAYS)
    yard.cluster.aws.inject(refused)
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080]))
    yard.settle()
    assert set(targets(yard, arn)) == yard.pod_ips("app")
    assert reasons(yard) == {"FailedNetworkReconcile"}

    yard.cluster.aws.clear_faults()
    yard.settle(horizon=LONG_SECONDS)
    assert nodes.ranges() == [(8080, 8080)]
    assert reasons(yard) == {"FailedNetworkReconcile", "SuccessfullyReconciled"}


def reasons(yard: Yard) -> set[str]:
    return {reason for _, reason, _ in yard.events("own", kind="TargetGroupBinding")}


def test_a_group_that_aws_does_not_show_yet_gets_its_rules_when_it_does(yard: Yard) -> None:
    nodes, arn = NodeGroup(yard), a_target_group(yard)
    yard.apply(an_app())

    def is_about_the_nodes(request: Request) -> bool:
        return nodes.id in request.params.get("GroupIds", ())

    unseen = ErrorReply(code="InvalidGroup.NotFound", status=400)
    fault = Fault(effect=unseen, operation="DescribeSecurityGroups", when=is_about_the_nodes, times=ALWAYS)
    yard.cluster.aws.inject(fault)
    yard.sweep()  # what is known of its rules is read again
    bind(yard, targetGroupARN=arn, networking=nodes.networking([8080]))
    yard.settle()
    assert set(targets(yard, arn)) == yard.pod_ips("app")
    assert reasons(yard) == set()

    yard.cluster.aws.clear_faults()
    yard.settle(horizon=LONG_SECONDS)
    assert nodes.ranges() == [(8080, 8080)]
    assert reasons(yard) == {"SuccessfullyReconciled"}
