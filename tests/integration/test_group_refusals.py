"""What AWS or the API server refuses of one member of a group keeps nobody else waiting."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator

import pytest

from lbcontroller.local.apiserver.faults import Match
from lbcontroller.local.aws.faults import ALWAYS, ErrorReply, Fault
from tests.support.sites import a_site, finalizers, problems, published, rules, settle_with, warnings
from tests.support.yard import Yard

Refuse = Callable[[Match, int], None]

REFUSALS = [
    pytest.param("ValidationError", "a", "c", id="refused"),
    pytest.param("TooManyRules", "c", "a", id="over a quota"),
]


@pytest.mark.parametrize(("code", "refused", "other"), REFUSALS)
def test_the_others_go_on_without_it(yard: Yard, code: str, refused: str, other: str) -> None:
    settle_with(yard, a_site("b", group="sites"), a_site("gone", group="sites"))
    yard.cluster.aws.inject(
        Fault(
            effect=ErrorReply(code=code),
            operation="CreateRule",
            when=lambda request: f"'{refused}.example.com'" in str(request.params),
            times=ALWAYS,
        )
    )
    yard.forget_calls()
    with yard.kubernetes.one_step():
        yard.kubernetes.apply(a_site("a", group="sites"))
        yard.kubernetes.apply(a_site("c", group="sites"))
        yard.delete("ingress", "gone")
    yard.settle()

    assert not [call for call in yard.calls() if "DescribeSubnets" in call]
    assert rules(yard) == {"80/HTTP": sorted(("b.example.com", f"{other}.example.com"))}
    assert yard.find("ingress", "gone") is None
    assert "AWS refuses it" in str(problems(yard, refused))
    assert [reason for reason, _ in warnings(yard, refused)] == ["FailedDeployModel"]
    assert [problems(yard, name) for name in ("b", other)] == [None, None]


def writes_to(path: str, *, status: bool = False) -> Match:
    """Return whether a request changes an object, or its status."""
    return lambda request: (
        request.method == "PATCH" and request.path.endswith(f"{path}/status" if status else path)
    )


@pytest.fixture
def refuse(yard: Yard) -> Iterator[Refuse]:
    """Let the API server refuse requests until the test ends."""
    standing = [True]

    def refuse(match: Match, code: int) -> None:
        yard.kubernetes.refuse(
            lambda request: bool(standing) and match(request), code=code, times=sys.maxsize
        )

    yield refuse
    standing.clear()


@pytest.mark.parametrize("code", [403, 409, 422])
def test_a_member_that_cannot_have_the_finalizer_makes_nobody_wait(
    yard: Yard, refuse: Refuse, code: int
) -> None:
    settle_with(yard, a_site("b", group="sites"))
    refuse(writes_to("/ingresses/a"), code)
    with yard.kubernetes.one_step():
        yard.kubernetes.apply(a_site("a", group="sites"))
        yard.kubernetes.apply(a_site("c", group="sites"))
    yard.settle(horizon=0.5)

    assert rules(yard) == {"80/HTTP": ["b.example.com", "c.example.com"]}
    assert finalizers(yard, "a") == []
    assert published(yard, "a") == []
    ((reason, message),) = warnings(yard, "a")
    assert reason == "FailedAddFinalizer"
    assert message.startswith("metadata.finalizers: 'group.ingress.k8s.aws/sites': cannot be added: patch")
    assert [warnings(yard, name) for name in "bc"] == [[], []]


def test_a_member_whose_status_is_refused_is_told_and_the_others_are_published(
    yard: Yard, refuse: Refuse
) -> None:
    refuse(writes_to("/ingresses/a", status=True), 422)
    settle_with(yard, a_site("a", group="sites"), a_site("b", group="sites"))

    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com"]}
    assert [len(published(yard, name)) for name in "ab"] == [0, 1]
    assert [reason for reason, _ in warnings(yard, "a")] == ["FailedUpdateStatus"]
    assert warnings(yard, "b") == []


def test_a_leaving_member_that_keeps_the_finalizer_is_told_and_the_others_leave(
    yard: Yard, refuse: Refuse
) -> None:
    settle_with(yard, *(a_site(name, group="sites") for name in "abc"))
    refuse(writes_to("/ingresses/a"), 422)
    with yard.kubernetes.one_step():
        yard.delete("ingress", "a")
        yard.delete("ingress", "b")
    yard.settle()

    assert yard.find("ingress", "b") is None
    assert rules(yard) == {"80/HTTP": ["c.example.com"]}
    assert [reason for reason, _ in warnings(yard, "a")] == ["FailedRemoveFinalizer"]
    assert warnings(yard, "c") == []


def test_a_member_whose_binding_is_refused_makes_nobody_wait(yard: Yard, refuse: Refuse) -> None:
    settle_with(yard, a_site("b", group="sites"))
    refuse(lambda request: request.method == "POST" and request.path.endswith("/targetgroupbindings"), 422)
    yard.kubernetes.apply(a_site("a", group="sites"))
    yard.settle()

    assert rules(yard) == {"80/HTTP": ["b.example.com"]}
    assert [reason for reason, _ in warnings(yard, "a")] == ["FailedDeployModel"]
    assert str(problems(yard, "a")).startswith(
        "create targetgroupbindings.elbv2.k8s.aws: the API server refuses it: "
    )
    assert problems(yard, "b") is None


ACL = "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/b/0123"
DENIED = [
    pytest.param({"wafv2-acl-arn": ACL}, "GetWebACLForResource", "wafv2:GetWebACLForResource", id="read"),
    pytest.param({"wafv2-acl-arn": ACL}, "AssociateWebACL", "wafv2:AssociateWebACL", id="write"),
    pytest.param({"wafv2-acl-name": "site"}, "ListWebACLs", "wafv2:ListWebACLs", id="look up"),
]


@pytest.mark.parametrize(("asked", "operation", "told"), DENIED)
def test_a_setting_that_the_controller_lacks_a_permission_for_is_its_owners_alone(
    yard: Yard, asked: dict[str, str], operation: str, told: str
) -> None:
    settle_with(yard, a_site("a", group="sites"), a_site("b", group="sites"))
    yard.start_controller()  # so that it does not know the load balancer as one of its own making
    yard.cluster.aws.inject(
        Fault(effect=ErrorReply(code="AccessDeniedException"), operation=operation, times=ALWAYS)
    )
    with yard.kubernetes.one_step():
        yard.kubernetes.apply(a_site("b", group="sites", annotated=asked))
        yard.kubernetes.apply(a_site("c", group="sites"))
    yard.settle()

    assert rules(yard) == {"80/HTTP": ["a.example.com", "b.example.com", "c.example.com"]}
    ((_, message),) = warnings(yard, "b")
    assert message == problems(yard, "b")
    assert told in message
    assert message.startswith(f"alb.ingress.kubernetes.io/{next(iter(asked))}: '")
    assert [warnings(yard, name) for name in "ac"] == [[], []]
    assert [yard.events(name, "Ingress")[-1][1] for name in "ac"] == ["SuccessfullyReconciled"] * 2

    yard.cluster.aws.clear_faults()
    yard.kubernetes.apply(a_site("b", group="sites"))
    yard.settle()
    assert problems(yard, "b") is None


def test_a_certificate_over_the_quota_is_the_last_ones_that_brings_one(yard: Yard) -> None:
    https = {"listen-ports": '[{"HTTPS": 443}]'}
    of_b, of_c = (
        https | {"certificate-arn": yard.cluster.world.ids[f"cert.{name}"]}
        for name in ("www.example.com", "api.example.com")
    )
    settle_with(yard, a_site("b", group="sites", annotated=of_b))
    yard.cluster.aws.inject(
        Fault(
            effect=ErrorReply(code="TooManyCertificates"), operation="AddListenerCertificates", times=ALWAYS
        )
    )
    with yard.kubernetes.one_step():
        yard.kubernetes.apply(a_site("a", group="sites", annotated=of_b))
        yard.kubernetes.apply(a_site("c", group="sites", annotated=of_c))
    yard.settle()

    assert rules(yard) == {"443/HTTPS": ["a.example.com", "b.example.com"]}
    ((reason, message),) = warnings(yard, "c")
    assert reason == "FailedDeployModel"
    # with the rule of `a` or before it, by whom was seen first
    assert re.search("the load balancer has [12] rules and 1 certificates now", message)
    assert [warnings(yard, name) for name in "ab"] == [[], []]


HTTPS = '[{"HTTPS": 443}]'
NO_POLICY = "ELBSecurityPolicy-TLS13-1-2-2099-01"
LOGS = "access_logs.s3.enabled=true,access_logs.s3.bucket=logs"
NO_BUCKET = Fault(
    effect=ErrorReply(code="InvalidConfigurationRequest", message="Access Denied for bucket: logs"),
    operation="ModifyLoadBalancerAttributes",
    times=ALWAYS,
)
SHARED = [
    pytest.param({"load-balancer-attributes": LOGS}, NO_BUCKET, "access_logs.s3.bucket=logs", id="logs"),
    pytest.param({"load-balancer-attributes": "no.such=1"}, None, "'no.such=1'", id="load balancer"),
    pytest.param({"listener-attributes.HTTPS-443": "no.such=1"}, None, "'no.such=1'", id="listener"),
    pytest.param({"target-group-attributes": "no.such=1"}, None, "'no.such=1'", id="target group"),
    pytest.param({"ssl-policy": NO_POLICY}, None, NO_POLICY, id="policy"),
]


@pytest.mark.parametrize(("asked", "fault", "told"), SHARED)
def test_a_shared_setting_that_aws_refuses_is_left_out_and_told_to_who_asks_for_it(
    yard: Yard, asked: dict[str, str], fault: Fault | None, told: str
) -> None:
    secure = {"listen-ports": HTTPS, "certificate-arn": yard.cluster.world.ids["cert.www.example.com"]}
    settle_with(yard, *(a_site(name, group="sites", annotated=secure) for name in "ab"))
    if fault is not None:
        yard.cluster.aws.inject(fault)
    with yard.kubernetes.one_step():
        yard.kubernetes.apply(a_site("b", group="sites", annotated=secure | asked))
        yard.kubernetes.apply(a_site("c", group="sites", annotated=secure))
    yard.settle()

    assert rules(yard) == {"443/HTTPS": ["a.example.com", "b.example.com", "c.example.com"]}
    (message,) = (text for reason, text in warnings(yard, "b") if reason == "FailedDeployModel")
    assert told in message
    assert message == problems(yard, "b")
    assert [warnings(yard, name) for name in "ac"] == [[], []]
    yard.forget_calls()
    yard.kubernetes.apply(a_site("d", group="sites", annotated=secure))
    yard.settle()
    assert "d.example.com" in rules(yard)["443/HTTPS"]
    assert not [call for call in yard.writes() if call.endswith("Attributes") and "Target" not in call]
