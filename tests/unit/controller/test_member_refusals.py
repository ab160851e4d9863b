"""Whose fault it is when AWS refuses something, and for how long the others go on without it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lbcontroller.build.ingress_groups import IngressGroup, ingress_group
from lbcontroller.build.result import BuildResult, Claim
from lbcontroller.controller.ingress_publisher import CONFLICT_SECONDS
from lbcontroller.controller.member_parts import member_behind
from lbcontroller.controller.member_refusals import HeldBack, MemberRefusals
from lbcontroller.controller.refusals import DENIED_PAUSE_SECONDS, REFUSED_PAUSE_SECONDS
from lbcontroller.controller.refused_parts import Blame, who_is_to_blame
from lbcontroller.controller.stack_owner import Attempt
from lbcontroller.errors import Denied, Problem, Refused
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.kube.errors import Conflict, Rejected
from lbcontroller.kube.events import EventReason
from lbcontroller.model.actions import Action, FixedResponseAction, ForwardAction, WeightedTargetGroup
from lbcontroller.model.identity import stack_id
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import BindingSpec, Listener, ListenerRule, Stack, TargetGroupBinding
from lbcontroller.model.rule_conditions import HostCondition
from lbcontroller.plan.steps import Change, Create, Plan, Update
from lbcontroller.settings import Settings
from tests.support.alb_stacks import AlbGroup
from tests.support.ingress_objects import a_cluster_of, an_ingress
from tests.support.manual_clock import ManualClock

SITES = StackKey(StackKind.INGRESS, ObjectName("", "sites"))
SETTINGS = Settings(cluster_name="demo")


def a_group(*names: str, touched: str = "") -> IngressGroup:
    """Return a group of Ingresses, each with a host of its own."""
    ingresses = [
        an_ingress(
            name,
            annotations={"group.name": "sites"} | ({"scheme": "internal"} if name == touched else {}),
            rules=[{"host": f"{name}.example.com"}],
        )
        for name in names
    ]
    return ingress_group(SITES, a_cluster_of(*ingresses), SETTINGS)


def sending_to(*names: str) -> Action:
    groups = (Ref(ResourceId(Kind.TARGET_GROUP, name)) for name in names)
    return ForwardAction(
        target_groups=tuple(WeightedTargetGroup(target_group=group, weight=1) for group in groups),
        stickiness_enabled=None,
    )


def a_rule(*actions: Action, hosts: tuple[str, ...] = ()) -> ListenerRule:
    return ListenerRule(
        id=ResourceId(Kind.LISTENER_RULE, "80:1"),
        listener=Arn("listener"),
        priority=1,
        conditions=(HostCondition(values=hosts),) if hosts else (),
        actions=actions,
        transforms=(),
        tags={},
    )


def a_binding(name: str) -> TargetGroupBinding:
    group = Ref(ResourceId(Kind.TARGET_GROUP, name))
    return TargetGroupBinding(
        id=ResourceId(Kind.TARGET_GROUP_BINDING, name),
        name=ObjectName("shop", "k8s-shop-b"),
        labels={},
        spec=BindingSpec(
            target_group=group,
            target_type=None,
            protocol=None,
            service="web",
            service_port=80,
            ip_address_type=None,
            vpc_id=None,
        ),
    )


ANSWER = FixedResponseAction(status="200")


@pytest.mark.parametrize(
    ("rule", "culprit"),
    [
        pytest.param(a_rule(sending_to("shop/a-web:80")), "a", id="its target group"),
        pytest.param(a_rule(sending_to("shop/a-b-web:80")), "a-b", id="the longest name"),
        pytest.param(a_rule(sending_to("shop/a-x:80", "shop/a-y:80")), "a", id="two of its target groups"),
        pytest.param(a_rule(sending_to("shop/a-x:80", "shop/c-y:80")), None, id="of two members"),
        pytest.param(a_rule(ANSWER, hosts=("c.example.com",)), "c", id="its host"),
        pytest.param(a_rule(ANSWER, hosts=("a.example.com", "c.example.com")), None, id="hosts of two"),
        pytest.param(a_rule(ANSWER), None, id="no host"),
    ],
)
def test_a_rule_is_the_members_that_it_names(rule: ListenerRule, culprit: str | None) -> None:
    found = member_behind(rule, a_group("a", "a-b", "c").members)
    assert (found.name.name if found is not None else None) == culprit


def refused(about: object) -> Refused:
    error = Refused(Problem(subject="AWS", field="CreateRule", value="", expected="AWS refuses it"))
    error.about = about
    return error


def denied(about: object, code: str) -> Denied:
    error = Denied("elasticloadbalancing:CreateRule", "no")
    error.__cause__ = ClientError({"Error": {"Code": code}}, "CreateRule")
    error.about = about
    return error


OF_A = a_rule(sending_to("shop/a-web:80"))


def an_attempt(
    *steps: Create | Update, claims: tuple[Claim, ...] = (), held: frozenset[ObjectName] = frozenset()
) -> Attempt:
    built = BuildResult(stack=Stack(stack_id(SITES)), claims=claims, held=held)
    return Attempt(built=built, planned=Plan(steps=steps), observed=())


NOTHING = an_attempt()


def held(refusals: MemberRefusals, group: IngressGroup) -> list[str]:
    return [member.name.name for member in refusals.apply(group).group.members if member.problems]


def test_a_member_is_held_until_a_while_has_passed() -> None:
    clock, group = ManualClock(), a_group("a", "b")
    refusals = MemberRefusals(clock)
    assert refusals.blame(group, refused(OF_A), NOTHING)

    applied = refusals.apply(group)
    (culprit, other) = applied.group.members
    assert [problem.subject for problem in culprit.problems] == ["Ingress shop/a"]
    assert other.problems == ()
    assert applied.reasons == {culprit.name: EventReason.FAILED_DEPLOY_MODEL}
    assert applied.look_again == REFUSED_PAUSE_SECONDS
    clock.advance(REFUSED_PAUSE_SECONDS)
    assert refusals.apply(group) == HeldBack(group=group, reasons={}, look_again=None)


def test_a_member_that_is_touched_is_asked_for_again() -> None:
    refusals = MemberRefusals(ManualClock())
    refusals.blame(a_group("a", "b"), refused(OF_A), NOTHING)

    assert held(refusals, a_group("a", "b", touched="b")) == ["a"]
    assert held(refusals, a_group("a", "b", touched="a")) == []


def test_a_quota_is_the_members_that_does_not_fit_and_a_permission_is_nobodys() -> None:
    group = a_group("a", "b")
    refusals = MemberRefusals(ManualClock())
    assert not refusals.blame(group, denied(OF_A, "AccessDenied"), NOTHING)
    assert held(refusals, group) == []

    assert refusals.blame(group, denied(OF_A, "TooManyRules"), NOTHING)
    applied = refusals.apply(group)
    assert applied.look_again == DENIED_PAUSE_SECONDS
    (problem,) = applied.group.members[0].problems
    assert str(problem) == (
        "elasticloadbalancing:CreateRule: AWS refuses it: no (the load balancer has 0 rules and 0 "
        "certificates now, and the group wants 0 rules; have the quota raised, or put the Ingress into "
        "another group)"
    )
    assert held(refusals, group) == ["a"]


def test_nobody_goes_on_without_the_only_member_that_is_served() -> None:
    group = a_group("a", "b")
    attempt = an_attempt(held=frozenset({group.members[1].name}))

    assert not MemberRefusals(ManualClock()).blame(group, refused(OF_A), attempt)


def test_what_belongs_to_no_member_is_nobodys() -> None:
    assert not MemberRefusals(ManualClock()).blame(a_group("a", "b"), refused(None), NOTHING)


def test_a_member_that_left_is_forgotten() -> None:
    refusals = MemberRefusals(ManualClock())
    refusals.blame(a_group("a", "b"), refused(OF_A), NOTHING)

    assert held(refusals, a_group("b")) == []
    assert held(refusals, a_group("a", "b")) == []


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        pytest.param(Denied("patch ingresses", "no"), DENIED_PAUSE_SECONDS, id="not allowed"),
        pytest.param(Conflict("patch ingresses: 409"), CONFLICT_SECONDS, id="always too late"),
        pytest.param(Rejected("patch ingresses: 422"), DENIED_PAUSE_SECONDS, id="invalid by now"),
    ],
)
def test_a_member_that_cannot_have_the_finalizer_is_held(error: Exception, pause: float) -> None:
    group, refusals = a_group("a", "b"), MemberRefusals(ManualClock())
    name = group.members[1].name

    refusals.note_finalizer(group, name, error)

    applied = refusals.apply(group)
    ((problem,),) = [member.problems for member in applied.group.members if member.problems]
    assert str(problem).startswith(
        f"metadata.finalizers: 'group.ingress.k8s.aws/sites': cannot be added: {error} ("
    )
    assert applied.reasons == {name: EventReason.FAILED_ADD_FINALIZER}
    assert applied.look_again == pause


def test_a_binding_that_the_api_server_refuses_is_its_members() -> None:
    group, refusals = a_group("a", "b"), MemberRefusals(ManualClock())
    error = Denied("create targetgroupbindings", "exceeded quota")
    error.about = a_binding("shop/b-web:80")

    assert refusals.blame(group, error, NOTHING)

    assert [str(problem) for problem in refusals.apply(group).group.members[1].problems] == [
        "create targetgroupbindings: the API server refuses it: exceeded quota"
    ]


def test_over_a_quota_of_rules_the_last_one_that_wants_more_has_to_do_without() -> None:
    members = a_group("a", "b", "c").members
    of_b = a_rule(sending_to("shop/b-web:80"))
    attempt = an_attempt(*(Create(resource=rule, reason="new") for rule in (OF_A, of_b)))

    blame = who_is_to_blame(denied(OF_A, "TooManyRules"), members, attempt)

    assert blame == Blame(member=members[1])


LISTENER = next(item for item in AlbGroup().stack().resources if isinstance(item, Listener))


def a_claim(member: str, value: str, field: str = "certificates") -> Claim:
    return Claim(resource=LISTENER.id, field=field, value=value, member=ObjectName("shop", member))


def a_change(before: tuple[str, ...]) -> Update:
    change = Change(field="certificates", before=before, after=())
    return Update(resource=LISTENER, arn=Arn("l"), changes=(change,), reason="changed")


MADE = Create(resource=LISTENER, reason="new")


@pytest.mark.parametrize(
    ("step", "said", "claims", "culprit"),
    [
        pytest.param(
            MADE, "x:c2 is not valid", [a_claim("a", "x:c1"), a_claim("c", "x:c2")], "c", id="named"
        ),
        pytest.param(
            MADE, "not valid", [a_claim("a", "x:c1"), a_claim("a", "p", "ssl_policy")], "a", id="the only one"
        ),
        pytest.param(
            MADE, "not valid", [a_claim("a", "x:c1"), a_claim("c", "x:c2")], None, id="nobody knows"
        ),
        pytest.param(
            a_change(("x:c1",)),
            "not valid",
            [a_claim("a", "x:c1"), a_claim("b", "x:c2"), a_claim("c", "p", "ssl_policy")],
            "b",
            id="who changes it",
        ),
    ],
)
def test_a_listener_is_refused_to_whoever_asks_for_what_is_refused(
    step: Create | Update, said: str, claims: list[Claim], culprit: str | None
) -> None:
    error = Refused(Problem(subject="AWS", field="CreateListener", value="", expected=said))
    error.about = LISTENER

    found = who_is_to_blame(error, a_group("a", "b", "c").members, an_attempt(step, claims=tuple(claims)))

    assert (found.member.name.name if found is not None else None) == culprit


def test_over_a_quota_of_certificates_the_last_one_that_brings_one_has_to_do_without() -> None:
    attempt = an_attempt(a_change(("x:c1",)), claims=tuple(a_claim(name, f"x:{name}") for name in "ab"))
    found = who_is_to_blame(denied(LISTENER, "TooManyCertificates"), a_group("a", "b", "c").members, attempt)
    assert found is not None
    assert found.member.name.name == "b"
