"""Target groups that several clusters share: each one registers and deregisters its own targets only."""

from __future__ import annotations

from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from tests.support.own_target_groups import a_target_group, an_app, bind, targets
from tests.support.yard import Yard

FOREIGN = "10.0.11.250"


def a_shared_group(yard: Yard) -> str:
    """A target group with a target of another cluster."""
    arn = a_target_group(yard)
    yard.cluster.aws.client("elbv2").register_targets(
        TargetGroupArn=arn, Targets=[{"Id": FOREIGN, "Port": 8080}]
    )
    return arn


def account(yard: Yard) -> set[str] | None:
    """What the cluster wrote down as its own."""
    found = yard.find("configmap", "aws-lbc-targets-own")
    return set(found["data"]["targets"].split(",")) if found is not None else None


def test_foreign_targets_stay_and_own_ones_are_written_down(yard: Yard) -> None:
    arn = a_shared_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()

    assert set(targets(yard, arn)) == {FOREIGN, *yard.pod_ips("app")}
    assert account(yard) == {f"{address}:8080" for address in yard.pod_ips("app")}


def test_own_targets_leave_also_after_a_restart(yard: Yard) -> None:
    arn = a_shared_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()
    yard.stop_controller()
    yard.patch("deployment", "app", {"spec": {"replicas": 1}})

    yard.start_controller()
    yard.settle()

    assert set(targets(yard, arn)) == {FOREIGN, *yard.pod_ips("app")}
    assert account(yard) == {f"{address}:8080" for address in yard.pod_ips("app")}


def test_an_account_that_lbc_left_is_taken_over(yard: Yard) -> None:
    arn = a_shared_group(yard)
    left_over = "10.0.11.251"
    yard.cluster.aws.client("elbv2").register_targets(
        TargetGroupArn=arn, Targets=[{"Id": left_over, "Port": 8080}]
    )
    yard.kubernetes.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "aws-lbc-targets-own", "namespace": "default"},
            "data": {"targets": f"{left_over}:8080"},
        }
    )
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()

    assert set(targets(yard, arn)) == {FOREIGN, *yard.pod_ips("app")}


def test_without_an_account_nothing_is_deregistered(yard: Yard) -> None:
    arn = a_shared_group(yard)
    yard.apply(an_app(replicas=0))
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()

    assert set(targets(yard, arn)) == {FOREIGN}
    assert account(yard) == {""}


def test_targets_are_written_down_before_they_are_registered(yard: Yard) -> None:
    arn = a_shared_group(yard)
    fault = Fault(
        service="elbv2",
        operation="RegisterTargets",
        effect=ErrorReply(code="AccessDenied", status=403),
        times=ALWAYS,
    )
    yard.cluster.aws.inject(fault)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()

    assert set(targets(yard, arn)) == {FOREIGN}
    assert account(yard) == {f"{address}:8080" for address in yard.pod_ips("app")}


def test_a_deleted_binding_takes_its_targets_and_its_account(yard: Yard) -> None:
    arn = a_shared_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()

    yard.delete("targetgroupbinding", "own")
    yard.settle()

    assert set(targets(yard, arn)) == {FOREIGN}
    assert account(yard) is None


def test_bindings_of_one_cluster_may_share_one_target_group_too(yard: Yard) -> None:
    arn = a_shared_group(yard)
    yard.apply(an_app() + "---" + an_app("other"))
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    bind(yard, "second", service="other", targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()
    assert set(targets(yard, arn)) == {FOREIGN, *yard.pod_ips("app"), *yard.pod_ips("other")}

    yard.delete("targetgroupbinding", "second")
    yard.settle()
    assert set(targets(yard, arn)) == {FOREIGN, *yard.pod_ips("app")}


def unshare(yard: Yard) -> None:
    yard.patch("targetgroupbinding", "own", {"spec": {"multiClusterTargetGroup": None}})


def test_a_target_group_that_is_not_shared_any_more_needs_no_account(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()
    assert account(yard) is not None

    unshare(yard)
    yard.settle()

    assert account(yard) is None
    assert set(targets(yard, arn)) == yard.pod_ips("app")


def test_an_account_that_outlived_its_use_goes_with_its_binding(yard: Yard) -> None:
    arn = a_target_group(yard)
    yard.apply(an_app())
    bind(yard, targetGroupARN=arn, multiClusterTargetGroup=True)
    yard.settle()
    yard.stop_controller()
    unshare(yard)
    yard.start_controller()

    yard.delete("targetgroupbinding", "own")
    yard.settle()

    assert account(yard) is None
    assert yard.find("targetgroupbinding", "own") is None
