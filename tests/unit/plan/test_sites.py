from __future__ import annotations

from dataclasses import replace
from typing import Any

from lbcontroller.model.enums import Scheme
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.ids import Arn
from lbcontroller.model.limits import TARGET_GROUPS_PER_LOAD_BALANCER
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    SecurityGroup,
    Stack,
    TargetGroup,
)
from lbcontroller.plan.planner import plan
from lbcontroller.plan.steps import Create, Delete, Plan, Reorder, Update
from tests.support.alb_stacks import NOT_FOUND, Rule, forward, on
from tests.support.nlb_stacks import DRAIN
from tests.support.planned_aws import PlannedAws
from tests.support.site_stacks import TO_HTTPS, Site, Sites, certificate, certificate_id, sites


def site(host: str, backend: str = "web") -> Rule:
    return on(f"{host}.example.com", actions=(forward(backend),))


A, B = site("a"), site("b")
PLAIN = Sites(listeners={80: Site(rules=(A, B))})
SECURE = Site(rules=(A, B), certificates=(certificate("one"),))
REDIRECTED = Sites(listeners={80: Site(default=TO_HTTPS), 443: SECURE})
API_IS_REACHED = (
    "targets of target group shop/site-api:80 are registered and their security-group rules in place"
)


def running(stack: Stack, **options: Any) -> PlannedAws:
    aws = PlannedAws(**options)
    aws.converge(stack)
    return aws


def planned(aws: PlannedAws, stack: Stack, **policy: Any) -> Plan:
    return plan(stack, aws.observed(), aws.policy(**policy))


def told(made: Plan) -> list[str]:
    return [f"{type(step).__name__} {step.subject}" for step in made.steps]


def waits(made: Plan) -> dict[str, str]:
    return {f"{type(later.step).__name__} {later.step.subject}": later.waits_for for later in made.postponed}


def test_the_listener_that_clients_are_redirected_to_is_complete_before_the_redirect() -> None:
    made = planned(running(PLAIN.stack()), REDIRECTED.stack())

    assert told(made)[1:] == [
        "Create Listener 443",
        "Create ListenerRule 443:1",
        "Create ListenerRule 443:2",
        "Update Listener 80",
        "Delete ListenerRule 80:2",
        "Delete ListenerRule 80:1",
    ]


def test_a_new_redirect_is_made_after_the_listener_it_leads_to() -> None:
    listeners = [step for step in told(planned(PlannedAws(), REDIRECTED.stack())) if "Listener " in step]
    assert listeners == ["Create Listener 443", "Create Listener 80"]


def test_a_redirect_waits_for_the_targets_behind_it() -> None:
    aws = running(PLAIN.stack())
    wanted = Sites(
        listeners={80: Site(default=TO_HTTPS), 443: replace(SECURE, rules=(A, site("b", "api")))}
    ).stack()

    first = planned(aws, wanted)

    assert "Create ListenerRule 443:2" in told(first)
    assert waits(first)["Update Listener 80"] == API_IS_REACHED
    assert waits(first)["Delete ListenerRule 80:1"] == "Listener 80 has its new default action"


def test_a_listener_that_a_redirect_leads_to_goes_after_the_redirect_with_its_way_in() -> None:
    aws = running(REDIRECTED.stack())
    wanted = Sites(listeners={80: Site(rules=(site("a", "api"),), default=NOT_FOUND)}).stack()

    first = planned(aws, wanted)
    aws.run(first)
    aws.settle()
    second = planned(aws, wanted)

    assert told(first) == [
        "Create TargetGroup shop/site-api:80",
        "Create TargetGroupBinding shop/site-api:80",
    ]
    assert waits(first)["Create ListenerRule 80:1"] == API_IS_REACHED
    assert waits(first)["Update Listener 80"] == API_IS_REACHED
    assert waits(first)["Delete Listener 443"] == "clients are no longer redirected to it"
    assert waits(first)["Update SecurityGroup ManagedLBSecurityGroup"] == "Listener 443 is gone"
    assert {"Update Listener 80", "Delete Listener 443"} < set(told(second))
    assert "Update SecurityGroup ManagedLBSecurityGroup" in told(second)


