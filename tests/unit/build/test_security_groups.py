from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.build.security_groups import (
    MANAGED_SECURITY_GROUP_ID,
    SecurityGroupDecision,
    decide_security_groups,
)
from lbcontroller.config.load_balancer import (
    GivenSecurityGroups,
    ManagedSecurityGroup,
    NoSecurityGroups,
    SecurityGroupChoice,
    StaticAddresses,
)
from lbcontroller.errors import NotReady
from lbcontroller.model.findings import FindingReason, Severity
from lbcontroller.model.ids import SecurityGroupId, VpcId
from lbcontroller.model.ingress_rules import IngressRule, Peer, PeerKind
from lbcontroller.model.inventory import Inventory, SecurityGroupFact
from lbcontroller.model.references import Ref
from tests.support.inventories import BACKEND_GROUP
from tests.support.load_balancer_builds import (
    GROUPS,
    a_config,
    a_context,
    an_existing,
    facts,
    inbound,
    problems_of,
)

WITHOUT_BACKEND = {"enable-backend-security-group": "false"}
REPLACING = {"allow-load-balancer-replacement": "true"}
OWN = Ref(MANAGED_SECURITY_GROUP_ID)
MANAGED = ManagedSecurityGroup(inbound=(inbound(),))
NONE = NoSecurityGroups(field="example.org/disable-security-groups")
MADE_WITHOUT = facts(existing=an_existing(has_security_groups=False))


def given(*names: str, manage_backend_rules: bool = False) -> GivenSecurityGroups:
    return GivenSecurityGroups(names=names, manage_backend_rules=manage_backend_rules, field=GROUPS)


def decide(
    choice: SecurityGroupChoice,
    *,
    inventory: Inventory | None = None,
    flags: dict[str, str] | None = None,
    **changes: Any,
) -> SecurityGroupDecision:
    config = a_config(security_groups=choice, **changes)
    return decide_security_groups(config, a_context(inventory=inventory, flags=flags))


# The table


@pytest.mark.parametrize(
    "choice", [MANAGED, NONE, given("front"), given("unknown", manage_backend_rules=True)]
)
def test_a_load_balancer_made_without_groups_stays_without(choice: SecurityGroupChoice) -> None:
    decision = decide(choice, inventory=MADE_WITHOUT)

    assert (decision.attached, decision.managed, decision.backend_source) == ((), None, None)


def test_groups_that_exist_cannot_be_asked_away() -> None:
    assert problems_of(lambda: decide(NONE, inventory=facts(existing=an_existing()))) == [
        (
            "example.org/disable-security-groups: the load balancer was made with security groups, and "
            "AWS does not take them away (another one, with another hostname, takes its place with "
            "--allow-load-balancer-replacement)"
        )
    ]


def test_a_flag_for_all_takes_groups_away_from_no_load_balancer_that_exists() -> None:
    by_gate = replace(NONE, by_default=True)
    assert problems_of(lambda: decide(by_gate, flags=REPLACING, inventory=facts(existing=an_existing()))) == [
        (
            "example.org/disable-security-groups: the load balancer was made with security groups, and "
            "AWS does not take them away (to have that, delete it)"
        )
    ]


@pytest.mark.parametrize(
    ("choice", "flags", "may_be_replaced", "replaced"),
    [
        pytest.param(given("front"), {}, None, False, id="given, nothing allowed"),
        pytest.param(given("front"), REPLACING, None, True, id="given, allowed for all"),
        pytest.param(given("front"), REPLACING, False, False, id="given, forbidden for this one"),
        pytest.param(given("front"), {}, True, True, id="given, allowed for this one"),
        pytest.param(MANAGED, REPLACING, None, False, id="a default, allowed for all"),
        pytest.param(MANAGED, {}, True, True, id="a default, allowed for this one"),
    ],
)
def test_groups_come_with_another_load_balancer_where_that_is_allowed(
    choice: SecurityGroupChoice, flags: dict[str, str], may_be_replaced: bool | None, replaced: bool
) -> None:
    decision = decide(choice, flags=flags, inventory=MADE_WITHOUT, may_be_replaced=may_be_replaced)

    assert bool(decision.attached) is replaced
    assert bool(decision.findings) is not replaced


