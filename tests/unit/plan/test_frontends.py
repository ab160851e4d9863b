from __future__ import annotations

from dataclasses import replace

from lbcontroller.model.enums import Scheme
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import LoadBalancerState, ObservedLoadBalancer
from lbcontroller.model.resources import Listener, LoadBalancer, LoadBalancerTarget, Stack
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import DELETION_PROTECTION
from lbcontroller.plan.steps import Delete, Plan
from tests.support.alb_stacks import LOAD_BALANCER, forward, on
from tests.support.nlb_stacks import DRAIN
from tests.support.planned_aws import PlannedAws
from tests.support.site_stacks import Site, Sites, no_sites

SITE = Site(rules=(on("a.example.com", actions=(forward("web"),)),))
ALONE = Sites(listeners={80: SITE})
FRONTED = replace(ALONE, frontend={80: 80})


def running(stack: Stack) -> PlannedAws:
    aws = PlannedAws()
    aws.converge(stack)
    return aws


def planned(aws: PlannedAws, stack: Stack) -> Plan:
    return plan(stack, aws.observed(), aws.policy())


def told(made: Plan) -> list[str]:
    return [f"{type(step).__name__} {step.subject}" for step in made.steps]


def waits(made: Plan) -> dict[str, str]:
    return {f"{type(later.step).__name__} {later.step.subject}": later.waits_for for later in made.postponed}


def application(aws: PlannedAws) -> ObservedLoadBalancer:
    found: ObservedLoadBalancer
    (found,) = [item for item in aws.of(LoadBalancer) if item.resource.id == LOAD_BALANCER]
    return found


def test_a_load_balancer_is_registered_when_it_is_set_up() -> None:
    aws = PlannedAws()

    first = aws.reconcile(FRONTED.stack())
    unready = planned(aws, FRONTED.stack())
    aws.settle()
    second = planned(aws, FRONTED.stack())

    target = "Create LoadBalancerTarget FrontendNlb-tg-TCP-80"
    assert waits(first) == {target: "the load balancer is set up"}
    assert waits(unready) == waits(first)
    assert told(second) == [target]


def test_a_listener_made_now_can_be_registered_now() -> None:
    aws = running(ALONE.stack())
    wanted = replace(FRONTED, listeners={80: SITE, 8080: SITE}, frontend={80: 8080}).stack()

    made = told(planned(aws, wanted))

    assert made.index("Create Listener 8080") < made.index("Create LoadBalancerTarget FrontendNlb-tg-TCP-80")


def test_another_port_is_registered_in_a_target_group_of_its_own_before_traffic_moves() -> None:
    both = replace(FRONTED, listeners={80: SITE, 8080: SITE})
    aws = running(both.stack())
    wanted = replace(both, frontend={80: 8080}).stack()

    first = aws.reconcile(wanted)
    second = aws.reconcile(wanted)

    assert told(first) == [
        "Create TargetGroup FrontendNlb-tg-TCP-80",
        "Create LoadBalancerTarget FrontendNlb-tg-TCP-80",
    ]
    assert waits(first) == {
        "Update Listener FrontendNlb-ls-TCP-80": (
            "the load balancer is registered in target group FrontendNlb-tg-TCP-80"
        ),
        "Delete LoadBalancerTarget FrontendNlb-tg-TCP-80": "no traffic goes to its target group any more",
        "Delete TargetGroup FrontendNlb-tg-TCP-80": "no traffic goes to it any more",
    }
    assert told(second) == [
        "Update Listener FrontendNlb-ls-TCP-80",
        "Delete LoadBalancerTarget FrontendNlb-tg-TCP-80",
        "Delete TargetGroup FrontendNlb-tg-TCP-80",
    ]
    assert planned(aws, wanted).is_settled


def test_a_listener_stays_while_it_is_registered() -> None:
    aws = running(replace(FRONTED, listeners={80: SITE, 8080: SITE}).stack())
    wanted = replace(FRONTED, listeners={8080: SITE}, frontend={80: 8080}).stack()

    first = planned(aws, wanted)
    aws.converge(wanted)

    assert waits(first)["Delete Listener 80"] == "target group FrontendNlb-tg-TCP-80 no longer sends to it"
    assert [item.resource.port for item in aws.of(Listener) if item.resource.id.name == "80"] == []


