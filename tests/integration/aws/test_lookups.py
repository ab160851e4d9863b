"""Facts for the builds of Ingresses: names, certificates of hosts, and what their load balancer does."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.aws.certificates import IMPORTED_SECONDS, LIST_SECONDS
from lbcontroller.aws.inventory import REFRESH_SECONDS, InventorySource
from lbcontroller.aws.named_facts import (
    MISSING_SECONDS,
    TARGET_GROUP_SECONDS,
    TRUST_STORE_SECONDS,
    UNANSWERED_SECONDS,
    WEB_ACL_SECONDS,
)
from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from lbcontroller.model.actions import ClientSecret
from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import CertificateArn, SecurityGroupId
from lbcontroller.model.inventory import CertificateFact, Lookups, NotAllowed
from lbcontroller.model.resources import ListenerRule
from lbcontroller.plan.equality import resolve
from tests.support.alb_stacks import (
    GROUP,
    NOT_FOUND,
    SECURITY_GROUP,
    TLS_SECRET,
    AlbGroup,
    Rule,
    an_oidc_login,
    certificates_of,
    forward,
    on,
    target_group_id,
)
from tests.support.aws_access import AwsUnderTest
from tests.support.key_pairs import a_key_pair
from tests.support.manual_clock import ManualClock
from tests.support.nlb_stacks import a_rule

CERTIFICATES = Lookups(certificates=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def source(account: AwsUnderTest, clock: ManualClock) -> InventorySource:
    loaded = account.inventory(clock=clock)
    loaded.load()
    return loaded


def make_target_group(account: AwsUnderTest, name: str) -> str:
    made = account.aws.client("elbv2").create_target_group(
        Name=name, Protocol="HTTP", Port=80, VpcId=account.world.vpc_id, TargetType="ip"
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def make_trust_store(account: AwsUnderTest, name: str) -> str:
    made = account.aws.client("elbv2").create_trust_store(
        Name=name, CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k"
    )
    return str(made["TrustStores"][0]["TrustStoreArn"])


def imported(account: AwsUnderTest, *names: str, **options: Any) -> CertificateArn:
    pair = a_key_pair(*names)
    made = account.aws.client("acm").import_certificate(
        Certificate=pair.certificate, PrivateKey=pair.key, **options
    )
    return CertificateArn(made["CertificateArn"])


def fact(source: InventorySource, arn: CertificateArn) -> CertificateFact:
    certificates = source.for_stack(GROUP).certificates
    assert certificates is not UNKNOWN
    return certificates[arn]


# Names


def test_names_stand_for_what_has_them(account: AwsUnderTest, source: InventorySource) -> None:
    group, store = make_target_group(account, "shared"), make_trust_store(account, "clients")

    source.look_up(
        Lookups(
            target_groups=frozenset({"shared", "nobodys"}),
            trust_stores=frozenset({"clients", "nobodys"}),
            web_acls=frozenset({"site", "nobodys"}),
        )
    )

    named = source.for_stack(GROUP).named
    assert named.target_groups == {"shared": group, "nobodys": None}
    assert named.trust_stores == {"clients": store, "nobodys": None}
    assert named.web_acls == {"site": account.world.ids["waf.site"], "nobodys": None}


def test_no_name_takes_no_call(account: AwsUnderTest, source: InventorySource) -> None:
    assert account.called(lambda: source.look_up(Lookups())) == []


@pytest.mark.parametrize(
    ("lookups", "call", "seconds"),
    [
        (Lookups(target_groups=frozenset({"shared"})), "DescribeTargetGroups", TARGET_GROUP_SECONDS),
        (Lookups(trust_stores=frozenset({"clients"})), "DescribeTrustStores", TRUST_STORE_SECONDS),
        (Lookups(web_acls=frozenset({"site"})), "wafv2:ListWebACLs", WEB_ACL_SECONDS),
    ],
    ids=["target group", "trust store", "web ACL"],
)
def test_a_name_is_remembered_for_a_while(
    account: AwsUnderTest, clock: ManualClock, lookups: Lookups, call: str, seconds: float
) -> None:
    make_target_group(account, "shared")
    make_trust_store(account, "clients")
    source = account.inventory(clock=clock)

    assert account.called(lambda: source.look_up(lookups)) == [call]
    clock.advance(seconds - 1)
    assert account.called(lambda: source.look_up(lookups)) == []
    clock.advance(1)
    assert account.called(lambda: source.look_up(lookups)) == [call]


def test_a_name_that_nothing_has_is_looked_up_again_soon(
    account: AwsUnderTest, source: InventorySource, clock: ManualClock
) -> None:
    lookups = Lookups(trust_stores=frozenset({"clients"}))
    source.look_up(lookups)
    assert account.called(lambda: source.look_up(lookups)) == []
    store = make_trust_store(account, "clients")

    clock.advance(MISSING_SECONDS)
    source.look_up(lookups)

    assert source.for_stack(GROUP).named.trust_stores == {"clients": store}


def test_a_build_that_misses_a_name_has_it_looked_up_with_the_other_facts(
    account: AwsUnderTest, source: InventorySource, clock: ManualClock
) -> None:
    source.look_up(Lookups(target_groups=frozenset({"shared"})))
    clock.advance(REFRESH_SECONDS)
    assert source.refresh("still missing") is False
    group = make_target_group(account, "shared")
    clock.advance(REFRESH_SECONDS)

    assert source.refresh("made meanwhile") is True
    assert source.for_stack(GROUP).named.target_groups == {"shared": group}


def test_a_name_that_may_not_be_looked_up_harms_nobody_else(
    account: AwsUnderTest, source: InventorySource
) -> None:
    make_target_group(account, "shared")
    account.aws.inject(
        Fault(effect=ErrorReply(code="AccessDeniedException"), operation="ListWebACLs", times=ALWAYS)
    )

    source.look_up(Lookups(target_groups=frozenset({"shared"}), web_acls=frozenset({"site"})))

    named = source.for_stack(GROUP).named
    assert named.web_acls == {"site": NotAllowed(action="wafv2:ListWebACLs")}
    assert isinstance(named.target_groups["shared"], str)


def test_names_and_certificates_that_aws_has_no_answer_for_stay_unknown_for_a_while(
    account: AwsUnderTest, source: InventorySource, clock: ManualClock
) -> None:
    lookups = Lookups(web_acls=frozenset({"site"}), certificates=True)
    for operation in ("ListWebACLs", "ListCertificates"):
        account.aws.inject(Fault(effect=ErrorReply(code="DependencyViolation"), operation=operation))

    assert len(account.called(lambda: source.look_up(lookups))) == 2
    assert source.for_stack(GROUP).named.web_acls == {}
    assert source.for_stack(GROUP).certificates_are_late
    assert account.called(lambda: source.look_up(lookups)) == []

    clock.advance(UNANSWERED_SECONDS)
    source.look_up(lookups)

    assert source.for_stack(GROUP).named.web_acls == {"site": account.world.ids["waf.site"]}
    assert not source.for_stack(GROUP).certificates_are_late
    assert source.for_stack(GROUP).certificates is not UNKNOWN


def test_a_name_that_aws_refuses_is_nobodys(account: AwsUnderTest, source: InventorySource) -> None:
    account.aws.inject(Fault(effect=ErrorReply(code="ValidationError"), operation="DescribeTargetGroups"))

    source.look_up(Lookups(target_groups=frozenset({"x" * 40})))

    assert source.for_stack(GROUP).named.target_groups == {"x" * 40: None}


# Certificates


def test_certificates_are_listed_once_in_a_while(
    account: AwsUnderTest, source: InventorySource, clock: ManualClock
) -> None:
    listed = ["acm:ListCertificates", "resourcegroupstaggingapi:GetResources"]

    assert account.called(lambda: source.look_up(CERTIFICATES)) == listed
    clock.advance(LIST_SECONDS - 1)
    assert account.called(lambda: source.look_up(CERTIFICATES)) == []
    clock.advance(1)
    assert account.called(lambda: source.look_up(CERTIFICATES)) == listed


def test_a_new_certificate_is_found_when_a_build_misses_one(
    account: AwsUnderTest, source: InventorySource, clock: ManualClock
) -> None:
    source.look_up(CERTIFICATES)
    arn = imported(account, "new.example.com")
    clock.advance(REFRESH_SECONDS)

    assert source.refresh("no certificate for new.example.com") is True
    assert fact(source, arn).domains == {"new.example.com"}


def test_only_a_certificate_whose_names_do_not_fit_is_described(
    account: AwsUnderTest, source: InventorySource, clock: ManualClock
) -> None:
    names = [f"h{number}.example.com" for number in range(101)]
    arn = imported(account, *names)

    first = account.called(lambda: source.look_up(CERTIFICATES))
    clock.advance(IMPORTED_SECONDS - 1)
    refreshed = account.called(lambda: source.refresh("something else is missing"))
    clock.advance(LIST_SECONDS)
    later = account.called(lambda: source.look_up(CERTIFICATES))

    assert fact(source, arn).domains == set(names)
    assert [calls.count("acm:DescribeCertificate") for calls in (first, refreshed, later)] == [1, 0, 1]


def test_authorities_are_read_where_the_choice_is_limited_to_some(account: AwsUnderTest) -> None:
    authority = "arn:aws:acm-pca:us-west-2:123456789012:certificate-authority/1"
    acm = account.aws.client("acm")
    arn = acm.request_certificate(DomainName="in.example.com", CertificateAuthorityArn=authority)[
        "CertificateArn"
    ]
    account.aws.issue_certificates()
    source = account.inventory(flags={"allowed_certificate_authority_arns": authority})
    source.load()

    calls = account.called(lambda: source.look_up(CERTIFICATES))

    assert calls.count("acm:DescribeCertificate") == 1
    assert fact(source, CertificateArn(arn)).authority == authority


def test_certificates_of_controllers_are_marked(account: AwsUnderTest, source: InventorySource) -> None:
    tags = [
        {"Key": "elbv2.k8s.aws/cluster", "Value": "any"},
        {"Key": "ingress.k8s.aws/stack", "Value": "any"},
    ]
    of_a_controller = imported(account, "a.example.com", Tags=tags)
    of_a_user = imported(account, "b.example.com", Tags=tags[:1])

    source.look_up(CERTIFICATES)

    assert fact(source, of_a_controller).ours
    assert not fact(source, of_a_user).ours


def test_a_certificate_just_imported_is_known_to_be_ours(
    account: AwsUnderTest, source: InventorySource
) -> None:
    account.secrets[TLS_SECRET] = a_key_pair("www.example.com")
    stack = account.here(AlbGroup(port=443, secret=account.secrets[TLS_SECRET]).stack())
    account.make(stack)
    [arn] = [arn for id_, arn in account.arns(stack).items() if id_.kind == "Certificate"]
    account.aws.life_cycle.not_listed_yet.add(arn)

    source.look_up(CERTIFICATES)

    assert fact(source, CertificateArn(arn)).ours


def test_who_may_not_read_tags_still_finds_certificates(
    account: AwsUnderTest, source: InventorySource
) -> None:
    account.aws.inject(
        Fault(effect=ErrorReply(code="AccessDeniedException"), operation="GetResources", times=ALWAYS)
    )

    source.look_up(CERTIFICATES)

    arn = CertificateArn(account.world.ids["cert.www.example.com"])
    assert fact(source, arn).domains == {"www.example.com"}


# What exists


def test_a_build_learns_what_the_load_balancer_does(account: AwsUnderTest, source: InventorySource) -> None:
    certificates = certificates_of(account.world.ids, "www.example.com", "api.example.com")
    login = an_oidc_login(ClientSecret("s3cret"))
    group = AlbGroup(
        port=443,
        certificates=certificates,
        rules=(on("a.example.com"), Rule(actions=(login, forward("web")))),
    )
    stack = account.here(group.stack())
    arns = account.make(stack)

    existing = source.for_stack(GROUP).existing

    assert existing is not None
    assert existing.listeners == {443: Protocol.HTTPS}
    assert existing.security_groups == (SecurityGroupId(arns[SECURITY_GROUP]),)
    routing = existing.routing
    assert [rule.conditions for rule in routing.rules[443]] == [rule.conditions for rule in group.rules]
    assert routing.rules[443][1].actions[0] == login
    assert routing.certificates == {443: certificates}
    assert routing.target_groups == {arns[target_group_id("web")]: "shop/site-web:80"}
    assert routing.default_actions == {443: (NOT_FOUND,)}
    assert routing.inbound == {a_rule(port=443)}


def test_certificates_of_listeners_are_read_before_a_build_that_keeps_them(
    account: AwsUnderTest, source: InventorySource
) -> None:
    certificates = certificates_of(account.world.ids, "www.example.com", "api.example.com")
    account.make(account.here(AlbGroup(port=443, certificates=certificates).stack()))
    account.restart()
    account.loader.load()
    source = account.inventory()
    source.load()
    existing = source.for_stack(GROUP).existing
    assert existing is not None
    assert existing.routing.certificates == {}

    assert account.observer.read_certificates(GROUP) == 1

    existing = source.for_stack(GROUP).existing
    assert existing is not None
    assert existing.routing.certificates == {443: certificates}
    assert account.called(lambda: account.observer.read_certificates(GROUP)) == []


def test_rules_of_others_are_not_a_groups(account: AwsUnderTest, source: InventorySource) -> None:
    stack = account.here(AlbGroup(rules=()).stack())
    arns = account.make(stack)
    [listener] = [arn for id_, arn in arns.items() if id_.kind == "Listener"]
    account.aws.client("elbv2").create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/by-hand"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    account.loader.load()

    existing = source.for_stack(GROUP).existing

    assert existing is not None
    assert existing.routing.rules == {80: ()}


def test_rules_are_as_they_were_asked_for(account: AwsUnderTest, source: InventorySource) -> None:
    stack = account.here(AlbGroup(rules=(on("a.example.com"),)).stack())
    arns = account.make(stack)
    [desired] = [resolve(item, arns) for item in stack.resources if isinstance(item, ListenerRule)]

    existing = source.for_stack(GROUP).existing

    assert existing is not None
    [rule] = existing.routing.rules[80]
    assert (rule.id, rule.listener, rule.priority, rule.tags) == (
        desired.id,
        desired.listener,
        desired.priority,
        desired.tags,
    )