def test_a_security_group_gets_wider_while_a_listener_waits() -> None:
    aws = running(REDIRECTED.stack())
    listeners = {80: Site(rules=(site("a", "api"),), default=NOT_FOUND), 8080: Site()}

    made = planned(aws, Sites(listeners=listeners).stack())

    (step,) = [step for step in made.steps if step.subject.kind is Kind.SECURITY_GROUP]
    assert isinstance(step, Update)
    assert isinstance(step.resource, SecurityGroup)
    assert isinstance(step.resource.ingress, frozenset)
    assert {rule.from_port for rule in step.resource.ingress} == {80, 443, 8080}


def test_a_rule_moves_to_other_targets_when_they_are_registered() -> None:
    aws = running(PLAIN.stack())
    old = aws.of(TargetGroup)[0].arn
    wanted = replace(PLAIN, instances=frozenset({"web"})).stack()

    first = aws.reconcile(wanted)
    aws.settle()
    second = aws.reconcile(wanted)
    aws.settle()
    third = planned(aws, wanted)

    assert told(first) == [
        "Create TargetGroup shop/site-web:80",
        "Create TargetGroupBinding shop/site-web:80",
    ]
    assert told(second) == [
        "Update ListenerRule 80:1",
        "Update ListenerRule 80:2",
        "Delete TargetGroupBinding shop/site-web:80",
    ]
    assert [step.arn for step in third.steps if isinstance(step, Delete)] == [old]


def test_another_control_port_takes_another_target_group() -> None:
    made = planned(running(PLAIN.stack()), replace(PLAIN, control_ports={"web": 3000}).stack())
    (step,) = [step for step in made.steps if isinstance(step, Create) and step.replaces]
    assert step.reason.startswith("control port changes from None to 3000, which AWS cannot do in place")


def test_another_scheme_is_served_by_a_complete_load_balancer_before_the_old_one_goes() -> None:
    aws = running(PLAIN.stack())
    old = aws.of(LoadBalancer)[0].arn
    wanted = replace(PLAIN, scheme=Scheme.INTERNET_FACING).stack()

    first = aws.reconcile(wanted)
    aws.settle()
    rule = aws.of(ListenerRule)[-1]
    del aws.items[rule.arn]
    incomplete = planned(aws, wanted)
    aws.run(incomplete)
    aws.now += DRAIN
    done = planned(aws, wanted)

    assert [text for text in told(first) if "Rule" in text] == [
        "Create ListenerRule 80:1",
        "Create ListenerRule 80:2",
    ]
    assert waits(incomplete)["Delete LoadBalancer LoadBalancer"].endswith("is set up")
    assert old in {step.arn for step in done.steps if isinstance(step, Delete)}


def test_a_load_balancer_is_not_replaced_while_it_has_target_groups_that_are_not_made_anew() -> None:
    users_own = Arn("targetgroup-of-a-user")
    aws = running(PLAIN.stack())
    group = replace(aws.of(TargetGroup)[0], arn=users_own)
    mine = ResourceId(Kind.TARGET_GROUP, "mine")
    aws.items[users_own] = replace(group, resource=replace(group.resource, id=mine))
    own = forward("web")
    to_own = replace(own, target_groups=(replace(own.target_groups[0], target_group=users_own),))
    listeners = {80: Site(rules=(A, on("b.example.com", actions=(to_own,))))}
    retained = frozenset({mine})
    aws.converge(Sites(listeners=listeners, retained=retained).stack())

    made = planned(aws, Sites(listeners=listeners, scheme=Scheme.INTERNET_FACING).stack())

    assert not any(isinstance(step, Create) for step in made.steps)
    (finding,) = [one for one in made.findings if one.reason is FindingReason.NEEDS_REPLACEMENT]
    assert "AWS lets a target group serve only one load balancer" in finding.message
    assert users_own in finding.message


