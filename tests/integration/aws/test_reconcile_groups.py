"""Groups of Ingresses in AWS from the first plan to the last: what was made is read back equal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.errors import LbControllerError, NotReady
from lbcontroller.local.aws.faults import ErrorReply, Fault, LoseReply
from lbcontroller.model.actions import AuthenticateCognitoAction, ClientSecret, RedirectAction
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import MutualAuthentication, MutualAuthenticationMode, Stack
from lbcontroller.plan.steps import Plan
from tests.support.alb_stacks import (
    GROUP,
    TLS_SECRET,
    AlbGroup,
    Backend,
    Rule,
    a_session,
    an_oidc_login,
    certificates_of,
    forward,
    on,
)
from tests.support.aws_access import AwsUnderTest
from tests.support.key_pairs import a_key_pair

SITES = tuple(on(f"{name}.example.com") for name in "abcde")
NOTHING = Stack(GROUP)
COGNITO = AuthenticateCognitoAction(
    user_pool_arn="arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_pool",
    client_id="shop",
    user_pool_domain="login",
    session=a_session(),
)


def here(account: AwsUnderTest, group: AlbGroup) -> Stack:
    if group.secret is not None:
        account.secrets[TLS_SECRET] = group.secret
    return account.here(group.stack())


def everything(account: AwsUnderTest) -> AlbGroup:
    """Return a group that asks for all there is."""
    account.aws.client("shield").create_subscription()
    login = an_oidc_login(ClientSecret("s3cret"))
    return AlbGroup(
        port=443,
        certificates=certificates_of(account.world.ids, "www.example.com"),
        secret=a_key_pair("shop.example.com"),
        backends=(Backend(), Backend(name="api", attributes={"slow_start.duration_seconds": "30"})),
        rules=(
            on("a.example.com", actions=(login, forward("web"))),
            on("b.example.com", actions=(COGNITO, forward("web", "api", weights=(90, 10)))),
            on("c.example.com", actions=(RedirectAction(status="HTTP_301", host="d.example.com"),)),
            on("d.example.com"),
        ),
        mutual_authentication=MutualAuthentication(mode=MutualAuthenticationMode.PASSTHROUGH),
        attributes={"idle_timeout.timeout_seconds": "120"},
        load_balancer={
            "web_acl": account.world.ids["waf.site"],
            "shield_protection": True,
            "ipam_pool": "ipam-pool-1",
        },
        tags={"team": "blue"},
        frontend=True,
    )


def converge(account: AwsUnderTest, stack: Stack, *, rounds: int = 8) -> None:
    """Plan and carry out until nothing is left to do, whatever has to be tried again on the way.

    Raises:
        AssertionError: when it takes more rounds.
    """
    for _ in range(rounds):
        try:
            if account.reconcile(stack).is_settled:
                return
        except LbControllerError:
            continue
        finally:
            account.observer.refresh_states(stack.id)
    raise AssertionError(f"not settled after {rounds} rounds: {account.plan(stack)}")


def planned_by_a_new_process(account: AwsUnderTest, stack: Stack) -> Plan:
    account.restart()
    account.loader.load()
    return account.plan(stack)


def test_what_was_made_needs_nothing_more(account: AwsUnderTest) -> None:
    stack = here(account, everything(account))

    converge(account, stack)

    assert account.called(lambda: account.reconcile(stack)) == []
    assert planned_by_a_new_process(account, stack).is_settled


def test_a_new_process_reads_and_writes_nothing(account: AwsUnderTest) -> None:
    stack = here(account, everything(account))
    converge(account, stack)
    account.restart()
    account.aws.clear_calls()

    account.loader.load()
    account.reconcile(stack)

    assert account.writes() == []


def test_doubt_costs_reads_alone(account: AwsUnderTest) -> None:
    stack = here(account, everything(account))
    converge(account, stack)
    account.aws.clear_calls()

    account.observer.doubt(stack.id)
    account.loader.load()
    account.reconcile(stack)

    assert account.writes() == []


def test_one_more_site_is_one_call(account: AwsUnderTest) -> None:
    converge(account, here(account, AlbGroup(rules=SITES[:-1])))
    stack = here(account, AlbGroup(rules=SITES))

    assert account.called(lambda: account.reconcile(stack)) == ["CreateRule"]
    assert planned_by_a_new_process(account, stack).is_settled


def test_a_site_less_moves_the_others_in_one_call(account: AwsUnderTest) -> None:
    converge(account, here(account, AlbGroup(rules=SITES)))
    stack = here(account, AlbGroup(rules=SITES[1:]))

    calls = account.called(lambda: converge(account, stack))

    assert sorted(calls) == ["DeleteRule", "SetRulePriorities"]
    assert planned_by_a_new_process(account, stack).is_settled


def test_another_order_is_one_call(account: AwsUnderTest) -> None:
    converge(account, here(account, AlbGroup(rules=SITES)))
    stack = here(account, AlbGroup(rules=tuple(reversed(SITES))))

    assert account.called(lambda: account.reconcile(stack)) == ["SetRulePriorities"]
    assert planned_by_a_new_process(account, stack).is_settled


def test_another_action_is_one_call(account: AwsUnderTest) -> None:
    converge(account, here(account, AlbGroup(rules=SITES)))
    redirect = RedirectAction(status="HTTP_302", host="new.example.com")
    stack = here(account, AlbGroup(rules=(*SITES[:-1], replace(SITES[-1], actions=(redirect,)))))

    assert account.called(lambda: account.reconcile(stack)) == ["ModifyRule"]
    assert planned_by_a_new_process(account, stack).is_settled


def test_another_client_secret_is_sent_once(account: AwsUnderTest) -> None:
    certificates = certificates_of(account.world.ids, "www.example.com")

    def group(secret: str) -> Stack:
        login = an_oidc_login(ClientSecret(secret))
        rules = (Rule(actions=(login, forward("web"))),)
        return here(account, AlbGroup(port=443, certificates=certificates, rules=rules))

    converge(account, group("first"))

    assert account.called(lambda: account.reconcile(group("second"))) == ["ModifyRule"]
    assert account.called(lambda: account.reconcile(group("second"))) == []


def test_a_renewed_secret_touches_no_listener(account: AwsUnderTest) -> None:
    group = AlbGroup(port=443, secret=a_key_pair("www.example.com"))
    converge(account, here(account, group))
    renewed = here(account, replace(group, secret=a_key_pair("www.example.com", "api.example.com")))

    calls = account.called(lambda: account.reconcile(renewed))

    assert calls == ["acm:ImportCertificate", "acm:AddTagsToCertificate"]
    assert planned_by_a_new_process(account, renewed).is_settled


def test_a_rule_made_by_hand_stays(account: AwsUnderTest) -> None:
    stack = here(account, AlbGroup(rules=SITES))
    converge(account, stack)
    [listener] = account.observed(stack, Kind.LISTENER)
    elbv2 = account.aws.client("elbv2")
    elbv2.create_rule(
        ListenerArn=listener.arn,
        Priority=100,
        Conditions=[{"Field": "path-pattern", "Values": ["/by-hand"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )

    planned = planned_by_a_new_process(account, stack)

    assert planned.is_settled
    assert planned.findings


def test_deleting_the_group_leaves_nothing(account: AwsUnderTest) -> None:
    stack = here(account, everything(account))
    converge(account, stack)

    converge(account, NOTHING)

    account.restart()
    account.loader.load()
    assert account.mirror.stacks() == frozenset()
    acm = account.aws.client("acm")
    listed = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    assert listed == []
    assert account.aws.client("shield").list_protections()["Protections"] == []


WRITES = (
    "CreateSecurityGroup",
    "CreateTargetGroup",
    "CreateLoadBalancer",
    "CreateListener",
    "CreateRule",
    "ImportCertificate",
    "AssociateWebACL",
    "CreateProtection",
    "AddListenerCertificates",
    "ModifyLoadBalancerAttributes",
    "RegisterTargets",
)


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize(
    "effect",
    [LoseReply(), ErrorReply(code="InternalFailure"), ErrorReply(code="AccessDenied")],
    ids=["reply lost", "failed", "denied"],
)
def test_a_fault_at_any_call_leaves_and_doubles_nothing(
    account: AwsUnderTest, operation: str, effect: Any
) -> None:
    account.aws.inject(Fault(effect=effect, operation=operation))
    stack = here(account, everything(account))

    converge(account, stack)

    planned = planned_by_a_new_process(account, stack)
    assert planned.is_settled
    kinds = [item.resource.id for item in account.observer.observe(stack.id)]
    assert sorted(kinds) == sorted(resource.id for resource in stack.resources)
    converge(account, NOTHING)
    assert account.observer.observe(GROUP) == ()


@pytest.mark.parametrize(
    "operation", ["DeleteRule", "SetRulePriorities", "DeregisterTargets", "DeleteCertificate"]
)
def test_a_lost_reply_of_a_removal_does_no_harm(account: AwsUnderTest, operation: str) -> None:
    group = everything(account)
    converge(account, here(account, group))
    account.aws.inject(Fault(effect=LoseReply(), operation=operation))

    converge(account, here(account, replace(group, rules=tuple(reversed(group.rules[1:])))))
    converge(account, NOTHING)

    account.restart()
    account.loader.load()
    assert account.mirror.stacks() == frozenset()


def test_a_group_that_must_wait_says_for_what(account: AwsUnderTest) -> None:
    stack = here(account, everything(account))
    del account.secrets[TLS_SECRET]

    with pytest.raises(NotReady, match="Secret shop/site-tls"):
        account.reconcile(stack)


def test_a_tag_for_every_rule_takes_a_call_for_twenty_of_them(account: AwsUnderTest) -> None:
    sites = tuple(on(f"h{number}.example.com") for number in range(30))
    converge(account, here(account, AlbGroup(rules=sites, tags={"team": "red", "old": "1"})))
    stack = here(account, AlbGroup(rules=sites, tags={"team": "blue"}))

    calls = account.called(lambda: account.reconcile(stack))

    # 33 resources of ELBv2, and the security group.
    assert sorted(calls) == sorted(["AddTags", "RemoveTags"] * 2 + ["ec2:CreateTags", "ec2:DeleteTags"])
    assert planned_by_a_new_process(account, stack).is_settled


def test_a_tag_that_one_rule_cannot_get_is_left_to_each_of_them(account: AwsUnderTest) -> None:
    converge(account, here(account, AlbGroup(rules=SITES)))
    stack = here(account, AlbGroup(rules=SITES, tags={"team": "blue"}))
    account.aws.inject(Fault(effect=ErrorReply(code="RuleNotFound"), operation="AddTags"))

    calls = account.called(lambda: account.reconcile(stack))

    assert calls.count("AddTags") == 1 + 8
    assert planned_by_a_new_process(account, stack).is_settled
