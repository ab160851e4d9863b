from __future__ import annotations

import pytest

from lbcontroller.cli.aws_view import ListenerView, LoadBalancerView, TargetGroupView
from lbcontroller.cli.console import standard_console
from lbcontroller.cli.narration import Narrator, target_plan
from lbcontroller.cli.tree import call_lines, event_lines, object_tree
from lbcontroller.local.aws.recorder import Call, Outcome, Request
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.observed import Target, TargetHealth
from lbcontroller.plan.targets import TargetChanges

POD = Target(id="10.0.10.66", port=8080)
GONE = Target(id="10.0.11.66", port=8080)


def a_target_group() -> TargetGroupView:
    return TargetGroupView(
        arn="arn:tg",
        name="k8s-shop-web-53eb39c700",
        target_type="ip",
        health_check="TCP traffic-port every 10 s",
        targets={
            POD: TargetHealth(state=TargetHealthState.HEALTHY),
            GONE: TargetHealth(state=TargetHealthState.DRAINING, reason="Target.DeregistrationInProgress"),
        },
    )


def a_load_balancer() -> LoadBalancerView:
    return LoadBalancerView(
        name="k8s-shop-web-49fb8bb34e",
        type="network",
        dns_name=f"k8s-shop-web-{'0' * 90}.elb.us-west-2.amazonaws.com",
        scheme="internal",
        state="active",
        zones=("us-west-2a", "us-west-2b"),
        security_groups=("[red]front",),
        listeners=(
            ListenerView(protocol="TCP", port=80, default_target_groups=(a_target_group(),), rules=()),
        ),
    )


def a_call(service: str, operation: str) -> Call:
    request = Request(service=service, operation=operation, params={}, region="us-west-2", access_key="key")
    return Call(
        request=request,
        outcome=Outcome.ANSWERED,
        status=200,
        error_code="",
        injected=False,
        started=0,
        seconds=0,
    )


def test_a_service_is_shown_down_to_its_targets_with_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    service = {"kind": "Service", "metadata": {"namespace": "shop", "name": "web"}}

    Narrator(standard_console()).tree(object_tree(service, a_load_balancer(), {POD.id: "web-1 on node-0"}))

    assert capsys.readouterr().out == (
        "Service shop/web\n"
        f"├── address k8s-shop-web-{'0' * 90}.elb.us-west-2.amazonaws.com\n"
        "└── NLB k8s-shop-web-49fb8bb34e (internal, active)\n"
        "    ├── zones us-west-2a, us-west-2b\n"
        "    ├── security groups [red]front\n"
        "    └── listener TCP 80\n"
        "        └── target group k8s-shop-web-53eb39c700 (ip, health check TCP traffic-port every 10 s)\n"
        "            ├── healthy   10.0.10.66:8080 web-1 on node-0\n"
        "            └── draining  10.0.11.66:8080 (Target.DeregistrationInProgress)\n"
    )


def test_calls_are_counted_by_operation_writes_before_reads() -> None:
    calls = [
        a_call("ec2", "DescribeInstances"),
        a_call("elbv2", "RegisterTargets"),
        a_call("elbv2", "RegisterTargets"),
    ]

    assert [str(line) for line in call_lines(calls)] == [
        "  AWS calls: 3 (writes 2, reads 1)",
        "    writes: 2 elbv2:RegisterTargets",
        "    reads: 1 ec2:DescribeInstances",
    ]


def test_no_calls_are_said_in_one_line() -> None:
    assert [str(line) for line in call_lines([])] == ["  AWS calls: 0 (writes 0, reads 0)"]


def test_the_text_of_an_event_cannot_steer_the_terminal() -> None:
    event = {
        "type": "Warning",
        "reason": "FailedBuildModel",
        "source": {"component": "service"},
        "message": "[bold]\x1b[2Jbad",
    }

    [line] = event_lines([event])

    assert str(line) == "  Warning  FailedBuildModel         service    [bold]\N{REPLACEMENT CHARACTER}[2Jbad"


def test_the_plan_of_targets_names_what_runs_behind_them() -> None:
    changes = {"arn:tg": TargetChanges(register=(POD,), deregister=(GONE,))}

    lines = target_plan(changes, {"arn:tg": a_target_group()}, {POD.id: "web-1 on node-0"})

    assert [str(line) for line in lines] == [
        "+ register in k8s-shop-web-53eb39c700: 10.0.10.66:8080 (web-1 on node-0)",
        "- deregister from k8s-shop-web-53eb39c700: 10.0.11.66:8080 (unknown)",
    ]