def test_a_replaced_load_balancer_stays_until_the_frontend_sends_to_the_new_one() -> None:
    aws = running(FRONTED.stack())
    old = application(aws).arn
    wanted = replace(FRONTED, scheme=Scheme.INTERNET_FACING).stack()
    aws.reconcile(wanted)
    aws.settle()
    seen = []
    for _ in range(6):
        made = aws.reconcile(wanted)
        aws.now += DRAIN
        targets = {item.resource.load_balancer for item in aws.of(LoadBalancerTarget)}
        seen.append((old in aws.items, old in targets))
        if made.is_settled:
            break

    assert (False, True) not in seen
    assert seen[0] == (True, True)
    assert seen[-1] == (False, False)


def test_without_the_frontend_its_clients_go_first_and_the_registration_next() -> None:
    assert told(planned(running(FRONTED.stack()), ALONE.stack())) == [
        "Delete LoadBalancer FrontendNlb",
        "Delete LoadBalancerTarget FrontendNlb-tg-TCP-80",
        "Delete TargetGroup FrontendNlb-tg-TCP-80",
    ]


def test_what_is_registered_is_deleted_behind_its_registration() -> None:
    deletes = [
        f"{step.subject}"
        for step in planned(running(FRONTED.stack()), no_sites()).steps
        if isinstance(step, Delete)
    ]
    assert deletes[:3] == [
        "LoadBalancer FrontendNlb",
        "LoadBalancerTarget FrontendNlb-tg-TCP-80",
        "LoadBalancer LoadBalancer",
    ]


def test_a_protected_frontend_keeps_everything_behind_it() -> None:
    aws = running(FRONTED.stack())
    (front,) = [item for item in aws.of(LoadBalancer) if item.resource.id != LOAD_BALANCER]
    aws.edit(front.arn, attributes={DELETION_PROTECTION: "true"})

    made = planned(aws, no_sites())

    assert waits(made)["Delete LoadBalancerTarget FrontendNlb-tg-TCP-80"] == (
        "no traffic goes to its target group any more"
    )
    assert waits(made)["Delete LoadBalancer LoadBalancer"] == (
        "target group FrontendNlb-tg-TCP-80 no longer sends to it"
    )


def test_a_load_balancer_that_cannot_be_set_up_leaves_the_frontend_where_it_is() -> None:
    aws = running(FRONTED.stack())
    wanted = replace(FRONTED, scheme=Scheme.INTERNET_FACING).stack()
    aws.reconcile(wanted)
    for arn, item in list(aws.items.items()):
        if isinstance(item, ObservedLoadBalancer) and item.state is LoadBalancerState.PROVISIONING:
            aws.items[arn] = replace(item, state=LoadBalancerState.FAILED)

    made = planned(aws, wanted)

    assert waits(made)["Create LoadBalancerTarget FrontendNlb-tg-TCP-80"] == "the load balancer is set up"
    assert not any(isinstance(step, Delete) for step in made.steps)
    assert Arn(f"{aws.of(LoadBalancerTarget)[0].resource.target_group}#alb") in aws.items


def test_what_is_behind_a_frontend_that_drains_is_looked_at_when_the_drain_ends() -> None:
    aws = running(replace(FRONTED, listeners={80: SITE, 8080: SITE}).stack())
    wanted = replace(
        FRONTED, listeners={8080: SITE}, frontend={80: 8080}, frontend_scheme=Scheme.INTERNET_FACING
    ).stack()
    for _ in range(2):
        aws.reconcile(wanted)
        aws.settle()

    made = planned(aws, wanted)

    assert made.steps == ()
    assert waits(made)["Delete Listener 80"] == "target group FrontendNlb-tg-TCP-80 no longer sends to it"
    assert waits(made)["Update SecurityGroup ManagedLBSecurityGroup"] == "Listener 80 is gone"
    assert {later.retry_after for later in made.postponed} == {DRAIN.total_seconds()}
