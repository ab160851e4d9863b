"""The IAM policies in `iam/`, and LBC's, held against the whole program: enough, and nothing to spare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from lbcontroller.aws.iam import Partition
from lbcontroller.aws.iam import policy as smallest_policy
from lbcontroller.aws.iam_features import EVERYTHING_BY_DEFAULT, ONLY_WHERE_ASKED_FOR, Feature
from lbcontroller.aws.operations import OPERATIONS, Effect
from lbcontroller.local.aws.iam_policy import Check, Policy
from lbcontroller.local.cluster import LocalCluster
from tests.support import iam_policies
from tests.support.alb_life import AlbLife
from tests.support.aws_access import AwsUnderTest
from tests.support.forbidden_calls import conditions, forbidden, without_condition
from tests.support.yard import Yard

PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: web, ports: [{name: http, containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-subnets: private-a,private-b
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: v1
kind: Service
metadata:
  name: game
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: instance
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {app: web}
  ports: [{name: play, port: 7000, targetPort: http}]
"""
CLUSTER = "yard"
READ_ELSEWHERE = {
    "ec2:DescribeNetworkInterfaces": "for pods that run on no instance, such as those on Fargate",
    "ec2:DescribeRouteTables": "for subnets that have no tag with their role",
}
"""Reads that the life below gives no cause for."""
WRITES = frozenset(
    action
    for operation in OPERATIONS
    if operation.effect is Effect.WRITE
    for action in (operation.action, *operation.also)
    if not action.startswith(
        ("ec2:Describe", "ec2:Get", "iam:", "cognito-idp:Describe", "acm-pca:Get", "acm-pca:List")
    )
)
WHATEVER_THE_CLUSTER = frozenset(
    f"{service}:{verb}WebACL"
    for service in ("wafv2", "waf-regional")
    for verb in ("Associate", "Disassociate")
) | {
    "acm-pca:IssueCertificate",
    "route53:ChangeResourceRecordSets",
    "shield:CreateProtection",
    "shield:DeleteProtection",
}
"""Writes that no policy can allow for one cluster only."""
HTTP = {"name": "http", "port": 80, "targetPort": "http"}
HTTPS = {"name": "https", "port": 443, "targetPort": "http"}


OURS = iam_policies.ours()


def ours_for_one_cluster(name: str) -> iam_policies.Document:
    return iam_policies.together(
        iam_policies.policy_for_one_cluster(name), iam_policies.policies_for_certificates_of_one_cluster(name)
    )


@dataclass(frozen=True, kw_only=True)
class Life:
    """What happened from the first apply to the last delete, held to the policy for any cluster."""

    services: Sequence[Check]
    """What was allowed while there were Services only."""
    allowed: Sequence[Check]
    denied: Sequence[Check]
    nothing_is_left: bool