@pytest.mark.parametrize("allowed", [True, False])
def test_a_load_balancer_without_groups_takes_the_place_of_one_with_some_where_that_is_allowed(
    allowed: bool,
) -> None:
    existing = facts(existing=an_existing())
    if allowed:
        assert decide(NONE, inventory=existing, may_be_replaced=True).attached == ()
    else:
        assert len(problems_of(lambda: decide(NONE, inventory=existing, may_be_replaced=False))) == 1


@pytest.mark.parametrize(
    "holding",
    [{"addresses": StaticAddresses(allocations=("eipalloc-1",))}, {"has_target_groups_of_others": True}],
)
def test_a_load_balancer_that_holds_what_its_successor_needs_is_not_replaced_for_its_groups(
    holding: dict[str, Any],
) -> None:
    decision = decide(given("front"), inventory=MADE_WITHOUT, may_be_replaced=True, **holding)

    assert decision.attached == ()
    assert decision.findings[0].message.endswith("AWS gives it none later; to have that, delete it")


def test_a_new_load_balancer_may_be_made_without_groups() -> None:
    decision = decide(NONE)

    assert (decision.attached, decision.managed, decision.backend_source) == ((), None, None)


def test_a_group_of_our_own_goes_together_with_the_shared_one() -> None:
    decision = decide(MANAGED)

    assert decision.attached == (OWN, BACKEND_GROUP)
    assert decision.backend_source == BACKEND_GROUP
    assert decision.managed is not None


def test_targets_know_a_load_balancer_by_its_own_group_where_none_is_shared() -> None:
    decision = decide(MANAGED, flags=WITHOUT_BACKEND, inventory=facts(backend_security_group=None))

    assert decision.attached == (OWN,)
    assert decision.backend_source == OWN


def test_the_user_s_groups_leave_the_targets_alone() -> None:
    decision = decide(given("sg-front", "sg-partners"))

    assert decision.attached == ("sg-front", "sg-partners")
    assert decision.backend_source is None
    assert decision.managed is None


def test_the_user_s_groups_go_together_with_the_shared_one_to_open_the_targets() -> None:
    decision = decide(given("sg-front", manage_backend_rules=True))

    assert decision.attached == ("sg-front", BACKEND_GROUP)
    assert decision.backend_source == BACKEND_GROUP


def test_targets_are_not_opened_to_the_user_s_groups_where_none_is_shared() -> None:
    assert problems_of(
        lambda: decide(given("sg-front", manage_backend_rules=True), flags=WITHOUT_BACKEND)
    ) == [
        (
            "example.org/manage-backend-rules: 'true': needs the shared backend security group, and "
            "--enable-backend-security-group is false"
        )
    ]


# The shared group


@pytest.mark.parametrize("choice", [MANAGED, given("sg-front", manage_backend_rules=True)])
def test_the_shared_group_is_waited_for(choice: SecurityGroupChoice) -> None:
    with pytest.raises(NotReady, match=r"^the shared backend security group does not exist yet$") as raised:
        decide(choice, inventory=facts(backend_security_group=None))

    assert raised.value.retry_after == 1


def test_the_shared_group_is_not_waited_for_where_it_is_not_needed() -> None:
    decision = decide(given("sg-front"), inventory=facts(backend_security_group=None))

    assert decision.attached == ("sg-front",)


def test_problems_are_told_before_anything_is_waited_for() -> None:
    choice = ManagedSecurityGroup(inbound=(inbound(cidrs=("office",)),))

    assert len(problems_of(lambda: decide(choice, inventory=facts(backend_security_group=None)))) == 1


def test_a_shared_group_of_the_administrator_is_taken_as_it_is() -> None:
    decision = decide(
        MANAGED, flags={"backend-security-group": "sg-given"}, inventory=facts(backend_security_group=None)
    )

    assert decision.attached == (OWN, "sg-given")
    assert decision.backend_source == "sg-given"


def test_a_group_is_attached_once() -> None:
    decision = decide(given("sg-front", BACKEND_GROUP, manage_backend_rules=True), inventory=_with_backend())

    assert decision.attached == ("sg-front", BACKEND_GROUP)


def _with_backend() -> Inventory:
    fact = SecurityGroupFact(id=BACKEND_GROUP, name="", tags={})
    inventory = facts()
    return facts(security_groups={**inventory.security_groups, BACKEND_GROUP: fact})


# The managed group