def test_a_certificate_is_imported_before_and_deleted_after_its_listener_has_it() -> None:
    secret = Sites(
        listeners={443: replace(SECURE, certificates=(Ref(certificate_id("tls")),))}, secrets={"tls": "v1"}
    )
    named = Sites(listeners={443: SECURE})
    aws = running(named.stack())

    there = planned(aws, secret.stack())
    aws.converge(secret.stack())
    renewed = planned(aws, replace(secret, secrets={"tls": "v2"}).stack())
    gone = planned(aws, named.stack())

    assert told(there) == ["Create Certificate secret/shop/tls", "Update Listener 443"]
    assert told(renewed) == ["Update Certificate secret/shop/tls"]
    assert told(gone) == ["Update Listener 443", "Delete Certificate secret/shop/tls"]


def test_a_certificate_stays_while_a_listener_by_hand_has_it() -> None:
    secret = Sites(
        listeners={443: replace(SECURE, certificates=(Ref(certificate_id("tls")),))}, secrets={"tls": "v1"}
    )
    aws = running(secret.stack())
    aws.add_listener_by_hand(aws.of(LoadBalancer)[0].arn, aws.of(Listener)[0].resource, 8443)

    made = planned(aws, Sites(listeners={443: SECURE}).stack())

    assert waits(made)["Delete Certificate secret/shop/tls"] == "no listener has it any more"


def test_listeners_go_first_where_their_rules_leave_no_room() -> None:
    aws = running(PLAIN.stack(), rules=3)
    moved = Sites(listeners={8080: Site(rules=(A, B))}).stack()

    made = planned(aws, moved, rules_per_load_balancer=3)
    aws.converge(moved, rules_per_load_balancer=3)

    listeners = [text for text in told(made) if "Listener" in text]
    assert listeners[:2] == ["Delete Listener 80", "Create Listener 8080"]
    assert [item.resource.port for item in aws.of(Listener)] == [8080]


def test_rules_go_first_where_they_leave_no_room() -> None:
    aws = running(sites(A, B, site("c")), rules=3)
    wanted = sites(site("d"), A)

    made = planned(aws, wanted, rules_per_load_balancer=3)
    aws.converge(wanted, rules_per_load_balancer=3)

    assert told(made) == [
        "Delete ListenerRule 80:3",
        "Delete ListenerRule 80:2",
        "Create ListenerRule 80:1",
        "Reorder Listener 80",
    ]
    assert len(aws.of(ListenerRule)) == 2


def test_one_rule_more_in_a_large_group_is_four_steps() -> None:
    rules = [
        on(f"site{number}.example.com", path, actions=(forward(f"s{number}"),))
        for number in range(50)
        for path in ("/api/*", "/*")
    ]
    added = on("site25.example.com", "/new/*", actions=(forward("new"),))
    aws = running(sites(*rules), rules=200)
    present = {item.arn: item for item in aws.of(ListenerRule)}
    wanted = sites(*rules[:50], added, *rules[50:])

    plans = aws.converge(wanted)

    assert [type(step) for made in plans for step in made.steps] == [Create, Create, Create, Reorder]
    assert len(aws.of(ListenerRule)) == len(present) + 1


def test_rules_go_first_where_their_target_groups_leave_no_room() -> None:
    names = [f"w{number}" for number in range(TARGET_GROUPS_PER_LOAD_BALANCER)]
    full = [
        on(f"{first}.example.com", actions=(forward(*names[first : first + 5]),))
        for first in range(0, len(names), 5)
    ]
    aws = running(sites(*full))
    more = Site(rules=(site("new", "new"),))
    wanted = Sites(listeners={80: Site(rules=tuple(full[1:])), 81: more}).stack()

    aws.converge(wanted)

    assert len(aws.of(TargetGroup)) == len(names) - 4
