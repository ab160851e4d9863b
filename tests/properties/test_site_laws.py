"""Laws of planning, on groups of web sites that change at random while AWS refuses what it refuses."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.model.actions import RedirectAction
from lbcontroller.model.enums import Scheme, TargetType
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    Stack,
    TargetGroupBinding,
)
from lbcontroller.model.rule_conditions import PathCondition
from lbcontroller.plan.existing import forwarded_to
from lbcontroller.plan.planner import plan
from tests.support.alb_stacks import GROUP, NOT_FOUND, forward, on, rule_id
from tests.support.laws import law
from tests.support.nlb_stacks import DRAIN
from tests.support.planned_aws import PlannedAws, aws_after
from tests.support.site_stacks import TO_HTTPS, Site, Sites, certificate, certificate_id, no_sites

rules = st.builds(
    lambda host, path, backend: on(f"{host}.example.com", path, actions=(forward(backend),)),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["/*", "/x"]),
    st.sampled_from(["web", "api", "canary"]),
)
rule_lists = st.lists(rules, max_size=3).map(tuple)
plain = st.builds(Site, rules=rule_lists, default=st.sampled_from([NOT_FOUND, NOT_FOUND, forward("web")]))
redirecting = st.just(Site(default=TO_HTTPS))


@st.composite
def groups(draw: st.DrawFn) -> Sites:
    """Return a group with some of three listeners, perhaps a certificate, perhaps a frontend."""
    secrets = {"tls": draw(st.sampled_from(["v1", "v2"]))} if draw(st.booleans()) else {}
    certificates = (Ref(certificate_id("tls")),) if secrets else (certificate("cert"),)
    listeners = {}
    if draw(st.booleans()):
        listeners[443] = replace(draw(plain), certificates=certificates)
    if draw(st.booleans()) or not listeners:
        listeners[80] = draw(redirecting if 443 in listeners and draw(st.booleans()) else plain)
    if draw(st.integers(0, 3)) == 0:
        listeners[8080] = draw(plain)
    frontend = {80: draw(st.sampled_from(sorted(listeners)))} if draw(st.booleans()) else {}
    return Sites(
        listeners=listeners,
        secrets=secrets if 443 in listeners else {},
        instances=frozenset({"web"} if draw(st.booleans()) else ()),
        control_ports={"api": 3000} if draw(st.integers(0, 3)) == 0 else {},
        scheme=draw(st.sampled_from(Scheme)),
        tags={"team": draw(st.sampled_from(["a", "b"]))} if draw(st.booleans()) else {},
        frontend=frontend,
        frontend_scheme=draw(st.sampled_from(Scheme)),
    )


stacks = groups().map(Sites.stack)
histories = st.lists(stacks, min_size=1, max_size=3)
LAW = law(60)


@LAW
@given(histories)
def test_what_was_carried_out_needs_no_further_step(history: list[Stack]) -> None:
    aws = aws_after(history)
    aws.converge(history[-1])
    assert plan(history[-1], aws.observed(), aws.policy()).is_settled


@LAW
@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_has_no_influence(history: list[Stack], rng: random.Random) -> None:
    aws = aws_after(history[:-1])
    stack, observed = history[-1], list(aws.observed())
    resources = list(stack.resources)
    expected = plan(stack, observed, aws.policy())
    rng.shuffle(observed)
    rng.shuffle(resources)
    assert plan(Stack(GROUP, tuple(resources)), observed, aws.policy()) == expected


@LAW
@given(histories)
def test_an_empty_stack_leaves_nothing(history: list[Stack]) -> None:
    aws = aws_after(history)
    aws.converge(no_sites())
    assert not aws.items


@LAW
@given(histories, st.integers(min_value=0, max_value=16))
def test_a_crash_after_any_step_is_made_good(history: list[Stack], steps: int) -> None:
    aws = aws_after(history[:-1])
    aws.run(plan(history[-1], aws.observed(), aws.policy()), crash_after=steps)
    aws.settle()
    aws.converge(history[-1])
    aws.converge(no_sites())
    assert not aws.items


@LAW
@given(histories, stacks)
def test_a_crash_before_another_change_is_made_good(history: list[Stack], other: Stack) -> None:
    aws = aws_after(history[:-1])
    for crash_after in (1, 3, 5):
        aws.run(plan(history[-1], aws.observed(), aws.policy()), crash_after=crash_after)
        aws.settle()
        aws.run(plan(other, aws.observed(), aws.policy()), crash_after=crash_after)
    aws.converge(other)
    assert plan(other, aws.observed(), aws.policy()).is_settled


@LAW
@given(histories)
def test_what_is_not_ours_is_never_touched(history: list[Stack]) -> None:
    aws = aws_after(history[:1])
    front = next(item for item in aws.of(LoadBalancer) if item.resource.type == "application")
    listener = next(item for item in aws.of(Listener) if item.resource.load_balancer == front.arn)
    like = replace(listener.resource, default_actions=(NOT_FOUND,))
    hand = aws.add_listener_by_hand(front.arn, like, 9999)
    foreign = {hand, aws.add_rule_by_hand(a_rule(hand), hand, 2)}
    foreign.add(aws.add_rule_by_hand(a_rule(listener.arn), listener.arn, 49_999))
    for stack in history:
        made = plan(stack, aws.observed(), aws.policy())
        for step in made.steps:
            assert getattr(step, "arn", None) not in foreign
            assert not foreign & getattr(step, "priorities", {}).keys()
        aws.run(made)
        aws.settle()


@LAW
@given(stacks, stacks, st.data())
def test_what_is_retained_stays_as_it_is(present: Stack, other: Stack, data: st.DataObject) -> None:
    aws = PlannedAws()
    aws.converge(present)
    desired = {resource.id for resource in other.resources}
    names = sorted({item.resource.id for item in aws.observed()} - desired)
    retained = frozenset(data.draw(st.lists(st.sampled_from(names), unique=True)) if names else ())
    before = {item.arn: item.resource for item in aws.observed() if item.resource.id in retained}
    for stack in (replace(other, retained=retained), no_sites(retained=retained)):
        for _ in range(4):
            aws.reconcile(stack)
            aws.settle()
            aws.now += DRAIN
        assert before.items() <= {item.arn: item.resource for item in aws.observed()}.items()
    aws.converge(no_sites())
    assert not aws.items


@LAW
@given(histories)
def test_what_gets_traffic_is_bound_and_registered(history: list[Stack]) -> None:
    aws = aws_after(history[:-1])
    for _ in range(6):
        before = sent_to(aws)
        made = plan(history[-1], aws.observed(), aws.policy())
        for _step in aws.steps(made):
            bound = {item.resource.spec.target_group: item for item in aws.of(TargetGroupBinding)}
            for arn, target_groups in sent_to(aws).items():
                for target_group in target_groups:
                    if aws.items[Arn(target_group)].resource.target_type is TargetType.ALB:  # type: ignore[union-attr] # a target group
                        continue
                    assert target_group in bound
                    moved = arn in before and target_group not in before[arn]
                    assert not moved or bound[target_group].reconciled
        aws.settle()
        aws.now += timedelta(seconds=min((later.retry_after for later in made.postponed), default=0))


@LAW
@given(stacks, stacks)
def test_a_redirect_and_a_registration_lead_to_a_listener_that_is_there(before: Stack, after: Stack) -> None:
    aws = PlannedAws()
    aws.converge(before)
    for _ in range(6):
        made = plan(after, aws.observed(), aws.policy())
        for _step in aws.steps(made):
            places = {(item.resource.load_balancer, item.resource.port) for item in aws.of(Listener)}
            for item in aws.of(Listener):
                for action in item.resource.default_actions:
                    if isinstance(action, RedirectAction):
                        assert (item.resource.load_balancer, 443) in places
            for item in aws.of(LoadBalancerTarget):
                assert (item.resource.load_balancer, item.resource.port) in places
        aws.settle()
        aws.now += DRAIN


@LAW
@given(groups(), groups())
def test_clients_of_the_frontend_always_reach_a_load_balancer(before: Sites, after: Sites) -> None:
    port = sorted(set(before.listeners) & set(after.listeners))[:1]
    if not port:
        return
    aws = PlannedAws()
    aws.converge(replace(before, frontend={80: port[0]}).stack())
    wanted = replace(after, frontend={80: port[0]}, frontend_scheme=before.frontend_scheme).stack()
    for _ in range(6):
        made = plan(wanted, aws.observed(), aws.policy())
        for _step in aws.steps(made):
            registered = {item.resource.target_group for item in aws.of(LoadBalancerTarget)}
            for item in aws.of(Listener):
                if item.resource.id.name.startswith("FrontendNlb"):
                    assert forwarded_to(item.resource) <= registered
        aws.settle()
        aws.now += DRAIN


def sent_to(aws: PlannedAws) -> dict[Arn, frozenset[str]]:
    """Return the target groups of each listener, by itself and by its rules."""
    found: dict[Arn, frozenset[str]] = {}
    for item in aws.of(Listener):
        senders = [item.resource, *(rule.resource for rule in aws.rules_of(item.arn))]
        found[item.arn] = frozenset(str(group) for sender in senders for group in forwarded_to(sender))
    return found


def a_rule(listener: Arn) -> ListenerRule:
    """Return a rule as somebody makes it by hand."""
    return ListenerRule(
        id=rule_id(80, 1),
        listener=listener,
        priority=1,
        conditions=(PathCondition(values=("/by-hand",)),),
        actions=(NOT_FOUND,),
        transforms=(),
        tags={},
    )