def test_the_managed_group_is_the_one_that_lbc_would_make() -> None:
    managed = decide(MANAGED, tags={"team": "shop"}).managed

    assert managed is not None
    assert managed.id.name == "ManagedLBSecurityGroup"
    assert managed.name == a_context().names.managed_security_group()
    assert managed.description == "[k8s] Managed SecurityGroup for LoadBalancer"
    assert managed.vpc_id == VpcId("vpc-main")
    assert managed.ingress == frozenset(
        [IngressRule(protocol="tcp", from_port=80, to_port=80, peer=Peer(PeerKind.CIDR, "0.0.0.0/0"))]
    )
    assert managed.tags == {
        "elbv2.k8s.aws/cluster": "yard",
        "service.k8s.aws/resource": "ManagedLBSecurityGroup",
        "service.k8s.aws/stack": "shop/web",
        "team": "shop",
    }


def test_what_its_rules_have_to_tell_is_told() -> None:
    decision = decide(ManagedSecurityGroup(inbound=(inbound(cidrs=("10.1.2.3/8",)),)))

    assert [finding.reason for finding in decision.findings] == [FindingReason.CANONICALIZED]


def test_problems_of_its_rules_and_of_its_tags_are_told_at_once() -> None:
    choice = ManagedSecurityGroup(inbound=(inbound(cidrs=("2001:db8::/32",)),))

    problems = problems_of(
        lambda: decide(choice, flags={"external-managed-tags": "cost"}, tags={"cost": "42"})
    )

    assert [problem.partition(":")[0] for problem in problems] == [
        "example.org/source-ranges",
        "example.org/tags",
    ]


# Groups by name


def test_a_name_stands_for_every_group_that_has_it() -> None:
    twins = [SecurityGroupFact(id=SecurityGroupId(id_), name="edge", tags={}) for id_ in ("sg-2", "sg-1")]
    inventory = facts(security_groups={group.id: group for group in twins})

    assert decide(given("edge"), inventory=inventory).attached == ("sg-1", "sg-2")


def test_ids_and_names_go_together() -> None:
    assert decide(given("partners", "sg-front", "front")).attached == ("sg-partners", "sg-front")


def test_every_group_that_is_not_found_is_a_problem() -> None:
    assert problems_of(lambda: decide(given("front", "sg-0123", "parners"))) == [
        f"{GROUPS}: 'sg-0123': no security group of vpc-main has this id; the others named are found: front",
        (
            f"{GROUPS}: 'parners': no security group of vpc-main has this Name tag; "
            "the others named are found: front (did you mean 'partners'?)"
        ),
    ]


def test_a_name_tag_does_not_stand_in_for_an_id() -> None:
    trap = SecurityGroupFact(id=SecurityGroupId("sg-evil"), name="sg-front", tags={})

    problems = problems_of(
        lambda: decide(given("sg-front"), inventory=facts(security_groups={trap.id: trap}))
    )

    assert problems == [f"{GROUPS}: 'sg-front': no security group of vpc-main has this id"]


def test_groups_not_found_and_groups_not_shared_are_told_at_once() -> None:
    problems = problems_of(lambda: decide(given("nowhere", manage_backend_rules=True), flags=WITHOUT_BACKEND))

    assert len(problems) == 2


# What a load balancer without groups means for what is asked


def test_groups_given_in_vain_are_a_warning() -> None:
    (finding,) = decide(given("front", "sg-partners"), inventory=MADE_WITHOUT).findings

    assert (finding.severity, finding.reason) == (Severity.WARNING, FindingReason.NEEDS_REPLACEMENT)
    assert finding.message == (
        f"{GROUPS}: 'front, sg-partners' has no effect: the load balancer was made without security groups, "
        "and AWS gives it none later; another one, with another hostname, takes its place with "
        "--allow-load-balancer-replacement"
    )


def test_a_default_that_cannot_be_had_is_worth_knowing() -> None:
    (finding,) = decide(MANAGED, inventory=MADE_WITHOUT).findings

    assert (finding.severity, finding.reason) == (Severity.INFO, FindingReason.KEPT_AS_IS)
    assert finding.message == (
        "the load balancer was made without security groups and stays without: "
        "AWS gives it none later; to have that, delete it"
    )


def test_there_is_nothing_to_tell_where_no_groups_are_wanted() -> None:
    assert decide(NONE, inventory=MADE_WITHOUT).findings == ()
