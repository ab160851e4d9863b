"""Every mutating AWS call of a Service's life, failing in every way: the end is the same as without a fault.

The calls are counted in a life without faults; then each of them is hit in a life of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lbcontroller.local.aws.faults import DropConnection, Effect, ErrorReply, Fault, LoseReply
from lbcontroller.local.aws.recorder import Request, mutating
from tests.integration.test_service_life import WEB
from tests.support.yard import Yard

FAULTS: dict[str, tuple[Effect, int]] = {
    "throttled three times": (ErrorReply(code="Throttling"), 3),
    "failed twice": (ErrorReply(code="InternalFailure"), 2),
    "reply lost": (LoseReply(), 1),
    "connection dropped": (DropConnection(), 1),
}
MUTATING = (
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateSecurityGroup",
    "ec2:DeleteSecurityGroup",
    "ec2:RevokeSecurityGroupIngress",
    "elbv2:CreateListener",
    "elbv2:CreateLoadBalancer",
    "elbv2:CreateTargetGroup",
    "elbv2:DeleteLoadBalancer",
    "elbv2:DeleteTargetGroup",
    "elbv2:DeregisterTargets",
    "elbv2:RegisterTargets",
)
"""What a life calls; a test says when this list is not complete."""


def live(yard: Yard) -> dict[str, Any]:
    """Create, scale up and down; return what is there then."""
    yard.apply(WEB)
    yard.settle()
    yard.patch("deployment", "web", {"spec": {"replicas": 4}})
    yard.settle()
    yard.patch("deployment", "web", {"spec": {"replicas": 1}})
    yard.settle()
    return yard.state()


def end(yard: Yard) -> None:
    yard.delete("service", "web")
    yard.settle()


def one_of(name: str) -> Callable[[Request], bool]:
    return lambda request: f"{request.service}:{request.operation}" == name


def test_the_list_of_mutating_calls_is_complete(yard: Yard) -> None:
    live(yard)
    end(yard)

    calls = {f"{call.service}:{call.operation}" for call in mutating(yard.cluster.aws.calls)}
    assert sorted(calls) == sorted(MUTATING)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("operation", MUTATING)
@pytest.mark.parametrize("skip", [0, 1])
def test_a_life_with_a_fault_ends_like_one_without(yard: Yard, operation: str, kind: str, skip: int) -> None:
    pristine = yard.state()
    effect, times = FAULTS[kind]
    yard.cluster.aws.inject(Fault(effect=effect, when=one_of(operation), skip=skip, times=times))

    state = live(yard)
    assert len(state["load_balancers"]) == 1
    (group,) = state["target_groups"].values()
    assert len(group["targets"]) == 1
    assert yard.registered_ips() == yard.pod_ips("web")
    assert len(state["security_groups"]) == 3
    assert len(yard.hostnames("web")) == 1

    end(yard)
    assert yard.state() == pristine
    assert yard.find("service", "web") is None
    assert yard.names("targetgroupbindings") == []