@pytest.fixture(scope="module")
def life(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Life:
    kubeconfig = tmp_path_factory.mktemp("life") / "kubeconfig"
    cluster.kubernetes.write_kubeconfig(kubeconfig)
    yard = Yard(cluster, str(kubeconfig))
    before = yard.state()
    with cluster.aws.held_to(OURS) as gate:
        with yard:
            for _ in live(yard):
                yard.settle_noted()
        services = tuple(gate.allowed)
        AlbLife(account=AwsUnderTest(cluster.aws, cluster.world)).live()
        return Life(
            services=services,
            allowed=gate.allowed,
            denied=gate.denied,
            nothing_is_left=yard.state() == before,
        )


def live(yard: Yard) -> Iterator[None]:
    """Do to an `ip` and an `instance` Service what users do; yields whenever the controller has work."""
    yard.apply(MANIFESTS)
    yield
    yield from scale(yard)
    yield from change_settings(yard)
    yield from serve_tls_for_a_while(yard)
    yield from change_the_front(yard)
    yard.delete("service", "game")
    yard.delete("service", "web")
    yield


def scale(yard: Yard) -> Iterator[None]:
    for replicas in (4, 1):
        yard.patch("deployment", "web", {"spec": {"replicas": replicas}})
        yield


def change_settings(yard: Yard) -> Iterator[None]:
    settings = {
        "additional-resource-tags": "team=shop",
        "attributes": "load_balancing.cross_zone.enabled=true",
        "minimum-load-balancer-capacity": "CapacityUnits=2750",
        "target-group-attributes": "deregistration_delay.timeout_seconds=30",
        "listener-attributes.TCP-80": "tcp.idle_timeout.seconds=400",
        "healthcheck-interval": "20",
    }
    change_web(yard, settings)
    yield
    change_web(yard, {"additional-resource-tags": None}, loadBalancerSourceRanges=["10.0.0.0/8"])
    yield


def serve_tls_for_a_while(yard: Yard) -> Iterator[None]:
    first, second = (
        yard.cluster.world.ids[f"cert.{name}"] for name in ("www.example.com", "api.example.com")
    )
    tls = {"ssl-cert": f"{first},{second}", "ssl-ports": "443"}
    change_web(yard, tls, ports=[HTTP, HTTPS])
    yield
    yard.restart_controller()
    yield
    change_web(yard, {"ssl-cert": first, "ssl-negotiation-policy": "ELBSecurityPolicy-2016-08"})
    yield
    change_web(yard, dict.fromkeys(tls), ports=[HTTP])
    yield


def change_the_front(yard: Yard) -> Iterator[None]:
    change_web(yard, {"subnets": "private-a,private-b,private-c", "ip-address-type": "dualstack"})
    yield
    change_web(yard, {"security-groups": "custom-front"})
    yield


def change_web(yard: Yard, annotations: Mapping[str, str | None], **spec: object) -> None:
    named = {PREFIX + name: value for name, value in annotations.items()}
    yard.patch("service", "web", {"metadata": {"annotations": named}, "spec": spec})


def needed(life: Life) -> frozenset[str]:
    return frozenset(check.action for check in life.allowed)


def denied(life: Life, document: iam_policies.Document) -> set[str]:
    """Return the actions that a policy would have refused in this life."""
    return refused(life.allowed, document)


def refused(checks: Sequence[Check], document: iam_policies.Document) -> set[str]:
    policy = Policy(document)
    return {check.action for check in checks if not policy.allows(check)}


def test_the_policy_is_enough_from_the_first_apply_to_the_last_delete(life: Life) -> None:
    assert life.denied == ()
    assert life.nothing_is_left


def test_every_action_of_the_policy_is_needed(life: Life) -> None:
    assert iam_policies.actions(OURS) - needed(life) == set(READ_ELSEWHERE)


def test_every_call_needs_the_permissions_it_declares(life: Life) -> None:
    declared = {action for operation in OPERATIONS for action in (operation.action, *operation.also)}
    assert needed(life) <= declared


@pytest.mark.parametrize(
    "document", [OURS, ours_for_one_cluster(CLUSTER)], ids=["ours", "ours for one cluster"]
)
def test_a_policy_is_enough(life: Life, document: iam_policies.Document) -> None:
    assert denied(life, document) == set()


def test_the_policy_of_lbc_is_enough_but_for_what_lbc_lacks_itself(life: Life) -> None:
    missing = {"tag:GetResources", "wafv2:ListWebACLs"}
    assert denied(life, iam_policies.LBC_POLICY) == missing | iam_policies.actions(
        iam_policies.policies_for_certificates()
    )


def test_the_policy_for_one_cluster_refuses_every_write_to_another_one(life: Life) -> None:
    other = ours_for_one_cluster("other")
    assert denied(life, other) == (WRITES & needed(life)) - WHATEVER_THE_CLUSTER


@pytest.mark.parametrize(
    "document", [OURS, ours_for_one_cluster(CLUSTER)], ids=["ours", "ours for one cluster"]
)
def test_no_statement_allows_an_action_that_the_others_allow_too(
    life: Life, document: iam_policies.Document
) -> None:
    spare = [
        (sid, action)
        for sid, action in iam_policies.permissions(document)
        if action not in READ_ELSEWHERE
        and denied(life, iam_policies.without(document, sid, action)) != {action}
    ]
    assert spare == []


@pytest.mark.parametrize("cluster_name", [None, CLUSTER])
def test_services_need_no_more_than_the_policy_for_them(life: Life, cluster_name: str | None) -> None:
    document = smallest_policy({Feature.SERVICES}, Partition.AWS, cluster_name)

    assert refused(life.services, document) == set()
    unused = iam_policies.actions(document) - {check.action for check in life.services}
    assert unused == {*READ_ELSEWHERE, "elasticloadbalancing:DescribeTargetHealth"}


@pytest.mark.parametrize("cluster_name", [None, CLUSTER])
@pytest.mark.parametrize("feature", sorted(set(Feature) - {Feature.SERVICES, Feature.INGRESSES}))
def test_without_a_feature_exactly_what_it_needs_is_denied(
    life: Life, feature: Feature, cluster_name: str | None
) -> None:
    others = smallest_policy(set(Feature) - {feature}, Partition.AWS, cluster_name)
    alone = smallest_policy({feature}, Partition.AWS, cluster_name)

    assert denied(life, others) == iam_policies.actions(alone) - iam_policies.actions(others)


def test_ingresses_need_what_services_need_and_rules(life: Life) -> None:
    services = iam_policies.actions(smallest_policy({Feature.SERVICES}, Partition.AWS))
    ingresses = iam_policies.actions(smallest_policy({Feature.INGRESSES}, Partition.AWS))
    everything = smallest_policy(EVERYTHING_BY_DEFAULT | ONLY_WHERE_ASKED_FOR, Partition.AWS)

    assert services < ingresses
    assert ingresses - services <= needed(life)
    assert denied(life, everything) == set()


def depending_on_conditions(life: Life, document: iam_policies.Document) -> list[Check]:
    """Return what no statement allows whatever the tags are."""
    free = [each for each in iam_policies.statements(document) if "Condition" not in each]
    policy = Policy({"Statement": free})
    return [check for check in life.allowed if not policy.allows(check)]


@pytest.mark.parametrize(
    "document", [OURS, ours_for_one_cluster(CLUSTER)], ids=["ours", "ours for one cluster"]
)
def test_what_is_not_of_the_cluster_is_refused_and_every_condition_is_needed_for_that(
    life: Life, document: iam_policies.Document
) -> None:
    strange = forbidden(depending_on_conditions(life, document))

    def allowed(policy: Policy) -> list[Check]:
        return [check for check in strange if policy.allows(check)]

    assert allowed(Policy(document)) == []
    spare = [
        condition
        for condition in conditions(document)
        if not allowed(Policy(without_condition(document, *condition)))
    ]
    assert spare == []


@pytest.mark.parametrize(
    "action", ["elasticloadbalancing:CreateListener", "ec2:GetSecurityGroupsForVpc", "ec2:CreateTags"]
)
def test_the_event_of_a_service_names_the_action_that_is_missing(yard: Yard, action: str) -> None:
    before = yard.state()
    with yard.cluster.aws.held_to(iam_policies.without_action(iam_policies.policy(), action)):
        yard.apply(MANIFESTS)
        yard.settle()

        told = [message for kind, _, message in yard.events("web") if kind == "Warning"]
        assert any(f"not authorized to perform: {action}" in message for message in told)
        assert yard.hostnames("web") == []

        yard.delete("service", "web")
        yard.delete("service", "game")
        yard.settle()
    assert yard.state() == before
