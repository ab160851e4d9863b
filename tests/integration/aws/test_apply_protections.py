"""What guards application load balancers: web ACLs of WAF and WAF Classic, Shield; and address pools."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from lbcontroller.aws.protections import ProtectionRefused
from lbcontroller.aws.shield import PROTECTION_NAME
from lbcontroller.errors import NotReady
from lbcontroller.local.aws.faults import ErrorReply, Fault, LoseReply
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import LoadBalancer, Stack
from lbcontroller.plan.steps import Create, Delete
from tests.support.alb_stacks import LOAD_BALANCER, AlbGroup
from tests.support.aws_access import AwsUnderTest

LBC_PROTECTION = "managed by aws-alb-ingress-controller"


def a_group(account: AwsUnderTest, **fields: Any) -> Stack:
    """Return a group whose load balancer has these fields."""
    return account.here(AlbGroup(load_balancer=fields).stack())


def web_acl(account: AwsUnderTest) -> str:
    return account.world.ids["waf.site"]


def a_classic_web_acl(account: AwsUnderTest) -> str:
    waf = account.aws.client("waf-regional")
    made = waf.create_web_acl(
        Name="old", MetricName="old", DefaultAction={"Type": "ALLOW"}, ChangeToken="token"
    )
    return str(made["WebACL"]["WebACLId"])


def subscribed(account: AwsUnderTest) -> None:
    account.aws.client("shield").create_subscription()


def load_balancer(account: AwsUnderTest, stack: Stack) -> Arn:
    return account.arns(stack)[LOAD_BALANCER]


def guarding(account: AwsUnderTest, stack: Stack) -> str:
    """Return the web ACL that a load balancer has in AWS."""
    waf = account.aws.client("wafv2")
    answer = waf.get_web_acl_for_resource(ResourceArn=load_balancer(account, stack))
    return str((answer.get("WebACL") or {}).get("ARN", ""))


def protections(account: AwsUnderTest) -> list[str]:
    return [item["Name"] for item in account.aws.client("shield").list_protections()["Protections"]]


def test_nobody_asks_other_services_about_what_nobody_asked_for(account: AwsUnderTest) -> None:
    stack = a_group(account)
    account.make(stack)

    account.restart()
    account.loader.load()
    calls = account.called(lambda: account.observer.read_unknown(stack))

    assert not [call for call in account.calls() if call.startswith(("waf", "shield"))]
    assert not [call for call in calls if call.startswith(("waf", "shield"))]


def test_a_new_load_balancer_gets_its_web_acl_without_a_read(account: AwsUnderTest) -> None:
    stack = a_group(account, web_acl=web_acl(account), web_acl_classic="", shield_protection=False)

    account.make(stack)

    assert [call for call in account.calls() if call.startswith(("waf", "shield"))] == [
        "wafv2:AssociateWebACL"
    ]
    assert guarding(account, stack) == web_acl(account)
    assert account.called(lambda: account.observer.read_unknown(stack)) == []
    assert account.differences(stack) == {}


def test_a_web_acl_is_taken_away(account: AwsUnderTest) -> None:
    account.make(a_group(account, web_acl=web_acl(account)))
    stack = a_group(account, web_acl="")

    calls = account.called(lambda: account.change(stack, LOAD_BALANCER, "web_acl"))

    assert calls == ["wafv2:DisassociateWebACL"]
    assert guarding(account, stack) == ""
    assert account.differences(stack) == {}


def test_a_web_acl_changed_by_hand_is_noticed_after_doubt(account: AwsUnderTest) -> None:
    stack = a_group(account, web_acl=web_acl(account))
    account.make(stack)
    account.aws.client("wafv2").disassociate_web_acl(ResourceArn=load_balancer(account, stack))

    account.mirror.doubt(stack.id)
    calls = account.called(lambda: account.observer.read_unknown(stack))

    assert calls == ["wafv2:GetWebACLForResource"]
    [observed] = account.observed(stack, Kind.LOAD_BALANCER)
    assert observed.resource.web_acl == ""


@pytest.mark.parametrize("operation", ["AssociateWebACL", "DisassociateWebACL", "GetWebACLForResource"])
def test_lost_replies_of_waf_do_no_harm(account: AwsUnderTest, operation: str) -> None:
    account.aws.inject(Fault(effect=LoseReply(), operation=operation))
    stack = a_group(account, web_acl=web_acl(account))
    account.make(stack)
    assert account.differences(stack) == {}

    account.change(a_group(account, web_acl=""), LOAD_BALANCER, "web_acl")

    assert guarding(account, stack) == ""


def test_a_web_acl_that_is_not_known_everywhere_yet_is_waited_for(account: AwsUnderTest) -> None:
    stack = a_group(account, web_acl=web_acl(account))
    account.aws.inject(
        Fault(effect=ErrorReply(code="WAFUnavailableEntityException"), operation="AssociateWebACL")
    )

    with pytest.raises(NotReady) as raised:
        account.make(stack)
    account.change(stack, LOAD_BALANCER, "web_acl")

    assert raised.value.retry_after == 15
    assert guarding(account, stack) == web_acl(account)


def test_a_web_acl_that_does_not_exist_stops_nothing_else(account: AwsUnderTest) -> None:
    missing = web_acl(account).replace("site", "nowhere")
    stack = account.here(
        AlbGroup(
            load_balancer={"web_acl": missing}, attributes={"idle_timeout.timeout_seconds": "120"}
        ).stack()
    )

    with pytest.raises(ProtectionRefused, match=r"wafv2:AssociateWebACL.*WAFNonexistentItem") as raised:
        account.make(stack)

    assert raised.value.attributes == {"web_acl": missing}
    assert account.differences_of(stack, LOAD_BALANCER) == ("web_acl",)


def test_waf_classic_is_associated_and_taken_away(account: AwsUnderTest) -> None:
    classic = a_classic_web_acl(account)
    stack = a_group(account, web_acl_classic=classic)
    account.make(stack)
    waf = account.aws.client("waf-regional")

    found = waf.get_web_acl_for_resource(ResourceArn=load_balancer(account, stack))
    assert found["WebACLSummary"]["WebACLId"] == classic
    assert account.differences(stack) == {}

    without = a_group(account, web_acl_classic="")
    account.change(without, LOAD_BALANCER, "web_acl_classic")

    assert account.differences(without) == {}
    assert "WebACLSummary" not in waf.get_web_acl_for_resource(ResourceArn=load_balancer(account, stack))


def test_shield_protects_under_the_name_that_lbc_uses(account: AwsUnderTest) -> None:
    subscribed(account)
    stack = a_group(account, shield_protection=True)

    account.make(stack)

    assert protections(account) == [PROTECTION_NAME]
    assert account.differences(stack) == {}


@pytest.mark.parametrize("name", [PROTECTION_NAME, LBC_PROTECTION])
def test_protections_of_ours_are_taken_away(account: AwsUnderTest, name: str) -> None:
    subscribed(account)
    stack = a_group(account, shield_protection=False)
    account.make(stack)
    account.aws.client("shield").create_protection(Name=name, ResourceArn=load_balancer(account, stack))

    assert account.differences(stack) == {LOAD_BALANCER: ("shield_protection",)}
    account.change(stack, LOAD_BALANCER, "shield_protection")

    assert protections(account) == []
    assert account.differences(stack) == {}


@pytest.mark.parametrize("wanted", [True, False])
def test_a_protection_of_somebody_else_is_neither_made_again_nor_taken_away(
    account: AwsUnderTest, wanted: bool
) -> None:
    subscribed(account)
    account.make(a_group(account))
    stack = a_group(account, shield_protection=wanted)
    account.aws.client("shield").create_protection(Name="by hand", ResourceArn=load_balancer(account, stack))

    assert account.differences(stack) == {}
    account.change(stack, LOAD_BALANCER, "shield_protection")

    assert protections(account) == ["by hand"]


def test_without_a_subscription_nothing_is_protected_and_nothing_fails(account: AwsUnderTest) -> None:
    stack = a_group(account, shield_protection=True)

    account.make(stack)

    assert account.called(lambda: account.observer.read_unknown(stack)) == []
    assert protections(account) == []
    assert account.differences(stack) == {}


def test_a_lost_reply_of_shield_does_no_harm(account: AwsUnderTest) -> None:
    subscribed(account)
    account.aws.inject(Fault(effect=LoseReply(), operation="CreateProtection"))
    stack = a_group(account, shield_protection=True)

    account.make(stack)

    assert protections(account) == [PROTECTION_NAME]
    assert account.differences(stack) == {}


def test_our_protection_goes_with_the_load_balancer(account: AwsUnderTest) -> None:
    subscribed(account)
    stack = a_group(account, shield_protection=True)
    arns = account.make(stack)

    account.applier.execute(Delete(id=LOAD_BALANCER, arn=arns[LOAD_BALANCER], reason="gone"), arns)

    assert protections(account) == []


def test_a_load_balancer_taken_over_is_told_its_protections_again(account: AwsUnderTest) -> None:
    stack = a_group(account, web_acl=web_acl(account))
    arns = account.make(stack)
    [desired] = [item for item in stack.resources if isinstance(item, LoadBalancer)]
    account.restart()

    calls = account.called(
        lambda: account.applier.execute(Create(resource=desired, reason="asked for"), arns)
    )

    assert "wafv2:AssociateWebACL" in calls
    assert account.differences(stack) == {}


def test_an_address_pool_is_given_changed_and_taken_away(account: AwsUnderTest) -> None:
    stack = a_group(account, ipam_pool="ipam-pool-1", customer_owned_ipv4_pool="ipv4pool-coip-1")
    account.make(stack)
    assert account.differences(stack) == {}
    [created] = account.params("CreateLoadBalancer")
    assert created["IpamPools"] == {"Ipv4IpamPoolId": "ipam-pool-1"}

    for pool in ("ipam-pool-2", ""):
        changed = a_group(account, ipam_pool=pool)
        calls = account.called(partial(account.change, changed, LOAD_BALANCER, "ipam_pool"))
        assert calls == ["ModifyIpPools"]
        assert account.differences(changed) == {}
