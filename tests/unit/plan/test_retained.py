from __future__ import annotations

from dataclasses import replace

from lbcontroller.model.enums import Scheme
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    Stack,
    TargetGroup,
)
from lbcontroller.plan.planner import plan
from lbcontroller.plan.steps import Plan
from tests.support.alb_stacks import (
    LOAD_BALANCER,
    SECURITY_GROUP,
    Rule,
    forward,
    listener_id,
    on,
    rule_id,
    target_group_id,
)
from tests.support.planned_aws import PlannedAws, running
from tests.support.site_stacks import Site, Sites, frontend_target_group_id, no_sites


def site(host: str, backend: str = "web") -> Rule:
    return on(f"{host}.example.com", actions=(forward(backend),))


BOTH = Sites(
    listeners={80: Site(rules=(site("a"),)), 8080: Site(rules=(site("h", "held"), site("g", "gone")))}
)
HELD = frozenset(
    {
        listener_id(8080),
        rule_id(8080, 1),
        target_group_id("held"),
        replace(target_group_id("held"), kind=Kind.TARGET_GROUP_BINDING),
    }
)


def planned(aws: PlannedAws, stack: Stack) -> Plan:
    return plan(stack, aws.observed(), aws.policy())


def told(made: Plan) -> list[str]:
    return [f"{type(step).__name__} {step.subject}" for step in made.steps]


def test_a_retained_listener_keeps_its_retained_rules_and_loses_the_others() -> None:
    made = planned(running(BOTH.stack()), Sites(listeners={80: BOTH.listeners[80]}, retained=HELD).stack())

    rules = [text for text in told(made) if "Rule" in text or "Listener" in text]
    assert rules == ["Delete ListenerRule 8080:2"]
    assert "Delete TargetGroupBinding shop/site-gone:80" in told(made)
    assert not any("held" in text for text in told(made))


def test_retained_things_are_known_to_who_publishes() -> None:
    aws = running(BOTH.stack())
    everything = frozenset(item.resource.id for item in aws.observed())

    made = planned(aws, no_sites(retained=everything))

    assert made.is_settled
    assert made.kept[LOAD_BALANCER] == aws.of(LoadBalancer)[0].arn


def test_a_retained_rule_keeps_the_listener_and_load_balancer_that_it_is_part_of() -> None:
    aws = running(BOTH.stack())
    aws.reconcile(no_sites(retained=frozenset({rule_id(8080, 1)})))
    aws.settle()

    assert [item.resource.port for item in aws.of(Listener)] == [8080]
    assert [item.resource.id for item in aws.of(ListenerRule)] == [rule_id(8080, 1)]
    assert target_group_id("held") in {item.resource.id for item in aws.of(TargetGroup)}
    assert SECURITY_GROUP in {item.resource.id for item in aws.observed()}


def test_rules_go_around_a_retained_one_in_the_same_listener() -> None:
    aws = running(Sites(listeners={80: Site(rules=(site("h", "held"), site("a"), site("b")))}).stack())
    id_ = ResourceId(Kind.LISTENER_RULE, "80:9")
    wanted = Sites(listeners={80: Site(rules=(site("b"), site("a")))}, retained=frozenset({id_}))
    (held, *_) = aws.of(ListenerRule)
    aws.edit(held.arn, id=id_)
    aws.reconcile(wanted.stack())

    (listener,) = aws.of(Listener)
    order = [(rule.resource.priority, rule.arn == held.arn) for rule in aws.rules_of(listener.arn)]
    assert order == [(1, True), (2, False), (3, False)]


def test_a_load_balancer_is_not_replaced_while_something_of_it_is_retained() -> None:
    aws = running(BOTH.stack())
    wanted = Sites(listeners={80: BOTH.listeners[80]}, scheme=Scheme.INTERNET_FACING, retained=HELD).stack()

    made = planned(aws, wanted)

    assert not any(text.startswith("Create") for text in told(made))
    (finding,) = [one for one in made.findings if one.reason is FindingReason.NEEDS_REPLACEMENT]
    assert "Listener 8080" in finding.message
    assert finding.message.endswith("It is replaced when the mistake is mended")


def test_a_replaced_load_balancer_stays_for_what_its_replacement_does_not_have() -> None:
    public = replace(BOTH, scheme=Scheme.INTERNET_FACING)
    aws = running(BOTH.stack())
    aws.reconcile(public.stack())
    aws.settle()
    (old, new) = aws.of(LoadBalancer)
    place = (new.arn, 8080)
    (lost,) = [one for one in aws.of(Listener) if (one.resource.load_balancer, one.resource.port) == place]
    for rule in aws.rules_of(lost.arn):
        del aws.items[rule.arn]
    del aws.items[lost.arn]
    only = Sites(
        listeners={80: BOTH.listeners[80]},
        scheme=Scheme.INTERNET_FACING,
        retained=frozenset({listener_id(8080)}),
    ).stack()

    made = planned(aws, only)

    waits = {getattr(later.step, "arn", ""): later.waits_for for later in made.postponed}
    assert waits[old.arn] == f"its replacement {new.resource.name} has what must stay as it is on port 8080"


def test_a_target_group_stays_for_the_registration_that_is_retained_in_it() -> None:
    fronted = replace(BOTH, frontend={80: 80})
    aws = running(fronted.stack())
    (target,) = aws.of(LoadBalancerTarget)

    made = planned(aws, replace(BOTH, retained=frozenset({target.resource.id})).stack())
    aws.run(made)

    waits = {later.step.subject: later.waits_for for later in made.postponed}
    assert waits[frontend_target_group_id(80)] == "its target is deregistered"
    assert target.arn in aws.items


def test_a_load_balancer_is_not_replaced_while_a_rule_of_it_is_retained() -> None:
    aws = running(BOTH.stack())
    held = frozenset({rule_id(8080, 1)})
    wanted = Sites(
        listeners={80: BOTH.listeners[80], 8080: Site()}, scheme=Scheme.INTERNET_FACING, retained=held
    ).stack()
    for _ in range(3):
        made = aws.reconcile(wanted)
        aws.settle()

    assert len(aws.of(LoadBalancer)) == 1
    (finding,) = [one for one in made.findings if one.reason is FindingReason.NEEDS_REPLACEMENT]
    assert "ListenerRule 8080:1" in finding.message
    assert [item.resource.id for item in aws.of(ListenerRule) if item.resource.id in held] == list(held)
