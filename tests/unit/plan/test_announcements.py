from __future__ import annotations

from dataclasses import replace

from lbcontroller.model.enums import Scheme, TargetType
from lbcontroller.model.findings import Severity
from lbcontroller.model.observed import ObservedLoadBalancer
from lbcontroller.model.resources import LoadBalancer, Stack
from lbcontroller.plan.announcements import announcements
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import DELETION_PROTECTION
from tests.support.nlb_stacks import STACK, Port, a_stack, empty_stack
from tests.support.planned_aws import PlannedAws, running

PUBLIC = a_stack(scheme=Scheme.INTERNET_FACING)


def told(aws: PlannedAws, wanted: Stack) -> list[tuple[str, str]]:
    observed = aws.observed()
    notices = list(announcements(plan(wanted, observed, aws.policy()), STACK, observed))
    assert {notice.severity for notice in notices} <= {Severity.NOTICE}
    assert {notice.subject for notice in notices} <= {"Service shop/web"}
    return [(notice.reason, notice.message) for notice in notices]


def test_a_new_stack_has_nothing_to_announce() -> None:
    assert told(PlannedAws(), a_stack()) == []


def test_a_replaced_load_balancer_is_told_once_for_all_that_goes_with_it() -> None:
    assert told(running(a_stack()), PUBLIC) == [
        (
            "Replacing",
            (
                "load balancer k8s-shop-web-1a7e41a100 is replaced by load balancer k8s-shop-web-facade1000: "
                "scheme changes from internal to internet-facing, which AWS cannot do in place. "
                "The old one serves until the new one has taken over"
            ),
        )
    ]


def test_what_the_old_load_balancer_waits_for_is_told_as_it_changes() -> None:
    aws = running(a_stack())
    aws.reconcile(PUBLIC)
    old = "load balancer k8s-shop-web-1a7e41a100 is deleted when"
    assert told(aws, PUBLIC) == [("Postponed", f"{old} its replacement k8s-shop-web-facade1000 is set up")]
    aws.settle()
    assert told(aws, PUBLIC) == [
        ("Postponed", f"{old} clients have moved to its replacement k8s-shop-web-facade1000")
    ]


def test_a_replaced_target_group_is_told_and_what_traffic_waits_for() -> None:
    assert told(
        running(a_stack(ports=(Port(target_type=TargetType.INSTANCE),))),
        a_stack(ports=(Port(target_type=TargetType.IP),)),
    ) == [
        (
            "Replacing",
            (
                "target group k8s-shop-web-0000000050 is replaced by target group k8s-shop-web-2e10d3632c: "
                "target type changes from instance to ip, which AWS cannot do in place "
                "(the name k8s-shop-web-0000000050 is still taken). "
                "The old one serves until the new one has taken over"
            ),
        ),
        (
            "Postponed",
            (
                "the listener on port 80 changes its default actions when "
                "targets of target group shop/web:80 are registered and their security-group rules in place"
            ),
        ),
    ]


def test_a_protected_load_balancer_is_left_to_its_warning() -> None:
    aws = running(a_stack())
    (front,) = aws.of(LoadBalancer)
    assert isinstance(front, ObservedLoadBalancer)
    protected = replace(front.resource, attributes={DELETION_PROTECTION: "true"})
    aws.items[front.arn] = replace(front, resource=protected)

    assert told(aws, empty_stack()) == []
